#pragma once
/* A service as it is built whose allocations fail by a preloaded library, told when by a board that the test shares with it. */
#include "allocation.h"
#include "harness/folder.h"
#include "pipeline.h"

#define VICTIM_SANITIZER_EXIT 66 /* what AddressSanitizer ends it with; no exit code of a service */

typedef struct victim {
    const char *program;
    allocation_board *board;
    char board_setting[HARNESS_PATH_MAX + 32]; /* NAME=value */
    harness_process *service;                  /* NULL: not launched */
    uint64_t seen;                             /* failures so far, for the test's own use */
} victim;

/* Nothing fails until the board says so. `program` is borrowed. Free with victim_end. */
victim victim_new(const char *program);
/* Starts it and does not wait; a former one is freed. */
void victim_launch(victim *v, const pipeline *p);
/* Kills it if it still runs. */
void victim_end(victim *v);
/* Fails the test with the end of what the service has said. */
_Noreturn void victim_tell_end(const victim *v);
