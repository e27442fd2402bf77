#include "stage/turn.h"

#include "deadline.h"

void stage_turn_init(stage_turn *turn)
{
    *turn = (stage_turn){.together = 0};
    pthread_mutex_init(&turn->lock, NULL); /* neither can fail without attributes */
    pthread_cond_init(&turn->changed, NULL);
}

void stage_turn_done(stage_turn *turn)
{
    pthread_cond_destroy(&turn->changed);
    pthread_mutex_destroy(&turn->lock);
}

static bool is_free(const stage_turn *turn, bool alone)
{
    return !turn->alone && (alone ? turn->together == 0 : turn->waiting == 0);
}

bool stage_turn_enter(stage_turn *turn, bool alone, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&turn->lock);
    turn->waiting += alone;
    int status = 0;
    while (!turn->stopped && !is_free(turn, alone) && status == 0)
        status = pthread_cond_clockwait(&turn->changed, &turn->lock, CLOCK_MONOTONIC, &deadline);
    turn->waiting -= alone;
    bool entered = !turn->stopped && is_free(turn, alone);
    if (entered && alone)
        turn->alone = true;
    else if (entered)
        turn->together++;
    else
        pthread_cond_broadcast(&turn->changed); /* those that waited for this one to have its turn */
    pthread_mutex_unlock(&turn->lock);
    return entered;
}

void stage_turn_leave(stage_turn *turn, bool alone)
{
    pthread_mutex_lock(&turn->lock);
    if (alone)
        turn->alone = false;
    else
        turn->together--;
    pthread_cond_broadcast(&turn->changed);
    pthread_mutex_unlock(&turn->lock);
}

void stage_turn_stop(stage_turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->stopped = true;
    pthread_cond_broadcast(&turn->changed);
    pthread_mutex_unlock(&turn->lock);
}
