/* A session and its connection: lost, restarted, silent, refused. */
#include "ground.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

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

/* Runs claims until told otherwise, and counts how they end. */
typedef struct storm {
    const ground *g;
    atomic_bool stop;
    int done, unavailable, ambiguous, other;
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
        base_code code = store_generate_claim(session, &request, 1, true, &claim, pending, NULL);
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
    for (int i = 0; i < 30; i++)
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
    BASE_CLEANUP(store_session_free) store_session *hasty = ground_session_to(g->database.url, 300);
    ground_ok(store_session_check(hasty, &err), &err);
    ground_run(g, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                  "'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
                  "CREATE TRIGGER slow BEFORE UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION slow()");
    const int64_t begun = base_monotonic_ms();
    const wire_generate_proof job = ground_job(1);
    const store_generate_request request = {&job, {10, 1700000010000000000}, base_bytes_of("job", 3)};
    store_claim claim = {0};
    assert_int_equal(store_generate_claim(hasty, &request, 1, true, &claim, g->pending, &err), BASE_UNAVAILABLE);
    assert_true(base_monotonic_ms() - begun < 3000);
    assert_non_null(strstr(err.message, "57014"));
    ground_expect(g, "SELECT epoch FROM submissions", "1");
    ground_run(g, "DROP TRIGGER slow ON submissions");
    ground_ok(store_generate_claim(hasty, &request, 1, true, &claim, g->pending, &err), &err);
    assert_int_equal(claim.answer, STORE_CLAIMED); /* the same connection goes on */
}

static void a_silent_server_does_not_hold_the_thread_for_ever(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *hasty = ground_session_to(g->database.url, 300);
    ground_ok(store_session_check(hasty, &err), &err);
    BASE_CLEANUP(free)
    char *pid = harness_database_query(
        &g->database, "SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'store test' AND state = 'idle'");
    const pid_t backend = (pid_t)strtol(pid, NULL, 10);
    assert_true(backend > 1);
    const int64_t begun = base_monotonic_ms();
    assert_int_equal(kill(backend, SIGSTOP), 0); /* as a half-open connection looks: no answer, no end */
    const base_code code = store_session_check(hasty, &err);
    assert_int_equal(kill(backend, SIGCONT), 0);
    assert_int_equal(code, BASE_UNAVAILABLE);
    assert_true(base_monotonic_ms() - begun < 10000);
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

static void nobody_listening_is_unavailable(void **state)
{
    (void)state;
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to("postgresql://x@127.0.0.1:1/x", 0);
    assert_int_equal(store_session_check(session, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "127.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_outlives_its_connection),
        cmocka_unit_test(a_restarted_server_is_found_again),
        cmocka_unit_test(killed_backends_leave_every_submission_whole),
        cmocka_unit_test(a_statement_that_waits_too_long_is_given_up),
        cmocka_unit_test(a_silent_server_does_not_hold_the_thread_for_ever),
        cmocka_unit_test(bad_credentials_are_denied_without_telling_the_password),
        cmocka_unit_test(a_role_without_rights_is_denied),
        cmocka_unit_test(the_service_role_may_do_all_that_a_service_does),
        cmocka_unit_test(nobody_listening_is_unavailable),
    };
    return cmocka_run_group_tests_name("store_session", tests, ground_start, ground_end);
}
