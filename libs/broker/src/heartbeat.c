#include "heartbeat.h"

#include "base/clock.h"
#include "base/own.h"

#include <string.h>

#define FIRST_INTERVAL_MS  10000 /* until the ack wait is known; nothing is in hand before */
#define SHORTEST_MS        20
#define BEATS_PER_ACK_WAIT 3
#define REPLIES_BYTES_MAX  (4 * 1024 * 1024) /* the reply subjects of one round */
#define WPI                "+WPI"
#define NAK                "-NAK"

/* Copies, one after the other, each with its terminator: a job may be settled and freed while the round goes out. */
static size_t copy_replies(broker_delivery *const *list, size_t count, base_buffer *replies)
{
    size_t copied = 0;
    for (; copied < count; copied++) {
        const char *reply = natsMsg_GetReply(list[copied]->message);
        if (base_buffer_append(replies, base_bytes_of(reply, strlen(reply) + 1), NULL) != BASE_OK)
            break;
    }
    return copied;
}

static void say_to_all(natsConnection *nats, const base_buffer *replies, const char *word)
{
    for (size_t at = 0; at < replies->size;) {
        const char *reply = (const char *)replies->data + at;
        (void)natsConnection_PublishString(nats, reply, word);
        at += strlen(reply) + 1;
    }
}

/* With the lock held: what was lost while it waited is with somebody else. */
static void drop_lost(broker_intake *intake)
{
    size_t kept = 0;
    for (size_t i = 0; i < intake->queued; i++) {
        if (broker_intake_holds(intake, intake->queue[i]))
            intake->queue[kept++] = intake->queue[i];
        else
            broker_delivery_free(intake->queue[i]);
    }
    intake->lost += intake->queued - kept;
    intake->queued = kept;
}

static void keep_alive(const broker_intake *intake)
{
    for (size_t i = 0; i < intake->in_hand; i++)
        broker_intake_keep_alive(intake, intake->hand[i]);
    for (size_t i = 0; i < intake->queued; i++)
        broker_intake_keep_alive(intake, intake->queue[i]);
}

/* With the lock held: jobs that wait behind a handler at work for too long go to another instance. */
static void drop_surplus(broker_intake *intake, base_buffer *replies)
{
    if (intake->working_since_ms == 0 || base_monotonic_ms() - intake->working_since_ms < BROKER_SURPLUS_HOLD_MS)
        return;
    size_t copied = copy_replies(intake->queue, intake->queued, replies);
    for (size_t i = 0; i < copied; i++)
        broker_delivery_free(intake->queue[i]);
    intake->queued -= copied;
    memmove(intake->queue, intake->queue + copied, intake->queued * sizeof(broker_delivery *));
    intake->given_back += copied;
}

static void beat(broker_heartbeat *heartbeat, base_buffer *alive, base_buffer *surplus)
{
    broker_intake *intake = heartbeat->intake;
    base_buffer_clear(alive);
    base_buffer_clear(surplus);
    pthread_mutex_lock(&heartbeat->beating);
    {
        BROKER_HOLD(&intake->condition);
        broker_intake_note_pulse(intake);
        drop_lost(intake);
        drop_surplus(intake, surplus);
        keep_alive(intake);
        heartbeat->beats += copy_replies(intake->hand, intake->in_hand, alive);
        heartbeat->beats += copy_replies(intake->queue, intake->queued, alive);
    }
    say_to_all(heartbeat->nats, surplus, NAK);
    say_to_all(heartbeat->nats, alive, WPI);
    pthread_mutex_unlock(&heartbeat->beating);
}

/* Waits for the next round; false when the thread shall end. */
static bool await_round(broker_heartbeat *heartbeat, int64_t last_ms)
{
    BROKER_HOLD(&heartbeat->condition);
    for (;;) {
        if (heartbeat->quit)
            return false;
        int64_t due_ms = last_ms + heartbeat->interval_ms;
        if (heartbeat->connected && (heartbeat->at_once || base_monotonic_ms() >= due_ms)) {
            heartbeat->at_once = false;
            return true;
        }
        /* Without a link a beat would only fill the reconnect buffer. */
        (void)broker_condition_wait(&heartbeat->condition,
                                    heartbeat->connected ? due_ms : base_monotonic_ms() + FIRST_INTERVAL_MS);
    }
}

static void *run_heartbeat(void *ctx)
{
    broker_heartbeat *heartbeat = ctx;
    BASE_CLEANUP(base_buffer_done) base_buffer alive = {.limit = REPLIES_BYTES_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer surplus = {.limit = REPLIES_BYTES_MAX};
    int64_t last_ms = base_monotonic_ms();
    while (await_round(heartbeat, last_ms)) {
        last_ms = base_monotonic_ms();
        beat(heartbeat, &alive, &surplus);
    }
    return NULL;
}

base_code broker_heartbeat_start(broker_heartbeat *heartbeat, broker_intake *intake, natsConnection *nats,
                                 base_error *err)
{
    heartbeat->intake = intake;
    heartbeat->nats = nats;
    heartbeat->interval_ms = FIRST_INTERVAL_MS;
    base_code code = broker_condition_init(&heartbeat->condition, err);
    if (code != BASE_OK)
        return code;
    pthread_mutex_init(&heartbeat->beating, NULL); /* cannot fail without attributes */
    if (pthread_create(&heartbeat->thread, NULL, run_heartbeat, heartbeat) == 0)
        return BASE_OK;
    pthread_mutex_destroy(&heartbeat->beating);
    broker_condition_done(&heartbeat->condition);
    return base_fail(err, BASE_NO_MEMORY, "cannot start a heartbeat thread");
}

void broker_heartbeat_end(broker_heartbeat *heartbeat)
{
    {
        BROKER_HOLD(&heartbeat->condition);
        heartbeat->quit = true;
        broker_condition_wake(&heartbeat->condition);
    }
    pthread_join(heartbeat->thread, NULL);
    pthread_mutex_destroy(&heartbeat->beating);
    broker_condition_done(&heartbeat->condition);
}

void broker_heartbeat_set_ack_wait(broker_heartbeat *heartbeat, int64_t ack_wait_ms)
{
    BROKER_HOLD(&heartbeat->condition);
    int64_t interval_ms = ack_wait_ms / BEATS_PER_ACK_WAIT;
    heartbeat->interval_ms = interval_ms < SHORTEST_MS ? SHORTEST_MS : interval_ms;
    broker_condition_wake(&heartbeat->condition);
}

void broker_heartbeat_set_link(broker_heartbeat *heartbeat, bool connected)
{
    BROKER_HOLD(&heartbeat->condition);
    heartbeat->at_once = connected && !heartbeat->connected;
    heartbeat->connected = connected;
    broker_condition_wake(&heartbeat->condition);
}

void broker_heartbeat_release(broker_heartbeat *heartbeat)
{
    pthread_mutex_lock(&heartbeat->beating);
    {
        BROKER_HOLD(&heartbeat->intake->condition);
        heartbeat->intake->in_hand = 0;
        heartbeat->intake->working_since_ms = 0;
    }
    pthread_mutex_unlock(&heartbeat->beating);
}
