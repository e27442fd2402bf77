/* Reading what streams hold: single messages, states, live feeds. */
#include "scene.h"
#include "worker.h"

#include "base/clock.h"
#include "broker/stream.h"
#include "harness/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void publish_one(const char *subject, const char *text, const char *id)
{
    broker_header header = {"Proofline-Type", "example: with a colon"};
    broker_message message = {.subject = subject,
                              .payload = base_bytes_of(text, strlen(text)),
                              .message_id = id,
                              .headers = &header,
                              .header_count = 1};
    broker_publish_result result;
    base_error err;
    scene_expect_ok(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &result, &err), &err);
}

static void expect_text(const broker_stored *message, const char *text)
{
    assert_int_equal(message->payload.size, strlen(text));
    assert_memory_equal(message->payload.data, text, strlen(text));
}

static void a_message_is_read_by_its_sequence_with_its_headers(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "get", 0);
    publish_one(names.subject_generate, "hello", "id-7");
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    base_error err;
    scene_expect_ok(broker_stream_get(connection, names.stream_jobs, 1, &message, &err), &err);
    expect_text(&message, "hello");
    assert_int_equal(message.sequence, 1);
    assert_string_equal(message.subject, names.subject_generate);
    assert_string_equal(broker_stored_header(&message, "Nats-Msg-Id"), "id-7");
    assert_string_equal(broker_stored_header(&message, "Proofline-Type"), "example: with a colon");
    int64_t age_ms = base_unix_ms() - message.stored_unix_ns / 1000000;
    assert_true(age_ms > -1000 && age_ms < 60000);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "absent", 0);
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    base_error err;
    broker_stream_state stream;
    assert_int_equal(broker_stream_get(connection, names.stream_jobs, 1, &message, &err), BASE_NOT_FOUND);
    assert_int_equal(broker_stream_get(connection, names.stream_jobs, 0, &message, &err), BASE_NOT_FOUND);
    assert_int_equal(broker_stream_get(connection, "NO_SUCH", 1, &message, &err), BASE_UNPREPARED);
    assert_int_equal(broker_stream_next(connection, names.stream_jobs, 1, ">", &message, &err), BASE_NOT_FOUND);
    assert_int_equal(broker_stream_read_state(connection, "NO_SUCH", &stream, &err), BASE_UNPREPARED);
    broker_feed *feed = NULL;
    assert_int_equal(broker_feed_open(connection, "NO_SUCH", ">", 0, &feed, &err), BASE_UNPREPARED);
    assert_int_equal(broker_stream_get(connection, "no.name", 1, &message, &err), BASE_INVALID);
}

static void names_that_no_stream_can_have_are_refused(void **state)
{
    (void)state;
    broker_durable_state durable;
    base_error err;
    assert_int_equal(broker_durable_read_state(connection, "no.name", "generator", &durable, &err), BASE_INVALID);
    assert_int_equal(broker_durable_read_state(connection, "PROOFLINE_JOBS", "", &durable, &err), BASE_INVALID);
    broker_feed *feed = NULL;
    assert_int_equal(broker_feed_open(connection, "no.name", ">", 0, &feed, &err), BASE_INVALID);
    assert_int_equal(broker_feed_open(connection, "PROOFLINE_JOBS", NULL, 0, &feed, &err), BASE_INVALID);
    assert_null(feed);
}

static void the_next_message_on_a_subject_is_found(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "next", 0);
    publish_one(names.subject_generate, "one", NULL);
    publish_one(names.subject_publish, "two", NULL);
    publish_one(names.subject_generate, "three", NULL);
    base_error err;
    BASE_CLEANUP(broker_stored_done) broker_stored third = {0};
    scene_expect_ok(broker_stream_next(connection, names.stream_jobs, 2, names.subject_generate, &third, &err), &err);
    expect_text(&third, "three");
    assert_int_equal(third.sequence, 3);
    BASE_CLEANUP(broker_stored_done) broker_stored second = {0};
    scene_expect_ok(broker_stream_next(connection, names.stream_jobs, 2, "next.jobs.*", &second, &err), &err);
    expect_text(&second, "two");
}

static void a_deleted_message_is_gone_and_the_state_says_so(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "delete", 0);
    scene_publish(connection, names.subject_generate, 3);
    base_error err;
    assert_true(harness_stream_delete(connection, names.stream_jobs, 1));
    assert_false(harness_stream_delete(connection, names.stream_jobs, 1));
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    assert_int_equal(broker_stream_get(connection, names.stream_jobs, 1, &message, &err), BASE_NOT_FOUND);
    broker_stream_state stream;
    scene_expect_ok(broker_stream_read_state(connection, names.stream_jobs, &stream, &err), &err);
    assert_int_equal(stream.messages, 2);
    assert_int_equal(stream.first_sequence, 2);
    assert_int_equal(stream.last_sequence, 3);
    assert_true(stream.bytes > 0);
}

static void a_durable_says_how_far_it_has_come(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "durable", 7000);
    scene_publish(connection, names.subject_generate, 5);
    base_error err;
    broker_durable_state durable;
    scene_expect_ok(broker_durable_read_state(connection, names.stream_jobs, BROKER_DURABLE_GENERATOR, &durable, &err),
                    &err);
    assert_int_equal(durable.pending, 5);
    assert_int_equal(durable.ack_floor_sequence, 0);
    assert_int_equal(durable.ack_wait_ms, 7000);
    worker_options options = {.stream = names.stream_jobs,
                              .durable = BROKER_DURABLE_GENERATOR,
                              .batch = 10,
                              .answer = worker_answer(BROKER_DONE, 0)};
    BASE_CLEANUP(worker_end) worker *self = worker_start(connection, &options);
    worker_await_acked(self, 5);
    scene_expect_ok(broker_durable_read_state(connection, names.stream_jobs, BROKER_DURABLE_GENERATOR, &durable, &err),
                    &err);
    assert_int_equal(durable.pending, 0);
    assert_int_equal(durable.ack_pending, 0);
    assert_int_equal(durable.ack_floor_sequence, 5);
    assert_int_equal(durable.delivered_sequence, 5);
    assert_int_equal(broker_durable_read_state(connection, names.stream_jobs, "nobody", &durable, &err),
                     BASE_UNPREPARED);
}

static void expect_feed(broker_feed *feed, const char *text, uint64_t sequence)
{
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    base_error err;
    scene_expect_ok(broker_feed_next(feed, SCENE_DEADLINE_MS, &message, &err), &err);
    expect_text(&message, text);
    assert_int_equal(message.sequence, sequence);
}

static void a_feed_starts_with_what_is_new(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "live", 0);
    scene_publish(connection, names.subject_generate, 2);
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    base_error err;
    scene_expect_ok(broker_feed_open(connection, names.stream_jobs, ">", 0, &feed, &err), &err);
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    assert_int_equal(broker_feed_next(feed, 50, &message, &err), BASE_TIMEOUT);
    publish_one(names.subject_publish, "fresh", "fresh-1");
    int64_t from_ms = base_monotonic_ms();
    scene_expect_ok(broker_feed_next(feed, SCENE_DEADLINE_MS, &message, &err), &err);
    assert_true(base_monotonic_ms() - from_ms < 5000);
    expect_text(&message, "fresh");
    assert_int_equal(message.sequence, 3);
    assert_string_equal(message.subject, names.subject_publish);
    assert_string_equal(broker_stored_header(&message, "Nats-Msg-Id"), "fresh-1");
    assert_true(message.stored_unix_ns > 0);
}

static void a_feed_from_the_start_gives_all_of_its_subject_in_order(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "replay", 0);
    scene_publish(connection, names.subject_generate, 1000);
    publish_one(names.subject_publish, "other", NULL);
    publish_one(names.subject_generate, "last", NULL);
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    base_error err;
    scene_expect_ok(broker_feed_open(connection, names.stream_jobs, names.subject_generate, 1, &feed, &err), &err);
    for (uint64_t i = 0; i < 1000; i++) {
        char text[24];
        snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
        expect_feed(feed, text, i + 1);
    }
    expect_feed(feed, "last", 1002);
}

static void a_feed_goes_on_after_a_restart_without_a_gap_or_a_repetition(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *own = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *link = scene_connect(own);
    broker_names names = scene_apply(link, NULL, 0);
    scene_publish(link, names.subject_generate, 2);
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    base_error err;
    scene_expect_ok(broker_feed_open(link, names.stream_jobs, ">", 1, &feed, &err), &err);
    expect_feed(feed, "0", 1);
    expect_feed(feed, "1", 2);
    harness_nats_stop(own);
    scene_await_link(link, false);
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    assert_int_equal(broker_feed_next(feed, 20, &message, &err), BASE_UNAVAILABLE);
    harness_nats_start(own);
    scene_await_link(link, true);
    scene_publish(link, names.subject_generate, 2);
    expect_feed(feed, "0", 3);
    expect_feed(feed, "1", 4);
}

static void a_feed_survives_the_loss_of_its_consumer(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *own = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *link = scene_connect(own);
    broker_names names = scene_apply(link, NULL, 0);
    scene_publish(link, names.subject_generate, 1);
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    base_error err;
    scene_expect_ok(broker_feed_open(link, names.stream_jobs, ">", 1, &feed, &err), &err);
    expect_feed(feed, "0", 1);
    /* Killed, not stopped: the memory of the consumer's position is lost too. */
    for (uint64_t i = 2; i < 5; i++) {
        harness_nats_kill(own);
        scene_await_link(link, false);
        harness_nats_start(own);
        scene_await_link(link, true);
        scene_publish(link, names.subject_generate, 1);
        expect_feed(feed, "0", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_by_its_sequence_with_its_headers),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(names_that_no_stream_can_have_are_refused),
        cmocka_unit_test(the_next_message_on_a_subject_is_found),
        cmocka_unit_test(a_deleted_message_is_gone_and_the_state_says_so),
        cmocka_unit_test(a_durable_says_how_far_it_has_come),
        cmocka_unit_test(a_feed_starts_with_what_is_new),
        cmocka_unit_test(a_feed_from_the_start_gives_all_of_its_subject_in_order),
        cmocka_unit_test(a_feed_goes_on_after_a_restart_without_a_gap_or_a_repetition),
        cmocka_unit_test(a_feed_survives_the_loss_of_its_consumer),
    };
    return cmocka_run_group_tests(tests, start, end);
}
