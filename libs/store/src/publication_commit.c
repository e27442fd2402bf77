#include "store/publication.h"

#include "fence.h"
#include "stage.h"
#include "transaction_row.h"

#define STILL_PUBLISHING STORE_STILL_OURS("proof_publishing")

/* Runs after the rows are locked. $1 hash, $2 epoch, $3 kind (0 succeeded, 1 rejected, 2 retry, 3 released), $4 reason code,
 * $5 reason, $6 retry delay, $7 transaction, $8 block height, $9 drop the proof, $10 abandon the transaction, $11 owner,
 * $12 fee payer, $13 lane epoch, $14… outbox. Whoever writes a row of transactions holds its submission, so the nested statements
 * cannot wait.
 *
 * Only the lane's owner knows that a transaction is nowhere: a new one sends all that is committed. So without the lane an
 * attempt that was merely given back ends and leaves its transaction alone, and one that failed is fenced. */
static const store_statement COMMIT_PUBLICATION = {
    "publish_commit",
    "WITH written AS (UPDATE submissions s SET attempt_open = false, updated_at = now(), due_at = now() + "
    "CASE o.kind WHEN 2 THEN o.retry_delay_ms ELSE 0 END * interval '1 ms', "
    "status = CASE o.kind WHEN 0 THEN 'complete' WHEN 1 THEN 'rejected' ELSE s.status END, "
    "event_sequence = s.event_sequence + (o.kind <= 1)::int, "
    "retry_count = CASE o.kind WHEN 2 THEN coalesce(s.retry_count, 0) + 1 ELSE s.retry_count END, "
    "job_payload = CASE WHEN o.kind <= 1 THEN NULL ELSE s.job_payload END, "
    "transaction_id = CASE o.kind WHEN 0 THEN o.hash ELSE s.transaction_id END, "
    "transaction_submitted_block_height = CASE o.kind WHEN 0 THEN nullif(o.height, 0) "
    "  ELSE s.transaction_submitted_block_height END, "
    "verified_at = CASE o.kind WHEN 0 THEN now() ELSE s.verified_at END, "
    "reason_code = CASE o.kind WHEN 0 THEN NULL WHEN 3 THEN s.reason_code ELSE o.reason_code END, "
    "failure_reason = CASE o.kind WHEN 0 THEN NULL WHEN 3 THEN s.failure_reason ELSE o.reason END, "
    "failed_at = CASE o.kind WHEN 1 THEN now() ELSE s.failed_at END "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], "
    "$8::bigint[], $9::boolean[], $10::boolean[], $11::bigint[]) "
    "AS o (sha, epoch, kind, reason_code, reason, retry_delay_ms, hash, height, drop_proof, abandon, "
    "owner) " STILL_PUBLISHING
    "AND s.ctid = f.place AND (NOT o.abandon OR o.kind = 3 OR EXISTS (SELECT FROM fee_payers l "
    "WHERE l.fee_payer = $12::text AND l.lane_epoch = $13::bigint)) "
    "RETURNING o.owner, o.sha, o.kind, o.hash, o.drop_proof, o.abandon, o.height), "
    "accepted AS (UPDATE transactions t SET state = 'accepted', block_height = nullif(w.height, 0), updated_at = now() "
    "FROM written w WHERE w.kind = 0 AND t.hash = w.hash AND t.submission = w.sha "
    "AND " STORE_TRANSACTION_STATE "= 'committed'), "
    "abandoned AS (UPDATE transactions t SET state = 'abandoned', updated_at = now() "
    "FROM written w WHERE w.kind <> 0 AND w.abandon AND t.submission = w.sha "
    "AND " STORE_TRANSACTION_LIVES "AND " STORE_TRANSACTION_STATE "= 'committed' "
    "AND EXISTS (SELECT FROM fee_payers l WHERE l.fee_payer = $12::text AND l.lane_epoch = $13::bigint)), "
    "cleared AS (UPDATE proofs p SET blob = NULL FROM written w "
    "WHERE w.kind = 0 AND w.drop_proof AND p.sha256_hash = w.sha), "
    "dropped AS (DELETE FROM proofs p USING written w "
    "WHERE w.kind = 1 AND w.drop_proof AND p.sha256_hash = w.sha), "
    "sent AS (INSERT INTO outbox (subject, message_id, headers, payload) "
    "SELECT m.subject, m.message_id, m.headers, m.payload "
    "FROM unnest($14::bigint[], $15::text[], $16::text[], $17::text[], $18::bytea[]) "
    "WITH ORDINALITY AS m (owner, subject, message_id, headers, payload, ord) "
    "WHERE (m.owner IN (SELECT w.owner FROM written w)) IS TRUE ORDER BY m.ord RETURNING id) "
    "SELECT NULL::bigint AS id, owner FROM written UNION ALL SELECT id, NULL FROM sent"};

typedef struct committing {
    const store_lane *lane;
    const store_publish_outcome *outcomes;
    const store_place *places;
    size_t count;
} committing;

static const store_publish_outcome *outcome_at(const committing *c, size_t place)
{
    return &c->outcomes[c->places[place].index];
}

static void failure_params(const committing *c, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < c->count; i++)
        store_add_reason_code(params, outcome_at(c, i)->kind, &outcome_at(c, i)->failure);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < c->count; i++)
        store_add_reason(params, outcome_at(c, i)->kind, &outcome_at(c, i)->failure);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, outcome_at(c, i)->failure.retry_delay_ms);
}

static void success_params(const committing *c, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < c->count; i++) {
        const char *hash = outcome_at(c, i)->transaction_hash;
        store_params_add_text(params, hash == NULL ? "" : hash);
    }
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, outcome_at(c, i)->block_height);
    store_params_array(params, STORE_ELEMENT_BOOL);
    for (size_t i = 0; i < c->count; i++) {
        const store_publish_outcome *o = outcome_at(c, i);
        store_params_add_bool(params, o->kind == STORE_SUCCEEDED ? o->drop_proof : o->failure.drop_proof);
    }
}

static void commit_params(const committing *c, store_params *params)
{
    store_places_params(c->places, c->count, params);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, outcome_at(c, i)->claim->epoch);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, (int64_t)outcome_at(c, i)->kind);
    failure_params(c, params);
    success_params(c, params);
    store_params_array(params, STORE_ELEMENT_BOOL);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_bool(params, outcome_at(c, i)->abandon_transaction);
    store_places_owners(c->places, c->count, params);
    store_lane_params(c->lane, params);
}

static bool abandons_any(const committing *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (outcome_at(c, i)->abandon_transaction)
            return true;
    return false;
}

static base_code add_messages(const store_session *session, const committing *c, store_outbox *pending, base_error *err)
{
    for (size_t i = 0; i < c->count; i++) {
        const store_publish_outcome *o = outcome_at(c, i);
        const store_ending ending = {.stage = STORE_COMMAND_PUBLISH,
                                     .kind = o->kind,
                                     .sha256 = &o->job->sha256,
                                     .correlation_id = o->job->correlation_id,
                                     .claim = o->claim,
                                     .identity = &o->identity,
                                     .failure = &o->failure,
                                     .transaction_hash = o->kind == STORE_SUCCEEDED ? o->transaction_hash : NULL};
        base_code code = store_add_ending(session, pending, c->places[i].index, &ending, err);
        if (code != BASE_OK)
            return code;
    }
    return BASE_OK;
}

static base_code commit_all(store_session *session, const committing *c, bool *fenced, store_outbox *pending,
                            base_error *err)
{
    const size_t before = store_outbox_count(pending);
    base_code code = add_messages(session, c, pending, err);
    if (code != BASE_OK) {
        store_outbox_cut(pending, before);
        return code;
    }
    BASE_CLEANUP(store_params_done) store_params fence = {0};
    BASE_CLEANUP(store_params_done) store_params locks = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_lane_params(c->lane, &fence);
    store_places_params(c->places, c->count, &locks);
    commit_params(c, &params);
    store_outbox_params(pending, before, &params);
    const store_step steps[] = {{&STORE_BEGIN, NULL},
                                {&STORE_LANE_FENCE, &fence}, /* while all goes well it is not needed, and left out */
                                {&STORE_LOCK_SUBMISSIONS, &locks},
                                {&COMMIT_PUBLICATION, &params},
                                {&STORE_COMMIT, NULL}};
    const store_step unfenced[] = {steps[0], steps[2], steps[3], steps[4]};
    const bool fences = abandons_any(c);
    store_rows rows[5] = {0};
    code = store_flight(session, STORE_FLIGHT_COMMITS, fences ? steps : unfenced, fences ? 5 : 4, rows, err);
    if (code == BASE_OK)
        code = store_commit_read(&rows[fences ? 3 : 2], c->count, fenced, pending, before, err);
    if (code != BASE_OK)
        store_outbox_cut(pending, before);
    for (size_t i = 0; i < 5; i++)
        store_rows_done(&rows[i]);
    return code;
}

base_code store_publish_commit(store_session *session, const store_lane *lane, const store_publish_outcome *outcomes,
                               size_t count, bool *fenced, store_outbox *pending, base_error *err)
{
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(free) store_place *places = calloc(count, sizeof(*places));
    if (places == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to end %zu attempts", count);
    for (size_t i = 0; i < count; i++)
        places[i] = (store_place){&outcomes[i].job->sha256, i};
    const base_code code = store_places_sort(places, count, err);
    if (code != BASE_OK)
        return code;
    return commit_all(session, &(committing){lane, outcomes, places, count}, fenced, pending, err);
}
