#pragma once
/* A mutex with a condition on the monotonic clock: every wait of this library has a deadline. */
#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct broker_condition {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} broker_condition;

BASE_MUST_CHECK base_code broker_condition_init(broker_condition *condition, base_error *err);
void broker_condition_done(broker_condition *condition);

static inline void broker_condition_lock(broker_condition *condition)
{
    pthread_mutex_lock(&condition->mutex);
}
static inline void broker_condition_unlock(broker_condition *condition)
{
    pthread_mutex_unlock(&condition->mutex);
}
static inline void broker_condition_wake(broker_condition *condition)
{
    pthread_cond_broadcast(&condition->changed);
}

/* With the lock held: false once base_monotonic_ms() has reached deadline_ms, else true after a wake-up, which may be spurious. */
bool broker_condition_wait(broker_condition *condition, int64_t deadline_ms);

/* Holds the lock until the end of the scope. */
static inline broker_condition *broker_condition_hold(broker_condition *condition)
{
    broker_condition_lock(condition);
    return condition;
}
static inline void broker_condition_release_at(broker_condition **held)
{
    broker_condition_unlock(*held);
}
#define BROKER_HOLD(condition)                                                                                         \
    __attribute__((cleanup(broker_condition_release_at), unused)) broker_condition *held =                             \
        broker_condition_hold(condition)
