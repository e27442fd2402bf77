#pragma once
/* Who may work in one process at a time: all batches together, or one suspect alone.
 *
 * A job that its worker died with is worked on alone in its batch. That is not enough while another thread of the process has jobs
 * in hand: each crash would be counted for these, too, and after the third they would be quarantined with the poison. */
#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Any thread. A thread that has a turn must not ask for another. */
typedef struct stage_turn {
    pthread_mutex_t lock; /* guards all of it */
    pthread_cond_t changed;
    size_t together; /* batches at work */
    size_t waiting;  /* suspects that wait: no batch begins before them, or they might wait for ever */
    bool alone;      /* a suspect is at work */
    bool stopped;
} stage_turn;

void stage_turn_init(stage_turn *turn);
void stage_turn_done(stage_turn *turn);

/* Waits for a turn up to timeout_ms. False: none came in time, or the service stops. */
BASE_MUST_CHECK bool stage_turn_enter(stage_turn *turn, bool alone, int64_t timeout_ms);
void stage_turn_leave(stage_turn *turn, bool alone);
/* From now on nobody gets a turn, and those that wait hear of it at once. */
void stage_turn_stop(stage_turn *turn);
