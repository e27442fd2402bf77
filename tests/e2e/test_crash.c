/* Kills, orderly stops, restarts of servers, and second replicas, all under load. */
#include "harness/wait.h"
#include "pipeline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOAD = 300 };

/* Every submission complete, and every promise kept: checker.h has the list. */
static void check_all_complete(pipeline *p, const base_sha256 *submissions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
    checker_report report = pipeline_check_promises(p, &(pipeline_outcome){.complete = count});
    assert_int_equal(report.transactions, count);
    /* One event for each step of each submission and no more: the dedupe window holds all repetitions of this test. */
    assert_int_equal(report.events, 3 * count);
}

static void a_generator_killed_in_the_middle_of_a_job_loses_and_doubles_nothing(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    harness_process *lock = pipeline_lock_table(&p, "proofs"); /* claims pass, commits wait */
    pipeline_submit_many(&p, "g", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE generate_attempts > 0", 1);
    pipeline_kill(p.generator);
    pipeline_unlock(&p, lock);
    pipeline_start_generator(&p, NULL);
    check_all_complete(&p, submissions, LOAD);
    pipeline_stop(&p);
}

static void a_publisher_killed_while_it_sends_loses_and_doubles_nothing(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":50,\"on\":\"send\",\"probability\":1}");
    pipeline_submit_many(&p, "p", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", 20);
    pipeline_kill(p.publisher);
    pipeline_fault(&p, NULL);
    pipeline_start_publisher(&p, NULL);
    check_all_complete(&p, submissions, LOAD);
    pipeline_stop(&p);
}

static void a_node_killed_under_load_keeps_what_it_accepted(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 200);
    pipeline_submit_many(&p, "n", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'", 20);
    pipeline_kill(p.node);
    harness_process_free(p.node);
    pipeline_start_node(&p, 200);
    check_all_complete(&p, submissions, LOAD);
    pipeline_stop(&p);
}

/* SIGTERM in the middle of the load: exit 0, which is in time, and nothing of it counts against any job. */
static void stop_orderly(harness_process *service)
{
    harness_process_signal(service, SIGTERM);
    assert_int_equal(harness_process_wait(service, PIPELINE_WAIT_MS), 0);
}

static void services_stop_orderly_under_load(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    pipeline_submit_many(&p, "s", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions", 1);
    stop_orderly(p.generator);
    pipeline_start_generator(&p, NULL);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", 1);
    stop_orderly(p.publisher);
    pipeline_start_publisher(&p, NULL);
    check_all_complete(&p, submissions, LOAD);
    assert_int_equal(pipeline_number(&p, "SELECT coalesce(max(retry_count) + max(crash_count), 0) FROM submissions"),
                     0);
    pipeline_stop(&p);
}

/* It waits for an answer that takes longer than the stop may. */
static void a_publisher_stops_orderly_while_its_node_does_not_answer(void **state)
{
    enum { FEW = 5 };
    pipeline p;
    base_sha256 submissions[FEW];
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":60000,\"on\":\"send\",\"next\":1}");
    pipeline_submit_many(&p, "h", FEW, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", 1);
    stop_orderly(p.publisher);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open"), 0);
    pipeline_start_publisher(&p, NULL);
    check_all_complete(&p, submissions, FEW);
    assert_int_equal(pipeline_number(&p, "SELECT max(retry_count + crash_count) FROM submissions"), 0);
    pipeline_stop(&p);
}

static void two_replicas_of_each_service_share_the_work(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    harness_process *generator = BASE_TAKE(p.generator), *publisher = BASE_TAKE(p.publisher);
    BASE_CLEANUP(free) char *owner = harness_process_wait_line(publisher, "lane_acquired", PIPELINE_WAIT_MS);
    assert_non_null(owner);
    const char *const small[] = {"WORKER_BATCH=10", NULL};
    pipeline_start_generator(&p, small);
    pipeline_start_publisher(&p, small);
    pipeline_submit_many(&p, "r", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'", LOAD / 3);
    pipeline_kill(publisher); /* the owner of the lane: the other takes over */
    check_all_complete(&p, submissions, LOAD);
    BASE_CLEANUP(free) char *heir = harness_process_wait_line(p.publisher, "lane_acquired", PIPELINE_WAIT_MS);
    assert_non_null(heir);
    harness_process_free(generator);
    harness_process_free(publisher);
    pipeline_stop(&p);
}

static void servers_that_restart_under_load_cost_nothing(void **state)
{
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    pipeline_submit_many(&p, "d", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions", 1);
    harness_nats_kill(p.nats);
    harness_nats_start(p.nats);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'", 10);
    harness_postgres_restart(*state, HARNESS_POSTGRES_IMMEDIATE);
    check_all_complete(&p, submissions, LOAD);
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generator_killed_in_the_middle_of_a_job_loses_and_doubles_nothing),
        cmocka_unit_test(a_publisher_killed_while_it_sends_loses_and_doubles_nothing),
        cmocka_unit_test(a_node_killed_under_load_keeps_what_it_accepted),
        cmocka_unit_test(services_stop_orderly_under_load),
        cmocka_unit_test(a_publisher_stops_orderly_while_its_node_does_not_answer),
        cmocka_unit_test(two_replicas_of_each_service_share_the_work),
        cmocka_unit_test(servers_that_restart_under_load_cost_nothing),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
