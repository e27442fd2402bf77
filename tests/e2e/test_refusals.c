/* What a database does to claims: it refuses those of one submission, loses answers to them, or takes no writes at all. None of it is held
 * against any other job. */
#include "base/clock.h"
#include "harness/proxy.h"
#include "harness/wait.h"
#include "pipeline.h"
#include "triggers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LOAD = 20, URL_MAX = 160, CALM_ACK_WAIT_MS = 10000 };

static void a_claim_that_the_store_refuses_holds_up_no_other_job(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD], refused;
    pipeline_start(&p, *state, 0);
    pipeline_kill(p.generator);
    refused = pipeline_submit(&p, "x");
    triggers_refuse_writes(&p, "submissions", "P0001", &refused);
    pipeline_submit_many(&p, "r", LOAD, submissions);
    const char *const soon[] = {"WORKER_RETRY_DELAY_S=1", NULL};
    pipeline_start_generator(&p, soon);
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&p, &submissions[i], WIRE_STATUS_COMPLETE);
    triggers_accept_writes(&p);
    pipeline_wait(&p, &refused, WIRE_STATUS_COMPLETE);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = LOAD + 1});
    pipeline_stop(&p);
}

/* The two come again together each time: the one was never settled when the other killed their worker. */
static void a_job_that_kills_its_worker_is_quarantined_also_beside_one_that_the_store_refuses(void **state)
{
    enum { REFUSED, POISON, BOTH };
    pipeline p;
    base_sha256 submissions[BOTH];
    pipeline_start(&p, *state, 0);
    pipeline_kill(p.generator);
    pipeline_submit_many(&p, "b", BOTH, submissions);
    triggers_refuse_writes(&p, "submissions", "P0001", &submissions[REFUSED]);
    triggers_hang_on(&p, &submissions[POISON]);
    for (int attempt = 1; attempt <= 3; attempt++) {
        pipeline_start_generator(&p, NULL);
        triggers_kill_in_attempt(&p, &submissions[POISON], attempt);
    }
    const char *const soon[] = {"WORKER_RETRY_DELAY_S=1", NULL};
    pipeline_start_generator(&p, soon);
    store_submission row = pipeline_wait(&p, &submissions[POISON], WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "quarantined");
    assert_int_equal(row.crashes, 3);
    triggers_accept_writes(&p);
    pipeline_wait(&p, &submissions[REFUSED], WIRE_STATUS_COMPLETE);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1, .rejected = 1});
    pipeline_stop(&p);
}

/* Its stream keeps it for longer than it may wait: else it would be gone without a word. */
static void a_job_that_nobody_took_until_it_was_too_old_is_rejected(void **state)
{
    enum { TOO_OLD_MS = 1200 };
    static const char *const young[] = {"JOB_MAX_AGE_S=1", NULL};
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    base_sha256 submission = pipeline_submit(&p, "nobody takes it");
    base_sleep_ms(TOO_OLD_MS); /* time itself is what is waited for */
    pipeline_start_generator(&p, young);
    assert_string_equal(pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED).reason_code, "expired");
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation rejected");
    pipeline_check_promises(&p, &(pipeline_outcome){.rejected = 1});
    pipeline_stop(&p);
}

/* Postgres has answered everything, and no transaction is open. */
static const char READY[] = "Z\0\0\0\5I";

static bool has_swallowed(void *ctx)
{
    return harness_proxy_read_counts(ctx).swallowed == 1;
}

/* One counted crash would be the end of the job. The name of a bound statement stands between two zeros. */
static void lose_the_answer_to_a_claim(harness_postgres *cluster, bool is_generator, base_bytes statement)
{
    pipeline p;
    char database[URL_MAX];
    pipeline_prepare(&p, cluster, 0);
    pipeline_set_ack_wait(&p, CALM_ACK_WAIT_MS);
    harness_proxy *proxy = harness_proxy_new(harness_postgres_port(cluster));
    snprintf(database, sizeof(database), "DATABASE_URL=postgresql://proofline@127.0.0.1:%u/%s",
             harness_proxy_port(proxy), strrchr(p.database.url, '/') + 1);
    const char *const through[] = {database, "WORKER_CRASH_LIMIT=1", NULL};
    pipeline_start_generator(&p, is_generator ? through : NULL);
    pipeline_start_publisher(&p, is_generator ? NULL : through);
    harness_proxy_swallow(proxy, statement, base_bytes_of(READY, sizeof(READY) - 1));
    base_sha256 submission = pipeline_submit(&p, "lost");
    if (!harness_wait_until(has_swallowed, proxy, PIPELINE_WAIT_MS))
        harness_fail("the answer to the claim was never lost");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_number(&p, "SELECT max(crash_count + retry_count) FROM submissions"), 0);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
    harness_proxy_free(proxy);
}

static void a_generators_claim_whose_answer_is_lost_is_no_crash(void **state)
{
    static const char INSERT_OUTBOX[] = "\0insert_outbox"; /* the last of its flight but for the commit */
    lose_the_answer_to_a_claim(*state, true, base_bytes_of(INSERT_OUTBOX, sizeof(INSERT_OUTBOX)));
}

static void a_publishers_claim_whose_answer_is_lost_is_no_crash(void **state)
{
    static const char PUBLISH_CLAIM[] = "\0publish_claim";
    lose_the_answer_to_a_claim(*state, false, base_bytes_of(PUBLISH_CLAIM, sizeof(PUBLISH_CLAIM)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_nobody_took_until_it_was_too_old_is_rejected),
        cmocka_unit_test(a_publishers_claim_whose_answer_is_lost_is_no_crash),
        cmocka_unit_test(a_generators_claim_whose_answer_is_lost_is_no_crash),
        cmocka_unit_test(a_claim_that_the_store_refuses_holds_up_no_other_job),
        cmocka_unit_test(a_job_that_kills_its_worker_is_quarantined_also_beside_one_that_the_store_refuses),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
