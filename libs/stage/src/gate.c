#include "stage/gate.h"

#include "base/backoff.h"
#include "base/clock.h"

void stage_gate_close(stage_gate *gate, size_t part, const base_error *why)
{
    gate->failures++;
    gate->closed_until_ms =
        base_monotonic_ms() + base_backoff_ms(gate->failures, STAGE_GATE_FIRST_MS, STAGE_GATE_MAX_MS);
    stage_health_set(gate->health, part, why);
}

void stage_gate_open(stage_gate *gate, size_t part)
{
    gate->failures = 0;
    gate->closed_until_ms = 0;
    stage_health_set(gate->health, part, NULL);
}

int64_t stage_gate_remaining_ms(const stage_gate *gate)
{
    int64_t rest = gate->closed_until_ms - base_monotonic_ms();
    return rest > 0 ? rest : 0;
}
