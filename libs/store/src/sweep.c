#include "store/sweep.h"

#include "lock.h"
#include "messages.h"
#include "transaction_row.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define SWEEP_LOCK "proofline.sweep"

base_code store_sweep_acquire(store_session *session, base_error *err)
{
    bool held = false;
    const base_code code = store_lock_try(session, store_lock_key(SWEEP_LOCK), &held, err);
    if (code != BASE_OK || held)
        return code;
    return base_fail(err, BASE_CONFLICT, "another session is sweeping");
}

base_code store_sweep_release(store_session *session, base_error *err)
{
    return store_lock_release(session, store_lock_key(SWEEP_LOCK), err);
}

/* Rows that somebody works on just now are left for the next sweep: SKIP LOCKED never waits, so it cannot deadlock. */
static const store_statement REQUEUE = {
    "sweep_requeue",
    "WITH due AS (SELECT sha256_hash FROM submissions WHERE status = $1::text "
    "AND status IN ('awaiting_review', 'proof_generation', 'proof_publishing') "
    "AND enqueued_at < to_timestamp($2::bigint / 1000.0) AND due_at <= now() - $3::bigint * interval '1 ms' "
    "AND job_payload IS NOT NULL ORDER BY accepted_at LIMIT $4::bigint FOR NO KEY UPDATE SKIP LOCKED) "
    "UPDATE submissions s SET epoch = s.epoch + 1, job_sequence = 0, job_published_ns = 0, enqueued_at = now(), "
    "due_at = now(), updated_at = now() FROM due d WHERE s.sha256_hash = d.sha256_hash "
    "RETURNING s.sha256_hash, s.epoch, s.job_payload"};

static base_code begin(store_session *session, const store_statement *statement, store_params *params,
                       store_rows *ret_rows, base_error *err)
{
    const store_step steps[] = {{&STORE_BEGIN, NULL}, {statement, params}};
    store_rows rows[2] = {0};
    const base_code code = store_flight(session, STORE_FLIGHT_BEGINS, steps, 2, rows, err);
    store_rows_done(&rows[0]);
    *ret_rows = rows[1];
    return code;
}

base_code store_sweep_requeue(store_session *session, store_stage stage, int64_t settled_before_unix_ms,
                              int64_t min_quiet_ms, size_t limit, store_outbox *pending, size_t *ret_requeued,
                              base_error *err)
{
    const store_command command = stage == STORE_STAGE_GENERATE ? STORE_COMMAND_GENERATE : STORE_COMMAND_PUBLISH;
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, stage == STORE_STAGE_GENERATE ? "proof_generation" : "proof_publishing");
    store_params_int64(&params, settled_before_unix_ms);
    store_params_int64(&params, min_quiet_ms);
    store_params_int64(&params, (int64_t)limit);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = begin(session, &REQUEUE, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    const size_t before = store_outbox_count(pending);
    for (size_t i = 0; i < store_rows_count(&rows) && code == BASE_OK; i++) {
        base_sha256 hash;
        code = store_rows_hash(&rows, i, 0, &hash, err);
        if (code == BASE_OK)
            code = store_add_command(session, pending, i, command, &hash, store_rows_int64(&rows, i, 1),
                                     store_rows_bytes(&rows, i, 2), err);
    }
    code = store_outbox_end(session, code, pending, before, err);
    if (code == BASE_OK)
        *ret_requeued = store_rows_count(&rows);
    return code;
}

base_code store_sweep_keep(store_session *session, const store_attempt *attempts, size_t count, base_error *err)
{
    static const store_statement KEEP = {
        "sweep_keep", "WITH kept AS (SELECT f.place FROM unnest($1::text[], $2::bigint[]) AS o (sha, epoch) "
                      "CROSS JOIN LATERAL (SELECT h.ctid AS place FROM submissions h WHERE h.sha256_hash = o.sha "
                      "AND h.epoch = o.epoch AND h.attempt_open FOR NO KEY UPDATE SKIP LOCKED) AS f) "
                      "UPDATE submissions s SET due_at = now() FROM kept k WHERE s.ctid = k.place"};
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_array(&params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_hash(&params, &attempts[i].submission);
    store_params_array(&params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < count; i++)
        store_params_add_int64(&params, attempts[i].epoch);
    return store_query(session, STORE_FLIGHT_COMMITS, &KEEP, &params, NULL, err);
}

#define EXPIRED_CODE   "expired"
#define EXPIRED_REASON "still pending after the longest time allowed"

static const store_statement EXPIRE = {
    "sweep_expire",
    "WITH due AS (SELECT sha256_hash, status, job_payload FROM submissions p "
    "WHERE status IN ('proof_generation', 'proof_publishing') "
    "AND status IN ('awaiting_review', 'proof_generation', 'proof_publishing') "
    "AND accepted_at < now() - $1::bigint * interval '1 ms' "
    "AND NOT EXISTS (SELECT FROM transactions t WHERE t.submission = p.sha256_hash "
    "AND " STORE_TRANSACTION_LIVES "AND " STORE_TRANSACTION_STATE "IN ('committed', 'accepted')) "
    "ORDER BY accepted_at LIMIT $2::bigint FOR NO KEY UPDATE SKIP LOCKED) "
    "UPDATE submissions s SET status = 'rejected', epoch = s.epoch + 1, event_sequence = s.event_sequence + 1, "
    "attempt_open = false, job_payload = NULL, reason_code = '" EXPIRED_CODE "', "
    "failure_reason = '" EXPIRED_REASON "', failed_at = now(), due_at = now(), updated_at = now() "
    "FROM due d WHERE s.sha256_hash = d.sha256_hash "
    "RETURNING s.sha256_hash, d.status, s.epoch, s.event_sequence, s.correlation_id, s.job_sequence, "
    "(coalesce(s.retry_count, 0) + s.crash_count)::bigint, d.job_payload"};

static base_code add_expired(const store_session *session, const store_rows *rows, size_t row, store_outbox *pending,
                             base_error *err)
{
    wire_status_changed event = {.sequence = (uint64_t)store_rows_int64(rows, row, 3),
                                 .status = WIRE_STATUS_REJECTED,
                                 .reason_code = EXPIRED_CODE,
                                 .reason = EXPIRED_REASON,
                                 .occurred_unix_ms = base_unix_ms()};
    store_rows_text(rows, row, 4, event.correlation_id, sizeof(event.correlation_id));
    base_code code = store_rows_hash(rows, row, 0, &event.sha256, err);
    if (code == BASE_OK)
        code = store_rows_status(rows, row, 1, &event.previous_status, err);
    if (code == BASE_OK)
        code = store_add_event(session, pending, row, &event, err);
    if (code != BASE_OK)
        return code;
    const bool generating = event.previous_status == WIRE_STATUS_PROOF_GENERATION;
    const store_dead_letter letter = {.stage = generating ? STORE_COMMAND_GENERATE : STORE_COMMAND_PUBLISH,
                                      .sha256 = &event.sha256,
                                      .epoch = store_rows_int64(rows, row, 2),
                                      .attempts = store_rows_int64(rows, row, 6),
                                      .sequence = (uint64_t)store_rows_int64(rows, row, 5),
                                      .reason_code = EXPIRED_CODE,
                                      .reason = EXPIRED_REASON,
                                      .payload = store_rows_bytes(rows, row, 7)};
    return store_add_dead_letter(session, pending, row, &letter, err);
}

base_code store_sweep_expire(store_session *session, int64_t max_age_ms, size_t limit, store_outbox *pending,
                             size_t *ret_expired, base_error *err)
{
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_int64(&params, max_age_ms);
    store_params_int64(&params, (int64_t)limit);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = begin(session, &EXPIRE, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    const size_t before = store_outbox_count(pending);
    for (size_t i = 0; i < store_rows_count(&rows) && code == BASE_OK; i++)
        code = add_expired(session, &rows, i, pending, err);
    code = store_outbox_end(session, code, pending, before, err);
    if (code == BASE_OK)
        *ret_expired = store_rows_count(&rows);
    return code;
}
