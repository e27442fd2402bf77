#include "durable.h"
#include "heartbeat.h"
#include "pull.h"
#include "settle.h"

#include "api.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/own.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PULL_MS        5000
#define PULL_SHARE     2 /* a pull waits no longer than the ack wait / this: a job is as old as the pull that brought it */
#define SEEN_MS        5000 /* while the gate is shut no pull tells of the durable: then it is asked for this often */
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS   800 /* with its jitter under a second: jobs come within a second of the return */
#define NAME_SIZE      256

struct broker_consumer {
    broker_connection *connection; /* borrowed */
    char stream[NAME_SIZE], durable[NAME_SIZE];
    broker_consumer_options options; /* its names point to the copies above */
    broker_listener listener;
    broker_intake intake;
    broker_heartbeat heartbeat;
    bool intake_open, heartbeat_open;
    atomic_bool stopping;

    /* Used by the running thread only. */
    broker_delivery **hand; /* the batch with the handler */
    const broker_job **jobs;
    broker_settlement *settlements;
    void (*report)(void *ctx, const base_error *err);
    bool sparse;           /* how to pull next */
    int64_t seen_ms;       /* monotonic: when the server last told of the durable */
    int64_t bind_failures; /* in a row, as the next */
    int64_t pull_failures;
    bool told; /* the caller knows of trouble */
    base_error last_told;

    /* Under the intake's lock. */
    bool bound;   /* to its durable, since the link last changed */
    bool healthy; /* no trouble since it was bound */
    base_error trouble;
    uint64_t link_changes;
    size_t hand_size; /* until their verdicts are in; heartbeats end before */
    broker_settle_counts counts;
};

static void on_link(void *ctx, bool connected)
{
    broker_consumer *consumer = ctx;
    broker_heartbeat_set_link(&consumer->heartbeat, connected);
    {
        BROKER_HOLD(&consumer->intake.condition);
        consumer->link_changes++;
        consumer->bound = false;
        consumer->healthy = false;
        (void)base_fail(&consumer->trouble, BASE_UNAVAILABLE, "not bound to consumer %s of stream %s yet",
                        consumer->durable, consumer->stream);
    }
    broker_intake_set_link(&consumer->intake, connected);
}

static base_code check_options(const broker_consumer_options *options, base_error *err)
{
    if (!broker_name_is_valid(options->stream) || !broker_name_is_valid(options->durable))
        return base_fail(err, BASE_INVALID, "a consumer needs the names of its stream and durable");
    if (options->batch < 1 || options->batch > BROKER_BATCH_MAX)
        return base_fail(err, BASE_INVALID, "batch of %zu jobs: 1 to %d", options->batch, BROKER_BATCH_MAX);
    if (options->handler == NULL || options->pull_ms < 0)
        return base_fail(err, BASE_INVALID, "a consumer needs a handler and a pull time that is not negative");
    return BASE_OK;
}

static base_code init_consumer(broker_consumer *consumer, base_error *err)
{
    size_t batch = consumer->options.batch;
    consumer->hand = calloc(batch, sizeof(broker_delivery *));
    consumer->jobs = calloc(batch, sizeof(broker_job *));
    consumer->settlements = calloc(batch, sizeof(consumer->settlements[0]));
    if (consumer->hand == NULL || consumer->jobs == NULL || consumer->settlements == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", batch);
    natsConnection *nats = broker_link_nats(consumer->connection);
    base_code code = broker_intake_init(&consumer->intake, nats, consumer->hand, err);
    if (code != BASE_OK)
        return broker_link_failure(consumer->connection, code, err);
    consumer->intake_open = true;
    code = broker_heartbeat_start(&consumer->heartbeat, &consumer->intake, nats, err);
    if (code != BASE_OK)
        return code;
    consumer->heartbeat_open = true;
    consumer->listener = (broker_listener){.on_link = on_link, .ctx = consumer};
    broker_link_listen(consumer->connection, &consumer->listener);
    return BASE_OK;
}

base_code broker_consumer_new(broker_connection *connection, const broker_consumer_options *options,
                              broker_consumer **ret, base_error *err)
{
    base_code code = check_options(options, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(broker_consumer_free) broker_consumer *consumer = calloc(1, sizeof(*consumer));
    if (consumer == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a consumer");
    consumer->connection = connection;
    snprintf(consumer->stream, sizeof(consumer->stream), "%s", options->stream);
    snprintf(consumer->durable, sizeof(consumer->durable), "%s", options->durable);
    consumer->options = *options;
    consumer->options.stream = consumer->stream;
    consumer->options.durable = consumer->durable;
    if (options->pull_ms == 0)
        consumer->options.pull_ms = PULL_MS;
    code = init_consumer(consumer, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(consumer);
    return code;
}

bool broker_consumer_stopping(const broker_consumer *consumer)
{
    return atomic_load(&consumer->stopping);
}

void broker_consumer_stop(broker_consumer *consumer)
{
    atomic_store(&consumer->stopping, true);
    broker_intake_stop(&consumer->intake);
}

/* Waits unless stopped; with `link_changes` also no longer than the link stays as it was at that count. */
static void rest(broker_consumer *consumer, int64_t ms, const uint64_t *link_changes)
{
    int64_t deadline_ms = base_monotonic_ms() + ms;
    BROKER_HOLD(&consumer->intake.condition);
    while (!consumer->intake.stopping && (link_changes == NULL || *link_changes == consumer->link_changes) &&
           broker_condition_wait(&consumer->intake.condition, deadline_ms)) {
    }
}

/* Trouble is told once per change of its words. */
static void tell_trouble(broker_consumer *consumer, const base_error *trouble)
{
    {
        BROKER_HOLD(&consumer->intake.condition);
        consumer->bound = false;
        consumer->healthy = false;
        consumer->trouble = *trouble;
    }
    bool known = consumer->told && trouble->code == consumer->last_told.code &&
                 strcmp(trouble->message, consumer->last_told.message) == 0;
    consumer->told = true;
    consumer->last_told = *trouble;
    if (!known && consumer->report != NULL)
        consumer->report(consumer->options.ctx, trouble);
}

static void tell_health(broker_consumer *consumer)
{
    {
        BROKER_HOLD(&consumer->intake.condition);
        consumer->healthy = consumer->bound;
    }
    if (consumer->told && consumer->report != NULL)
        consumer->report(consumer->options.ctx, NULL);
    consumer->told = false;
}

/* True when the durable is there, and the server told so lately. Otherwise the trouble is told and a little time has passed. */
static bool bind_durable(broker_consumer *consumer)
{
    uint64_t link_changes = 0;
    {
        BROKER_HOLD(&consumer->intake.condition);
        if (consumer->bound && base_monotonic_ms() - consumer->seen_ms < SEEN_MS)
            return true;
        link_changes = consumer->link_changes;
    }
    base_error trouble;
    broker_durable_state state;
    if (broker_durable_bind(consumer->connection, consumer->stream, consumer->durable, &state, &trouble) != BASE_OK) {
        tell_trouble(consumer, &trouble);
        rest(consumer, base_backoff_ms(++consumer->bind_failures, RETRY_FIRST_MS, RETRY_MAX_MS), &link_changes);
        return false;
    }
    consumer->bind_failures = 0;
    consumer->seen_ms = base_monotonic_ms();
    broker_heartbeat_set_ack_wait(&consumer->heartbeat, state.ack_wait_ms);
    {
        BROKER_HOLD(&consumer->intake.condition);
        consumer->intake.ack_wait_ms = state.ack_wait_ms;
        consumer->bound = link_changes == consumer->link_changes;
    }
    if (consumer->pull_failures == 0)
        tell_health(consumer); /* else the next pull will tell */
    return true;
}

/* The first failure may only mean that the durable has moved or was made anew, so it is told from the second on. */
static void note_pull_failure(broker_consumer *consumer, const base_error *trouble)
{
    {
        BROKER_HOLD(&consumer->intake.condition);
        consumer->bound = false;
    }
    if (++consumer->pull_failures == 1)
        return;
    tell_trouble(consumer, trouble);
    rest(consumer, base_backoff_ms(consumer->pull_failures - 1, RETRY_FIRST_MS, RETRY_MAX_MS), NULL);
}

static int64_t pull_ms_of(broker_consumer *consumer)
{
    BROKER_HOLD(&consumer->intake.condition);
    int64_t longest_ms = consumer->intake.ack_wait_ms / PULL_SHARE;
    return longest_ms > 0 && longest_ms < consumer->options.pull_ms ? longest_ms : consumer->options.pull_ms;
}

static void pull(broker_consumer *consumer)
{
    broker_pull request = {.stream = consumer->stream,
                           .durable = consumer->durable,
                           .batch = consumer->options.batch,
                           .pull_ms = pull_ms_of(consumer),
                           .sparse = consumer->sparse};
    base_error trouble;
    base_code code = broker_pull_run(consumer->connection, &consumer->intake, &request, &consumer->sparse, &trouble);
    if (code != BASE_OK) {
        note_pull_failure(consumer, &trouble);
        return;
    }
    consumer->seen_ms = base_monotonic_ms();
    if (consumer->pull_failures > 0) {
        consumer->pull_failures = 0;
        tell_health(consumer);
    }
}

/* Takes a batch out of the queue; it is kept alive until broker_heartbeat_release. */
static size_t take_batch(broker_consumer *consumer)
{
    BROKER_HOLD(&consumer->intake.condition);
    size_t count = broker_intake_take(&consumer->intake, consumer->hand, consumer->options.batch);
    consumer->hand_size = count;
    consumer->intake.in_hand = count;
    consumer->intake.working_since_ms = count == 0 ? 0 : base_monotonic_ms();
    return count;
}

static void settle_batch(broker_consumer *consumer, size_t count)
{
    broker_heartbeat_release(&consumer->heartbeat);
    broker_settle_counts counts = {0};
    if (BASE_FAULT("broker.settling", NULL) == BASE_OK)
        broker_settle(consumer->connection, consumer->hand, count, consumer->settlements, &counts);
    (void)BASE_FAULT("broker.settled", NULL); /* nobody is told what the server made of it */
    {
        BROKER_HOLD(&consumer->intake.condition);
        consumer->hand_size = 0;
        consumer->counts.acked += counts.acked;
        consumer->counts.retried += counts.retried;
        consumer->counts.dead += counts.dead;
        consumer->counts.left += counts.left;
        consumer->counts.failures += counts.failures;
    }
    for (size_t i = 0; i < count; i++)
        broker_delivery_free(consumer->hand[i]);
}

static void handle_batch(broker_consumer *consumer)
{
    size_t count = take_batch(consumer);
    for (size_t i = 0; i < count; i++)
        consumer->jobs[i] = &consumer->hand[i]->job;
    if (count == 0)
        return;
    memset(consumer->settlements, 0, count * sizeof(consumer->settlements[0]));
    if (BASE_FAULT("broker.delivered", NULL) == BASE_OK)
        consumer->options.handler(consumer->options.ctx, consumer->jobs, count, consumer->settlements);
    settle_batch(consumer, count);
}

/* What was delivered and is not going to be handled goes back, uncounted by anyone but the server. */
static void return_queue(broker_consumer *consumer)
{
    size_t count = 0;
    while ((count = take_batch(consumer)) > 0) {
        for (size_t i = 0; i < count; i++)
            consumer->settlements[i] = (broker_settlement){
                .verdict = broker_consumer_holds(consumer, &consumer->hand[i]->job) ? BROKER_RETRY : BROKER_LEAVE};
        settle_batch(consumer, count);
    }
}

static bool gate_is_open(broker_consumer *consumer)
{
    int64_t wait_ms = consumer->options.gate == NULL ? 0 : consumer->options.gate(consumer->options.ctx);
    if (wait_ms <= 0)
        return true;
    return_queue(consumer);
    if (consumer->pull_failures > 0) { /* no pull will tell while the gate is closed, and the durable is bound again */
        consumer->pull_failures = 0;
        tell_health(consumer);
    }
    rest(consumer, wait_ms, NULL);
    return false;
}

void broker_consumer_run(broker_consumer *consumer, void (*trouble)(void *ctx, const base_error *err))
{
    consumer->report = trouble;
    while (!broker_consumer_stopping(consumer)) {
        if (!bind_durable(consumer) || !gate_is_open(consumer))
            continue;
        pull(consumer);
        if (!broker_consumer_stopping(consumer))
            handle_batch(consumer);
    }
    bool connected = broker_connection_check(consumer->connection, NULL) == BASE_OK;
    if (broker_intake_close(&consumer->intake, connected))
        return_queue(consumer);
}

bool broker_consumer_holds(broker_consumer *consumer, const broker_job *job)
{
    BROKER_HOLD(&consumer->intake.condition);
    return broker_intake_holds(&consumer->intake, (const broker_delivery *)job);
}

base_code broker_consumer_check(broker_consumer *consumer, base_error *err)
{
    base_code code = broker_connection_check(consumer->connection, err);
    if (code != BASE_OK)
        return code;
    BROKER_HOLD(&consumer->intake.condition);
    return consumer->healthy ? BASE_OK : base_fail(err, BASE_UNAVAILABLE, "%s", consumer->trouble.message);
}

broker_consumer_stats broker_consumer_read_stats(const broker_consumer *consumer)
{
    broker_intake *intake = (broker_intake *)(uintptr_t)&consumer->intake; /* to lock is not to change */
    BROKER_HOLD(&intake->condition);
    return (broker_consumer_stats){
        .pulled = intake->pulled,
        .acked = consumer->counts.acked,
        .retried = consumer->counts.retried + intake->given_back,
        .dead = consumer->counts.dead,
        .left = consumer->counts.left + intake->lost,
        .redelivered = intake->redelivered,
        .heartbeats = consumer->heartbeat.beats,
        .ack_failures = consumer->counts.failures,
        .in_hand = consumer->hand_size + intake->queued,
    };
}

void broker_consumer_free(broker_consumer *consumer)
{
    if (consumer == NULL)
        return;
    if (consumer->heartbeat_open) {
        broker_link_unlisten(consumer->connection, &consumer->listener);
        broker_heartbeat_end(&consumer->heartbeat);
    }
    bool connected = broker_connection_check(consumer->connection, NULL) == BASE_OK;
    if (consumer->intake_open && !broker_intake_close(&consumer->intake, connected))
        return; /* a thread of nats.c still delivers to it: better leaked than used after free */
    if (consumer->intake_open)
        broker_intake_done(&consumer->intake);
    free(consumer->hand);
    free(consumer->jobs);
    free(consumer->settlements);
    free(consumer);
}
