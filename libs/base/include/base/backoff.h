#pragma once
/* Exponential back-off with jitter. */
#include <stdint.h>

#define BASE_BACKOFF_JITTER_PERCENT 20

/* first_ms · 2^(attempt − 1), at most max_ms, then ± jitter (uniform). attempt counts from 1. */
int64_t base_backoff_ms(int64_t attempt, int64_t first_ms, int64_t max_ms);

/* A random UUID (version 4) in its text form. */
typedef struct base_uuid_text {
    char text[37];
} base_uuid_text;
base_uuid_text base_uuid_random(void);
