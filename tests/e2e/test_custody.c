/* Whose a job is: what threads, frozen processes and stops must not do to jobs that others have in hand. */
#include "harness/wait.h"
#include "pipeline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PAIR = 2, CRASHES = 3, SQL_MAX = 512, DELIVERY_MS = 500, TRIES = 10, CALM_ACK_WAIT_MS = 5000 };

/* SIGKILL, also to what the dead client has sent: its backends would go on and commit. */
static void crash_generator(pipeline *p)
{
    pipeline_kill(p->generator);
    free(harness_database_query(&p->database, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                                              "application_name = 'proofline-generator' "
                                              "AND datname = current_database()"));
}

static void a_poison_takes_nothing_along_that_another_thread_has_in_hand(void **state)
{
    static const char *const threads[] = {"WORKER_CONCURRENCY=2", "WORKER_BATCH=1", NULL};
    pipeline p;
    base_sha256 submissions[PAIR];
    pipeline_start(&p, *state, 0);
    crash_generator(&p);
    harness_process *lock =
        pipeline_lock_table(&p, "proofs"); /* claims pass, commits wait: every job kills its worker */
    pipeline_submit_many(&p, "t", PAIR, submissions);
    for (int crash = 1; crash <= CRASHES; crash++) {
        char sql[SQL_MAX];
        /* Both are in hand at the first crash. Then at least one more each time, and two ack waits for the other to come. */
        int64_t before = pipeline_number(&p, "SELECT sum(generate_attempts) FROM submissions");
        snprintf(sql, sizeof(sql),
                 "SELECT sum(generate_attempts) FROM submissions "
                 "HAVING max(processing_started_at) < now() - interval '%d ms' AND sum(generate_attempts) >= %d",
                 2 * PIPELINE_ACK_WAIT_MS, (int)before + (crash == 1 ? PAIR : 1));
        pipeline_start_generator(&p, threads);
        pipeline_wait_number(&p, sql, 1);
        crash_generator(&p);
    }
    pipeline_unlock(&p, lock);
    pipeline_start_generator(&p, threads);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status IN ('complete', 'rejected')", PAIR);
    const size_t complete = (size_t)pipeline_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'");
    assert_in_range(complete, 1, PAIR);
    assert_int_equal(pipeline_number(&p, "SELECT sum(generate_attempts) FROM submissions "
                                         "WHERE status = 'complete' OR reason_code = 'quarantined'"),
                     PAIR + (CRASHES - 1) + PAIR); /* both once, one at each further crash, both at the end */
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = complete, .rejected = PAIR - complete});
    pipeline_stop(&p);
}

static void a_stop_waits_for_a_store_that_is_away_and_leaves_no_attempt_open(void **state)
{
    static const char *const patient[] = {"SHUTDOWN_GRACE_S=120", NULL}; /* however long Postgres takes to come back */
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_start_generator(&p, patient);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    base_sha256 submission = pipeline_submit(&p, "in hand at the stop");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_process_free(lock);
    harness_postgres_stop(*state, HARNESS_POSTGRES_IMMEDIATE);
    BASE_CLEANUP(free) char *down = harness_process_wait_line(p.generator, "dependency_down", PIPELINE_WAIT_MS);
    assert_non_null(down);
    harness_process_signal(p.generator, SIGTERM);
    BASE_CLEANUP(free) char *stopping = harness_process_wait_line(p.generator, "service_stopping", PIPELINE_WAIT_MS);
    assert_non_null(stopping);
    harness_postgres_start(*state);
    const int code = harness_process_wait(p.generator, PIPELINE_WAIT_MS);
    if (code != 0)
        harness_fail("the generator ended with %d: %s", code, harness_process_errors(p.generator));
    assert_int_equal(
        pipeline_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open AND status = 'proof_generation'"), 0);
    pipeline_start_generator(&p, NULL);
    assert_int_equal(pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE).generate_attempts, 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

static bool is_delivered(void *ctx)
{
    pipeline *p = ctx;
    base_error err = {0};
    broker_durable_state state;
    base_code code = broker_durable_read_state(p->broker, p->names.stream_jobs, BROKER_DURABLE_GENERATOR, &state, &err);
    if (code != BASE_OK)
        harness_fail("%s", err.message);
    return state.ack_pending > 0;
}

/* Freezes the generator with a job on its way to it: the server answers a pull request that was made before. */
static base_sha256 freeze_with_job(pipeline *p)
{
    for (int i = 0; i < TRIES; i++) {
        char seed[32];
        snprintf(seed, sizeof(seed), "on its way %d", i);
        harness_process_pause(p->generator);
        base_sha256 submission = pipeline_submit(p, seed);
        if (harness_wait_until(is_delivered, p, DELIVERY_MS))
            return submission;
        harness_process_resume(p->generator); /* its request had just ended */
        pipeline_wait(p, &submission, WIRE_STATUS_COMPLETE);
    }
    harness_fail("no job was delivered to a frozen generator");
}

static void a_generator_frozen_before_its_claim_takes_no_job_from_a_live_one(void **state)
{
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    pipeline_set_ack_wait(&p, CALM_ACK_WAIT_MS);
    pipeline_start_generator(&p, NULL);
    pipeline_start_publisher(&p, NULL);
    base_sha256 first = pipeline_submit(&p, "first");
    pipeline_wait(&p, &first, WIRE_STATUS_COMPLETE);
    base_sha256 submission = freeze_with_job(&p);
    harness_process *frozen = BASE_TAKE(p.generator);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    pipeline_start_generator(&p, NULL);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_process_resume(frozen);
    /* The live one is busy, so this one goes to the other, behind the job that was on its way. */
    base_sha256 behind = pipeline_submit(&p, "behind");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 2);
    pipeline_unlock(&p, lock);
    assert_int_equal(pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE).generate_attempts, 1);
    assert_int_equal(pipeline_wait(&p, &behind, WIRE_STATUS_COMPLETE).generate_attempts, 1);
    const size_t submissions = (size_t)pipeline_number(&p, "SELECT count(*) FROM submissions"); /* as many as it took */
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = submissions});
    harness_process_free(frozen);
    pipeline_stop(&p);
}

static void run_sql(pipeline *p, const char *sql)
{
    free(harness_database_query(&p->database, sql));
}

static void an_attempt_that_takes_longer_than_the_quiet_time_is_not_made_again_when_the_streams_are_wiped(void **state)
{
    /* A sign of life is due after a third of it: the rest is for a busy machine, which may hold it back. */
    static const char *const soon[] = {"SWEEP_QUIET_S=9", NULL};
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_start_generator(&p, soon);
    pipeline_start_publisher(&p, soon);
    run_sql(&p, "ALTER TABLE proofs RENAME TO proofs_away"); /* an attempt goes on until it is back, and locks no row */
    base_sha256 submission = pipeline_submit(&p, "slow");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_nats_stop(p.nats);
    harness_nats_wipe(p.nats);
    harness_nats_start(p.nats);
    pipeline_make_topology(&p);
    /* Longer than the quiet time and the allowance for clocks, through several sweeps. */
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE now() > enqueued_at + interval '20 s'", 1);
    run_sql(&p, "ALTER TABLE proofs_away RENAME TO proofs");
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.generate_attempts, 1);
    assert_int_equal(row.epoch, 2); /* one claim of each stage */
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1, .streams_were_lost = true});
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poison_takes_nothing_along_that_another_thread_has_in_hand),
        cmocka_unit_test(a_stop_waits_for_a_store_that_is_away_and_leaves_no_attempt_open),
        cmocka_unit_test(an_attempt_that_takes_longer_than_the_quiet_time_is_not_made_again_when_the_streams_are_wiped),
        cmocka_unit_test(a_generator_frozen_before_its_claim_takes_no_job_from_a_live_one),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
