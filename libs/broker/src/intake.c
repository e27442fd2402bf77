#include "intake.h"

#include "ack_subject.h"
#include "nats_status.h"

#include "base/clock.h"
#include "base/own.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CLOSE_MS           10000
#define DRAIN_MS           2000
#define QUEUED_BYTES_MAX   (4 * (int64_t)BROKER_PULL_BYTES_MAX)
#define STATUS_HEADER      "Status"
#define DESCRIPTION_HEADER "Description"

_Static_assert(QUEUED_BYTES_MAX <= INT32_MAX, "nats.c counts pending bytes in an int");

void broker_delivery_free(broker_delivery *delivery)
{
    if (delivery == NULL)
        return;
    natsMsg_Destroy(delivery->message);
    free(delivery);
}

static const char *header_of(natsMsg *message, const char *name)
{
    const char *value = NULL;
    return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : NULL;
}

static broker_delivery *read_delivery(natsMsg *message, const broker_delivery_facts *facts)
{
    broker_delivery *delivery = calloc(1, sizeof(*delivery));
    if (delivery == NULL)
        return NULL;
    delivery->message = message;
    delivery->job = (broker_job){
        .payload = base_bytes_of(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)),
        .subject = natsMsg_GetSubject(message),
        .message_id = header_of(message, "Nats-Msg-Id"),
        .traceparent = header_of(message, "traceparent"),
        .stream_sequence = facts->stream_sequence,
        .deliveries = facts->deliveries,
        .published_unix_ns = facts->stored_unix_ns,
    };
    return delivery;
}

static broker_delivery **find_sequence(broker_delivery **list, size_t count, uint64_t sequence)
{
    for (size_t i = 0; i < count; i++)
        if (list[i]->job.stream_sequence == sequence)
            return &list[i];
    return NULL;
}

bool broker_intake_holds(const broker_intake *intake, const broker_delivery *delivery)
{
    return !delivery->lost &&
           (intake->ack_wait_ms == 0 || base_boottime_ms() - delivery->alive_ms <= intake->ack_wait_ms);
}

void broker_intake_keep_alive(const broker_intake *intake, broker_delivery *delivery)
{
    delivery->lost = !broker_intake_holds(intake, delivery);
    if (!delivery->lost)
        delivery->alive_ms = base_boottime_ms();
}

/* What was lost is with somebody else, and a word of ours would take it from them. */
static void give_back(broker_intake *intake, broker_delivery *delivery, bool ours)
{
    if (ours)
        (void)natsConnection_Publish(intake->nats, natsMsg_GetReply(delivery->message), "-NAK", 4);
    broker_delivery_free(delivery);
}

/* A second delivery of a job that is still here (heartbeats were lost with the link): handled once all the same. */
static bool is_here_already(broker_intake *intake, broker_delivery *delivery)
{
    uint64_t sequence = delivery->job.stream_sequence;
    broker_delivery **here = find_sequence(intake->hand, intake->in_hand, sequence);
    if (here != NULL) {
        (*here)->alive_ms = delivery->alive_ms; /* the server has given it to us again */
        (*here)->lost = false;
        broker_delivery_free(delivery);
        return true;
    }
    broker_delivery **queued = find_sequence(intake->queue, intake->queued, sequence);
    if (queued == NULL)
        return false;
    broker_delivery_free(*queued);
    *queued = delivery;
    return true;
}

/* With the lock held. NULL when the queue keeps it, else the caller gives it back. */
static broker_delivery *enqueue(broker_intake *intake, broker_delivery *delivery)
{
    int64_t now = base_monotonic_ms();
    intake->last_arrival_ms = now;
    intake->pulled++;
    delivery->alive_ms = intake->open_since_ms; /* it may have waited in a socket while the process was frozen */
    if (intake->remaining > 0 && --intake->remaining == 0) {
        intake->end.ended = true;
        intake->unanswered = false;
    }
    if (delivery->job.deliveries > 1) {
        intake->redelivered++;
        if (is_here_already(intake, delivery))
            return NULL;
    }
    bool late = intake->working_since_ms != 0 && now - intake->working_since_ms > BROKER_SURPLUS_HOLD_MS;
    if (late || intake->queued == BROKER_INTAKE_MAX) {
        intake->given_back++;
        return delivery;
    }
    intake->queue[intake->queued++] = delivery;
    return NULL;
}

static void on_job(broker_intake *intake, natsMsg *message, const broker_delivery_facts *facts)
{
    broker_delivery *delivery = read_delivery(message, facts);
    if (delivery == NULL) {
        natsMsg_Destroy(message); /* no memory: the ack wait brings it again */
        return;
    }
    broker_delivery *surplus = NULL;
    bool ours = false;
    {
        BROKER_HOLD(&intake->condition);
        surplus = enqueue(intake, delivery);
        ours = surplus != NULL && broker_intake_holds(intake, surplus);
        if (intake->end.ended || intake->queued == 1) /* else the batch is neither begun nor full */
            broker_condition_wake(&intake->condition);
    }
    if (surplus != NULL)
        give_back(intake, surplus, ours);
}

/* "<inbox>.<number>": statuses carry the subject of their request, so those of earlier requests are known. */
static bool is_current(const broker_intake *intake, const char *subject)
{
    size_t prefix = strlen(intake->inbox);
    if (strncmp(subject, intake->inbox, prefix) != 0 || subject[prefix] != '.')
        return false;
    return strtoull(subject + prefix + 1, NULL, 10) == intake->request;
}

static void on_status(broker_intake *intake, natsMsg *message)
{
    const char *status = header_of(message, STATUS_HEADER);
    const char *text = header_of(message, DESCRIPTION_HEADER);
    int number = status == NULL ? 0 : (int)strtol(status, NULL, 10);
    if (number > 100) { /* 100 is an idle heartbeat */
        BROKER_HOLD(&intake->condition);
        if (is_current(intake, natsMsg_GetSubject(message))) {
            intake->end.ended = true;
            intake->unanswered = false;
            intake->end.status = number;
            snprintf(intake->end.text, sizeof(intake->end.text), "%d %s", number, text == NULL ? "" : text);
            broker_condition_wake(&intake->condition);
        }
    }
    natsMsg_Destroy(message);
}

static void on_message(natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *ctx)
{
    (void)nats;
    (void)subscription;
    broker_delivery_facts facts;
    if (broker_ack_subject_parse(natsMsg_GetReply(message), &facts))
        on_job(ctx, message, &facts);
    else
        on_status(ctx, message);
}

static void on_end(void *ctx)
{
    broker_intake *intake = ctx;
    BROKER_HOLD(&intake->condition);
    intake->closed = true;
    broker_condition_wake(&intake->condition);
}

static natsStatus subscribe(broker_intake *intake)
{
    natsInbox *inbox = NULL;
    natsStatus status = natsInbox_Create(&inbox);
    if (status != NATS_OK)
        return status;
    snprintf(intake->inbox, sizeof(intake->inbox), "%s", inbox);
    natsInbox_Destroy(inbox);
    char pattern[BROKER_INBOX_MAX + 2];
    snprintf(pattern, sizeof(pattern), "%s.*", intake->inbox);
    status = natsConnection_Subscribe(&intake->subscription, intake->nats, pattern, on_message, intake);
    if (status == NATS_OK)
        status = natsSubscription_SetOnCompleteCB(intake->subscription, on_end, intake);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(intake->subscription, BROKER_INTAKE_MAX, (int)QUEUED_BYTES_MAX);
    return status;
}

base_code broker_intake_init(broker_intake *intake, natsConnection *nats, broker_delivery **hand, base_error *err)
{
    intake->nats = nats;
    intake->hand = hand;
    base_code code = broker_condition_init(&intake->condition, err);
    if (code != BASE_OK)
        return code;
    natsStatus status = subscribe(intake);
    if (status == NATS_OK)
        return BASE_OK;
    if (intake->subscription == NULL)
        broker_condition_done(&intake->condition);
    return broker_fail(err, status, "cannot subscribe to an inbox");
}

/* A drain, because nats.c before 3.6.1 must not destroy a subscription while messages arrive; and it loses none of them. */
bool broker_intake_close(broker_intake *intake, bool connected)
{
    if (intake->subscription == NULL)
        return true;
    natsStatus status = connected ? natsSubscription_DrainTimeout(intake->subscription, DRAIN_MS) : NATS_TIMEOUT;
    if (status != NATS_OK)
        (void)natsSubscription_Unsubscribe(intake->subscription);
    {
        BROKER_HOLD(&intake->condition);
        int64_t deadline = base_monotonic_ms() + CLOSE_MS;
        while (!intake->closed)
            if (!broker_condition_wait(&intake->condition, deadline))
                return false;
    }
    natsSubscription_Destroy(BASE_TAKE(intake->subscription));
    return true;
}

void broker_intake_done(broker_intake *intake)
{
    for (size_t i = 0; i < intake->queued; i++)
        broker_delivery_free(intake->queue[i]);
    broker_condition_done(&intake->condition);
}

void broker_intake_set_link(broker_intake *intake, bool linked)
{
    BROKER_HOLD(&intake->condition);
    intake->linked = linked;
    intake->voided = true;
    intake->unanswered = false; /* nothing more comes of it */
    intake->end.ended = true;
    broker_condition_wake(&intake->condition);
}

void broker_intake_stop(broker_intake *intake)
{
    BROKER_HOLD(&intake->condition);
    intake->stopping = true;
    intake->end.ended = true;
    broker_condition_wake(&intake->condition);
}

void broker_intake_note_pulse(broker_intake *intake)
{
    int64_t now = base_boottime_ms();
    if (intake->pulse_ms != 0 && now - intake->pulse_ms > intake->ack_wait_ms)
        intake->frozen_ms = now;
    intake->pulse_ms = now;
}

void broker_intake_expect(broker_intake *intake, size_t batch, char ret[BROKER_INBOX_MAX + 24])
{
    int64_t now = base_boottime_ms();
    broker_intake_note_pulse(intake);
    /* The server does not say which pull a job answers. A process that ran on has read all that came of the one before. */
    bool stale = intake->unanswered && intake->requested_ms <= intake->frozen_ms;
    intake->open_since_ms = stale ? intake->requested_ms : now;
    intake->requested_ms = now;
    intake->unanswered = true;
    intake->request++;
    intake->remaining = batch;
    intake->end = (broker_pull_end){0};
    intake->voided = false;
    snprintf(ret, BROKER_INBOX_MAX + 24, "%s.%" PRIu64, intake->inbox, intake->request);
}

size_t broker_intake_take(broker_intake *intake, broker_delivery **ret, size_t count)
{
    if (count > intake->queued)
        count = intake->queued;
    memcpy(ret, intake->queue, count * sizeof(broker_delivery *));
    intake->queued -= count;
    memmove(intake->queue, intake->queue + count, intake->queued * sizeof(broker_delivery *));
    return count;
}
