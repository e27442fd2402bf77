#include "stage/hand.h"

#include "base/clock.h"

#include <string.h>

base_code stage_hand_init(stage_hand *hand, size_t capacity, base_error *err)
{
    pthread_mutex_init(&hand->lock, NULL); /* cannot fail without attributes */
    hand->attempts = calloc(capacity, sizeof(*hand->attempts));
    return hand->attempts != NULL ? BASE_OK
                                  : base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", capacity);
}

void stage_hand_done(stage_hand *hand)
{
    free(hand->attempts);
    hand->attempts = NULL;
}

void stage_hand_take(stage_hand *hand, size_t count, store_attempt (*at)(const void *ctx, size_t index),
                     const void *ctx)
{
    pthread_mutex_lock(&hand->lock);
    for (size_t i = 0; i < count; i++)
        hand->attempts[i] = at(ctx, i);
    hand->count = count;
    hand->kept_ms = base_monotonic_ms();
    pthread_mutex_unlock(&hand->lock);
}

void stage_hand_drop(stage_hand *hand)
{
    pthread_mutex_lock(&hand->lock);
    hand->count = 0;
    pthread_mutex_unlock(&hand->lock);
}

size_t stage_hand_keep(stage_hand *hand, int64_t age_ms, store_attempt *ret)
{
    pthread_mutex_lock(&hand->lock);
    int64_t now = base_monotonic_ms();
    size_t count = now - hand->kept_ms < age_ms ? 0 : hand->count;
    memcpy(ret, hand->attempts, count * sizeof(*ret));
    if (count > 0)
        hand->kept_ms = now;
    pthread_mutex_unlock(&hand->lock);
    return count;
}
