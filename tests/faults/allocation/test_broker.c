/* Fails every allocation of the broker's connections, consumers, topology, publishing and reading, against a real server. */
#include "torture.h"

#include "broker/consumer.h"
#include "broker/stream.h"
#include "harness/wait.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    BATCH = 3,
    ACK_WAIT_MS = 500,      /* a job that could not be taken comes again */
    PUBLISH_MS = 300,       /* an acknowledgement that could not be taken never comes */
    FEED_MS = 2000,         /* longer than a feed needs to begin anew */
    FEED_TRIES_MAX = BATCH, /* at most one call of a run lacks memory */
};

/* nats.c 3.4.1 itself is failed only where a consumer is made. Opening a connection, it crashes when it has no memory for the
 * connection's mutex: natsConn_create releases the half-made connection, and natsConn_release locks the mutex that is not there. In all
 * other operations its threads lose answers for want of memory, and each costs a timeout of seconds. */
enum { OWNERS = ALLOCATION_OURS | ALLOCATION_JANSSON };

typedef struct ground {
    harness_nats *server;
    broker_connection *connection;
    broker_topology_options topology;
    uint64_t wanted[BATCH]; /* sequences that the consumer has still to bring; 0: brought */
    broker_consumer *consumer;
    unsigned topologies;
} ground;

/* Publishes a batch with ids and headers; what it needs is not failed. Returns the sequence of the first. */
static uint64_t publish_spared(ground *g)
{
    uint64_t sequence = 0;
    allocation_spare_this_thread(true);
    broker_message messages[BATCH];
    broker_publish_result results[BATCH];
    static const broker_header HEADERS[] = {{"traceparent", "00-1-2-01"}, {"Proofline-Type", "test"}};
    for (size_t i = 0; i < BATCH; i++)
        messages[i] = (broker_message){.subject = g->topology.names.subject_generate,
                                       .payload = base_bytes_of("payload", 7),
                                       .headers = HEADERS,
                                       .header_count = 2};
    base_error err = {0};
    scene_expect_ok(broker_publish(g->connection, messages, BATCH, SCENE_DEADLINE_MS, results, &err), &err);
    sequence = results[0].sequence;
    allocation_spare_this_thread(false);
    return sequence;
}

/* --- connection and topology --- */

static base_code open_connection(void *ctx, base_error *err)
{
    const ground *g = ctx;
    char url[256];
    snprintf(url, sizeof(url), "%s,%s", harness_nats_url(g->server), harness_nats_url(g->server));
    const broker_connection_options options = {.url = url, .name = "allocation", .user = "nobody"};
    broker_connection *opened = TORTURE_UNTOUCHED;
    base_code code = broker_connection_open(&options, &opened, err);
    TORTURE_CHECK(code == BASE_OK || opened == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        broker_connection_free(opened);
    return code;
}

static base_code check_topology(void *ctx, base_error *err)
{
    const ground *g = ctx;
    return broker_topology_check(g->connection, &g->topology, NULL, NULL, err);
}

/* Changes it each time: max_ack_pending of the consumers. */
static base_code change_topology(void *ctx, base_error *err)
{
    ground *g = ctx;
    g->topology.max_ack_pending = 5000 + (int64_t)(++g->topologies % 2);
    return broker_topology_apply(g->connection, &g->topology, NULL, NULL, err);
}

/* --- publishing and reading --- */

static base_code publish(void *ctx, base_error *err)
{
    const ground *g = ctx;
    static const broker_header HEADERS[] = {{"traceparent", "00-1-2-01"}, {"Proofline-Type", "test"}};
    static unsigned published;
    char ids[BATCH][32];
    broker_message messages[BATCH];
    broker_publish_result results[BATCH];
    for (size_t i = 0; i < BATCH; i++) {
        snprintf(ids[i], sizeof(ids[i]), "allocation-%u", ++published);
        messages[i] = (broker_message){.subject = g->topology.names.subject_prepare,
                                       .payload = base_bytes_of("payload", 7),
                                       .message_id = ids[i],
                                       .headers = HEADERS,
                                       .header_count = 2};
    }
    base_code code = broker_publish(g->connection, messages, BATCH, PUBLISH_MS, results, err);
    for (size_t i = 0; i < BATCH; i++)
        TORTURE_CHECK(code != BASE_OK || (results[i].code == BASE_OK && results[i].sequence > 0));
    return code;
}

/* Whether a copy has all of what publish_spared has sent. */
static void check_copy(const broker_stored *copy, uint64_t sequence)
{
    const char *trace = broker_stored_header(copy, "traceparent");
    const char *type = broker_stored_header(copy, "Proofline-Type");
    TORTURE_CHECK(copy->sequence == sequence);
    TORTURE_CHECK(copy->payload.size == 7 && memcmp(copy->payload.data, "payload", 7) == 0);
    TORTURE_CHECK(trace != NULL && strcmp(trace, "00-1-2-01") == 0);
    TORTURE_CHECK(type != NULL && strcmp(type, "test") == 0);
}

static base_code read_stored(void *ctx, base_error *err)
{
    ground *g = ctx;
    const char *stream = g->topology.names.stream_jobs;
    uint64_t sequence = publish_spared(g);
    BASE_CLEANUP(broker_stored_done) broker_stored first = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored next = {0};
    base_code code = broker_stream_get(g->connection, stream, sequence, &first, err);
    if (code != BASE_OK)
        return code;
    check_copy(&first, sequence);
    code = broker_stream_next(g->connection, stream, sequence + 1, g->topology.names.subject_generate, &next, err);
    if (code == BASE_OK)
        check_copy(&next, sequence + 1);
    return code;
}

static base_code read_states(void *ctx, base_error *err)
{
    const ground *g = ctx;
    broker_stream_state stream = {.last_sequence = UINT64_MAX};
    broker_durable_state durable = {.ack_wait_ms = -1};
    base_code code = broker_stream_read_state(g->connection, g->topology.names.stream_jobs, &stream, err);
    TORTURE_CHECK(code == BASE_OK || stream.last_sequence == UINT64_MAX);
    if (code != BASE_OK)
        return code;
    code = broker_durable_read_state(g->connection, g->topology.names.stream_jobs, BROKER_DURABLE_PUBLISHER, &durable,
                                     err);
    TORTURE_CHECK(durable.ack_wait_ms == (code == BASE_OK ? ACK_WAIT_MS : -1));
    return code;
}

/* A call of the feed that lacks memory is repeated, and must go on with the very message that it could not copy. */
static base_code follow(void *ctx, base_error *err)
{
    ground *g = ctx;
    uint64_t sequence = publish_spared(g);
    broker_feed *opened = TORTURE_UNTOUCHED;
    base_code code = broker_feed_open(g->connection, g->topology.names.stream_jobs, g->topology.names.subject_generate,
                                      sequence, &opened, err);
    TORTURE_CHECK(code == BASE_OK || opened == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = opened;
    base_code first = BASE_OK;
    for (size_t i = 0, tries = 0; i < BATCH && tries < BATCH + FEED_TRIES_MAX; tries++) {
        BASE_CLEANUP(broker_stored_done) broker_stored copy = {0};
        base_error why = {0};
        code = broker_feed_next(feed, FEED_MS, &copy, &why);
        TORTURE_CHECK(code == BASE_OK || copy.subject == NULL);
        if (code == BASE_OK)
            check_copy(&copy, sequence + i++);
        else if (first == BASE_OK)
            first = base_fail(err, code, "%s", why.message);
    }
    return code == BASE_OK ? first : base_fail(err, code, "the feed has come to an end");
}

/* --- consumer --- */

static void leave_all(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    (void)ctx, (void)jobs, (void)count, (void)settlements;
}

static base_code make_consumer(void *ctx, base_error *err)
{
    const ground *g = ctx;
    const broker_consumer_options options = {.stream = g->topology.names.stream_jobs,
                                             .durable = BROKER_DURABLE_PREPARER,
                                             .batch = BATCH,
                                             .handler = leave_all};
    broker_consumer *made = TORTURE_UNTOUCHED;
    base_code code = broker_consumer_new(g->connection, &options, &made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        broker_consumer_free(made);
    return code;
}

/* Ends the run when all that is wanted has come, in whatever batches. */
static void take(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    ground *g = ctx;
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        settlements[i].verdict = BROKER_DONE;
        TORTURE_CHECK(jobs[i]->payload.size == 7 && memcmp(jobs[i]->payload.data, "payload", 7) == 0);
        for (size_t j = 0; j < BATCH; j++)
            if (g->wanted[j] == jobs[i]->stream_sequence)
                g->wanted[j] = 0;
    }
    for (size_t j = 0; j < BATCH; j++)
        missing += g->wanted[j] != 0;
    if (missing == 0)
        broker_consumer_stop(g->consumer);
}

/* A run has no result: it goes on until every job has come, or for ever. */
static base_code consume(void *ctx, base_error *err)
{
    ground *g = ctx;
    const broker_consumer_options options = {.stream = g->topology.names.stream_jobs,
                                             .durable = BROKER_DURABLE_GENERATOR,
                                             .batch = BATCH,
                                             .pull_ms = ACK_WAIT_MS,
                                             .handler = take,
                                             .ctx = g};
    uint64_t sequence = publish_spared(g);
    for (size_t i = 0; i < BATCH; i++)
        g->wanted[i] = sequence + i;
    BASE_CLEANUP(broker_consumer_free) broker_consumer *consumer = NULL;
    base_code code = broker_consumer_new(g->connection, &options, &consumer, err);
    if (code != BASE_OK)
        return code;
    g->consumer = consumer;
    broker_consumer_run(consumer, NULL);
    return code;
}

/* --- */

static ground start(void)
{
    ground g = {.server = harness_nats_new(NULL)};
    g.connection = scene_connect(g.server);
    g.topology = scene_topology_options("allocation", ACK_WAIT_MS);
    (void)scene_apply(g.connection, "allocation", ACK_WAIT_MS);
    return g;
}

static void end(ground *g)
{
    broker_connection_free(g->connection);
    harness_nats_free(g->server);
}

static void connections_and_streams_do_without_memory(void **state)
{
    (void)state;
    ground g = start();
    torture("connection", ALLOCATION_OURS, open_connection, &g);
    torture("topology, checked", OWNERS, check_topology, &g);
    torture("topology, changed", OWNERS, change_topology, &g);
    torture_loosely("publishing", OWNERS, publish, &g);
    torture("stored messages", OWNERS, read_stored, &g);
    torture("states", OWNERS, read_states, &g);
    torture("feed", OWNERS, follow, &g);
    end(&g);
}

static void consumers_do_without_memory(void **state)
{
    (void)state;
    ground g = start();
    torture("consumer", ALLOCATION_OURS, make_consumer, &g);
    torture_loosely("consumer, nats.c", ALLOCATION_NATS, make_consumer, &g);
    torture("consumer and its jobs", ALLOCATION_OURS, consume, &g);
    end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_and_streams_do_without_memory),
        cmocka_unit_test(consumers_do_without_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    torture_print_totals();
    return failed;
}
