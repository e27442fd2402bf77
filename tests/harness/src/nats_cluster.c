#include "harness/nats_cluster.h"

#include "harness/http.h"
#include "harness/port.h"
#include "harness/wait.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX  1024
#define URL_MAX     64
#define MONITOR     "/jsz?streams=true&consumers=true"
#define DEADLINE_MS 60000 /* for a leader, and for a server that has to copy what it missed */

struct harness_nats_cluster {
    harness_nats *servers[HARNESS_NATS_CLUSTER_SIZE];
    uint16_t monitor_ports[HARNESS_NATS_CLUSTER_SIZE];
    char url[HARNESS_NATS_CLUSTER_SIZE * URL_MAX];
};

static inline void json_release_at(json_t **value)
{
    json_decref(*value);
}
#define OWNED_JSON __attribute__((cleanup(json_release_at))) json_t

static void start_server(harness_nats_cluster *cluster, size_t index, const uint16_t *route_ports)
{
    char config[CONFIG_MAX], routes[HARNESS_NATS_CLUSTER_SIZE * URL_MAX];
    size_t used = 0;
    for (size_t i = 0; i < HARNESS_NATS_CLUSTER_SIZE; i++)
        used += (size_t)snprintf(routes + used, sizeof(routes) - used, "%s\"nats://127.0.0.1:%u\"", i == 0 ? "" : ", ",
                                 route_ports[i]);
    cluster->monitor_ports[index] = harness_free_port();
    /* Thirty seconds are the least that it accepts; with few clients a retirement takes the grace period and a second for each. */
    snprintf(config, sizeof(config),
             "http: \"127.0.0.1:%u\"\nlame_duck_duration: \"30s\"\nlame_duck_grace_period: \"100ms\"\n"
             "cluster { name: harness, listen: \"127.0.0.1:%u\", routes: [%s] }",
             cluster->monitor_ports[index], route_ports[index], routes);
    cluster->servers[index] = harness_nats_new(config);
    used = strlen(cluster->url);
    snprintf(cluster->url + used, sizeof(cluster->url) - used, "%s%s", index == 0 ? "" : ",",
             harness_nats_url(cluster->servers[index]));
}

harness_nats_cluster *harness_nats_cluster_new(void)
{
    harness_nats_cluster *cluster = calloc(1, sizeof(*cluster));
    if (cluster == NULL)
        harness_fail("out of memory");
    uint16_t route_ports[HARNESS_NATS_CLUSTER_SIZE];
    for (size_t i = 0; i < HARNESS_NATS_CLUSTER_SIZE; i++)
        route_ports[i] = harness_free_port();
    for (size_t i = 0; i < HARNESS_NATS_CLUSTER_SIZE; i++)
        start_server(cluster, i, route_ports);
    return cluster;
}

void harness_nats_cluster_free(harness_nats_cluster *cluster)
{
    if (cluster == NULL)
        return;
    for (size_t i = 0; i < HARNESS_NATS_CLUSTER_SIZE; i++)
        harness_nats_free(cluster->servers[i]);
    free(cluster);
}

const char *harness_nats_cluster_url(const harness_nats_cluster *cluster)
{
    return cluster->url;
}

harness_nats *harness_nats_cluster_at(const harness_nats_cluster *cluster, size_t index)
{
    return cluster->servers[index];
}

/* What a server says of its streams; NULL while it says nothing. The caller owns it. */
static json_t *ask_server(const harness_nats_cluster *cluster, size_t index)
{
    if (!harness_nats_is_up(cluster->servers[index]))
        return NULL;
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_get(cluster->monitor_ports[index], MONITOR);
    /* "No limit" is 2^64 - 1, which no integer of JSON's reader holds. */
    return reply.status == 200 ? json_loads(reply.body, JSON_DECODE_INT_AS_REAL, NULL) : NULL;
}

/* Its streams, an array; borrowed, NULL when there is none. */
static const json_t *streams_of(const json_t *answer)
{
    return json_object_get(json_array_get(json_object_get(answer, "account_details"), 0), "stream_detail");
}

static const json_t *find_named(const json_t *array, const char *name)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        const char *has = json_string_value(json_object_get(item, "name"));
        if (has != NULL && strcmp(has, name) == 0)
            return item;
    }
    return NULL;
}

static bool leads(const harness_nats_cluster *cluster, size_t index, const json_t *item)
{
    const char *leader = json_string_value(json_object_get(json_object_get(item, "cluster"), "leader"));
    return leader != NULL && strcmp(leader, harness_nats_name(cluster->servers[index])) == 0;
}

typedef struct wanted_leader {
    const harness_nats_cluster *cluster;
    const char *stream, *consumer;
    size_t index;
} wanted_leader;

static bool has_leader(void *ctx)
{
    wanted_leader *wanted = ctx;
    for (wanted->index = 0; wanted->index < HARNESS_NATS_CLUSTER_SIZE; wanted->index++) {
        OWNED_JSON *answer = ask_server(wanted->cluster, wanted->index);
        const json_t *item = find_named(streams_of(answer), wanted->stream);
        if (wanted->consumer != NULL)
            item = find_named(json_object_get(item, "consumer_detail"), wanted->consumer);
        if (leads(wanted->cluster, wanted->index, item))
            return true;
    }
    return false;
}

size_t harness_nats_cluster_leader(const harness_nats_cluster *cluster, const char *stream, const char *consumer)
{
    wanted_leader wanted = {cluster, stream, consumer, 0};
    if (!harness_wait_until(has_leader, &wanted, DEADLINE_MS))
        harness_fail("stream %s has no leader", stream);
    return wanted.index;
}

/* Copies of streams and consumers that the servers have, and how many things a leader knows to be current in all copies. */
typedef struct census {
    size_t copies, current;
} census;

/* Only its leader knows how the other copies of a thing are. What has a single copy (a reader's consumer) does not count. */
static void count_item(const harness_nats_cluster *cluster, size_t index, const json_t *item, census *counts)
{
    const json_t *others = json_object_get(json_object_get(item, "cluster"), "replicas");
    if (json_array_size(others) == 0)
        return;
    counts->copies++;
    bool current = leads(cluster, index, item);
    for (size_t i = 0; i < json_array_size(others); i++)
        current = current && json_is_true(json_object_get(json_array_get(others, i), "current"));
    counts->current += current;
}

/* False when the server is behind by its own word. */
static bool count_server(const harness_nats_cluster *cluster, size_t index, census *counts)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply health = harness_http_get(cluster->monitor_ports[index], "/healthz");
    OWNED_JSON *answer = ask_server(cluster, index);
    const json_t *streams = streams_of(answer);
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *stream = json_array_get(streams, i);
        const json_t *consumers = json_object_get(stream, "consumer_detail");
        count_item(cluster, index, stream, counts);
        for (size_t k = 0; k < json_array_size(consumers); k++)
            count_item(cluster, index, json_array_get(consumers, k), counts);
    }
    return health.status == 200 && answer != NULL;
}

static bool is_current(void *ctx)
{
    const harness_nats_cluster *cluster = ctx;
    census counts = {0};
    for (size_t i = 0; i < HARNESS_NATS_CLUSTER_SIZE; i++)
        if (!count_server(cluster, i, &counts))
            return false;
    return counts.copies > 0 && counts.copies == HARNESS_NATS_CLUSTER_SIZE * counts.current;
}

void harness_nats_cluster_wait_current(const harness_nats_cluster *cluster)
{
    if (!harness_wait_until(is_current, (void *)(uintptr_t)cluster, DEADLINE_MS))
        harness_fail("the servers of the cluster are not up to date");
}

uint64_t harness_nats_cluster_messages(const harness_nats_cluster *cluster, size_t index, const char *stream)
{
    OWNED_JSON *answer = ask_server(cluster, index);
    const json_t *state = json_object_get(find_named(streams_of(answer), stream), "state");
    if (state == NULL)
        harness_fail("server %s has no stream %s", harness_nats_name(cluster->servers[index]), stream);
    return (uint64_t)json_number_value(json_object_get(state, "messages"));
}
