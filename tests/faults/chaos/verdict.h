#pragma once
/* What a run came to: waits until all work is done, then compares what was submitted with what became of it. */
#include "load.h"
#include "world.h"

enum { VERDICT_STUCK_MS = 60000 }; /* in peace, that long without any progress */

typedef struct verdict {
    size_t submissions, forged, duplicates, garbage;
    size_t complete, rejected;
    int64_t redeliveries;             /* claims beyond the first of a stage */
    int64_t transactions;             /* landed */
    int64_t max_crashes, max_retries; /* ever counted against one submission in one stage */
    size_t violations;
} verdict;

/* Waits until nothing is pending, however long that takes as long as it moves; says what is stuck, and counts it as a violation,
 * when nothing has ended for VERDICT_STUCK_MS. */
size_t verdict_wait_quiet(world *w, const load *l);
/* Judges what stands still. Adds to ret->violations, and prints each. */
void verdict_judge(world *w, const load *l, verdict *ret);
