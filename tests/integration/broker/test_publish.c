/* Publishing into a real JetStream: acknowledgements, dedupe, limits, absence. */
#include "scene.h"

#include "base/clock.h"

#include <pthread.h>
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
    server = harness_nats_new("max_payload: 65536");
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

static broker_message text_message(const char *subject, const char *text, const char *id)
{
    return (broker_message){.subject = subject, .payload = base_bytes_of(text, strlen(text)), .message_id = id};
}

static void a_batch_is_stored_in_order(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "order", 0);
    broker_header headers[] = {{"Content-Type", "application/protobuf"}, {"traceparent", "00-aa-bb-01"}};
    broker_message messages[3];
    broker_publish_result results[3];
    for (size_t i = 0; i < 3; i++) {
        messages[i] = text_message(names.subject_generate, "hello", NULL);
        messages[i].headers = headers;
        messages[i].header_count = 2;
    }
    base_error err;
    scene_expect_ok(broker_publish(connection, messages, 3, SCENE_DEADLINE_MS, results, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(results[i].code, BASE_OK);
        assert_int_equal(results[i].sequence, i + 1);
        assert_false(results[i].duplicate);
    }
}

static void a_repeated_message_id_is_success_and_says_so(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "dedupe", 0);
    broker_message message = text_message(names.subject_publish, "x", "id-1");
    broker_publish_result first, second;
    base_error err;
    scene_expect_ok(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &first, &err), &err);
    scene_expect_ok(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &second, &err), &err);
    assert_false(first.duplicate);
    assert_true(second.duplicate);
    assert_int_equal(second.sequence, first.sequence);
}

static void a_subject_without_a_stream_names_the_command_to_run(void **state)
{
    (void)state;
    broker_message message = text_message("nobody.jobs.generate", "x", NULL);
    broker_publish_result result;
    base_error err;
    assert_int_equal(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &result, &err), BASE_UNAVAILABLE);
    assert_int_equal(result.code, BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "nobody.jobs.generate"));
    assert_non_null(strstr(err.message, "proofctl topology apply"));
}

static void one_bad_message_does_not_fail_its_batch(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "mixed", 0);
    BASE_CLEANUP(free) char *large = calloc(1, 70000);
    broker_header split = {"X", "a\r\nb"};
    broker_message messages[] = {
        text_message(names.subject_generate, "good", NULL),
        {.subject = names.subject_generate, .payload = base_bytes_of(large, 70000)},
        text_message("two words", "x", NULL),
        {.subject = names.subject_generate, .headers = &split, .header_count = 1},
        text_message(names.subject_generate, "good too", NULL),
    };
    broker_publish_result results[5];
    base_error err;
    assert_int_equal(broker_publish(connection, messages, 5, SCENE_DEADLINE_MS, results, &err), BASE_LIMIT);
    assert_non_null(strstr(err.message, "65536"));
    assert_int_equal(results[0].code, BASE_OK);
    assert_int_equal(results[1].code, BASE_LIMIT);
    assert_int_equal(results[2].code, BASE_INVALID);
    assert_int_equal(results[3].code, BASE_INVALID);
    assert_int_equal(results[4].code, BASE_OK);
    assert_int_equal(results[4].sequence, results[0].sequence + 1);
}

static void a_single_message_waits_for_no_timer(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "latency", 0);
    enum { ROUNDS = 200 };
    int64_t best_us = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t from = base_monotonic_us();
        scene_publish(connection, names.subject_generate, 1);
        int64_t took = base_monotonic_us() - from;
        best_us = took < best_us ? took : best_us;
    }
    print_message("one publish, best of %d: %lld us\n", ROUNDS, (long long)best_us);
    assert_true(best_us < 1000); /* nats.c's flusher alone would take a millisecond */
}

static void without_a_server_nothing_is_sent_or_waited_for(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *own = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *lonely = scene_connect(own);
    broker_names names = scene_apply(lonely, NULL, 0);
    harness_nats_stop(own);
    scene_await_link(lonely, false);
    broker_message message = text_message(names.subject_generate, "x", NULL);
    broker_publish_result result;
    base_error err;
    int64_t from = base_monotonic_ms();
    assert_int_equal(broker_publish(lonely, &message, 1, SCENE_DEADLINE_MS, &result, &err), BASE_UNAVAILABLE);
    assert_true(base_monotonic_ms() - from < SCENE_DEADLINE_MS / 2);
    harness_nats_start(own);
    scene_await_link(lonely, true);
    scene_publish(lonely, names.subject_generate, 1);
}

static void an_answer_that_does_not_come_leaves_the_outcome_open(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *own = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *lonely = scene_connect(own);
    broker_names names = scene_apply(lonely, NULL, 0);
    harness_nats_pause(own);
    broker_message message = text_message(names.subject_generate, "x", "once");
    broker_publish_result result;
    base_error err;
    assert_int_equal(broker_publish(lonely, &message, 1, 100, &result, &err), BASE_AMBIGUOUS);
    assert_int_equal(result.code, BASE_AMBIGUOUS);
    harness_nats_resume(own);
    scene_expect_ok(broker_publish(lonely, &message, 1, SCENE_DEADLINE_MS, &result, &err), &err);
    assert_int_equal(result.sequence, 1); /* the message id made the repetition safe */
}

static void *publish_many(void *subject)
{
    for (int i = 0; i < 20; i++)
        scene_publish(connection, subject, 100);
    return NULL;
}

static void several_threads_publish_at_once(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    broker_names names = scene_apply(connection, "threads", 0);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_many, names.subject_publish), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    broker_message message = text_message(names.subject_publish, "last", NULL);
    broker_publish_result result;
    base_error err;
    scene_expect_ok(broker_publish(connection, &message, 1, SCENE_DEADLINE_MS, &result, &err), &err);
    assert_int_equal(result.sequence, THREADS * 20 * 100 + 1);
}

static void batches_go_at_the_speed_of_the_server(void **state)
{
    (void)state;
    enum { BATCHES = 50, BATCH = 1000 };
    broker_names names = scene_apply(connection, "speed", 0);
    static broker_message messages[BATCH];
    static broker_publish_result results[BATCH];
    static char ids[BATCH][32];
    static char payload[350];
    base_error err;
    int64_t from = base_monotonic_us();
    for (int b = 0; b < BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) {
            snprintf(ids[i], sizeof(ids[i]), "m%d.%d", b, i);
            messages[i] = (broker_message){
                .subject = names.subject_generate, .payload = base_bytes_of(payload, 350), .message_id = ids[i]};
        }
        scene_expect_ok(broker_publish(connection, messages, BATCH, SCENE_DEADLINE_MS, results, &err), &err);
    }
    double seconds = (double)(base_monotonic_us() - from) / 1e6;
    print_message("%d messages of 350 B in %.2f s: %.0f/s\n", BATCHES * BATCH, seconds, BATCHES * BATCH / seconds);
    assert_int_equal(results[BATCH - 1].sequence, BATCHES * BATCH);
}

static void what_cannot_be_sent_is_refused_before_anything_is(void **state)
{
    (void)state;
    broker_names names = scene_apply(connection, "refused", 0);
    broker_header headers[BROKER_HEADERS_MAX + 1];
    for (size_t i = 0; i <= BROKER_HEADERS_MAX; i++)
        headers[i] = (broker_header){"X", "y"};
    broker_message messages[4] = {
        text_message(names.subject_generate, "too many headers", NULL),
        text_message(names.subject_generate, "an id of two lines", "a\r\nb"),
        text_message(NULL, "no subject", NULL),
        text_message(names.subject_generate, "in order", NULL),
    };
    messages[0].headers = headers;
    messages[0].header_count = BROKER_HEADERS_MAX + 1;
    broker_publish_result results[4];
    base_error err;
    assert_int_equal(broker_publish(connection, messages, 4, SCENE_DEADLINE_MS, results, &err), BASE_LIMIT);
    assert_string_equal(err.message, "refused.jobs.generate: more than 16 headers");
    assert_int_equal(results[1].code, BASE_INVALID);
    assert_int_equal(results[2].code, BASE_INVALID);
    assert_int_equal(results[3].code, BASE_OK);
    assert_int_equal(results[3].sequence, 1);
    messages[0].header_count = BROKER_HEADERS_MAX;
    scene_expect_ok(broker_publish(connection, messages, 1, SCENE_DEADLINE_MS, results, &err), &err);
    scene_expect_ok(broker_publish(connection, NULL, 0, SCENE_DEADLINE_MS, NULL, &err), &err);
}

static void a_batch_over_the_maximum_is_refused_as_a_whole(void **state)
{
    (void)state;
    enum { MANY = BROKER_PUBLISH_BATCH_MAX + 1 };
    broker_names names = scene_apply(connection, "many", 0);
    BASE_CLEANUP(free) broker_message *messages = calloc(MANY, sizeof(broker_message));
    BASE_CLEANUP(free) broker_publish_result *results = calloc(MANY, sizeof(broker_publish_result));
    for (size_t i = 0; i < MANY; i++)
        messages[i] = text_message(names.subject_generate, "x", NULL);
    base_error err;
    assert_int_equal(broker_publish(connection, messages, MANY, SCENE_DEADLINE_MS, results, &err), BASE_LIMIT);
    assert_int_equal(results[0].code, BASE_LIMIT);
    assert_int_equal(results[MANY - 1].code, BASE_LIMIT);
    scene_expect_ok(broker_publish(connection, messages, 1, SCENE_DEADLINE_MS, results, &err), &err);
    assert_int_equal(results[0].sequence, 1); /* the first that was stored */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_stored_in_order),
        cmocka_unit_test(a_repeated_message_id_is_success_and_says_so),
        cmocka_unit_test(a_subject_without_a_stream_names_the_command_to_run),
        cmocka_unit_test(one_bad_message_does_not_fail_its_batch),
        cmocka_unit_test(what_cannot_be_sent_is_refused_before_anything_is),
        cmocka_unit_test(a_batch_over_the_maximum_is_refused_as_a_whole),
        cmocka_unit_test(a_single_message_waits_for_no_timer),
        cmocka_unit_test(without_a_server_nothing_is_sent_or_waited_for),
        cmocka_unit_test(an_answer_that_does_not_come_leaves_the_outcome_open),
        cmocka_unit_test(several_threads_publish_at_once),
        cmocka_unit_test(batches_go_at_the_speed_of_the_server),
    };
    return cmocka_run_group_tests(tests, start, end);
}
