/* A session and its connection: lost, restarted, silent, refused. */
#include "ground.h"

#include "base/clock.h"
#include "harness/process.h"
#include "harness/proxy.h"
#include "harness/wait.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum {
    HASTY_MS = 2000
}; /* a statement's time that ends soon, and suffices on a busy machine for one that nothing hinders */

#define TERMINATE "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'store test'"

static base_error err;

static void a_session_outlives_its_connection(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_ok(store_session_check(g->session, &err), &err);
    ground_expect(g, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'store test'", "1");
    ground_run(g, TERMINATE);
    base_code code = store_session_check(g->session, &err);
    if (code == BASE_UNAVAILABLE) /* the loss was met in the call itself */
        code = store_session_check(g->session, &err);
    ground_ok(code, &err);
    assert_int_equal(ground_claim(g, 1, 10).answer, STORE_CLAIMED); /* with statements prepared anew */
}

static void a_restarted_server_is_found_again(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const store_claim claim = ground_claim(g, 1, 10);
    harness_postgres_stop(ground_postgres, HARNESS_POSTGRES_IMMEDIATE);
    assert_int_equal(store_session_check(g->session, &err), BASE_UNAVAILABLE);
    assert_true(err.message[0] != '\0');
    assert_int_equal(store_session_check(g->session, &err), BASE_UNAVAILABLE);
    harness_postgres_start(ground_postgres);
    ground_ok(store_session_check(g->session, &err), &err);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_SUCCEEDED)); /* what was claimed survived */
}

enum { KILLS = 30, KILLS_MAX = 300 }; /* the more on a machine so busy that nothing is done between two of them */

/* Runs claims until told otherwise, and counts how they end. */
typedef struct storm {
    const ground *g;
    atomic_bool stop;
    atomic_int done, unavailable, ambiguous, other;
} storm;

static void *claim_and_commit(void *arg)
{
    storm *s = arg;
    BASE_CLEANUP(store_session_free) store_session *session = ground_session(s->g);
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = NULL;
    if (store_outbox_new(&pending, NULL) != BASE_OK)
        return NULL;
    for (unsigned number = 1; !s->stop; number++) {
        const wire_generate_proof job = ground_job(number % 60000);
        const store_generate_request request = {&job, {number, 1}, base_bytes_of("job", 3)};
        store_claim claim = {0};
        store_outbox_clear(pending);
        base_code code = store_generate_claim(session, &request, 1, STORE_CLAIM_ALONE, &claim, pending, NULL);
        bool fenced = false;
        const store_generate_outcome outcome = {.kind = STORE_SUCCEEDED,
                                                .job = &job,
                                                .claim = &claim,
                                                .identity = request.identity,
                                                .format = "f",
                                                .blob = base_bytes_of("b", 1)};
        if (code == BASE_OK && claim.answer == STORE_CLAIMED)
            code = store_generate_commit(session, &outcome, 1, &fenced, pending, NULL);
        s->done += code == BASE_OK ? 1 : 0;
        s->unavailable += code == BASE_UNAVAILABLE ? 1 : 0;
        s->ambiguous += code == BASE_AMBIGUOUS ? 1 : 0;
        s->other += code != BASE_OK && code != BASE_UNAVAILABLE && code != BASE_AMBIGUOUS ? 1 : 0;
    }
    return NULL;
}

static void killed_backends_leave_every_submission_whole(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    storm s = {.g = g};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, claim_and_commit, &s), 0);
    for (int i = 0; i < KILLS || (i < KILLS_MAX && (s.done == 0 || s.unavailable + s.ambiguous == 0)); i++)
        ground_run(g, TERMINATE);
    s.stop = true;
    pthread_join(thread, NULL);
    assert_int_equal(s.other, 0);
    assert_true(s.done > 0);
    assert_true(s.unavailable + s.ambiguous > 0);
    /* State, event numbers and messages agree: nothing was written by half. */
    ground_expect(g,
                  "SELECT count(*) FROM submissions s WHERE (SELECT count(*) FROM outbox o "
                  "WHERE o.message_id LIKE s.sha256_hash || '.%' AND o.subject LIKE 'events.%') <> s.event_sequence",
                  "0");
    ground_expect(g,
                  "SELECT count(*) FROM submissions s WHERE (status = 'proof_publishing') <> "
                  "EXISTS (SELECT FROM proofs p WHERE p.sha256_hash = s.sha256_hash)",
                  "0");
}

static void a_statement_that_waits_too_long_is_given_up(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)ground_claim(g, 1, 10);
    BASE_CLEANUP(store_session_free) store_session *hasty = ground_session_to(g->database.url, HASTY_MS);
    ground_ok(store_session_check(hasty, &err), &err);
    ground_run(g, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                  "'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
                  "CREATE TRIGGER slow BEFORE UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION slow()");
    const int64_t begun = base_monotonic_ms();
    const wire_generate_proof job = ground_job(1);
    const store_generate_request request = {&job, {10, 1700000010000000000}, base_bytes_of("job", 3)};
    store_claim claim = {0};
    assert_int_equal(store_generate_claim(hasty, &request, 1, STORE_CLAIM_ALONE, &claim, g->pending, &err),
                     BASE_UNAVAILABLE);
    assert_true(base_monotonic_ms() - begun < 20000);
    assert_non_null(strstr(err.message, "57014"));
    ground_expect(g, "SELECT epoch FROM submissions", "1");
    ground_run(g, "DROP TRIGGER slow ON submissions");
    ground_ok(store_generate_claim(hasty, &request, 1, STORE_CLAIM_ALONE, &claim, g->pending, &err), &err);
    assert_int_equal(claim.answer, STORE_CLAIMED); /* the same connection goes on */
}

static void a_silent_server_does_not_hold_the_thread_for_ever(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *hasty = ground_session_to(g->database.url, HASTY_MS);
    ground_ok(store_session_check(hasty, &err), &err);
    BASE_CLEANUP(free)
    char *pid =
        harness_database_query(&g->database, "SELECT pid FROM pg_stat_activity WHERE application_name = 'store test' "
                                             "ORDER BY backend_start DESC LIMIT 1");
    const pid_t backend = (pid_t)strtol(pid, NULL, 10);
    assert_true(backend > 1);
    const int64_t begun = base_monotonic_ms();
    assert_int_equal(kill(backend, SIGSTOP), 0); /* as a half-open connection looks: no answer, no end */
    const base_code code = store_session_check(hasty, &err);
    assert_int_equal(kill(backend, SIGCONT), 0);
    assert_int_equal(code, BASE_UNAVAILABLE);
    assert_true(base_monotonic_ms() - begun < 20000);
    ground_ok(store_session_check(hasty, &err), &err);
}

static void bad_credentials_are_denied_without_telling_the_password(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g, "CREATE ROLE nologin_role NOLOGIN PASSWORD 'hunter2'");
    char url[HARNESS_DATABASE_URL_MAX + 32];
    const char *at = strchr(g->database.url, '@');
    assert_non_null(at);
    snprintf(url, sizeof(url), "postgresql://nologin_role:hunter2%s", at);
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to(url, 0);
    assert_int_equal(store_session_check(session, &err), BASE_DENIED);
    assert_null(strstr(err.message, "hunter2"));
    ground_run(g, "DROP ROLE nologin_role");
}

static void a_role_without_rights_is_denied(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g, "CREATE ROLE powerless LOGIN");
    char url[HARNESS_DATABASE_URL_MAX + 32];
    snprintf(url, sizeof(url), "postgresql://powerless%s", strchr(g->database.url, '@'));
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to(url, 0);
    int64_t counts[STORE_STATUS_COUNT];
    assert_int_equal(store_submission_count(session, false, counts, &err), BASE_DENIED);
    assert_non_null(strstr(err.message, "proofline_service.sql"));
    ground_run(g, "DROP ROLE powerless");
}

static void the_service_role_may_do_all_that_a_service_does(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(base_buffer_done) base_buffer grants = {.limit = 65536};
    ground_ok(base_file_read(MIGRATIONS_DIR "/roles/proofline_service.sql", &grants, &err), &err);
    ground_run(g, (const char *)grants.data);
    ground_run(g, (const char *)grants.data); /* repeating is harmless */
    ground_run(g, "CREATE ROLE a_service LOGIN IN ROLE proofline_service");
    char url[HARNESS_DATABASE_URL_MAX + 32];
    snprintf(url, sizeof(url), "postgresql://a_service%s", strchr(g->database.url, '@'));
    store_session_free(g->session);
    g->session = ground_session_to(url, 0);
    ground_generate(g, 1, 10);
    store_lane lane;
    ground_ok(store_lane_acquire(g->session, "B62qpayer", "me", &lane, &err), &err);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, 1, 11, false);
    const store_claim *claim = &store_publish_batch_at(batch, 0)->claim;
    const store_transaction t = {
        .hash = "5Jx", .submission = ground_job(1).sha256, .payload = base_bytes_of("x", 1), .nonce = 1};
    bool fenced = true;
    ground_ok(store_transactions_commit(g->session, &lane, &t, &claim->epoch, 1, &fenced, &err), &err);
    const store_transaction_mark mark = {"5Jx", STORE_TX_ABANDONED, 0};
    ground_ok(store_transactions_mark(g->session, &lane, &mark, 1, &err), &err);
    const wire_publish_proof job = ground_command(1);
    store_publish_outcome outcome = ground_publish_outcome(&job, claim, 11, STORE_REJECTED);
    outcome.failure.drop_proof = true;
    assert_false(ground_publish_commit(g, &outcome));
    ground_ok(store_outbox_delete(g->session, g->pending, 0, store_outbox_count(g->pending), &err), &err);
    size_t count = 0;
    ground_ok(store_sweep_acquire(g->session, &err), &err);
    ground_ok(store_sweep_requeue(g->session, STORE_STAGE_GENERATE, 1, 0, 10, g->pending, &count, &err), &err);
    ground_ok(store_sweep_expire(g->session, 1, 10, g->pending, &count, &err), &err);
    ground_ok(store_migrate_status(g->session, MIGRATIONS_DIR, NULL, NULL, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_int_equal(store_migrate_down(g->session, MIGRATIONS_DIR, 1, NULL, NULL, &err), BASE_DENIED);
    ground_run(g, "DROP OWNED BY a_service; DROP ROLE a_service; DROP OWNED BY proofline_service; "
                  "DROP ROLE proofline_service");
}

/* What the server says to it. The caller frees it. */
static char *refusal_of(const harness_database *database, const char *sql)
{
    const char *const argv[] = {"psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database->url, "-c", sql, NULL};
    char *errors = NULL;
    if (harness_run(argv, NULL, 60000, NULL, &errors) == 0)
        harness_fail("the role of the services may do this: %s", sql);
    return errors;
}

static void the_service_role_may_do_nothing_that_a_service_does_not_need(void **state)
{
    (void)state;
    static const char *const FORBIDDEN[] = {
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SELECT * FROM neighbours",
        "INSERT INTO neighbours VALUES (1)",
        "SELECT * FROM elsewhere.neighbours",
        "SELECT rolpassword FROM pg_authid",
        "DELETE FROM submissions",
        "DELETE FROM transactions",
        "DELETE FROM fee_payers",
        "UPDATE outbox SET subject = ''",
        "INSERT INTO proofline_migrations SELECT * FROM proofline_migrations",
        "TRUNCATE proofs",
        "DROP TABLE proofs",
        "ALTER TABLE submissions ADD COLUMN mine int",
        "ALTER TABLE submissions DISABLE TRIGGER ALL",
        "CREATE INDEX ON submissions (updated_at)",
        "ALTER TABLE submissions OWNER TO worker",
        "ALTER TABLE fee_payers RENAME TO mine",
        "COPY outbox TO PROGRAM 'cat'",
        "COPY outbox TO '/tmp/mine'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_reload_conf()",
        "SET SESSION AUTHORIZATION proofline",
        "SET session_replication_role = replica",
        "ALTER SYSTEM SET fsync = off",
    };
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g,
               "CREATE TABLE neighbours (x int); CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.neighbours (x int)");
    const harness_database service =
        harness_database_as_service(&g->database, MIGRATIONS_DIR "/roles/proofline_service.sql");
    free(harness_database_query(&service, "SELECT count(*) FROM submissions"));
    for (size_t i = 0; i < sizeof(FORBIDDEN) / sizeof(FORBIDDEN[0]); i++) {
        BASE_CLEANUP(free) char *said = refusal_of(&service, FORBIDDEN[i]);
        if (strstr(said, "permission denied") == NULL && strstr(said, "must be ") == NULL)
            harness_fail("%s is refused for another reason: %s", FORBIDDEN[i], said);
    }
    ground_run(g,
               "DROP OWNED BY worker; DROP ROLE worker; DROP OWNED BY proofline_service; DROP ROLE proofline_service");
}

static void nobody_listening_is_unavailable(void **state)
{
    (void)state;
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to("postgresql://x@127.0.0.1:1/x", 0);
    assert_int_equal(store_session_check(session, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "127.0.0.1"));
}

/* A proxy before the test's server, and a hasty session through it. */
static harness_proxy *proxied(const ground *g, store_session **ret)
{
    harness_proxy *proxy = harness_proxy_new(harness_postgres_port(ground_postgres));
    char url[HARNESS_DATABASE_URL_MAX];
    snprintf(url, sizeof(url), "postgresql://proofline@127.0.0.1:%u%s", harness_proxy_port(proxy),
             strrchr(g->database.url, '/'));
    const store_session_options options = {.database_url = url,
                                           .application_name = "store test",
                                           .connect_timeout_ms = 3000,
                                           .statement_timeout_ms = 2000,
                                           .subjects = {"jobs.generate", "jobs.publish", "events", "dead"}};
    ground_ok(store_session_new(&options, ret, &err), &err);
    return proxy;
}

static void a_server_that_accepts_and_says_nothing_is_unavailable(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    BASE_CLEANUP(harness_proxy_free) harness_proxy *proxy = proxied(g, &session);
    harness_proxy_stall(proxy, HARNESS_PROXY_BOTH);
    const int64_t begun = base_monotonic_ms();
    assert_int_equal(store_session_check(session, &err), BASE_UNAVAILABLE);
    assert_string_equal(err.message, "cannot connect to Postgres at 127.0.0.1: no answer in time");
    assert_true(base_monotonic_ms() - begun < 10000);
    harness_proxy_heal(proxy);
    ground_ok(store_session_check(session, &err), &err);
}

static bool is_committed(void *ctx)
{
    const ground *g = ctx;
    BASE_CLEANUP(free) char *status = harness_database_query(&g->database, "SELECT status FROM submissions");
    return strcmp(status, "proof_publishing") == 0;
}

/* The commit arrives, its answer does not: whoever called cannot know, and finds out by asking again. */
static void a_commit_whose_answer_is_lost_is_ambiguous_and_safe_to_repeat(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    BASE_CLEANUP(harness_proxy_free) harness_proxy *proxy = proxied(g, &session);
    const store_claim claim = ground_claim_as(g, session, 1, 10, false);
    ground_ok(store_session_check(session, &err), &err);
    const wire_generate_proof job = ground_job(1);
    const store_generate_outcome outcome = {.kind = STORE_SUCCEEDED,
                                            .job = &job,
                                            .claim = &claim,
                                            .identity = {10, 1700000010000000000},
                                            .format = "f",
                                            .blob = base_bytes_of("b", 1)};
    bool fenced = false;
    const size_t before = store_outbox_count(g->pending);
    harness_proxy_stall(proxy, HARNESS_PROXY_TO_CLIENT);
    assert_int_equal(store_generate_commit(session, &outcome, 1, &fenced, g->pending, &err), BASE_AMBIGUOUS);
    assert_string_equal(err.message, "Postgres gave no answer in time");
    assert_int_equal(store_outbox_count(g->pending), before);
    assert_true(harness_wait_until(is_committed, g, HARNESS_START_MS)); /* the server may be slower than our patience */
    harness_proxy_heal(proxy);
    ground_ok(store_generate_commit(session, &outcome, 1, &fenced, g->pending, &err), &err);
    ground_expect(g,
                  "SELECT status, event_sequence, proof_count FROM (SELECT *, (SELECT count(*) FROM proofs) AS "
                  "proof_count FROM submissions) AS s",
                  "proof_publishing|2|1");
}

static void a_commit_that_fails_at_its_very_end_stores_nothing_and_says_why(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                  "'BEGIN RAISE EXCEPTION ''not today''; END';"
                  "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON submissions DEFERRABLE INITIALLY DEFERRED "
                  "FOR EACH ROW EXECUTE FUNCTION refuse()");
    const wire_generate_proof job = ground_job(1);
    const store_generate_request request = {&job, {10, 1700000010000000000}, base_bytes_of("job", 3)};
    store_claim claim = {0};
    assert_int_equal(store_generate_claim(g->session, &request, 1, STORE_CLAIM_ALONE, &claim, g->pending, &err),
                     BASE_INTERNAL);
    assert_string_equal(err.message, "Postgres, commit: not today (P0001)");
    ground_expect(g, "SELECT count(*) FROM submissions", "0");
    ground_run(g, "DROP TRIGGER refuse ON submissions");
    assert_int_equal(ground_claim(g, 1, 10).answer, STORE_CLAIMED);
}

/* More than the buffers on the way hold: the session writes while the server already answers. */
static void large_batches_pass_a_slow_link(void **state)
{
    (void)state;
    enum { JOBS = 60, PAYLOAD = 200000 };
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    char url[HARNESS_DATABASE_URL_MAX];
    BASE_CLEANUP(harness_proxy_free)
    harness_proxy *proxy = harness_proxy_new(harness_postgres_port(ground_postgres));
    snprintf(url, sizeof(url), "postgresql://proofline@127.0.0.1:%u%s", harness_proxy_port(proxy),
             strrchr(g->database.url, '/'));
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to(url, 0);
    ground_ok(store_session_check(session, &err), &err);
    harness_proxy_slow(proxy, 1, 20000000);
    wire_generate_proof jobs[JOBS];
    store_generate_request requests[JOBS];
    store_claim claims[JOBS] = {0};
    BASE_CLEANUP(free) char *payload = calloc(1, PAYLOAD);
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] = ground_job(i + 1);
        requests[i] = (store_generate_request){&jobs[i], {i + 1, 1}, base_bytes_of(payload, PAYLOAD)};
    }
    ground_ok(store_generate_claim(session, requests, JOBS, STORE_CLAIM_TOGETHER, claims, g->pending, &err), &err);
    ground_expect(g, "SELECT count(*), sum(length(job_payload)) FROM submissions", "60|12000000");
}

static void a_batch_of_nothing_asks_nobody_and_one_of_too_much_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to("postgresql://x@127.0.0.1:1/x", 0);
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = NULL;
    BASE_CLEANUP(free) store_generate_request *many = calloc(STORE_BATCH_MAX + 1, sizeof(store_generate_request));
    BASE_CLEANUP(free) store_claim *claims = calloc(STORE_BATCH_MAX + 1, sizeof(store_claim));
    ground_ok(store_outbox_new(&pending, &err), &err);
    const store_lane lane = {.fee_payer = "B62qpayer"};
    bool fenced = false;
    ground_ok(store_generate_claim(session, NULL, 0, STORE_CLAIM_TOGETHER, NULL, pending, &err), &err);
    ground_ok(store_generate_commit(session, NULL, 0, &fenced, pending, &err), &err);
    ground_ok(store_publish_commit(session, &lane, NULL, 0, &fenced, pending, &err), &err);
    ground_ok(store_transactions_commit(session, &lane, NULL, NULL, 0, &fenced, &err), &err);
    ground_ok(store_transactions_mark(session, &lane, NULL, 0, &err), &err);
    const wire_generate_proof job = ground_job(1);
    for (size_t i = 0; i <= STORE_BATCH_MAX; i++)
        many[i].job = &job;
    assert_int_equal(
        store_generate_claim(session, many, STORE_BATCH_MAX + 1, STORE_CLAIM_TOGETHER, claims, pending, &err),
        BASE_LIMIT);
    store_session *none = NULL;
    assert_int_equal(store_session_new(&(store_session_options){0}, &none, &err), BASE_INVALID);
    assert_string_equal(err.message, "no database URL given");
}

/* As after a failover whose address still leads to the old primary, which is a standby now. */
static void a_server_that_takes_no_writes_is_away_and_left_for_the_one_that_does(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *session = ground_session(g);
    const char *name = strrchr(g->database.url, '/') + 1;
    char sql[256];
    snprintf(sql, sizeof(sql), "ALTER DATABASE %s SET default_transaction_read_only = on", name);
    ground_run(g, sql);
    assert_int_equal(store_session_check(session, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "takes no writes"));
    assert_int_equal(store_session_check(session, &err), BASE_UNAVAILABLE);
    const wire_generate_proof job = ground_job(1);
    const store_generate_request request = {.job = &job, .identity = {1, 1700000010000000000}};
    store_claim claim;
    assert_int_equal(store_generate_claim(session, &request, 1, STORE_CLAIM_TOGETHER, &claim, g->pending, &err),
                     BASE_UNAVAILABLE);
    snprintf(sql, sizeof(sql), "ALTER DATABASE %s RESET ALL", name);
    harness_database other = harness_database_new(ground_postgres); /* this one takes no such command, either */
    free(harness_database_query(&other, sql));
    ground_ok(store_generate_claim(session, &request, 1, STORE_CLAIM_TOGETHER, &claim, g->pending, &err), &err);
    ground_ok(store_session_check(session, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_takes_no_writes_is_away_and_left_for_the_one_that_does),
        cmocka_unit_test(a_session_outlives_its_connection),
        cmocka_unit_test(a_restarted_server_is_found_again),
        cmocka_unit_test(killed_backends_leave_every_submission_whole),
        cmocka_unit_test(a_statement_that_waits_too_long_is_given_up),
        cmocka_unit_test(a_silent_server_does_not_hold_the_thread_for_ever),
        cmocka_unit_test(bad_credentials_are_denied_without_telling_the_password),
        cmocka_unit_test(a_role_without_rights_is_denied),
        cmocka_unit_test(the_service_role_may_do_all_that_a_service_does),
        cmocka_unit_test(the_service_role_may_do_nothing_that_a_service_does_not_need),
        cmocka_unit_test(nobody_listening_is_unavailable),
        cmocka_unit_test(a_server_that_accepts_and_says_nothing_is_unavailable),
        cmocka_unit_test(a_commit_whose_answer_is_lost_is_ambiguous_and_safe_to_repeat),
        cmocka_unit_test(a_commit_that_fails_at_its_very_end_stores_nothing_and_says_why),
        cmocka_unit_test(large_batches_pass_a_slow_link),
        cmocka_unit_test(a_batch_of_nothing_asks_nobody_and_one_of_too_much_is_refused),
    };
    return cmocka_run_group_tests_name("store_session", tests, ground_start, ground_end);
}
