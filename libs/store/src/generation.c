#include "store/generation.h"

#include "stage.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

/* The numbers that the statements below use. */
_Static_assert(STORE_CLAIMED == 0 && STORE_SUSPECT == 1 && STORE_ANSWERED == 2, "claims in SQL");
_Static_assert(STORE_SUCCEEDED == 0 && STORE_REJECTED == 1 && STORE_RETRY == 2 && STORE_RELEASED == 3, "ends in SQL");

/* The requests of a claim, sorted: $1 hash, $2 sequence, $3 published, $4 payload, $5 correlation id. */
#define REQUESTS                                                                                                       \
    "unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::text[]) WITH ORDINALITY "                         \
    "AS r (sha, sequence, published_ns, payload, correlation_id, ord)"
#define STORED_AT "coalesce(to_timestamp(nullif(r.published_ns, 0) / 1000000000.0), now())"

/* When this life of the submission began, and how long ago that is. */
#define ACCEPTED      STORE_MS("accepted_at") ", " STORE_MS("now() - accepted_at")
#define NEXT_ACCEPTED STORE_MS("next_accepted") ", " STORE_MS("now() - next_accepted")

static const store_statement INSERT_NEW = {
    "generate_insert",
    "INSERT INTO submissions (sha256_hash, status, retry_count, epoch, attempt_open, job_sequence, job_published_ns, "
    "job_payload, enqueued_at, due_at, accepted_at, event_sequence, correlation_id, generate_attempts, "
    "processing_started_at, created_at, updated_at) "
    "SELECT r.sha, 'proof_generation', 0, 1, true, r.sequence, r.published_ns, r.payload, " STORED_AT ", now(), "
    "least(now(), " STORED_AT "), 1, r.correlation_id, 1, now(), now(), now() FROM " REQUESTS " ORDER BY r.ord "
    "ON CONFLICT (sha256_hash) DO NOTHING "
    "RETURNING sha256_hash, " ACCEPTED};

/* Runs after the rows are locked. $6 alone, $7 again: an open attempt is our own. A rejected submission without an owner was ended by a
 * sweep: only a message that is newer than its end is a replay. */
static const store_statement CLAIM = {
    "generate_claim",
    "WITH job AS (SELECT r.ord, r.sha, r.sequence, r.published_ns, r.payload, r.correlation_id, s.status, s.epoch, "
    "s.event_sequence, s.crash_count, s.retry_count, s.attempt_open, s.accepted_at, "
    "s.status <> 'proof_generation' AS begins, " STORED_AT " AS stored_at, CASE "
    "WHEN s.status = 'awaiting_review' THEN 0 "
    "WHEN s.status = 'rejected' THEN CASE WHEN s.job_sequence = r.sequence AND s.job_published_ns = r.published_ns "
    "  OR s.job_sequence = 0 AND " STORED_AT " <= s.failed_at THEN 2 ELSE 0 END "
    "WHEN s.status = 'proof_generation' AND (s.job_sequence = 0 "
    "  OR s.job_sequence = r.sequence AND s.job_published_ns = r.published_ns) "
    "  THEN CASE WHEN NOT $6::boolean AND (s.attempt_open AND NOT $7::boolean OR s.crash_count > 0) THEN 1 ELSE 0 END "
    "ELSE 2 END AS answer "
    "FROM " REQUESTS " JOIN submissions s ON s.sha256_hash = r.sha), "
    "decided AS (SELECT *, epoch + 1 AS next_epoch, event_sequence + begins::int AS next_event, "
    "CASE WHEN begins THEN 0 ELSE coalesce(retry_count, 0) END AS next_retries, "
    "CASE WHEN begins THEN 0 ELSE crash_count + (attempt_open AND NOT $7::boolean)::int END AS next_crashes, "
    "CASE WHEN begins THEN least(now(), stored_at) ELSE accepted_at END AS next_accepted FROM job WHERE answer = 0), "
    "claimed AS (UPDATE submissions s SET status = 'proof_generation', epoch = d.next_epoch, attempt_open = true, "
    "retry_count = d.next_retries, crash_count = d.next_crashes, job_sequence = d.sequence, "
    "job_published_ns = d.published_ns, job_payload = d.payload, correlation_id = d.correlation_id, "
    "enqueued_at = d.stored_at, due_at = now(), accepted_at = d.next_accepted, event_sequence = d.next_event, "
    "failure_reason = CASE WHEN d.begins THEN NULL ELSE s.failure_reason END, "
    "reason_code = CASE WHEN d.begins THEN NULL ELSE s.reason_code END, "
    "failed_at = CASE WHEN d.begins THEN NULL ELSE s.failed_at END, "
    "generate_attempts = s.generate_attempts + 1, processing_started_at = now(), updated_at = now() "
    "FROM decided d WHERE s.sha256_hash = d.sha) "
    "SELECT ord, answer::bigint, status, next_epoch, next_event, next_retries::bigint, "
    "next_crashes::bigint, " NEXT_ACCEPTED ", begins FROM decided "
    "UNION ALL SELECT ord, answer::bigint, status, epoch, event_sequence, coalesce(retry_count, 0)::bigint, "
    "crash_count::bigint, " ACCEPTED ", false FROM job WHERE answer <> 0"};

typedef struct claiming {
    const store_generate_request *requests;
    store_place *places;
    size_t count;
    store_claim_manner manner;
    store_claim *claims;
    store_outbox *pending;
} claiming;

static void claim_params(const claiming *c, store_params *params)
{
    store_places_params(c->places, c->count, params);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, (int64_t)c->requests[c->places[i].index].identity.sequence);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, c->requests[c->places[i].index].identity.published_unix_ns);
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_bytes(params, c->requests[c->places[i].index].payload);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_text(params, c->requests[c->places[i].index].job->correlation_id);
}

static base_code add_claim_event(const store_session *session, const claiming *c, size_t index, base_error *err)
{
    wire_status_changed event = {.sha256 = c->requests[index].job->sha256,
                                 .sequence = (uint64_t)c->claims[index].event_sequence,
                                 .status = WIRE_STATUS_PROOF_GENERATION,
                                 .previous_status = c->claims[index].status,
                                 .occurred_unix_ms = base_unix_ms()};
    memcpy(event.correlation_id, c->requests[index].job->correlation_id, sizeof(event.correlation_id));
    return store_add_event(session, c->pending, index, &event, err);
}

/* Takes the new rows out of the places; those that remain exist already. */
static base_code take_inserted(const store_session *session, claiming *c, const store_rows *rows, base_error *err)
{
    size_t left = 0, next = 0;
    for (size_t i = 0; i < c->count; i++) {
        base_sha256 hash = {0};
        if (next < store_rows_count(rows)) {
            base_code code = store_rows_hash(rows, next, 0, &hash, err);
            if (code != BASE_OK)
                return code;
        }
        const size_t index = c->places[i].index;
        if (next == store_rows_count(rows) || memcmp(hash.bytes, c->places[i].sha256->bytes, sizeof(hash.bytes)) != 0) {
            c->places[left++] = c->places[i];
            continue;
        }
        c->claims[index] = (store_claim){.answer = STORE_CLAIMED,
                                         .status = WIRE_STATUS_NONE,
                                         .epoch = 1,
                                         .event_sequence = 1,
                                         .accepted_unix_ms = store_rows_int64(rows, next, 1),
                                         .age_ms = store_rows_int64(rows, next, 2)};
        next++;
        base_code code = add_claim_event(session, c, index, err);
        if (code != BASE_OK)
            return code;
    }
    if (next != store_rows_count(rows))
        return base_fail(err, BASE_INTERNAL, "Postgres returned new submissions out of order");
    c->count = left;
    return BASE_OK;
}

static base_code insert_new(store_session *session, claiming *c, base_error *err)
{
    BASE_CLEANUP(store_params_done) store_params params = {0};
    claim_params(c, &params);
    const store_step steps[] = {{&STORE_BEGIN, NULL}, {&INSERT_NEW, &params}};
    store_rows rows[2] = {0};
    base_code code = store_flight(session, STORE_FLIGHT_BEGINS, steps, 2, rows, err);
    if (code == BASE_OK)
        code = take_inserted(session, c, &rows[1], err);
    store_rows_done(&rows[0]);
    store_rows_done(&rows[1]);
    return code;
}

static base_code take_existing(const store_session *session, const claiming *c, const store_rows *rows, base_error *err)
{
    if (store_rows_count(rows) != c->count)
        return base_fail(err, BASE_UNAVAILABLE, "a submission was deleted while it was claimed");
    for (size_t i = 0; i < c->count; i++) {
        const size_t index = c->places[store_rows_int64(rows, i, 0) - 1].index;
        base_code code = store_claim_read(rows, i, 1, &c->claims[index], err);
        if (code == BASE_OK && store_rows_bool(rows, i, 9))
            code = add_claim_event(session, c, index, err);
        if (code != BASE_OK)
            return code;
    }
    return BASE_OK;
}

static base_code claim_existing(store_session *session, const claiming *c, base_error *err)
{
    BASE_CLEANUP(store_params_done) store_params locks = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_places_params(c->places, c->count, &locks);
    claim_params(c, &params);
    store_params_bool(&params, (c->manner & STORE_CLAIM_ALONE) != 0);
    store_params_bool(&params, (c->manner & STORE_CLAIM_AGAIN) != 0);
    const store_step steps[] = {{&STORE_LOCK_SUBMISSIONS, &locks}, {&CLAIM, &params}};
    store_rows rows[2] = {0};
    base_code code = store_flight(session, STORE_FLIGHT_GOES_ON, steps, 2, rows, err);
    if (code == BASE_OK)
        code = take_existing(session, c, &rows[1], err);
    store_rows_done(&rows[0]);
    store_rows_done(&rows[1]);
    return code;
}

base_code store_generate_claim(store_session *session, const store_generate_request *requests, size_t count,
                               store_claim_manner manner, store_claim *claims, store_outbox *pending, base_error *err)
{
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(free) store_place *places = calloc(count, sizeof(*places));
    if (places == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to claim %zu jobs", count);
    for (size_t i = 0; i < count; i++)
        places[i] = (store_place){&requests[i].job->sha256, i};
    base_code code = store_places_sort(places, count, err);
    if (code != BASE_OK)
        return code;
    const size_t before = store_outbox_count(pending);
    claiming c = {requests, places, count, manner, claims, pending};
    code = insert_new(session, &c, err);
    if (code == BASE_OK && c.count > 0)
        code = claim_existing(session, &c, err);
    return store_outbox_end(session, code, pending, before, err);
}
