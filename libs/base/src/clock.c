#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t base_monotonic_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t base_monotonic_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t base_boottime_ms(void)
{
    return now_us(CLOCK_BOOTTIME) / 1000;
}

int64_t base_unix_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

base_time_text base_time_rfc3339(int64_t unix_ms)
{
    base_time_text text;
    int64_t ms = (unix_ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((unix_ms - ms) / 1000);
    struct tm utc;
    char day[24] = "";
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text.text, sizeof(text.text), "%s.%03dZ", day, (int)ms);
    return text;
}

void base_sleep_ms(int64_t ms)
{
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
        continue;
}
