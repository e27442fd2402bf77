#include "ground.h"

#include "base/hex.h"

harness_postgres *ground_postgres;

static const store_subjects SUBJECTS = {"jobs.generate", "jobs.publish", "events", "dead"};
static const char BLOB[] = "a proof";

int ground_start(void **state)
{
    (void)state;
    ground_postgres = harness_postgres_new(&(harness_postgres_options){.fsync_off = true}); /* no test cuts the power */
    return 0;
}

int ground_end(void **state)
{
    (void)state;
    harness_postgres_free(ground_postgres);
    return 0;
}

void ground_ok(base_code code, const base_error *err)
{
    if (code != BASE_OK)
        fail_msg("%s: %s", base_code_name(code), err->message);
}

store_session *ground_session_to(const char *url, int64_t statement_timeout_ms)
{
    store_session *session = NULL;
    base_error err = {0};
    const store_session_options options = {.database_url = url,
                                           .application_name = "store test",
                                           .statement_timeout_ms = statement_timeout_ms,
                                           .subjects = SUBJECTS};
    ground_ok(store_session_new(&options, &session, &err), &err);
    return session;
}

store_session *ground_session(const ground *g)
{
    return ground_session_to(g->database.url, 0);
}

ground *ground_new(void)
{
    ground *g = calloc(1, sizeof(*g));
    assert_non_null(g);
    base_error err = {0};
    g->database = harness_database_new(ground_postgres);
    g->session = ground_session(g);
    ground_ok(store_migrate_up(g->session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    ground_ok(store_outbox_new(&g->pending, &err), &err);
    return g;
}

void ground_free(ground *g)
{
    if (g == NULL)
        return;
    store_outbox_free(g->pending);
    store_session_free(g->session);
    free(g);
}

void ground_expect(const ground *g, const char *sql, const char *expected)
{
    BASE_CLEANUP(free) char *text = harness_database_query(&g->database, sql);
    assert_string_equal(text, expected);
}

void ground_run(const ground *g, const char *sql)
{
    free(harness_database_query(&g->database, sql));
}

void ground_hand_in_statistics(ground *g)
{
    store_session_free(g->session);
    g->session = NULL;
    ground_run(g, "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'store test') LOOP "
                  "PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$");
}

wire_generate_proof ground_job(unsigned number)
{
    wire_generate_proof job = {.submitted_unix_ms = 1700000000000};
    job.sha256.bytes[0] = (uint8_t)(number >> 8);
    job.sha256.bytes[1] = (uint8_t)number;
    memset(job.sha256.bytes + 2, 0xAB, sizeof(job.sha256.bytes) - 2);
    snprintf(job.correlation_id, sizeof(job.correlation_id), "correlation-%u", number);
    memset(job.public_key_x, 0x11, sizeof(job.public_key_x));
    memset(job.public_key_y, 0x22, sizeof(job.public_key_y));
    return job;
}

const char *ground_hash(unsigned number)
{
    static char texts[4][BASE_HEX_CHARS(32)];
    static unsigned next;
    char *text = texts[next++ % 4];
    const wire_generate_proof job = ground_job(number);
    snprintf(text, sizeof(texts[0]), "%s", base_sha256_hex(&job.sha256).text);
    return text;
}

static store_job_identity identity(uint64_t sequence)
{
    return (store_job_identity){sequence, 1700000000000000000 + (int64_t)sequence * 1000000000};
}

store_claim ground_claim_as(ground *g, store_session *session, unsigned number, uint64_t sequence, bool alone)
{
    const wire_generate_proof job = ground_job(number);
    const store_generate_request request = {&job, identity(sequence), base_bytes_of("the job", 7)};
    store_claim claim = {0};
    base_error err = {0};
    ground_ok(store_generate_claim(session, &request, 1, alone ? STORE_CLAIM_ALONE : STORE_CLAIM_TOGETHER, &claim,
                                   g->pending, &err),
              &err);
    return claim;
}

store_claim ground_claim(ground *g, unsigned number, uint64_t sequence)
{
    return ground_claim_as(g, g->session, number, sequence, false);
}

bool ground_commit_as(ground *g, store_session *session, unsigned number, uint64_t sequence, const store_claim *claim,
                      store_outcome_kind kind)
{
    const wire_generate_proof job = ground_job(number);
    const store_generate_outcome outcome = {
        .kind = kind,
        .job = &job,
        .claim = claim,
        .identity = identity(sequence),
        .blob = base_bytes_of(BLOB, sizeof(BLOB)),
        .format = "test-v1",
        .digest = base_digest_of(base_bytes_of(BLOB, sizeof(BLOB))),
        .duration_ms = 12,
        .failure = {.reason_code = "bad_luck",
                    .reason = "no\nluck \xFF today",
                    .job_payload = base_bytes_of("the original", 12),
                    .job_subject = "jobs.from.here",
                    .retry_delay_ms = 3600000},
    };
    bool fenced = true;
    base_error err = {0};
    ground_ok(store_generate_commit(session, &outcome, 1, &fenced, g->pending, &err), &err);
    return fenced;
}

bool ground_commit(ground *g, unsigned number, uint64_t sequence, const store_claim *claim, store_outcome_kind kind)
{
    return ground_commit_as(g, g->session, number, sequence, claim, kind);
}

void ground_generate(ground *g, unsigned number, uint64_t sequence)
{
    const store_claim claim = ground_claim(g, number, sequence);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_false(ground_commit(g, number, sequence, &claim, STORE_SUCCEEDED));
}

wire_publish_proof ground_command(unsigned number)
{
    const wire_generate_proof job = ground_job(number);
    wire_publish_proof command = {.sha256 = job.sha256,
                                  .proof_format = "test-v1",
                                  .proof_digest = base_digest_of(base_bytes_of(BLOB, sizeof(BLOB))),
                                  .submitted_unix_ms = job.submitted_unix_ms};
    memcpy(command.correlation_id, job.correlation_id, sizeof(command.correlation_id));
    return command;
}

store_publish_batch *ground_publish_claim(ground *g, unsigned number, uint64_t sequence, bool alone)
{
    const wire_publish_proof job = ground_command(number);
    const store_publish_request request = {&job, identity(sequence)};
    store_publish_batch *batch = NULL;
    base_error err = {0};
    ground_ok(store_publish_claim(g->session, &request, 1, alone ? STORE_CLAIM_ALONE : STORE_CLAIM_TOGETHER, &batch,
                                  g->pending, &err),
              &err);
    return batch;
}

store_publish_outcome ground_publish_outcome(const wire_publish_proof *job, const store_claim *claim, uint64_t sequence,
                                             store_outcome_kind kind)
{
    return (store_publish_outcome){.kind = kind,
                                   .job = job,
                                   .claim = claim,
                                   .identity = identity(sequence),
                                   .transaction_hash = kind == STORE_SUCCEEDED ? "5JhashOfTransaction" : NULL,
                                   .block_height = 77,
                                   .failure = {.reason_code = "node_says_no",
                                               .reason = "the node refused",
                                               .job_payload = base_bytes_of("the command", 11),
                                               .job_subject = "jobs.publish",
                                               .retry_delay_ms = 3600000}};
}

bool ground_publish_commit(ground *g, const store_publish_outcome *outcome)
{
    return ground_publish_commit_in(g, &(store_lane){.fee_payer = "nobody"}, outcome);
}

bool ground_publish_commit_in(ground *g, const store_lane *lane, const store_publish_outcome *outcome)
{
    bool fenced = true;
    base_error err = {0};
    ground_ok(store_publish_commit(g->session, lane, outcome, 1, &fenced, g->pending, &err), &err);
    return fenced;
}

const char *ground_header(const store_outbox_row *row, const char *name)
{
    for (size_t i = 0; i < row->header_count; i++) {
        if (strcmp(row->headers[i].name, name) == 0)
            return row->headers[i].value;
    }
    return NULL;
}
