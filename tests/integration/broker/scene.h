#pragma once
/* What the tests of the broker share: a server of their own, a connection to it, and streams in it. */
#include "broker/connection.h"
#include "broker/publish.h"
#include "broker/topology.h"
#include "harness/nats_server.h"

#define SCENE_DEADLINE_MS 20000

/* Fails the test with the error's message unless code is BASE_OK. */
void scene_expect_ok(base_code code, const base_error *err);

broker_connection *scene_connect(const harness_nats *server);
/* Waits until the connection is up (or down). */
void scene_await_link(broker_connection *connection, bool up);

/* Options of the topology under a prefix; ack_wait_ms 0 for the default. */
broker_topology_options scene_topology_options(const char *prefix, int64_t ack_wait_ms);
/* Applies them and gives back the names. */
broker_names scene_apply(broker_connection *connection, const char *prefix, int64_t ack_wait_ms);

/* Publishes `count` small messages "0", "1", … without message ids, and fails the test when one is not stored. */
void scene_publish(broker_connection *connection, const char *subject, size_t count);
