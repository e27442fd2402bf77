/* Workers that die or stand still: who takes their work over, how soon, and what they may still do when they go on. */
#include "base/clock.h"
#include "harness/http.h"
#include "harness/stream.h"
#include "harness/wait.h"
#include "pipeline.h"
#include "triggers.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    FEW = 20,
    LOAD = 100,
    RESCUE_MS = PIPELINE_ACK_WAIT_MS + 5000,
    SILENCE_MS = 15000,     /* after it a session that asked for a lock is ended, and half of a publisher's patience */
    NODE_TIMEOUT_MS = 2000, /* the other half */
    POLL_MS = 1000,         /* how often a standby looks */
    BUSY_MS = 7000,         /* what a busy machine adds */
};

/* Milliseconds from `since_ms`, a Unix time, to the latest of the second claims, one of each of `count` submissions. */
static int64_t second_claims_after(pipeline *p, const char *column, size_t count, int64_t since_ms)
{
    char sql[512];
    snprintf(sql, sizeof(sql), "SELECT count(DISTINCT sha256_hash) FROM claims WHERE %s >= 2", column);
    pipeline_wait_number(p, sql, (int64_t)count);
    snprintf(sql, sizeof(sql),
             "SELECT (extract(epoch FROM max(first)) * 1000)::bigint FROM "
             "(SELECT min(at) AS first FROM claims WHERE %s >= 2 GROUP BY sha256_hash) AS each",
             column);
    return pipeline_number(p, sql) - since_ms;
}

static void check_complete(pipeline *p, const base_sha256 *submissions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
    checker_report report = pipeline_check_promises(p, &(pipeline_outcome){.complete = count});
    assert_int_equal(report.transactions, count);
    assert_int_equal(report.events, 3 * count);
}

static void a_killed_generators_jobs_are_at_work_again_within_the_ack_wait_and_5_s(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    pipeline_prepare(&p, *state, 0);
    triggers_log_claims(&p);
    harness_process *lock = pipeline_lock_table(&p, "proofs"); /* claims pass, commits wait */
    pipeline_submit_many(&p, "g", FEW, submissions);
    pipeline_start_generator(&p, NULL); /* which takes all of them as one batch */
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", FEW);
    harness_process *killed = BASE_TAKE(p.generator);
    pipeline_start_generator(&p, NULL);
    const int64_t killed_ms = base_unix_ms();
    pipeline_kill(killed);
    /* What a dead client has sent, its backend would go on to commit. */
    free(harness_database_query(&p.database, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                                             "application_name = 'proofline-generator' AND wait_event_type = 'Lock'"));
    pipeline_unlock(&p, lock);
    const int64_t rescued_ms = second_claims_after(&p, "generate_attempts", FEW, killed_ms);
    pipeline_start_publisher(&p, NULL);
    print_message("%d jobs at work again %lld ms after the kill\n", FEW, (long long)rescued_ms);
    assert_in_range(rescued_ms, 1, RESCUE_MS);
    check_complete(&p, submissions, FEW);
    harness_process_free(killed);
    pipeline_stop(&p);
}

static void a_killed_publishers_jobs_are_at_work_again_within_the_ack_wait_and_5_s(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    pipeline_prepare(&p, *state, 0);
    triggers_log_claims(&p);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":60000,\"on\":\"send\",\"probability\":1}");
    pipeline_start_generator(&p, NULL);
    pipeline_submit_many(&p, "p", FEW, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'proof_publishing'", FEW);
    pipeline_start_publisher(&p, NULL);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", FEW); /* stored, and the first one is being sent */
    harness_process *killed = BASE_TAKE(p.publisher);
    pipeline_start_publisher(&p, NULL);
    pipeline_fault(&p, NULL);
    const int64_t killed_ms = base_unix_ms();
    pipeline_kill(killed);
    const int64_t rescued_ms = second_claims_after(&p, "publish_attempts", FEW, killed_ms);
    print_message("%d jobs at work again %lld ms after the kill\n", FEW, (long long)rescued_ms);
    assert_in_range(rescued_ms, 1, RESCUE_MS);
    check_complete(&p, submissions, FEW);
    harness_process_free(killed);
    pipeline_stop(&p);
}

static int64_t sends_at_node(const pipeline *p)
{
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(p->node_port, "/control/stats");
    const char *field = strstr(reply.body, "\"sends\"");
    assert_non_null(field);
    return strtoll(field + strcspn(field, "0123456789"), NULL, 10);
}

static void a_publisher_that_stands_still_loses_its_lane_in_time_and_then_sends_nothing(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    static const char *const quick[] = {"MINA_NODE_TIMEOUT_MS=2000", NULL};
    pipeline_start(&p, *state, 0);
    pipeline_start_publisher(&p, quick);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":100,\"on\":\"send\",\"probability\":1}");
    pipeline_submit_many(&p, "z", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", 10);
    harness_process *frozen = BASE_TAKE(p.publisher);
    harness_process_mark(frozen);
    harness_process_pause(frozen);
    const int64_t frozen_ms = base_monotonic_ms();
    assert_true(sends_at_node(&p) < LOAD); /* in the middle of its batch */
    pipeline_start_publisher(&p, quick);
    BASE_CLEANUP(free) char *taken = harness_process_wait_line(p.publisher, "lane_acquired", PIPELINE_WAIT_MS);
    assert_non_null(taken);
    const int64_t taken_ms = base_monotonic_ms() - frozen_ms;
    print_message("the lane had a new owner %lld ms after the old one stood still\n", (long long)taken_ms);
    assert_in_range(taken_ms, NODE_TIMEOUT_MS, SILENCE_MS + NODE_TIMEOUT_MS + POLL_MS + BUSY_MS);
    check_complete(&p, submissions, LOAD);

    const int64_t sent = sends_at_node(&p);
    harness_process_resume(frozen);
    BASE_CLEANUP(free) char *lost = harness_process_wait_line(frozen, "lane_lost", PIPELINE_WAIT_MS);
    assert_non_null(lost);
    BASE_CLEANUP(free) char *standing_by = harness_process_wait_line(frozen, "lane_standby", PIPELINE_WAIT_MS);
    assert_non_null(standing_by); /* it has worked off what it had in hand */
    assert_int_equal(sends_at_node(&p), sent);
    check_complete(&p, submissions, LOAD);
    harness_process_free(frozen);
    pipeline_stop(&p);
}

#define SWEEPER_HOLDS                                                                                                  \
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted " \
    "AND a.application_name = 'proofline-sweeper' AND a.datname = current_database()"

static void a_sweeper_that_stands_still_in_its_pass_loses_its_lock_in_time(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_kill(p.publisher);
    harness_process *lock = pipeline_lock_table(&p, "outbox");
    pipeline_wait_number(&p, SWEEPER_HOLDS " AND a.wait_event_type = 'Lock'", 1); /* in the middle of a pass */
    harness_process *frozen = BASE_TAKE(p.generator);
    harness_process_pause(frozen);
    const int64_t frozen_ms = base_monotonic_ms();
    pipeline_unlock(&p, lock);
    assert_int_equal(pipeline_number(&p, SWEEPER_HOLDS), 1);
    free(harness_database_query(&p.database,
                                "INSERT INTO outbox (created_at, subject, message_id, headers, payload) VALUES "
                                "(now() - interval '1 min', 'proofline.dead.generate', 'left behind', '', 'x')"));
    pipeline_start_publisher(&p, NULL);
    pipeline_wait_number(&p, "SELECT 1 - count(*) FROM outbox", 1);
    const int64_t swept_ms = base_monotonic_ms() - frozen_ms;
    print_message("another swept %lld ms after the first stood still\n", (long long)swept_ms);
    assert_in_range(swept_ms, PIPELINE_ACK_WAIT_MS, SILENCE_MS + POLL_MS + BUSY_MS);
    harness_process_resume(frozen);
    const base_sha256 submission = pipeline_submit(&p, "after the thaw");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 1);
    assert_true(
        harness_stream_delete(p.broker, p.names.stream_dead, 1)); /* put there by hand, it tells of no rejection */
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    harness_process_free(frozen);
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_generators_jobs_are_at_work_again_within_the_ack_wait_and_5_s),
        cmocka_unit_test(a_killed_publishers_jobs_are_at_work_again_within_the_ack_wait_and_5_s),
        cmocka_unit_test(a_publisher_that_stands_still_loses_its_lane_in_time_and_then_sends_nothing),
        cmocka_unit_test(a_sweeper_that_stands_still_in_its_pass_loses_its_lock_in_time),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
