/* Jobs while servers, streams and consumers come and go. */
#include "scene.h"
#include "worker.h"

#include "base/clock.h"
#include "broker/stream.h"
#include "harness/wait.h"

#include <nats/nats.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static worker *start_generator(broker_connection *connection, const broker_names *names, bool hold)
{
    worker_options options = {.stream = names->stream_jobs,
                              .durable = BROKER_DURABLE_GENERATOR,
                              .batch = 20,
                              .answer = worker_answer(BROKER_DONE, 0),
                              .hold = hold};
    return worker_start(connection, &options);
}

static void a_missing_stream_is_told_once_and_used_once_it_is_there(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_topology_options(NULL, 0).names;
    BASE_CLEANUP(worker_end) worker *self = start_generator(connection, &names, false);
    worker_await_troubles(self, 1, 0);
    base_error trouble = worker_last_trouble(self);
    assert_int_equal(trouble.code, BASE_UNPREPARED);
    assert_non_null(strstr(trouble.message, "PROOFLINE_JOBS"));
    assert_non_null(strstr(trouble.message, "proofctl topology apply"));
    assert_int_equal(broker_consumer_check(worker_consumer(self), NULL), BASE_UNAVAILABLE);
    base_sleep_ms(600); /* several tries to bind */
    assert_int_equal(worker_troubles_told(self), 1);
    scene_apply(connection, NULL, 0);
    worker_await_troubles(self, 1, 1);
    scene_publish(connection, names.subject_generate, 3);
    worker_await_acked(self, 3);
    base_error err;
    scene_expect_ok(broker_consumer_check(worker_consumer(self), &err), &err);
}

static void a_restart_of_the_server_is_waited_out(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_apply(connection, NULL, 0);
    BASE_CLEANUP(worker_end) worker *self = start_generator(connection, &names, false);
    scene_publish(connection, names.subject_generate, 5);
    worker_await_acked(self, 5);
    harness_nats_stop(server);
    worker_await_troubles(self, 1, 0);
    assert_int_equal(broker_consumer_check(worker_consumer(self), NULL), BASE_UNAVAILABLE);
    harness_nats_start(server);
    scene_await_link(connection, true);
    worker_await_troubles(self, 1, 1);
    scene_publish(connection, names.subject_generate, 5);
    worker_await_acked(self, 10);
    assert_int_equal(worker_seen_count(self), 10);
}

typedef struct beats {
    broker_consumer *consumer;
    uint64_t before;
} beats;

/* Six are two ack waits. */
static bool has_beaten_again(void *ctx)
{
    const beats *seen = ctx;
    return broker_consumer_read_stats(seen->consumer).heartbeats >= seen->before + 6;
}

static void a_job_in_hand_survives_a_restart_of_the_server(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_apply(connection, NULL, 1000);
    scene_publish(connection, names.subject_generate, 1);
    BASE_CLEANUP(worker_end) worker *self = start_generator(connection, &names, true);
    worker_await_seen(self, 1);
    harness_nats_restart(server);
    scene_await_link(connection, true);
    beats seen = {worker_consumer(self), broker_consumer_read_stats(worker_consumer(self)).heartbeats};
    assert_true(harness_wait_until(has_beaten_again, &seen, SCENE_DEADLINE_MS)); /* they have come back with the link */
    worker_release(self);
    worker_await_acked(self, 1);
    assert_int_equal(worker_seen_count(self), 1);
}

static natsConnection *connect_operator(const harness_nats *server)
{
    natsConnection *raw = NULL;
    assert_int_equal(natsConnection_ConnectTo(&raw, harness_nats_url(server)), NATS_OK);
    return raw;
}

static void ask(natsConnection *raw, const char *subject)
{
    natsMsg *answer = NULL;
    assert_int_equal(natsConnection_RequestString(&answer, raw, subject, "", SCENE_DEADLINE_MS), NATS_OK);
    natsMsg_Destroy(answer);
}

static void a_deleted_consumer_is_bound_to_again_when_made_anew(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_apply(connection, NULL, 0);
    BASE_CLEANUP(worker_end) worker *self = start_generator(connection, &names, false);
    scene_publish(connection, names.subject_generate, 1);
    worker_await_acked(self, 1);
    natsConnection *raw = connect_operator(server);
    ask(raw, "$JS.API.CONSUMER.DELETE.PROOFLINE_JOBS.generator");
    worker_await_troubles(self, 1, 0);
    assert_int_equal(worker_last_trouble(self).code, BASE_UNPREPARED);
    scene_apply(connection, NULL, 0);
    worker_await_troubles(self, 1, 1);
    worker_await_seen(self, 2); /* a new durable starts from the first message */
    ask(raw, "$JS.API.STREAM.DELETE.PROOFLINE_JOBS");
    worker_await_troubles(self, 2, 1);
    natsConnection_Destroy(raw);
}

static bool is_healthy(void *consumer)
{
    return broker_consumer_check(consumer, NULL) == BASE_OK;
}

/* A worker that stands by pulls nothing, and must not look ready for the day it is needed. */
static void a_consumer_that_goes_while_the_gate_is_shut_is_told(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_apply(connection, NULL, 0);
    const worker_options work = {
        .stream = names.stream_jobs, .durable = BROKER_DURABLE_GENERATOR, .batch = 20, .paused = true};
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &work);
    assert_true(harness_wait_until(is_healthy, worker_consumer(self), SCENE_DEADLINE_MS));
    natsConnection *raw = connect_operator(server);
    ask(raw, "$JS.API.CONSUMER.DELETE.PROOFLINE_JOBS.generator");
    worker_await_troubles(self, 1, 0);
    assert_int_equal(worker_last_trouble(self).code, BASE_UNPREPARED);
    assert_int_equal(broker_consumer_check(worker_consumer(self), NULL), BASE_UNAVAILABLE);
    scene_apply(connection, NULL, 0);
    worker_await_troubles(self, 1, 1);
    base_error err;
    scene_expect_ok(broker_consumer_check(worker_consumer(self), &err), &err);
    natsConnection_Destroy(raw);
}

/* The durable can be read, so only the silence after a pull tells that something is wrong. */
static void a_pull_that_gets_no_answer_is_told(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free)
    harness_nats *server = harness_nats_new("authorization { users: [ { user: joe, password: s3cret, permissions: { "
                                            "publish: { deny: [\"$JS.API.CONSUMER.MSG.NEXT.>\"] } } } ] }");
    BASE_CLEANUP(base_secret_done) base_secret password = {0};
    base_error err;
    scene_expect_ok(base_secret_copy(base_bytes_of("s3cret", 6), &password, &err), &err);
    broker_connection_options options = {.url = harness_nats_url(server), .user = "joe", .password = &password};
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    broker_names names = scene_apply(connection, NULL, 0);
    const worker_options work = {
        .stream = names.stream_jobs, .durable = BROKER_DURABLE_GENERATOR, .batch = 20, .pull_ms = 100};
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &work);
    worker_await_troubles(self, 1, 0);
    const base_error trouble = worker_last_trouble(self);
    assert_int_equal(trouble.code, BASE_UNAVAILABLE);
    assert_string_equal(trouble.message, "consumer generator of stream PROOFLINE_JOBS: no answer to a pull request");
    assert_int_equal(broker_consumer_check(worker_consumer(self), &err), BASE_UNAVAILABLE);
    assert_string_equal(err.message, trouble.message);
}

static void a_stop_with_the_server_away_does_not_hang(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_apply(connection, NULL, 0);
    scene_publish(connection, names.subject_generate, 3);
    worker *self = start_generator(connection, &names, true);
    worker_await_seen(self, 3);
    harness_nats_kill(server);
    scene_await_link(connection, false);
    int64_t from_ms = base_monotonic_ms();
    worker_end(self);
    assert_true(base_monotonic_ms() - from_ms < 8000);
}

static void verdicts_that_nobody_confirms_are_counted_and_the_jobs_come_again(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_names names = scene_apply(connection, NULL, 5000);
    scene_publish(connection, names.subject_generate, 3);
    BASE_CLEANUP(worker_end) worker *self = start_generator(connection, &names, true);
    worker_await_seen(self, 3);
    harness_nats_kill(server);
    scene_await_link(connection, false);
    worker_release(self);
    worker_await_troubles(self, 1, 0);
    assert_int_equal(broker_consumer_read_stats(worker_consumer(self)).ack_failures, 3);
    harness_nats_start(server);
    worker_await_acked(self, 3);
    assert_int_equal(worker_seen_count(self), 6);
}

static void a_server_that_comes_after_the_worker_is_used(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    {
        BASE_CLEANUP(broker_connection_free) broker_connection *setup = scene_connect(server);
        broker_names made = scene_apply(setup, NULL, 0);
        scene_publish(setup, made.subject_generate, 2);
    }
    harness_nats_stop(server);
    broker_connection_options options = {.url = harness_nats_url(server), .wait_for_server = true};
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err;
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    broker_names names = scene_topology_options(NULL, 0).names;
    BASE_CLEANUP(worker_end) worker *self = start_generator(connection, &names, false);
    worker_await_troubles(self, 1, 0);
    harness_nats_start(server);
    worker_await_acked(self, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_stream_is_told_once_and_used_once_it_is_there),
        cmocka_unit_test(a_restart_of_the_server_is_waited_out),
        cmocka_unit_test(a_job_in_hand_survives_a_restart_of_the_server),
        cmocka_unit_test(a_deleted_consumer_is_bound_to_again_when_made_anew),
        cmocka_unit_test(a_consumer_that_goes_while_the_gate_is_shut_is_told),
        cmocka_unit_test(a_pull_that_gets_no_answer_is_told),
        cmocka_unit_test(a_stop_with_the_server_away_does_not_hang),
        cmocka_unit_test(verdicts_that_nobody_confirms_are_counted_and_the_jobs_come_again),
        cmocka_unit_test(a_server_that_comes_after_the_worker_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
