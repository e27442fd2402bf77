/* Fails every allocation of database sessions, migrations, claims, commits and sweeps, ours and libpq's, against a real Postgres. */
#include "torture.h"

#include "ground.h"

#include "base/clock.h"
#include "harness/wait.h"

enum { BATCH = 3, ROWS_MAX = 20 };

#define DAY_MS  86400000
#define YEAR_MS (365 * INT64_C(86400000))

/* What an operation works with: the session lives on from run to run, so each failure is followed by work on it. */
typedef struct scene {
    ground *g;
    unsigned number;   /* of the last submission */
    uint64_t sequence; /* of the last message */
} scene;

static store_job_identity identity_of(uint64_t sequence)
{
    return (store_job_identity){sequence, 1700000000000000000 + (int64_t)sequence * 1000000000};
}

/* --- sessions and migrations --- */

static base_code make_session(void *ctx, base_error *err)
{
    const scene *s = ctx;
    const store_session_options options = {.database_url = s->g->database.url, .application_name = "allocation"};
    store_session *made = TORTURE_UNTOUCHED;
    base_code code = store_session_new(&options, &made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    store_session_free(made);
    store_outbox *outbox = TORTURE_UNTOUCHED;
    code = store_outbox_new(&outbox, err);
    TORTURE_CHECK(code == BASE_OK || outbox == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        store_outbox_free(outbox);
    return code;
}

/* The session must serve its next call however the connection failed to come about. */
static base_code connect_session(void *ctx, base_error *err)
{
    const scene *s = ctx;
    const store_session_options options = {.database_url = s->g->database.url, .application_name = "allocation"};
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    base_code code = store_session_new(&options, &session, err);
    if (code != BASE_OK)
        return code;
    code = store_session_check(session, err);
    if (code == BASE_OK)
        return code;
    base_error again = {0};
    (void)allocation_stop();
    TORTURE_CHECK(store_session_check(session, &again) == BASE_OK);
    return code;
}

static base_code migrate(void *ctx, base_error *err)
{
    const scene *s = ctx;
    size_t pending = 99;
    base_code code = store_migrate_up(s->g->session, MIGRATIONS_DIR, NULL, NULL, err);
    if (code != BASE_OK)
        return code;
    code = store_migrate_status(s->g->session, MIGRATIONS_DIR, NULL, NULL, &pending, err);
    TORTURE_CHECK(pending == (code == BASE_OK ? 0 : 99));
    return code;
}

/* --- the generate stage --- */

/* One of each kind of end. A commit that fails is made again, as by a worker; it is fenced then where the first had gone through. */
static const store_outcome_kind KINDS[BATCH] = {STORE_SUCCEEDED, STORE_REJECTED, STORE_RETRY};

/* However often the commit was made, the submissions have come to these ends. */
static void expect_statuses(const scene *s, base_sha256 hashes[BATCH], wire_status succeeded, wire_status pending)
{
    const wire_status wanted[BATCH] = {succeeded, WIRE_STATUS_REJECTED, pending};
    wire_status found[BATCH] = {WIRE_STATUS_NONE};
    base_error err = {0};
    allocation_spare_this_thread(true);
    TORTURE_CHECK(store_submission_statuses(s->g->session, hashes, BATCH, found, &err) == BASE_OK);
    for (size_t i = 0; i < BATCH; i++)
        TORTURE_CHECK(found[i] == wanted[i]);
    allocation_spare_this_thread(false);
}

typedef struct generate_batch {
    wire_generate_proof jobs[BATCH];
    store_generate_request requests[BATCH];
    store_claim claims[BATCH];
} generate_batch;

static void fill_generate(scene *s, generate_batch *batch)
{
    *batch = (generate_batch){0};
    for (size_t i = 0; i < BATCH; i++) {
        batch->jobs[i] = ground_job(++s->number);
        batch->requests[i] =
            (store_generate_request){&batch->jobs[i], identity_of(++s->sequence), base_bytes_of("the job", 7)};
    }
}

static base_code commit_generate(scene *s, const generate_batch *batch, bool repeated, base_error *err)
{
    store_generate_outcome outcomes[BATCH];
    bool fenced[BATCH] = {true, true, true};
    for (size_t i = 0; i < BATCH; i++)
        outcomes[i] = (store_generate_outcome){
            .kind = KINDS[i],
            .job = &batch->jobs[i],
            .claim = &batch->claims[i],
            .identity = batch->requests[i].identity,
            .blob = base_bytes_of("a proof", sizeof("a proof")),
            .format = "test-v1",
            .digest = base_digest_of(base_bytes_of("a proof", sizeof("a proof"))),
            .duration_ms = 12,
            .failure = {.reason_code = "bad_luck",
                        .reason = "no luck today",
                        .job_payload = base_bytes_of("the original", 12),
                        .job_subject = "jobs.generate",
                        .retry_delay_ms = 3600000},
        };
    base_code code = store_generate_commit(s->g->session, outcomes, BATCH, fenced, s->g->pending, err);
    for (size_t i = 0; i < BATCH; i++)
        TORTURE_CHECK(code != BASE_OK || !fenced[i] || repeated);
    return code;
}

static base_code generate(void *ctx, base_error *err)
{
    scene *s = ctx;
    generate_batch batch;
    fill_generate(s, &batch);
    store_outbox_clear(s->g->pending);
    base_code code = store_generate_claim(s->g->session, batch.requests, BATCH, STORE_CLAIM_TOGETHER, batch.claims,
                                          s->g->pending, err);
    TORTURE_CHECK(store_outbox_count(s->g->pending) == (code == BASE_OK ? BATCH : 0));
    if (code != BASE_OK)
        return code;
    for (size_t i = 0; i < BATCH; i++)
        TORTURE_CHECK(batch.claims[i].answer == STORE_CLAIMED);
    code = commit_generate(s, &batch, false, err);
    base_error again = {0};
    if (code != BASE_OK)
        (void)allocation_stop();
    TORTURE_CHECK(code == BASE_OK || commit_generate(s, &batch, true, &again) == BASE_OK);
    base_sha256 hashes[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        hashes[i] = batch.jobs[i].sha256;
    expect_statuses(s, hashes, WIRE_STATUS_PROOF_PUBLISHING, WIRE_STATUS_PROOF_GENERATION);
    return code;
}

/* --- the publish stage --- */

static bool takes_lane(void *ctx)
{
    const scene *s = ctx;
    store_lane lane;
    base_error err = {0};
    return store_lane_acquire(s->g->session, "B62payer", "allocation", &lane, &err) == BASE_OK;
}

static bool takes_sweep(void *ctx)
{
    const scene *s = ctx;
    base_error err = {0};
    return store_sweep_acquire(s->g->session, &err) == BASE_OK;
}

/* A connection that was given up may hold its locks a moment longer at the server. */
static void await_lock(scene *s, harness_condition *takes_lock)
{
    allocation_spare_this_thread(true);
    if (!harness_wait_until(takes_lock, s, HARNESS_START_MS))
        harness_fail("a connection that was given up keeps its lock");
    allocation_spare_this_thread(false);
}

/* Submissions with a proof, made while nothing fails. */
static void generate_spared(scene *s)
{
    allocation_spare_this_thread(true);
    for (size_t i = 0; i < BATCH; i++) {
        s->sequence++;
        ground_generate(s->g, ++s->number, s->sequence);
    }
    store_outbox_clear(s->g->pending);
    allocation_spare_this_thread(false);
}

static base_code claim_publish(scene *s, const wire_publish_proof *jobs, store_publish_request *requests,
                               store_publish_batch **ret, base_error *err)
{
    for (size_t i = 0; i < BATCH; i++)
        requests[i] = (store_publish_request){&jobs[i], identity_of(++s->sequence)};
    store_publish_batch *batch = TORTURE_UNTOUCHED;
    base_code code =
        store_publish_claim(s->g->session, requests, BATCH, STORE_CLAIM_TOGETHER, &batch, s->g->pending, err);
    TORTURE_CHECK(code == BASE_OK || batch == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        *ret = batch;
    return code;
}

static void fill_transaction(const scene *s, const wire_publish_proof *job, store_transaction *ret)
{
    *ret = (store_transaction){.submission = job->sha256,
                               .nonce = (int64_t)s->sequence,
                               .fee_nanomina = 1,
                               .payload = base_bytes_of("the transaction", 15)};
    snprintf(ret->hash, sizeof(ret->hash), "5Jhash%llu", (unsigned long long)s->sequence);
    snprintf(ret->fee_payer, sizeof(ret->fee_payer), "B62payer");
}

static base_code commit_publish(scene *s, const store_lane *lane, const wire_publish_proof *jobs,
                                const store_publish_request *requests, const store_publish_batch *batch, bool repeated,
                                base_error *err)
{
    const store_claim *claim = &store_publish_batch_at(batch, 0)->claim;
    bool fenced[BATCH] = {true, true, true};
    store_transaction transaction;
    fill_transaction(s, &jobs[0], &transaction);
    base_code code = store_transactions_commit(s->g->session, lane, &transaction, &claim->epoch, 1, fenced, err);
    if (code != BASE_OK)
        return code;
    TORTURE_CHECK(!fenced[0] || repeated);
    store_publish_outcome outcomes[BATCH];
    for (size_t i = 0; i < BATCH; i++) {
        outcomes[i] = ground_publish_outcome(&jobs[i], &store_publish_batch_at(batch, i)->claim,
                                             requests[i].identity.sequence, KINDS[i]);
        outcomes[i].transaction_hash = KINDS[i] == STORE_SUCCEEDED ? transaction.hash : NULL;
    }
    code = store_publish_commit(s->g->session, lane, outcomes, BATCH, fenced, s->g->pending, err);
    for (size_t i = 0; i < BATCH; i++)
        TORTURE_CHECK(code != BASE_OK || !fenced[i] || repeated);
    return code;
}

static base_code publish(void *ctx, base_error *err)
{
    scene *s = ctx;
    wire_publish_proof jobs[BATCH];
    store_publish_request requests[BATCH];
    generate_spared(s);
    await_lock(s, takes_lane);
    for (size_t i = 0; i < BATCH; i++)
        jobs[i] = ground_command(s->number - (unsigned)i);
    store_lane lane = {.lane_epoch = -1};
    base_code code = store_lane_acquire(s->g->session, "B62payer", "allocation", &lane, err);
    TORTURE_CHECK(code == BASE_OK || lane.lane_epoch == -1);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = NULL;
    code = claim_publish(s, jobs, requests, &batch, err);
    if (code != BASE_OK)
        return code;
    for (size_t i = 0; i < BATCH; i++)
        TORTURE_CHECK(store_publish_batch_at(batch, i)->claim.answer == STORE_CLAIMED);
    code = commit_publish(s, &lane, jobs, requests, batch, false, err);
    if (code != BASE_OK) { /* the lane may have gone with the connection, and its lock with it */
        base_error again = {0};
        (void)allocation_stop();
        await_lock(s, takes_lane);
        TORTURE_CHECK(store_lane_acquire(s->g->session, "B62payer", "allocation", &lane, &again) == BASE_OK);
        TORTURE_CHECK(commit_publish(s, &lane, jobs, requests, batch, true, &again) == BASE_OK);
    }
    base_sha256 hashes[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        hashes[i] = jobs[i].sha256;
    expect_statuses(s, hashes, WIRE_STATUS_COMPLETE, WIRE_STATUS_PROOF_PUBLISHING);
    return code;
}

static base_code follow_lane(void *ctx, base_error *err)
{
    scene *s = ctx;
    store_session *session = s->g->session;
    store_lane lane;
    await_lock(s, takes_lane);
    int64_t nonce = 0, end = 0;
    bool holds = false;
    base_code code = store_lane_acquire(session, "B62payer", "allocation", &lane, err);
    if (code == BASE_OK)
        code = store_lane_check(session, &lane, err);
    if (code == BASE_OK)
        code = store_lane_next_nonce(session, &lane, 0, &nonce, &end, err);
    if (code == BASE_OK)
        code = store_lane_holds_nonce(session, &lane, nonce, &holds, err);
    TORTURE_CHECK(code != BASE_OK || !holds);
    if (code != BASE_OK)
        return code;
    store_transaction_list *list = TORTURE_UNTOUCHED;
    code = store_transactions_find_open(session, "B62payer", 0, ROWS_MAX, &list, err);
    TORTURE_CHECK(code == BASE_OK || list == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(store_transaction_list_free) store_transaction_list *open = list;
    TORTURE_CHECK(store_transaction_list_count(open) > 0);
    const store_transaction *first = store_transaction_list_at(open, 0);
    const store_transaction_mark mark = {.hash = first->hash, .state = STORE_TX_ACCEPTED, .block_height = 5};
    code = store_transactions_mark(session, &lane, &mark, 1, err);
    return code == BASE_OK ? store_lane_release(session, &lane, err) : code;
}

/* --- readers and the sweeper --- */

static base_code read_submissions(void *ctx, base_error *err)
{
    const scene *s = ctx;
    store_submission one, list[ROWS_MAX];
    size_t count = 99;
    const wire_generate_proof job = ground_job(0);
    wire_status status = WIRE_STATUS_NONE;
    int64_t counts[STORE_STATUS_COUNT];
    base_code code = store_submission_get(s->g->session, &job.sha256, &one, err);
    if (code != BASE_OK)
        return code;
    code = store_submission_list(s->g->session, WIRE_STATUS_NONE, 0, ROWS_MAX, list, &count, err);
    TORTURE_CHECK(code == BASE_OK ? count > 0 && count <= ROWS_MAX : count == 99);
    if (code == BASE_OK)
        code = store_submission_statuses(s->g->session, &job.sha256, 1, &status, err);
    if (code == BASE_OK)
        code = store_submission_count(s->g->session, true, counts, err);
    if (code != BASE_OK)
        return code;
    TORTURE_CHECK(status == one.status && counts[status] > 0);
    BASE_CLEANUP(store_proof_done) store_proof proof = {0};
    code = store_proof_load(s->g->session, &job.sha256, &proof, err);
    TORTURE_CHECK(proof.blob.size == (code == BASE_OK ? sizeof("a proof") : 0));
    return code;
}

static base_code sweep(void *ctx, base_error *err)
{
    scene *s = ctx;
    store_session *session = s->g->session;
    store_outbox *pending = s->g->pending;
    generate_spared(s);
    await_lock(s, takes_sweep);
    store_outbox_clear(pending);
    const store_attempt attempt = {ground_job(s->number).sha256, 1};
    size_t requeued = 99, expired = 99;
    int64_t rows = -1, age_ms = -1;
    bool more = false;
    base_code code = store_sweep_acquire(session, err);
    if (code == BASE_OK)
        code = store_sweep_keep(session, &attempt, 1, err);
    if (code == BASE_OK)
        code = store_sweep_requeue(session, STORE_STAGE_PUBLISH, base_unix_ms() + YEAR_MS, 0, BATCH, pending, &requeued,
                                   err);
    if (code == BASE_OK)
        code = store_sweep_expire(session, DAY_MS, 1, pending, &expired, err);
    if (code == BASE_OK)
        code = store_outbox_find_stale(session, 0, 0, ROWS_MAX, pending, &more, err);
    if (code == BASE_OK)
        code = store_outbox_backlog(session, &rows, &age_ms, err);
    if (code == BASE_OK)
        code = store_outbox_delete(session, pending, 0, store_outbox_count(pending), err);
    return code == BASE_OK ? store_sweep_release(session, err) : code;
}

/* --- */

static void torture_all(uint32_t owners, void (*run)(const char *, uint32_t, torture_operation *, void *))
{
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    scene s = {.g = g, .sequence = 1};
    ground_generate(g, 0, s.sequence); /* for readers */
    run("session", owners, make_session, &s);
    run("connection to Postgres", owners, connect_session, &s);
    run("migration", owners, migrate, &s);
    run("claim and end of generation", owners, generate, &s);
    run("claim and end of publication", owners, publish, &s);
    run("nonce lane", owners, follow_lane, &s);
    run("reading", owners, read_submissions, &s);
    run("sweep", owners, sweep, &s);
}

static void the_store_does_without_memory(void **state)
{
    (void)state;
    torture_all(ALLOCATION_OURS | ALLOCATION_PROTOBUF, torture);
}

static void the_store_does_without_memory_for_libpq(void **state)
{
    (void)state;
    torture_all(ALLOCATION_LIBPQ, torture_loosely);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_does_without_memory),
        cmocka_unit_test(the_store_does_without_memory_for_libpq),
    };
    int failed = cmocka_run_group_tests(tests, ground_start, ground_end);
    torture_print_totals();
    return failed;
}
