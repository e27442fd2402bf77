#include "lane.h"

#include "base/clock.h"
#include "base/fault.h"
#include "funds.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

enum { NODE_CHECK_MS = 5000 }; /* an idle publisher asks the node this often, so that /readyz tells the truth */

static base_code acquire(publisher_lane *lane, base_error *err)
{
    const char *payer = ledger_fee_payer(lane->ledger);
    base_code code =
        store_lane_acquire(lane->stage->store, payer, stage_service_name(lane->stage->service), &lane->lane, err);
    if (code == BASE_OK)
        code = BASE_FAULT("lane.acquired", err);
    if (code == BASE_CONFLICT && !lane->standby_told) {
        TELEMETRY_LOG(TELEMETRY_INFO, "lane_standby", telemetry_text("fee_payer", payer),
                      telemetry_text("reason", err->message));
        lane->standby_told = true;
    }
    if (code != BASE_OK)
        return code;
    TELEMETRY_LOG(TELEMETRY_INFO, "lane_acquired", telemetry_text("fee_payer", payer),
                  telemetry_int("lane_epoch", lane->lane.lane_epoch));
    lane->held = true;
    lane->standby_told = false;
    lane->settled = false;
    lane->landed_count = 0;
    publisher_missing_clear(&lane->missing);
    return BASE_OK;
}

static void note_lost(publisher_lane *lane, const base_error *why)
{
    TELEMETRY_LOG(TELEMETRY_WARN, "lane_lost", telemetry_text("reason", why->message));
    lane->held = false;
    lane->settled = false;
}

/* The lock ends with the session's connection: after a loss someone else may own the lane. */
static base_code hold(publisher_lane *lane, base_error *err)
{
    if (lane->held) {
        base_code code = store_lane_check(lane->stage->store, &lane->lane, err);
        if (code != BASE_CONFLICT)
            return code;
        note_lost(lane, err);
    }
    base_code code = acquire(lane, err);
    stage_metrics_lane(lane->held, lane->next_nonce);
    return code;
}

/* While idle a node that is away only shows in /readyz: the next job finds out by itself. After a failed job it must answer
 * first, and one on another network is sent nothing. */
static base_code check_node(publisher_lane *lane, base_error *err)
{
    if (!lane->node_failed && base_monotonic_ms() < lane->next_check_ms)
        return BASE_OK;
    base_code code = ledger_check(lane->ledger, &lane->height, err);
    lane->next_check_ms = base_monotonic_ms() + NODE_CHECK_MS;
    stage_health_set(lane->stage->gate.health, lane->node_part, code == BASE_OK ? NULL : err);
    lane->node_away = code != BASE_OK;
    if (code == BASE_OK) {
        lane->node_failed = false;
        publisher_missing_note_height(&lane->missing, lane->height);
        return BASE_OK;
    }
    if (code == BASE_CONFLICT)
        publisher_lane_unsettle(lane);
    if (!lane->node_failed && lane->settled)
        return BASE_OK;
    lane->node_failed = true;
    if (err->code == BASE_CONFLICT) /* to the worker a conflict means that another publisher has the turn */
        err->code = BASE_UNAVAILABLE;
    return err->code;
}

/* Also while there is no money what was sent before is looked after. */
static base_code settle_and_confirm(publisher_lane *lane, base_error *err)
{
    base_code code = BASE_OK;
    if (!lane->settled && base_monotonic_ms() < lane->next_settle_ms)
        return base_fail(err, BASE_UNAVAILABLE, "%s", lane->funds_trouble.message);
    if (!lane->settled) {
        code = publisher_lane_settle(lane, err);
        if (code == BASE_OK)
            code = BASE_FAULT("lane.settled", err);
    }
    if (code == BASE_OK && !lane->node_away && base_monotonic_ms() >= lane->next_confirm_ms) {
        lane->next_confirm_ms = base_monotonic_ms() + lane->confirm_interval_ms;
        base_error why = {0};
        if (publisher_lane_confirm(lane, &why) != BASE_OK) {
            TELEMETRY_LOG(TELEMETRY_WARN, "confirmation_failed", telemetry_text("reason", why.message));
            lane->next_check_ms = 0; /* is the node away? Then this is said once, not at every interval */
        }
        if (!lane->settled)
            code = publisher_lane_settle(lane, err);
    }
    return code;
}

base_code publisher_lane_prepare(publisher_lane *lane, base_error *err)
{
    base_code code = hold(lane, err);
    if (code == BASE_CONFLICT) { /* standing by is being ready, if the node is there for the day it is needed */
        base_error away = {0};
        if (check_node(lane, &away) != BASE_OK)
            return base_fail(err, away.code, "%s", away.message);
    }
    if (code == BASE_OK)
        code = check_node(lane, err);
    if (code == BASE_OK)
        code = settle_and_confirm(lane, err);
    return code == BASE_OK ? publisher_funds_check(lane, err) : code;
}

base_code publisher_lane_guard(publisher_lane *lane, base_error *err)
{
    if (!lane->held)
        return base_fail(err, BASE_CONFLICT, "the lane was lost");
    base_code code = store_lane_still(lane->stage->store, &lane->lane, err);
    if (code == BASE_CONFLICT)
        note_lost(lane, err);
    if (code != BASE_OK)
        publisher_lane_unsettle(lane);
    return code;
}

void publisher_lane_keep(publisher_lane *lane)
{
    base_error err = {0};
    if (lane->held)
        (void)!publisher_lane_guard(lane, &err); /* a loss is met at the next send */
}

ledger_answer publisher_lane_send(publisher_lane *lane, base_bytes payload, const char *sending, const char *sent,
                                  base_error *ret_reason)
{
    if (BASE_FAULT_NAMED(sending, ret_reason) != BASE_OK)
        return LEDGER_UNAVAILABLE;
    int64_t started = base_monotonic_us();
    ledger_answer answer = ledger_send(lane->ledger, payload, ret_reason);
    stage_metrics_send(ledger_answer_name(answer), (double)(base_monotonic_us() - started) / 1e6);
    return BASE_FAULT_NAMED(sent, ret_reason) == BASE_OK ? answer : LEDGER_UNKNOWN;
}

void publisher_lane_unsettle(publisher_lane *lane)
{
    lane->settled = false;
}

void publisher_lane_node_failed(publisher_lane *lane)
{
    lane->settled = false;
    lane->node_failed = true;
}

void publisher_lane_release(publisher_lane *lane)
{
    if (!lane->held)
        return;
    base_error err = {0};
    base_code code = BASE_FAULT("lane.releasing", &err);
    if (code == BASE_OK)
        code = store_lane_release(lane->stage->store, &lane->lane, &err);
    if (code == BASE_OK)
        code = BASE_FAULT("lane.released", &err);
    if (code != BASE_OK)
        TELEMETRY_LOG(TELEMETRY_WARN, "lane_release_failed", telemetry_text("reason", err.message));
    lane->held = false;
}
