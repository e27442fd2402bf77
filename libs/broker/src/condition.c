#include "condition.h"

#include "base/clock.h"

#include <errno.h>

base_code broker_condition_init(broker_condition *condition, base_error *err)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a condition variable");
    int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (failed == 0)
        failed = pthread_cond_init(&condition->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (failed != 0)
        return base_fail(err, BASE_NO_MEMORY, "cannot make a condition variable");
    if (pthread_mutex_init(&condition->mutex, NULL) != 0) {
        pthread_cond_destroy(&condition->changed);
        return base_fail(err, BASE_NO_MEMORY, "cannot make a mutex");
    }
    return BASE_OK;
}

void broker_condition_done(broker_condition *condition)
{
    pthread_cond_destroy(&condition->changed);
    pthread_mutex_destroy(&condition->mutex);
}

bool broker_condition_wait(broker_condition *condition, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000), .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    return pthread_cond_timedwait(&condition->changed, &condition->mutex, &until) != ETIMEDOUT;
}
