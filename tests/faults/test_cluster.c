/* A cluster of three NATS servers under load, with two replicas of each service: the leader killed, a server lost with its disk, the quorum
 * lost, all servers restarted in turn. The load goes on all the while; at the end the checker judges all of it. */
#include "base/clock.h"
#include "base/hex.h"
#include "broker/publish.h"
#include "effort.h"
#include "harness/wait.h"
#include "load.h"
#include "pipeline.h"
#include "readiness.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    PER_SECOND = 15,
    SEED = 1,
    BLOCK_MS = 200,
    SERVICES = 4,
    PUBLISH_MS = 3000,
    OUTAGE_MS = 12000,
    OUTAGE_LINES_MAX = 30, /* of one service, in that time */
    OUTAGE_CPU_PERCENT_MAX = 25,
    TERMINAL_MS = 60000,
};

typedef struct run {
    harness_postgres *postgres;
    pipeline p;
    harness_process *services[SERVICES]; /* two generators, two publishers; p owns the latter of each */
    load *load;
    size_t probes, kills, restarts;
} run;

static int start(void **state)
{
    run *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    void *postgres = NULL;
    pipeline_group_setup(&postgres);
    r->postgres = postgres;
    pipeline_prepare_cluster(&r->p, r->postgres, BLOCK_MS);
    for (size_t i = 0; i < SERVICES / 2; i++) {
        r->p.generator = NULL;
        pipeline_start_generator(&r->p, NULL);
        r->services[2 * i] = r->p.generator;
        r->p.publisher = NULL;
        pipeline_start_publisher(&r->p, NULL);
        r->services[2 * i + 1] = r->p.publisher;
    }
    r->load = load_new(r->p.broker, &r->p.names, SEED, PER_SECOND);
    *state = r;
    return 0;
}

static int end(void **state)
{
    run *r = *state;
    void *postgres = r->postgres;
    load_free(r->load);
    harness_process_free(r->services[0]);
    harness_process_free(r->services[1]);
    pipeline_stop(&r->p);
    free(r);
    return pipeline_group_teardown(&postgres);
}

static void kill_server(run *r, size_t index)
{
    harness_nats_kill(harness_nats_cluster_at(r->p.cluster, index));
    r->kills++;
}

static void start_server(run *r, size_t index)
{
    harness_nats_start(harness_nats_cluster_at(r->p.cluster, index));
    r->restarts++;
}

/* As a producer does: again and again under one message id, until it is stored. Then waits for the end of the work. */
static void probe(run *r, const char *occasion)
{
    char seed[32];
    int64_t from_ms = base_monotonic_ms();
    snprintf(seed, sizeof(seed), "probe %zu", r->probes++);
    base_sha256 submission = pipeline_submit_until_stored(&r->p, seed);
    int64_t stored_ms = base_monotonic_ms() - from_ms;
    pipeline_wait(&r->p, &submission, WIRE_STATUS_COMPLETE);
    print_message("%s: stored after %" PRId64 " ms, complete after %" PRId64 " ms\n", occasion, stored_ms,
                  base_monotonic_ms() - from_ms);
}

/* What counts against a job when its worker or its attempt fails. */
static void check_nothing_was_counted(run *r)
{
    assert_int_equal(pipeline_number(&r->p, "SELECT coalesce(max(retry_count + crash_count), 0) FROM submissions"), 0);
}

static void the_leader_killed_under_load_stops_nothing(void **state)
{
    run *r = *state;
    probe(r, "all is well");
    size_t leader = harness_nats_cluster_leader(r->p.cluster, r->p.names.stream_jobs, NULL);
    kill_server(r, leader);
    probe(r, "leader of the jobs killed");
    start_server(r, leader);
    harness_nats_cluster_wait_current(r->p.cluster);
}

static void a_server_that_lost_its_disk_copies_all_and_carries_the_work(void **state)
{
    run *r = *state;
    const char *jobs = r->p.names.stream_jobs;
    size_t lost = harness_nats_cluster_leader(r->p.cluster, jobs, BROKER_DURABLE_GENERATOR);
    uint64_t before = harness_nats_cluster_messages(r->p.cluster, lost, jobs);
    kill_server(r, lost);
    probe(r, "leader of the generator's durable lost");
    harness_nats_wipe(harness_nats_cluster_at(r->p.cluster, lost));
    start_server(r, lost);
    harness_nats_cluster_wait_current(r->p.cluster);
    assert_true(harness_nats_cluster_messages(r->p.cluster, lost, jobs) > before);

    size_t other = (lost + 1) % HARNESS_NATS_CLUSTER_SIZE; /* now there is no majority without the refilled one */
    kill_server(r, other);
    probe(r, "another one killed");
    start_server(r, other);
    harness_nats_cluster_wait_current(r->p.cluster);
}

static void read_efforts(const run *r, effort efforts[SERVICES])
{
    for (size_t i = 0; i < SERVICES; i++)
        efforts[i] = effort_read(r->services[i]);
}

static void check_efforts(const run *r, const effort before[SERVICES], int64_t duration_ms)
{
    print_message("in %" PRId64 " ms:\n", duration_ms);
    for (size_t i = 0; i < SERVICES; i++) {
        effort spent = effort_since(&before[i], r->services[i], i % 2 == 0 ? "generator" : "publisher");
        assert_in_range(spent.lines, 0, OUTAGE_LINES_MAX);
        assert_in_range(spent.cpu_ms, 0, duration_ms * OUTAGE_CPU_PERCENT_MAX / 100);
    }
}

static void check_publish_fails(run *r)
{
    base_error err = {0};
    broker_publish_result result;
    const broker_message message = {.subject = r->p.names.subject_generate, .payload = base_bytes_of("", 0)};
    base_code code = broker_publish(r->p.broker, &message, 1, PUBLISH_MS, &result, &err);
    print_message("publishing without a quorum: %s: %s\n", base_code_name(code), err.message);
    assert_true(code == BASE_UNAVAILABLE || code == BASE_AMBIGUOUS);
}

static void without_a_quorum_nothing_is_taken_or_counted_and_then_all_goes_on(void **state)
{
    run *r = *state;
    uint16_t ports[SERVICES];
    effort before[SERVICES];
    for (size_t i = 0; i < SERVICES; i++)
        ports[i] = readiness_port(r->services[i]);
    int64_t from_ms = base_monotonic_ms();
    kill_server(r, 0);
    kill_server(r, 1);
    read_efforts(r, before);
    for (size_t i = 0; i < SERVICES; i++) {
        readiness_wait(ports[i], 503, "JetStream");
        print_message("service %zu not ready after %" PRId64 " ms\n", i, base_monotonic_ms() - from_ms);
    }
    check_publish_fails(r);
    int64_t left_ms = from_ms + OUTAGE_MS - base_monotonic_ms();
    base_sleep_ms(left_ms > 0 ? left_ms : 0);
    for (size_t i = 0; i < SERVICES; i++)
        readiness_wait(ports[i], 503, "JetStream");
    check_efforts(r, before, base_monotonic_ms() - from_ms);
    start_server(r, 0);
    probe(r, "quorum back");
    for (size_t i = 0; i < SERVICES; i++)
        readiness_wait(ports[i], 200, NULL);
    start_server(r, 1);
    harness_nats_cluster_wait_current(r->p.cluster);
    check_nothing_was_counted(r);
}

static void a_rolling_restart_stops_nothing(void **state)
{
    run *r = *state;
    for (size_t i = 0; i < HARNESS_NATS_CLUSTER_SIZE; i++) {
        harness_nats_retire(harness_nats_cluster_at(r->p.cluster, i));
        probe(r, "one retired");
        start_server(r, i);
        harness_nats_cluster_wait_current(r->p.cluster);
    }
    check_nothing_was_counted(r);
}

static void wait_terminal(run *r, size_t submissions)
{
    int64_t from_ms = base_monotonic_ms();
    pipeline_wait_number(&r->p, "SELECT count(*) FROM submissions WHERE status IN ('complete', 'rejected')",
                         (int64_t)submissions);
    pipeline_wait_settled(&r->p);
    print_message("all terminal %" PRId64 " ms after the last submission\n", base_monotonic_ms() - from_ms);
}

/* For whoever reads the log: to keep its copies alike is the server's promise, and readers are served by the leader. */
static void print_copies(const run *r)
{
    const char *const streams[] = {r->p.names.stream_jobs, r->p.names.stream_events, r->p.names.stream_dead};
    for (size_t i = 0; i < 3; i++)
        print_message("messages of %s on each server: %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", streams[i],
                      harness_nats_cluster_messages(r->p.cluster, 0, streams[i]),
                      harness_nats_cluster_messages(r->p.cluster, 1, streams[i]),
                      harness_nats_cluster_messages(r->p.cluster, 2, streams[i]));
}

static void everything_accepted_is_terminal_and_every_promise_was_kept(void **state)
{
    run *r = *state;
    load_stop(r->load);
    load_totals totals = load_read_totals(r->load);
    size_t submissions = totals.submissions + r->probes;
    wait_terminal(r, submissions);
    harness_nats_cluster_wait_current(r->p.cluster);
    print_copies(r);
    const pipeline_outcome expected = {.complete = submissions - totals.forged, .rejected = totals.forged};
    checker_report report = pipeline_judge(&r->p, &expected);
    printf("TOTAL cluster_runs=1 kills=%zu restarts=%zu submissions=%zu violations=%zu\n", r->kills, r->restarts,
           submissions, report.violation_count);
    assert_int_equal(report.violation_count, 0);
    assert_int_equal(report.submissions, submissions);
    assert_int_equal(report.complete, expected.complete);
    assert_int_equal(report.rejected, expected.rejected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leader_killed_under_load_stops_nothing),
        cmocka_unit_test(a_server_that_lost_its_disk_copies_all_and_carries_the_work),
        cmocka_unit_test(without_a_quorum_nothing_is_taken_or_counted_and_then_all_goes_on),
        cmocka_unit_test(a_rolling_restart_stops_nothing),
        cmocka_unit_test(everything_accepted_is_terminal_and_every_promise_was_kept),
    };
    return cmocka_run_group_tests(tests, start, end);
}
