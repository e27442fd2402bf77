/* Jobs in the ordinary course: batches, verdicts, heartbeats, the gate, an orderly stop. */
#include "scene.h"
#include "worker.h"

#include "base/clock.h"
#include "broker/stream.h"
#include "harness/proxy.h"
#include "harness/wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BUSY_MACHINE_MS = 2000 }; /* an ack wait in which also a busy machine answers, or sends its heartbeats */

static harness_nats *server;
static broker_connection *connection;

static int start(void **state)
{
    (void)state;
    server = harness_nats_new(NULL);
    connection = scene_connect(server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    broker_connection_free(connection);
    harness_nats_free(server);
    return 0;
}

static worker_options generator_of(const broker_names *names, size_t batch, broker_settlement answer)
{
    return (worker_options){
        .stream = names->stream_jobs, .durable = BROKER_DURABLE_GENERATOR, .batch = batch, .answer = answer};
}

static broker_durable_state read_durable(const broker_names *names)
{
    broker_durable_state durable;
    base_error err;
    scene_expect_ok(broker_durable_read_state(connection, names->stream_jobs, BROKER_DURABLE_GENERATOR, &durable, &err),
                    &err);
    return durable;
}

static void a_backlog_comes_in_full_batches_and_in_order(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "backlog", 0);
    scene_publish(connection, names.subject_generate, 500);
    worker_options options = generator_of(&names, 100, worker_answer(BROKER_DONE, 0));
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_acked(self, 500);
    assert_int_equal(worker_seen_count(self), 500);
    for (size_t i = 0; i < 500; i++) {
        char expected[24];
        snprintf(expected, sizeof(expected), "%zu", i);
        assert_string_equal(worker_seen_at(self, i).payload, expected);
        assert_int_equal(worker_seen_at(self, i).sequence, i + 1);
    }
    assert_int_equal(worker_largest_batch(self), 100);
    assert_int_equal(read_durable(&names).ack_pending, 0);
    broker_consumer_stats stats = broker_consumer_read_stats(worker_consumer(self));
    assert_int_equal(stats.pulled, 500);
    assert_int_equal(stats.ack_failures, 0);
    assert_int_equal(stats.in_hand, 0);
    base_error err;
    scene_expect_ok(broker_consumer_check(worker_consumer(self), &err), &err);
}

static void only_the_subject_of_the_durable_is_delivered(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "filter", 0);
    scene_publish(connection, names.subject_publish, 3);
    broker_message message = {
        .subject = names.subject_generate, .payload = base_bytes_of("mine", 4), .message_id = "the-id"};
    broker_publish_result result;
    base_error err;
    scene_expect_ok(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &result, &err), &err);
    worker_options options = generator_of(&names, 10, worker_answer(BROKER_DONE, 0));
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_acked(self, 1);
    worker_seen seen = worker_seen_at(self, 0);
    assert_string_equal(seen.payload, "mine");
    assert_string_equal(seen.message_id, "the-id");
    assert_int_equal(seen.sequence, 4);
    int64_t age_ms = base_unix_ms() - seen.published_unix_ns / 1000000;
    assert_true(age_ms > -1000 && age_ms < 60000);
}

static void a_single_job_is_handled_at_once_when_idle(void **state)
{
    (void)state;
    enum { ROUNDS = 50 };
    broker_names names = scene_apply(connection, "idle", 0);
    worker_options options = generator_of(&names, 200, worker_answer(BROKER_DONE, 0));
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    int64_t best_us = INT64_MAX;
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t from_us = base_monotonic_us();
        scene_publish(connection, names.subject_generate, 1);
        worker_await_seen(self, i + 1);
        int64_t took_us = worker_seen_at(self, i).at_us - from_us;
        best_us = took_us < best_us ? took_us : best_us;
        worker_await_acked(self, i + 1);
    }
    print_message("from publish to handler, best of %d: %lld us\n", ROUNDS, (long long)best_us);
    assert_true(best_us < 2000);
    assert_int_equal(worker_largest_batch(self), 1);
}

static void a_job_to_retry_comes_again_after_its_delay(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "retry", 0);
    scene_publish(connection, names.subject_generate, 1);
    worker_options options = generator_of(&names, 10, worker_answer(BROKER_RETRY, 400));
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_acked(self, 1);
    assert_int_equal(worker_seen_count(self), 2);
    assert_int_equal(worker_seen_at(self, 1).deliveries, 2);
    int64_t between_us = worker_seen_at(self, 1).at_us - worker_seen_at(self, 0).at_us;
    assert_true(between_us >= 390000);
    broker_consumer_stats stats = broker_consumer_read_stats(worker_consumer(self));
    assert_int_equal(stats.retried, 1);
    assert_int_equal(stats.redelivered, 1);
}

static void a_dead_job_never_comes_again(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "dead", BUSY_MACHINE_MS);
    scene_publish(connection, names.subject_generate, 1);
    worker_options options = generator_of(&names, 10, worker_answer(BROKER_DEAD, 0));
    BASE_CLEANUP(worker_end) worker *first = worker_start(connection, &options);
    worker_await_seen(first, 1);
    worker_end(BASE_TAKE(first));
    broker_durable_state durable = read_durable(&names);
    assert_int_equal(durable.ack_pending, 0);
    assert_int_equal(durable.pending, 0);
    assert_int_equal(durable.ack_floor_sequence, 1);
}

static void a_job_left_alone_comes_again_after_the_ack_wait(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "leave", BUSY_MACHINE_MS);
    scene_publish(connection, names.subject_generate, 1);
    worker_options options = generator_of(&names, 10, worker_answer(BROKER_LEAVE, 0));
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_acked(self, 1);
    assert_int_equal(worker_seen_count(self), 2);
    int64_t between_us = worker_seen_at(self, 1).at_us - worker_seen_at(self, 0).at_us;
    assert_true(between_us >= (BUSY_MACHINE_MS - 100) * 1000);
    assert_int_equal(broker_consumer_read_stats(worker_consumer(self)).left, 1);
}

static bool has_beaten(void *ctx)
{
    return broker_consumer_read_stats(ctx).heartbeats >= 12;
}

static void heartbeats_keep_the_job_of_a_slow_handler(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "slow", BUSY_MACHINE_MS);
    scene_publish(connection, names.subject_generate, 1);
    worker_options options = generator_of(&names, 1, worker_answer(BROKER_DONE, 0));
    options.hold = true;
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_seen(self, 1);
    /* Twelve beats are four ack waits. */
    assert_true(harness_wait_until(has_beaten, worker_consumer(self), SCENE_DEADLINE_MS));
    assert_int_equal(broker_consumer_read_stats(worker_consumer(self)).in_hand, 1);
    worker_release(self);
    worker_await_acked(self, 1);
    assert_int_equal(worker_seen_count(self), 1);
    assert_int_equal(worker_seen_at(self, 0).deliveries, 1);
    assert_int_equal(read_durable(&names).ack_pending, 0);
}

/* Three ack waits of pure CPU, with as many other threads that want it: minutes, at the ack wait of an installation. They do not end at
 * the same time, and a busy machine may hold back the heartbeat of one for some seconds while another is idle already. */
static void a_handler_that_uses_its_cpu_for_several_ack_waits_keeps_its_job(void **state)
{
    (void)state;
    enum { JOBS = 4, ACK_WAIT_MS = 4000, BUSY_MS = 3 * ACK_WAIT_MS };
    broker_names names = scene_apply(connection, "cpu", ACK_WAIT_MS);
    worker_options options = generator_of(&names, 1, worker_answer(BROKER_DONE, 0));
    options.busy_ms = BUSY_MS;
    worker *workers[JOBS];
    for (size_t i = 0; i < JOBS; i++)
        workers[i] = worker_start(connection, &options);
    scene_publish(connection, names.subject_generate, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        worker_await_acked(workers[i], 1);
        assert_int_equal(worker_seen_count(workers[i]), 1);
        assert_int_equal(worker_seen_at(workers[i], 0).deliveries, 1);
        worker_end(workers[i]);
    }
    assert_int_equal(read_durable(&names).deliveries, JOBS);
    assert_int_equal(read_durable(&names).ack_floor_sequence, JOBS);
}

static void a_shut_gate_takes_no_job_until_it_opens(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "gate", 0);
    scene_publish(connection, names.subject_generate, 5);
    worker_options options = generator_of(&names, 10, worker_answer(BROKER_DONE, 0));
    options.paused = true;
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    base_sleep_ms(200); /* four questions to the gate */
    assert_int_equal(worker_seen_count(self), 0);
    assert_int_equal(read_durable(&names).pending, 5);
    worker_unpause(self);
    worker_await_acked(self, 5);
}

static void a_stop_while_idle_or_paused_is_prompt(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "prompt", 0);
    for (int paused = 0; paused < 2; paused++) {
        worker_options options = generator_of(&names, 10, worker_answer(BROKER_DONE, 0));
        options.pull_ms = 30000;
        options.paused = paused;
        worker *self = worker_start(connection, &options);
        base_sleep_ms(100); /* into the pull, or the pause */
        int64_t from_ms = base_monotonic_ms();
        worker_end(self);
        assert_true(base_monotonic_ms() - from_ms < 2000);
    }
}

static void a_stop_under_load_gives_back_at_once_what_was_not_handled(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "stop", 60000);
    scene_publish(connection, names.subject_generate, 1000);
    worker_options options = generator_of(&names, 50, worker_answer(BROKER_DONE, 0));
    BASE_CLEANUP(worker_end) worker *first = worker_start(connection, &options);
    worker_await_seen(first, 100);
    worker_end(BASE_TAKE(first));
    broker_durable_state durable = read_durable(&names);
    uint64_t rest = 1000 - durable.ack_floor_sequence;
    BASE_CLEANUP(worker_end) worker *second = worker_start(connection, &options);
    int64_t from_ms = base_monotonic_ms();
    worker_await_acked(second, rest);
    assert_true(base_monotonic_ms() - from_ms < 20000); /* a third of the ack wait */
    durable = read_durable(&names);
    assert_int_equal(durable.ack_floor_sequence, 1000);
    assert_int_equal(durable.ack_pending, 0);
}

static void jobs_of_a_worker_that_vanished_come_to_another(void **state)
{
    (void)state;
    /* An ack wait that nothing outlasts, until the first worker has had all and is gone. */
    broker_names names = scene_apply(connection, "vanish", 60000);
    scene_publish(connection, names.subject_generate, 4);
    broker_connection *gone = scene_connect(server);
    worker_options options = generator_of(&names, 4, worker_answer(BROKER_LEAVE, 0));
    worker *first = worker_start(gone, &options); /* takes all four and says nothing, as a killed process would */
    worker_await_seen(first, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(worker_seen_at(first, i).sequence, i + 1);
    worker_end(first);
    broker_connection_free(gone);
    names = scene_apply(connection, "vanish", BUSY_MACHINE_MS);
    options.answer = worker_answer(BROKER_DONE, 0);
    BASE_CLEANUP(worker_end) worker *second = worker_start(connection, &options);
    worker_await_acked(second, 4);
    assert_int_equal(read_durable(&names).ack_floor_sequence, 4);
}

static void several_workers_share_the_jobs_without_overlap(void **state)
{
    (void)state;
    enum { WORKERS = 3, JOBS = 900 };
    broker_names names = scene_apply(connection, "share", 0);
    worker_options options = generator_of(&names, 50, worker_answer(BROKER_DONE, 0));
    worker *workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        workers[i] = worker_start(connection, &options);
    for (int i = 0; i < JOBS / 100; i++)
        scene_publish(connection, names.subject_generate, 100);
    uint64_t acked = 0;
    int64_t deadline_ms = base_monotonic_ms() + SCENE_DEADLINE_MS;
    while (acked < JOBS && base_monotonic_ms() < deadline_ms) {
        acked = 0;
        for (int i = 0; i < WORKERS; i++)
            acked += broker_consumer_read_stats(worker_consumer(workers[i])).acked;
        base_sleep_ms(5);
    }
    size_t seen = 0;
    for (int i = 0; i < WORKERS; i++) {
        seen += worker_seen_count(workers[i]);
        worker_end(workers[i]);
    }
    assert_int_equal(acked, JOBS);
    assert_int_equal(seen, JOBS);
}

static void a_worker_keeps_pace_with_a_full_stream(void **state)
{
    (void)state;
    enum { JOBS = 20000 };
    broker_names names = scene_apply(connection, "pace", 0);
    for (int i = 0; i < JOBS / 1000; i++)
        scene_publish(connection, names.subject_generate, 1000);
    worker_options options = generator_of(&names, 500, worker_answer(BROKER_DONE, 0));
    int64_t from_us = base_monotonic_us();
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_acked(self, JOBS);
    double seconds = (double)(base_monotonic_us() - from_us) / 1e6;
    print_message("%d jobs pulled and acked in %.2f s: %.0f/s\n", JOBS, seconds, (double)JOBS / seconds);
    assert_int_equal(worker_seen_count(self), JOBS);
}

static void ignore_jobs(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    (void)ctx, (void)jobs, (void)count, (void)settlements;
}

static void a_consumer_that_could_never_work_is_not_made(void **state)
{
    (void)state;
    const broker_consumer_options good = {
        .stream = "PROOFLINE_JOBS", .durable = "generator", .batch = 1, .handler = ignore_jobs};
    broker_consumer_options bad[] = {good, good, good, good, good, good};
    bad[0].stream = NULL;
    bad[1].durable = "a.b";
    bad[2].batch = 0;
    bad[3].batch = BROKER_BATCH_MAX + 1;
    bad[4].handler = NULL;
    bad[5].pull_ms = -1;
    broker_consumer *consumer = NULL;
    base_error err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(broker_consumer_new(connection, &bad[i], &consumer, &err), BASE_INVALID);
    assert_null(consumer);
}

/* The first of two jobs is in hand when the second is still on its way, for longer than a job may wait behind a handler. */
static void a_job_that_arrives_late_goes_to_who_has_time_for_it(void **state)
{
    (void)state;
    enum { LARGE = 120000, BYTES_PER_SECOND = 40000 };
    broker_names names = scene_apply(connection, "late", 0);
    BASE_CLEANUP(harness_proxy_free) harness_proxy *proxy = harness_proxy_new(harness_nats_port(server));
    char url[64];
    snprintf(url, sizeof(url), "nats://127.0.0.1:%u", harness_proxy_port(proxy));
    broker_connection_options slow = {.url = url};
    BASE_CLEANUP(broker_connection_free) broker_connection *link = NULL;
    base_error err;
    scene_expect_ok(broker_connection_open(&slow, &link, &err), &err);
    scene_publish(connection, names.subject_generate, 1);
    BASE_CLEANUP(free) char *large = malloc(LARGE);
    memset(large, 'x', LARGE);
    broker_message message = {.subject = names.subject_generate, .payload = base_bytes_of(large, LARGE)};
    broker_publish_result result;
    scene_expect_ok(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &result, &err), &err);

    harness_proxy_slow(proxy, 0, BYTES_PER_SECOND);
    worker_options options = generator_of(&names, 2, worker_answer(BROKER_DONE, 0));
    options.hold = true;
    BASE_CLEANUP(worker_end) worker *busy = worker_start(link, &options);
    worker_await_seen(busy, 1);
    options.hold = false;
    BASE_CLEANUP(worker_end) worker *idle = worker_start(connection, &options);
    worker_await_seen(idle, 1);
    assert_int_equal(worker_seen_at(idle, 0).sequence, 2);
    assert_int_equal(worker_seen_at(idle, 0).deliveries, 2);
    harness_proxy_heal(proxy);
    worker_release(busy);
    worker_await_acked(busy, 1);
    assert_int_equal(worker_seen_count(busy), 1);
}

/* More than a pull of many may bring at once, and less than the server takes. */
static void a_job_larger_than_a_pull_comes_alone_and_holds_nobody_up(void **state)
{
    (void)state;
    enum { LARGE = 17 * 1024 * 1024 };
    BASE_CLEANUP(harness_nats_free) harness_nats *roomy = harness_nats_new("max_payload: 33554432");
    const broker_connection_options options = {.url = harness_nats_url(roomy)};
    BASE_CLEANUP(broker_connection_free) broker_connection *link = NULL;
    base_error err;
    scene_expect_ok(broker_connection_open(&options, &link, &err), &err);
    broker_names names = scene_apply(link, "large", 0);
    BASE_CLEANUP(free) char *large = malloc(LARGE);
    memset(large, 'x', LARGE);
    broker_message message = {.subject = names.subject_generate, .payload = base_bytes_of(large, LARGE)};
    broker_publish_result result;
    scene_publish(link, names.subject_generate, 1);
    scene_expect_ok(broker_publish(link, &message, 1, SCENE_DEADLINE_MS, &result, &err), &err);
    scene_publish(link, names.subject_generate, 1);
    worker_options done = generator_of(&names, 10, worker_answer(BROKER_DONE, 0));
    BASE_CLEANUP(worker_end) worker *taker = worker_start(link, &done);
    worker_await_acked(taker, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(worker_seen_at(taker, i).sequence, i + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_larger_than_a_pull_comes_alone_and_holds_nobody_up),
        cmocka_unit_test(a_backlog_comes_in_full_batches_and_in_order),
        cmocka_unit_test(only_the_subject_of_the_durable_is_delivered),
        cmocka_unit_test(a_single_job_is_handled_at_once_when_idle),
        cmocka_unit_test(a_job_to_retry_comes_again_after_its_delay),
        cmocka_unit_test(a_dead_job_never_comes_again),
        cmocka_unit_test(a_job_left_alone_comes_again_after_the_ack_wait),
        cmocka_unit_test(heartbeats_keep_the_job_of_a_slow_handler),
        cmocka_unit_test(a_handler_that_uses_its_cpu_for_several_ack_waits_keeps_its_job),
        cmocka_unit_test(a_shut_gate_takes_no_job_until_it_opens),
        cmocka_unit_test(a_consumer_that_could_never_work_is_not_made),
        cmocka_unit_test(a_job_that_arrives_late_goes_to_who_has_time_for_it),
        cmocka_unit_test(a_stop_while_idle_or_paused_is_prompt),
        cmocka_unit_test(a_stop_under_load_gives_back_at_once_what_was_not_handled),
        cmocka_unit_test(jobs_of_a_worker_that_vanished_come_to_another),
        cmocka_unit_test(several_workers_share_the_jobs_without_overlap),
        cmocka_unit_test(a_worker_keeps_pace_with_a_full_stream),
    };
    return cmocka_run_group_tests(tests, start, end);
}
