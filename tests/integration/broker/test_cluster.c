/* A cluster that elects, or lacks servers: questions are asked again, and streams are made as soon as they can be. */
#include "scene.h"

#include "base/clock.h"
#include "broker/stream.h"
#include "harness/nats_cluster.h"

#include <nats/nats.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Leaves the first question lie, as servers without a leader do. */
static void answer_the_second(natsConnection *nats, natsSubscription *subscription, natsMsg *question, void *ctx)
{
    (void)subscription;
    atomic_int *questions = ctx;
    if (atomic_fetch_add(questions, 1) == 1)
        (void)natsConnection_PublishString(nats, natsMsg_GetReply(question), "{\"state\":{\"messages\":7}}");
    natsMsg_Destroy(question);
}

static void a_question_that_nobody_answers_is_asked_again(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free)
    harness_nats *server = harness_nats_new("jetstream: disabled"); /* so that nobody else answers */
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    natsConnection *raw = NULL;
    natsSubscription *subscription = NULL;
    static atomic_int questions;
    assert_int_equal(natsConnection_ConnectTo(&raw, harness_nats_url(server)), NATS_OK);
    assert_int_equal(
        natsConnection_Subscribe(&subscription, raw, "$JS.API.STREAM.INFO.SLOW", answer_the_second, &questions),
        NATS_OK);
    assert_int_equal(natsConnection_Flush(raw), NATS_OK);
    broker_stream_state found = {0};
    base_error err = {0};
    int64_t from_ms = base_monotonic_ms();
    scene_expect_ok(broker_stream_read_state(connection, "SLOW", &found, &err), &err);
    assert_true(base_monotonic_ms() - from_ms < 4500); /* some intervals; the time limit is five seconds */
    assert_int_equal(found.messages, 7);
    assert_true(atomic_load(&questions) >= 2); /* the answer may be on its way for another interval */
    natsConnection_Close(raw);
    natsSubscription_Destroy(subscription);
    natsConnection_Destroy(raw);
}

static void streams_are_made_as_soon_as_a_cluster_has_elected(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_cluster_free) harness_nats_cluster *cluster = harness_nats_cluster_new();
    const broker_connection_options link = {.url = harness_nats_cluster_url(cluster)};
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err = {0};
    scene_expect_ok(broker_connection_open(&link, &connection, &err), &err);
    broker_topology_options options = scene_topology_options(NULL, 0);
    options.replicas = HARNESS_NATS_CLUSTER_SIZE;
    options.wait_ms = 60000;
    scene_expect_ok(broker_topology_apply(connection, &options, NULL, NULL, &err), &err);
    scene_expect_ok(broker_topology_check(connection, &options, NULL, NULL, &err), &err);
    harness_nats_cluster_wait_current(cluster);

    options = scene_topology_options("five", 0);
    options.replicas = 5;
    options.wait_ms = 1500;
    int64_t from_ms = base_monotonic_ms();
    assert_int_equal(broker_topology_apply(connection, &options, NULL, NULL, &err), BASE_UNAVAILABLE);
    assert_true(base_monotonic_ms() - from_ms >= 300); /* it was asked more than once */
    assert_non_null(strstr(err.message, "stream FIVE_JOBS"));
    assert_non_null(strstr(err.message, "fewer servers with JetStream"));
}

static void replicas_on_a_single_server_are_refused_at_once(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_topology_options options = scene_topology_options(NULL, 0);
    options.replicas = 3;
    options.wait_ms = 60000;
    base_error err = {0};
    int64_t from_ms = base_monotonic_ms();
    assert_int_equal(broker_topology_apply(connection, &options, NULL, NULL, &err), BASE_INVALID);
    assert_true(base_monotonic_ms() - from_ms < 30000);
    assert_non_null(strstr(err.message, "replicas"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_that_nobody_answers_is_asked_again),
        cmocka_unit_test(streams_are_made_as_soon_as_a_cluster_has_elected),
        cmocka_unit_test(replicas_on_a_single_server_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
