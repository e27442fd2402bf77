#pragma once
/* A point in time for pthread_cond_clockwait(…, CLOCK_MONOTONIC, …). */
#include <stdint.h>
#include <time.h>

static inline struct timespec deadline_after(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    at.tv_nsec = ns % 1000000000;
    return at;
}
