#pragma once
/* Pauses a worker while something it needs is away: tries again with back-off, at least once a second. */
#include "stage/health.h"

#include <stdint.h>

#define STAGE_GATE_FIRST_MS 100
#define STAGE_GATE_MAX_MS   800 /* with its jitter under a second: work goes on within a second of the return */

/* Plain value, used by one thread. */
typedef struct stage_gate {
    stage_health *health;
    int64_t failures;
    int64_t closed_until_ms; /* monotonic */
} stage_gate;

/* Closes the gate for a while that grows with each failure in a row, and tells the health why. */
void stage_gate_close(stage_gate *gate, size_t part, const base_error *why);
/* The part answered. */
void stage_gate_open(stage_gate *gate, size_t part);
/* Milliseconds until the gate may be tried again; 0: now. */
int64_t stage_gate_remaining_ms(const stage_gate *gate);
