#include "store/generation.h"

#include "stage.h"

#include <string.h>

/* Both statements run after the rows are locked, so they see the same rows as theirs. $1 hash, $2 epoch. */
static const store_statement STORE_PROOFS = {
    "generate_proofs",
    "INSERT INTO proofs (sha256_hash, format, digest, public_key, blob, duration_ms, created_at) "
    "SELECT o.sha, o.format, o.digest, o.public_key, o.blob, o.duration_ms, now() "
    "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bigint[]) "
    "AS o (sha, epoch, format, digest, public_key, blob, duration_ms) " STORE_STILL_OURS(
        "proof_generation") "ON CONFLICT (sha256_hash) DO UPDATE SET format = excluded.format, digest = "
                            "excluded.digest, "
                            "public_key = excluded.public_key, blob = excluded.blob, duration_ms = "
                            "excluded.duration_ms, "
                            "created_at = excluded.created_at"};

/* $3 kind, $4 reason code, $5 reason, $6 retry delay, $7 publish command, $8 owner, $9… outbox. Kinds: 0 succeeded, 1 rejected,
 * 2 retry, 3 released. */
static const store_statement COMMIT_GENERATION = {
    "generate_commit",
    "WITH written AS (UPDATE submissions s SET attempt_open = false, updated_at = now(), "
    "status = CASE o.kind WHEN 0 THEN 'proof_publishing' WHEN 1 THEN 'rejected' ELSE s.status END, "
    "event_sequence = s.event_sequence + (o.kind <= 1)::int, "
    "retry_count = CASE o.kind WHEN 0 THEN 0 WHEN 2 THEN coalesce(s.retry_count, 0) + 1 ELSE s.retry_count END, "
    "crash_count = CASE o.kind WHEN 0 THEN 0 ELSE s.crash_count END, "
    "proofs_generated = s.proofs_generated + (o.kind = 0)::int, "
    "job_sequence = CASE o.kind WHEN 0 THEN 0 ELSE s.job_sequence END, "
    "job_published_ns = CASE o.kind WHEN 0 THEN 0 ELSE s.job_published_ns END, "
    "job_payload = CASE o.kind WHEN 0 THEN o.command WHEN 1 THEN NULL ELSE s.job_payload END, "
    "enqueued_at = CASE o.kind WHEN 0 THEN now() ELSE s.enqueued_at END, "
    "due_at = CASE o.kind WHEN 2 THEN now() + o.retry_delay_ms * interval '1 ms' ELSE now() END, "
    "reason_code = CASE o.kind WHEN 0 THEN NULL WHEN 3 THEN s.reason_code ELSE o.reason_code END, "
    "failure_reason = CASE o.kind WHEN 0 THEN NULL WHEN 3 THEN s.failure_reason ELSE o.reason END, "
    "failed_at = CASE o.kind WHEN 1 THEN now() ELSE s.failed_at END "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bytea[], "
    "$8::bigint[]) "
    "AS o (sha, epoch, kind, reason_code, reason, retry_delay_ms, command, owner) " STORE_STILL_OURS(
        "proof_generation") "AND s.ctid = f.place RETURNING o.owner), "
                            "sent AS (INSERT INTO outbox (subject, message_id, headers, payload) "
                            "SELECT m.subject, m.message_id, m.headers, m.payload "
                            "FROM unnest($9::bigint[], $10::text[], $11::text[], $12::text[], $13::bytea[]) "
                            "WITH ORDINALITY AS m (owner, subject, message_id, headers, payload, ord) "
                            "WHERE (m.owner IN (SELECT w.owner FROM written w)) IS TRUE ORDER BY m.ord RETURNING id) "
                            "SELECT NULL::bigint AS id, owner FROM written UNION ALL SELECT id, NULL FROM sent"};

typedef struct committing {
    const store_generate_outcome *outcomes;
    const store_place *places;
    size_t count;
    base_buffer *commands; /* one per place, empty unless it succeeded */
} committing;

static const store_generate_outcome *outcome_at(const committing *c, size_t place)
{
    return &c->outcomes[c->places[place].index];
}

static void epoch_params(const committing *c, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, outcome_at(c, i)->claim->epoch);
}

static void commit_params(const committing *c, store_params *params)
{
    store_places_params(c->places, c->count, params);
    epoch_params(c, params);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, (int64_t)outcome_at(c, i)->kind);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < c->count; i++)
        store_add_reason_code(params, outcome_at(c, i)->kind, &outcome_at(c, i)->failure);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < c->count; i++)
        store_add_reason(params, outcome_at(c, i)->kind, &outcome_at(c, i)->failure);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_int64(params, outcome_at(c, i)->failure.retry_delay_ms);
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < c->count; i++)
        store_params_add_bytes(params, base_buffer_view(&c->commands[i]));
    store_places_owners(c->places, c->count, params);
}

/* Only the outcomes that bring a proof; false when there are none. */
static bool proof_params(const committing *c, store_params *params)
{
    size_t proofs[STORE_BATCH_MAX], count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (outcome_at(c, i)->kind == STORE_SUCCEEDED)
            proofs[count++] = i;
    }
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_hash(params, c->places[proofs[i]].sha256);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < count; i++)
        store_params_add_int64(params, outcome_at(c, proofs[i])->claim->epoch);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_text(params, outcome_at(c, proofs[i])->format);
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < count; i++)
        store_params_add_bytes(params, base_bytes_of(outcome_at(c, proofs[i])->digest.bytes, BASE_DIGEST_SIZE));
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < count; i++) {
        const wire_generate_proof *job = outcome_at(c, proofs[i])->job;
        uint8_t key[64];
        memcpy(key, job->public_key_x, 32);
        memcpy(key + 32, job->public_key_y, 32);
        store_params_add_bytes(params, base_bytes_of(key, sizeof(key)));
    }
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < count; i++)
        store_params_add_bytes(params, outcome_at(c, proofs[i])->blob);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < count; i++)
        store_params_add_int64(params, outcome_at(c, proofs[i])->duration_ms);
    return count > 0;
}

/* Appends events, commands and dead letters, owned by the index of their outcome. */
static base_code add_messages(const store_session *session, const committing *c, store_outbox *pending, base_error *err)
{
    for (size_t i = 0; i < c->count; i++) {
        const store_generate_outcome *o = outcome_at(c, i);
        const store_ending ending = {.stage = STORE_COMMAND_GENERATE,
                                     .kind = o->kind,
                                     .sha256 = &o->job->sha256,
                                     .correlation_id = o->job->correlation_id,
                                     .claim = o->claim,
                                     .identity = &o->identity,
                                     .failure = &o->failure};
        base_code code = store_add_ending(session, pending, c->places[i].index, &ending, err);
        if (code == BASE_OK && o->kind == STORE_SUCCEEDED) {
            code = store_publish_command(o->job, o->format, &o->digest, &c->commands[i], err);
            if (code == BASE_OK)
                code = store_add_command(session, pending, c->places[i].index, STORE_COMMAND_PUBLISH, &o->job->sha256,
                                         o->claim->epoch, base_buffer_view(&c->commands[i]), err);
        }
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
    BASE_CLEANUP(store_params_done) store_params locks = {0};
    BASE_CLEANUP(store_params_done) store_params proofs = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_places_params(c->places, c->count, &locks);
    commit_params(c, &params);
    store_outbox_params(pending, before, &params);
    store_step steps[5] = {{&STORE_BEGIN, NULL}, {&STORE_LOCK_SUBMISSIONS, &locks}};
    size_t count = 2;
    if (proof_params(c, &proofs))
        steps[count++] = (store_step){&STORE_PROOFS, &proofs};
    const size_t changed = count;
    steps[count++] = (store_step){&COMMIT_GENERATION, &params};
    steps[count++] = (store_step){&STORE_COMMIT, NULL};
    store_rows rows[5] = {0};
    code = store_flight(session, STORE_FLIGHT_COMMITS, steps, count, rows, err);
    if (code == BASE_OK)
        code = store_commit_read(&rows[changed], c->count, fenced, pending, before, err);
    if (code != BASE_OK)
        store_outbox_cut(pending, before);
    for (size_t i = 0; i < count; i++)
        store_rows_done(&rows[i]);
    return code;
}

static void commands_free(base_buffer *commands)
{
    for (size_t i = 0; commands != NULL && commands[i].limit != 0; i++)
        base_buffer_done(&commands[i]);
    free(commands);
}
BASE_CLEANUP_POINTER(base_buffer, commands_free);

base_code store_generate_commit(store_session *session, const store_generate_outcome *outcomes, size_t count,
                                bool *fenced, store_outbox *pending, base_error *err)
{
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(free) store_place *places = calloc(count, sizeof(*places));
    BASE_CLEANUP(commands_free) base_buffer *commands = calloc(count + 1, sizeof(*commands));
    if (places == NULL || commands == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to end %zu attempts", count);
    for (size_t i = 0; i < count; i++) {
        places[i] = (store_place){&outcomes[i].job->sha256, i};
        commands[i].limit = WIRE_MESSAGE_MAX;
    }
    const base_code code = store_places_sort(places, count, err);
    if (code != BASE_OK)
        return code;
    return commit_all(session, &(committing){outcomes, places, count, commands}, fenced, pending, err);
}
