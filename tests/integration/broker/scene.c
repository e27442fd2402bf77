#include "scene.h"

#include "harness/wait.h"

#include <stdio.h>
#include <string.h>

void scene_expect_ok(base_code code, const base_error *err)
{
    if (code != BASE_OK)
        harness_fail("%s: %s", base_code_name(code), err->message);
}

broker_connection *scene_connect(const harness_nats *server)
{
    broker_connection *connection = NULL;
    base_error err;
    broker_connection_options options = {.url = harness_nats_url(server), .name = "test", .wait_for_server = true};
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    scene_await_link(connection, true);
    return connection;
}

static bool link_is_up(void *ctx)
{
    return broker_connection_check(ctx, NULL) == BASE_OK;
}

static bool link_is_down(void *ctx)
{
    return !link_is_up(ctx);
}

void scene_await_link(broker_connection *connection, bool up)
{
    if (!harness_wait_until(up ? link_is_up : link_is_down, connection, SCENE_DEADLINE_MS))
        harness_fail("the connection did not go %s", up ? "up" : "down");
}

broker_topology_options scene_topology_options(const char *prefix, int64_t ack_wait_ms)
{
    broker_topology_options options = {.replicas = 1, .ack_wait_ms = ack_wait_ms, .max_ack_pending = 5000};
    base_error err;
    scene_expect_ok(broker_names_of(prefix, &options.names, &err), &err);
    return options;
}

broker_names scene_apply(broker_connection *connection, const char *prefix, int64_t ack_wait_ms)
{
    broker_topology_options options = scene_topology_options(prefix, ack_wait_ms);
    base_error err;
    scene_expect_ok(broker_topology_apply(connection, &options, NULL, NULL, &err), &err);
    return options.names;
}

void scene_publish(broker_connection *connection, const char *subject, size_t count)
{
    broker_message messages[BROKER_PUBLISH_BATCH_MAX];
    broker_publish_result results[BROKER_PUBLISH_BATCH_MAX];
    char texts[BROKER_PUBLISH_BATCH_MAX][24];
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%zu", i);
        messages[i] = (broker_message){.subject = subject, .payload = base_bytes_of(texts[i], strlen(texts[i]))};
    }
    base_error err;
    scene_expect_ok(broker_publish(connection, messages, count, SCENE_DEADLINE_MS, results, &err), &err);
}
