#pragma once
/* Time: monotonic for durations and deadlines, Unix for what others read. */
#include <stdint.h>

int64_t base_monotonic_ms(void);
int64_t base_monotonic_us(void);
int64_t base_unix_ms(void);
/* Monotonic, and counts on while the machine is suspended: for whatever others have gone on without us meanwhile. */
int64_t base_boottime_ms(void);

typedef struct base_time_text {
    char text[32];
} base_time_text;

/* RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z. */
base_time_text base_time_rfc3339(int64_t unix_ms);

/* Sleeps on the monotonic clock; for back-off in tools. Services wait on a condition instead. */
void base_sleep_ms(int64_t ms);
