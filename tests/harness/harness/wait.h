#pragma once
/* Ends a test with a sentence, and waits for conditions that announce themselves by no event. */
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define HARNESS_START_MS 60000 /* longest wait for any server to become ready, on a busy machine */

/* Fails the running test (or fixture, or program when none runs) with a message. Does not return. */
_Noreturn void harness_fail(const char *format, ...) BASE_PRINTF(1, 2);

/* Asks `condition` every 10 ms until it says yes (true) or deadline_ms have passed (false). */
typedef bool harness_condition(void *ctx);
BASE_MUST_CHECK bool harness_wait_until(harness_condition *condition, void *ctx, int64_t deadline_ms);
