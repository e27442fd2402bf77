#include "harness/wait.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define POLL_MS 10

void harness_fail(const char *format, ...)
{
    char message[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    print_error("%s\n", message);
    fail();
    abort(); /* fail() has left by now */
}

bool harness_wait_until(harness_condition *condition, void *ctx, int64_t deadline_ms)
{
    int64_t until = base_monotonic_ms() + deadline_ms;
    while (!condition(ctx)) {
        if (base_monotonic_ms() >= until)
            return false;
        base_sleep_ms(POLL_MS);
    }
    return true;
}
