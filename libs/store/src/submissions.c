#include "store/submissions.h"

#include "flight.h"

#include "base/hex.h"

#include <string.h>

#define MS(column) "coalesce((extract(epoch FROM " column ") * 1000)::bigint, 0)"
#define COLUMNS                                                                                                        \
    "s.sha256_hash, s.status, s.correlation_id, coalesce(s.reason_code, ''), coalesce(s.failure_reason, ''), "         \
    "coalesce(s.transaction_id, ''), coalesce(s.transaction_submitted_block_height, 0)::bigint, "                      \
    "coalesce(s.retry_count, 0)::bigint, s.crash_count::bigint, s.epoch, s.event_sequence, "                           \
    "s.generate_attempts::bigint, s.proofs_generated::bigint, s.publish_attempts::bigint, " MS(                        \
        "s.created_at") ", " MS("s.updated_at") ", " MS("s.verified_at") ", " MS("s.failed_at") " "

static base_code read_submission(const store_rows *rows, size_t row, store_submission *ret, base_error *err)
{
    store_submission s = {0};
    base_code code = store_rows_hash(rows, row, 0, &s.sha256, err);
    if (code == BASE_OK)
        code = store_rows_status(rows, row, 1, &s.status, err);
    if (code != BASE_OK)
        return code;
    store_rows_text(rows, row, 2, s.correlation_id, sizeof(s.correlation_id));
    store_rows_text(rows, row, 3, s.reason_code, sizeof(s.reason_code));
    store_rows_text(rows, row, 4, s.failure_reason, sizeof(s.failure_reason));
    store_rows_text(rows, row, 5, s.transaction_id, sizeof(s.transaction_id));
    int64_t *const numbers[] = {
        &s.transaction_block_height, &s.retries,           &s.crashes,          &s.epoch,
        &s.event_sequence,           &s.generate_attempts, &s.proofs_generated, &s.publish_attempts,
        &s.created_unix_ms,          &s.updated_unix_ms,   &s.verified_unix_ms, &s.failed_unix_ms};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        *numbers[i] = store_rows_int64(rows, row, 6 + (int)i);
    *ret = s;
    return BASE_OK;
}

base_code store_submission_get(store_session *session, const base_sha256 *sha256, store_submission *ret,
                               base_error *err)
{
    static const store_statement GET = {"submission_get",
                                        "SELECT " COLUMNS "FROM submissions s WHERE s.sha256_hash = $1::text"};
    const base_hex32 hash = base_sha256_hex(sha256);
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, hash.text);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &GET, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    if (store_rows_count(&rows) == 0)
        return base_fail(err, BASE_NOT_FOUND, "no submission %s", hash.text);
    return read_submission(&rows, 0, ret, err);
}

/* $1 created before (Unix ms, 0: now), $2 limit. */
#define BEFORE "< coalesce(to_timestamp(nullif($1::bigint, 0) / 1000.0), 'infinity') "
#define NEWEST "s.created_at " BEFORE "ORDER BY s.created_at DESC LIMIT $2::bigint "

static const store_statement LIST = {"submission_list", "SELECT " COLUMNS "FROM submissions s WHERE " NEWEST};
static const store_statement LIST_COMPLETE = {
    "submission_list_complete", "SELECT " COLUMNS "FROM submissions s WHERE s.status = 'complete' AND " NEWEST};
/* The status in the statement, not as a parameter: only so is the index of rejected rows known to hold them all. */
static const store_statement LIST_REJECTED = {
    "submission_list_rejected", "SELECT " COLUMNS "FROM submissions s WHERE s.status = 'rejected' AND " NEWEST};
/* $3 status. No index has these in this order: OFFSET 0 makes them be found first and then sorted. By an index of the order, all
 * that became complete since the oldest of them would be read. */
static const store_statement LIST_PENDING = {
    "submission_list_pending",
    "SELECT " COLUMNS "FROM (SELECT f.place FROM (SELECT p.ctid AS place, p.created_at FROM submissions p "
    "WHERE p.status = $3::text AND p.status IN ('awaiting_review', 'proof_generation', 'proof_publishing') OFFSET 0) "
    "AS f WHERE f.created_at " BEFORE "ORDER BY f.created_at DESC LIMIT $2::bigint) "
    "AS n JOIN submissions s ON s.ctid = n.place ORDER BY s.created_at DESC"};

static const store_statement *list_of(wire_status status)
{
    switch (status) {
    case WIRE_STATUS_NONE:
        return &LIST;
    case WIRE_STATUS_COMPLETE:
        return &LIST_COMPLETE;
    case WIRE_STATUS_REJECTED:
        return &LIST_REJECTED;
    case WIRE_STATUS_AWAITING_REVIEW:
    case WIRE_STATUS_PROOF_GENERATION:
    case WIRE_STATUS_PROOF_PUBLISHING:
        break;
    }
    return &LIST_PENDING;
}

base_code store_submission_list(store_session *session, wire_status status, int64_t before_unix_ms, size_t limit,
                                store_submission *ret, size_t *ret_count, base_error *err)
{
    if (limit > STORE_BATCH_MAX)
        return base_fail(err, BASE_LIMIT, "at most %d submissions are listed at once", STORE_BATCH_MAX);
    const store_statement *list = list_of(status);
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_int64(&params, before_unix_ms);
    store_params_int64(&params, (int64_t)limit);
    if (list == &LIST_PENDING)
        store_params_text(&params, wire_status_name(status));
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = store_query(session, STORE_FLIGHT_READS, list, &params, &rows, err);
    for (size_t i = 0; code == BASE_OK && i < store_rows_count(&rows); i++)
        code = read_submission(&rows, i, &ret[i], err);
    if (code == BASE_OK)
        *ret_count = store_rows_count(&rows);
    return code;
}

base_code store_submission_statuses(store_session *session, const base_sha256 *hashes, size_t count, wire_status *ret,
                                    base_error *err)
{
    static const store_statement STATUSES = {
        "submission_statuses", "SELECT r.ord, s.status FROM unnest($1::text[]) WITH ORDINALITY AS r (sha, ord) "
                               "JOIN submissions s ON s.sha256_hash = r.sha"};
    if (count > STORE_BATCH_MAX)
        return base_fail(err, BASE_LIMIT, "at most %d submissions are asked for at once", STORE_BATCH_MAX);
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_array(&params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_hash(&params, &hashes[i]);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = store_query(session, STORE_FLIGHT_READS, &STATUSES, &params, &rows, err);
    for (size_t i = 0; code == BASE_OK && i < count; i++)
        ret[i] = WIRE_STATUS_NONE;
    for (size_t i = 0; code == BASE_OK && i < store_rows_count(&rows); i++)
        code = store_rows_status(&rows, i, 1, &ret[store_rows_int64(&rows, i, 0) - 1], err);
    return code;
}

base_code store_submission_count(store_session *session, bool all, int64_t ret[STORE_STATUS_COUNT], base_error *err)
{
    static const store_statement COUNT_PENDING = {
        "submission_count_pending",
        "SELECT status, count(*) FROM submissions "
        "WHERE status IN ('awaiting_review', 'proof_generation', 'proof_publishing') GROUP BY status"};
    static const store_statement COUNT_ALL = {"submission_count_all",
                                              "SELECT status, count(*) FROM submissions GROUP BY status"};
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = store_query(session, STORE_FLIGHT_READS, all ? &COUNT_ALL : &COUNT_PENDING, NULL, &rows, err);
    if (code != BASE_OK)
        return code;
    int64_t counts[STORE_STATUS_COUNT] = {0};
    for (size_t i = 0; i < store_rows_count(&rows); i++) {
        wire_status status;
        code = store_rows_status(&rows, i, 0, &status, err);
        if (code != BASE_OK)
            return code;
        counts[status] = store_rows_int64(&rows, i, 1);
    }
    memcpy(ret, counts, sizeof(counts));
    return BASE_OK;
}

void store_proof_done(store_proof *proof)
{
    base_buffer_done(&proof->blob);
}

base_code store_proof_load(store_session *session, const base_sha256 *sha256, store_proof *ret, base_error *err)
{
    static const store_statement LOAD = {"proof_load", "SELECT format, digest, public_key, blob, " MS(
                                                           "created_at") " FROM proofs WHERE sha256_hash = $1::text"};
    const base_hex32 hash = base_sha256_hex(sha256);
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, hash.text);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = store_query(session, STORE_FLIGHT_READS, &LOAD, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    if (store_rows_count(&rows) == 0)
        return base_fail(err, BASE_NOT_FOUND, "no proof stored for %s", hash.text);
    const base_bytes digest = store_rows_bytes(&rows, 0, 1), key = store_rows_bytes(&rows, 0, 2);
    if (digest.size != BASE_DIGEST_SIZE || key.size != 64)
        return base_fail(err, BASE_INTERNAL, "the proof of %s has a digest or key of the wrong length", hash.text);
    store_proof proof = {.created_unix_ms = store_rows_int64(&rows, 0, 4)};
    proof.blob.limit = STORE_PARAMS_BYTES;
    code = base_buffer_append(&proof.blob, store_rows_bytes(&rows, 0, 3), err);
    if (code != BASE_OK)
        return code;
    store_rows_text(&rows, 0, 0, proof.format, sizeof(proof.format));
    memcpy(proof.digest.bytes, digest.data, BASE_DIGEST_SIZE);
    memcpy(proof.public_key_x, key.data, 32);
    memcpy(proof.public_key_y, key.data + 32, 32);
    *ret = proof;
    return BASE_OK;
}
