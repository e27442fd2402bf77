#include "store/transactions.h"

#include "fence.h"
#include "messages.h"
#include "transaction_row.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

/* Runs after the submission is locked. It belongs to no message afterwards: only one stored later is a replay. */
static const store_statement LOSE = {
    "transaction_lose",
    "WITH lost AS (UPDATE transactions t SET state = $2::text, block_height = nullif($3::bigint, 0), "
    "updated_at = now() "
    "WHERE t.hash = $1::text AND " STORE_TRANSACTION_STATE "IN ('committed', 'accepted') AND EXISTS ("
    "SELECT FROM fee_payers l WHERE l.fee_payer = $6::text AND l.lane_epoch = $7::bigint) RETURNING t.submission) "
    "UPDATE submissions s SET status = 'rejected', epoch = s.epoch + 1, event_sequence = s.event_sequence + 1, "
    "job_sequence = 0, job_published_ns = 0, reason_code = $4::text, failure_reason = $5::text, verified_at = NULL, "
    "failed_at = now(), due_at = now(), updated_at = now() "
    "FROM lost LEFT JOIN proofs p ON p.sha256_hash = lost.submission "
    "WHERE s.sha256_hash = lost.submission AND s.status = 'complete' AND s.transaction_id = $1::text "
    "RETURNING s.sha256_hash, s.epoch, s.event_sequence, s.correlation_id, p.format, p.digest"};

enum { COLUMN_HASH, COLUMN_EPOCH, COLUMN_EVENT, COLUMN_CORRELATION, COLUMN_FORMAT, COLUMN_DIGEST };

/* The command that a redrive sends; nothing without a proof. */
static base_code append_command(const store_rows *rows, const wire_status_changed *event, base_buffer *ret,
                                base_error *err)
{
    const base_bytes digest = store_rows_bytes(rows, 0, COLUMN_DIGEST);
    if (digest.size != BASE_DIGEST_SIZE)
        return BASE_OK;
    wire_publish_proof command = {.sha256 = event->sha256, .submitted_unix_ms = event->occurred_unix_ms};
    memcpy(command.proof_digest.bytes, digest.data, BASE_DIGEST_SIZE);
    memcpy(command.correlation_id, event->correlation_id, sizeof(command.correlation_id));
    store_rows_text(rows, 0, COLUMN_FORMAT, command.proof_format, sizeof(command.proof_format));
    return wire_publish_proof_encode(&command, ret, err);
}

static base_code add_messages(const store_session *session, const store_rows *rows, const store_loss *loss,
                              store_outbox *pending, base_error *err)
{
    wire_status_changed event = {.sequence = (uint64_t)store_rows_int64(rows, 0, COLUMN_EVENT),
                                 .status = WIRE_STATUS_REJECTED,
                                 .previous_status = WIRE_STATUS_COMPLETE,
                                 .occurred_unix_ms = base_unix_ms()};
    base_one_line(loss->reason_code, event.reason_code, sizeof(event.reason_code));
    base_one_line(loss->reason, event.reason, sizeof(event.reason));
    store_rows_text(rows, 0, COLUMN_CORRELATION, event.correlation_id, sizeof(event.correlation_id));
    BASE_CLEANUP(base_buffer_done) base_buffer command = {.limit = WIRE_MESSAGE_MAX};
    base_code code = store_rows_hash(rows, 0, COLUMN_HASH, &event.sha256, err);
    if (code == BASE_OK)
        code = store_add_event(session, pending, 0, &event, err);
    if (code == BASE_OK)
        code = append_command(rows, &event, &command, err);
    if (code != BASE_OK)
        return code;
    const store_dead_letter letter = {.stage = STORE_COMMAND_PUBLISH,
                                      .sha256 = &event.sha256,
                                      .epoch = store_rows_int64(rows, 0, COLUMN_EPOCH),
                                      .attempts = 1,
                                      .reason_code = event.reason_code,
                                      .reason = event.reason,
                                      .payload = base_buffer_view(&command)};
    return store_add_dead_letter(session, pending, 0, &letter, err);
}

/* Opens the transaction. *ret_rows: the submission, if it was complete. */
static base_code begin(store_session *session, const store_lane *lane, const store_transaction *transaction,
                       const store_loss *loss, store_rows *ret_rows, base_error *err)
{
    char reason[WIRE_REASON_MAX + 1];
    BASE_CLEANUP(store_params_done) store_params fence = {0};
    BASE_CLEANUP(store_params_done) store_params lock = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_lane_params(lane, &fence);
    store_params_array(&lock, STORE_ELEMENT_TEXT);
    store_params_add_hash(&lock, &transaction->submission);
    store_params_text(&params, transaction->hash);
    store_params_text(&params, store_transaction_state_name(loss->mark.state));
    store_params_int64(&params, loss->mark.block_height);
    store_params_text(&params, loss->reason_code);
    base_one_line(loss->reason, reason, sizeof(reason));
    store_params_text(&params, reason);
    store_lane_params(lane, &params);
    const store_step steps[] = {
        {&STORE_BEGIN, NULL}, {&STORE_LANE_FENCE, &fence}, {&STORE_LOCK_SUBMISSIONS, &lock}, {&LOSE, &params}};
    store_rows rows[4] = {0};
    base_code code = store_flight(session, STORE_FLIGHT_BEGINS, steps, 4, rows, err);
    if (code == BASE_OK && store_rows_count(&rows[1]) == 0)
        code = base_fail(err, BASE_CONFLICT, "the lane of %s has a new owner", lane->fee_payer);
    ret_rows->result = BASE_TAKE(rows[3].result);
    for (size_t i = 0; i < 4; i++)
        store_rows_done(&rows[i]);
    return code;
}

base_code store_transaction_lose(store_session *session, const store_lane *lane, const store_transaction *transaction,
                                 const store_loss *loss, store_outbox *pending, bool *ret_rejected, base_error *err)
{
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const size_t before = store_outbox_count(pending);
    base_code code = begin(session, lane, transaction, loss, &rows, err);
    const bool rejects = code == BASE_OK && store_rows_count(&rows) == 1;
    if (rejects)
        code = add_messages(session, &rows, loss, pending, err);
    code = store_outbox_end(session, code, pending, before, err);
    if (code == BASE_OK)
        *ret_rejected = rejects;
    return code;
}
