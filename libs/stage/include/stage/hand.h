#pragma once
/* The attempts that a worker has in hand, listed for the thread that gives signs of life for them. */
#include "store/sweep.h"

#include <pthread.h>

typedef struct stage_hand {
    pthread_mutex_t lock; /* guards all of it */
    store_attempt *attempts;
    size_t count;
    int64_t kept_ms; /* monotonic: of the last sign of life, the claim being the first */
} stage_hand;

/* Room for `capacity` attempts. stage_hand_done accepts a zeroed one. */
BASE_MUST_CHECK base_code stage_hand_init(stage_hand *hand, size_t capacity, base_error *err);
void stage_hand_done(stage_hand *hand);

/* By the worker: the attempts of a batch are in hand until dropped. `at(ctx, i)` is the i-th. */
void stage_hand_take(stage_hand *hand, size_t count, store_attempt (*at)(const void *ctx, size_t index),
                     const void *ctx);
void stage_hand_drop(stage_hand *hand);

/* By any thread: copies the attempts whose last sign of life is older than age_ms, and counts this as one. Returns their number. */
size_t stage_hand_keep(stage_hand *hand, int64_t age_ms, store_attempt *ret);
