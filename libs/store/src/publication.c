#include "store/publication.h"

#include "stage.h"
#include "transaction_row.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

_Static_assert(STORE_CLAIMED == 0 && STORE_SUSPECT == 1 && STORE_ANSWERED == 2 && STORE_UNKNOWN == 3, "claims in SQL");

#define ANSWER_REPLAY 4 /* between the statement and this file: would be claimed, but needs an event */

/* When this life of the submission began, and how long ago that is. */
#define ACCEPTED      STORE_MS("accepted_at") ", " STORE_MS("now() - accepted_at")
#define NEXT_ACCEPTED STORE_MS("d.next_accepted") ", " STORE_MS("now() - d.next_accepted")

/* Runs after the rows are locked. A command that names another proof than the stored one is stale, unless it is the very one that the
 * submission waits for: then the stored proof has been tampered with, and the claimer is to find that, as it is when the proof is gone.
 * $1 hash, $2 sequence, $3 published, $4 digest, $5 command, $6 alone, $7 replays: whether replays may be claimed, for they need an
 * event and so a second round trip. $8 again: an open attempt is our own. */
static const store_statement CLAIM = {
    "publish_claim",
    "WITH job AS (SELECT r.*, s.status, s.epoch, s.event_sequence, s.retry_count, s.crash_count, s.attempt_open, "
    "s.accepted_at, coalesce(s.status = 'rejected', false) AS begins, "
    "coalesce(to_timestamp(nullif(r.published_ns, 0) / 1000000000.0), now()) AS stored_at, CASE "
    "WHEN s.status IS NULL THEN 3 "
    "WHEN s.status = 'proof_publishing' THEN CASE "
    "  WHEN p.digest <> r.digest AND s.job_payload IS DISTINCT FROM r.command THEN 2 "
    "  WHEN s.job_sequence <> 0 AND (s.job_sequence <> r.sequence OR s.job_published_ns <> r.published_ns) THEN 2 "
    "  WHEN NOT $6::boolean AND (s.attempt_open AND NOT $8::boolean OR s.crash_count > 0) THEN 1 ELSE 0 END "
    "WHEN s.status = 'rejected' THEN CASE "
    "  WHEN s.job_sequence = r.sequence AND s.job_published_ns = r.published_ns THEN 2 "
    "  WHEN s.job_sequence = 0 AND to_timestamp(r.published_ns / 1000000000.0) <= s.failed_at THEN 2 "
    "  WHEN p.blob IS NULL THEN 3 WHEN p.digest <> r.digest THEN 2 WHEN $7::boolean THEN 0 ELSE 4 END "
    "ELSE 2 END AS answer "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]) WITH ORDINALITY "
    "AS r (sha, sequence, published_ns, digest, command, ord) "
    "LEFT JOIN submissions s ON s.sha256_hash = r.sha LEFT JOIN proofs p ON p.sha256_hash = r.sha), "
    "decided AS (SELECT *, epoch + 1 AS next_epoch, event_sequence + begins::int AS next_event, "
    "CASE WHEN begins THEN 0 ELSE coalesce(retry_count, 0) END AS next_retries, "
    "CASE WHEN begins THEN 0 ELSE crash_count + (attempt_open AND NOT $8::boolean)::int END AS next_crashes, "
    "CASE WHEN begins THEN least(now(), stored_at) ELSE accepted_at END AS next_accepted FROM job WHERE answer = 0), "
    "claimed AS (UPDATE submissions s SET status = 'proof_publishing', epoch = d.next_epoch, attempt_open = true, "
    "retry_count = d.next_retries, crash_count = d.next_crashes, job_sequence = d.sequence, "
    "job_published_ns = d.published_ns, enqueued_at = d.stored_at, due_at = now(), accepted_at = d.next_accepted, "
    "event_sequence = d.next_event, publish_attempts = s.publish_attempts + 1, updated_at = now(), "
    "job_payload = coalesce(s.job_payload, d.command), "
    "failure_reason = CASE WHEN d.begins THEN NULL ELSE s.failure_reason END, "
    "reason_code = CASE WHEN d.begins THEN NULL ELSE s.reason_code END, "
    "failed_at = CASE WHEN d.begins THEN NULL ELSE s.failed_at END "
    "FROM decided d WHERE s.sha256_hash = d.sha) "
    "SELECT d.ord, d.answer::bigint, d.status, d.next_epoch, d.next_event, d.next_retries::bigint, "
    "d.next_crashes::bigint, " NEXT_ACCEPTED ", d.begins, "
    "p.format, p.digest, p.blob, p.public_key, " STORE_TRANSACTION_COLUMNS
    "FROM decided d LEFT JOIN proofs p ON p.sha256_hash = d.sha "
    "LEFT JOIN transactions t ON t.submission = d.sha AND " STORE_TRANSACTION_LIVES
    "UNION ALL SELECT ord, answer::bigint, status, epoch, event_sequence, coalesce(retry_count, 0)::bigint, "
    "crash_count::bigint, " ACCEPTED ", false, NULL, NULL, NULL, NULL, " STORE_TRANSACTION_NULLS
    "FROM job WHERE answer <> 0"};

enum { COLUMN_BEGINS = 9, COLUMN_FORMAT, COLUMN_DIGEST, COLUMN_BLOB, COLUMN_PUBLIC_KEY, COLUMN_TRANSACTION };

/* Blobs and payloads stay in the rows they came in. */
struct store_publish_batch {
    store_publish_work *work;
    store_rows rows[2]; /* of the claim, and of the claim of replays */
    size_t count;
};

void store_publish_batch_free(store_publish_batch *batch)
{
    if (batch == NULL)
        return;
    store_rows_done(&batch->rows[0]);
    store_rows_done(&batch->rows[1]);
    free(batch->work);
    free(batch);
}

const store_publish_work *store_publish_batch_at(const store_publish_batch *batch, size_t index)
{
    return &batch->work[index];
}

static base_code batch_new(size_t count, store_publish_batch **ret, base_error *err)
{
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = calloc(1, sizeof(*batch));
    if (batch != NULL)
        batch->work = calloc(count + 1, sizeof(*batch->work));
    if (batch == NULL || batch->work == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to claim %zu jobs", count);
    batch->count = count;
    *ret = BASE_TAKE(batch);
    return BASE_OK;
}

typedef struct claiming {
    const store_publish_request *requests;
    store_place *places;
    size_t count;
    store_claim_manner manner;
    store_publish_batch *batch;
    store_outbox *pending;
} claiming;

static const store_publish_request *request_at(const claiming *c, size_t place)
{
    return &c->requests[c->places[place].index];
}

static base_code claim_params(const claiming *c, bool replays, store_params *params, base_error *err)
{
    store_places_params(c->places, c->count, params);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, (int64_t)request_at(c, i)->identity.sequence);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, request_at(c, i)->identity.published_unix_ns);
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_bytes(params, base_bytes_of(request_at(c, i)->job->proof_digest.bytes, BASE_DIGEST_SIZE));
    store_params_array(params, STORE_ELEMENT_BYTES);
    BASE_CLEANUP(base_buffer_done) base_buffer command = {.limit = WIRE_MESSAGE_MAX};
    for (size_t i = 0; i < c->count; i++) {
        base_buffer_clear(&command);
        base_code code = wire_publish_proof_encode(request_at(c, i)->job, &command, err);
        if (code != BASE_OK)
            return code;
        store_params_add_bytes(params, base_buffer_view(&command));
    }
    store_params_bool(params, (c->manner & STORE_CLAIM_ALONE) != 0);
    store_params_bool(params, replays);
    store_params_bool(params, (c->manner & STORE_CLAIM_AGAIN) != 0);
    return BASE_OK;
}

static base_code read_transaction(const store_rows *rows, size_t row, store_publish_work *ret, base_error *err)
{
    ret->has_transaction = !store_rows_is_null(rows, row, COLUMN_TRANSACTION);
    return ret->has_transaction ? store_transaction_read(rows, row, COLUMN_TRANSACTION, &ret->transaction, err)
                                : BASE_OK;
}

static base_code read_work(const store_rows *rows, size_t row, const wire_publish_proof *job, store_publish_work *ret,
                           base_error *err)
{
    base_code code = store_claim_read(rows, row, 1, &ret->claim, err);
    if (code != BASE_OK || ret->claim.answer != STORE_CLAIMED)
        return code;
    memcpy(ret->correlation_id, job->correlation_id, sizeof(ret->correlation_id));
    if (store_rows_is_null(rows, row, COLUMN_DIGEST)) /* gone: nothing that the claimer checks will hold */
        return read_transaction(rows, row, ret, err);
    store_rows_text(rows, row, COLUMN_FORMAT, ret->proof_format, sizeof(ret->proof_format));
    const base_bytes digest = store_rows_bytes(rows, row, COLUMN_DIGEST);
    const base_bytes key = store_rows_bytes(rows, row, COLUMN_PUBLIC_KEY);
    if (digest.size != BASE_DIGEST_SIZE || key.size != 64)
        return base_fail(err, BASE_INTERNAL, "a stored proof has a digest or key of the wrong length");
    memcpy(ret->proof_digest.bytes, digest.data, BASE_DIGEST_SIZE);
    memcpy(ret->public_key_x, key.data, 32);
    memcpy(ret->public_key_y, key.data + 32, 32);
    ret->blob = store_rows_bytes(rows, row, COLUMN_BLOB);
    return read_transaction(rows, row, ret, err);
}

static base_code add_replay_event(const store_session *session, const claiming *c, size_t index, base_error *err)
{
    const store_claim *claim = &c->batch->work[index].claim;
    wire_status_changed event = {.sha256 = c->requests[index].job->sha256,
                                 .sequence = (uint64_t)claim->event_sequence,
                                 .status = WIRE_STATUS_PROOF_PUBLISHING,
                                 .previous_status = claim->status,
                                 .occurred_unix_ms = base_unix_ms()};
    memcpy(event.correlation_id, c->requests[index].job->correlation_id, sizeof(event.correlation_id));
    return store_add_event(session, c->pending, index, &event, err);
}

/* Takes the answers. Replays that could not be claimed yet are what is left of the places. */
static base_code take_answers(const store_session *session, claiming *c, const store_rows *rows, base_error *err)
{
    if (store_rows_count(rows) != c->count)
        return base_fail(err, BASE_INTERNAL, "Postgres answered %zu of %zu claims", store_rows_count(rows), c->count);
    size_t replays[STORE_BATCH_MAX], left = 0;
    for (size_t i = 0; i < c->count; i++) {
        const size_t index = c->places[store_rows_int64(rows, i, 0) - 1].index;
        if (store_rows_int64(rows, i, 1) == ANSWER_REPLAY) {
            replays[left++] = index;
            continue;
        }
        base_code code = read_work(rows, i, c->requests[index].job, &c->batch->work[index], err);
        if (code == BASE_OK && store_rows_bool(rows, i, COLUMN_BEGINS))
            code = add_replay_event(session, c, index, err);
        if (code != BASE_OK)
            return code;
    }
    for (size_t i = 0; i < left; i++)
        c->places[i] = (store_place){&c->requests[replays[i]].job->sha256, replays[i]};
    c->count = left;
    return store_places_sort(c->places, left, err);
}

static base_code claim_some(store_session *session, claiming *c, bool replays, base_error *err)
{
    BASE_CLEANUP(store_params_done) store_params locks = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_places_params(c->places, c->count, &locks);
    base_code code = claim_params(c, replays, &params, err);
    if (code != BASE_OK)
        return code;
    const store_step steps[] = {
        {&STORE_BEGIN, NULL}, {&STORE_LOCK_SUBMISSIONS, &locks}, {&CLAIM, &params}, {&STORE_COMMIT, NULL}};
    store_rows rows[4] = {0};
    code =
        store_flight(session, replays ? STORE_FLIGHT_BEGINS : STORE_FLIGHT_COMMITS, steps, replays ? 3 : 4, rows, err);
    if (code == BASE_OK) {
        store_rows *kept = &c->batch->rows[replays ? 1 : 0];
        kept->result = BASE_TAKE(rows[2].result);
        code = take_answers(session, c, kept, err);
    }
    for (size_t i = 0; i < 4; i++)
        store_rows_done(&rows[i]);
    return code;
}

/* The others have been claimed. Whoever asks for one of these alone is told what is wrong with it. */
static void leave_replays(claiming *c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        c->batch->work[c->places[i].index] = (store_publish_work){.claim.answer = STORE_SUSPECT};
}

/* In a transaction of their own, behind the one that has claimed `others`. */
static base_code claim_replays(store_session *session, claiming *c, size_t others, base_error *err)
{
    const size_t count = c->count, before = store_outbox_count(c->pending);
    base_error why = {0};
    base_code code = store_outbox_end(session, claim_some(session, c, true, &why), c->pending, before, &why);
    if (code == BASE_OK)
        return code;
    if (others > 0 && store_claim_is_refused(code)) {
        leave_replays(c, count);
        return BASE_OK;
    }
    return base_fail(err, others > 0 ? BASE_AMBIGUOUS : code, "%s", why.message);
}

base_code store_publish_claim(store_session *session, const store_publish_request *requests, size_t count,
                              store_claim_manner manner, store_publish_batch **ret, store_outbox *pending,
                              base_error *err)
{
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = NULL;
    base_code code = batch_new(count, &batch, err);
    BASE_CLEANUP(free) store_place *places = calloc(count + 1, sizeof(*places));
    if (code == BASE_OK && places == NULL)
        code = base_fail(err, BASE_NO_MEMORY, "no memory to claim %zu jobs", count);
    for (size_t i = 0; i < count && code == BASE_OK; i++)
        places[i] = (store_place){&requests[i].job->sha256, i};
    if (code == BASE_OK)
        code = store_places_sort(places, count, err);
    claiming c = {requests, places, count, manner, batch, pending};
    if (code == BASE_OK && count > 0)
        code = claim_some(session, &c, false, err);
    if (code != BASE_OK)
        store_session_abort(session);
    else if (c.count > 0)
        code = claim_replays(session, &c, count - c.count, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(batch);
    return code;
}
