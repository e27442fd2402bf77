#include "replies.h"

#include "base/clock.h"
#include "base/own.h"
#include "nats_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ANSWERS_QUEUED_MAX  (64 * BROKER_CALL_MAX)
#define ANSWER_BYTES_MAX    (64 * 1024 * 1024)
#define DELIVERY_THREAD_MS  10000
#define ANSWER_SUBJECT_FORM "%s.%" PRIx64 ".%zx"

/* "<inbox>.<call>.<index>", both in hex. */
static bool parse_subject(const broker_replies *replies, const char *subject, uint64_t *call, size_t *index)
{
    size_t prefix = strlen(replies->inbox);
    if (strncmp(subject, replies->inbox, prefix) != 0 || subject[prefix] != '.')
        return false;
    char *end = NULL;
    *call = strtoull(subject + prefix + 1, &end, 16);
    if (*end != '.')
        return false;
    *index = (size_t)strtoull(end + 1, &end, 16);
    return *end == '\0';
}

static broker_call *find_call(const broker_replies *replies, uint64_t id)
{
    broker_call *call = replies->calls;
    while (call != NULL && call->id != id)
        call = call->next;
    return call;
}

static void on_answer(natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *ctx)
{
    (void)nats;
    (void)subscription;
    broker_replies *replies = ctx;
    uint64_t id = 0;
    size_t index = 0;
    if (parse_subject(replies, natsMsg_GetSubject(message), &id, &index)) {
        BROKER_HOLD(&replies->condition);
        broker_call *call = find_call(replies, id);
        if (call != NULL && index < call->count && call->answers[index] == NULL) {
            call->answers[index] = BASE_TAKE(message);
            call->pending--;
            if (call->pending == 0)
                broker_condition_wake(&replies->condition);
        }
    }
    natsMsg_Destroy(message);
}

static void on_end(void *ctx)
{
    broker_replies *replies = ctx;
    BROKER_HOLD(&replies->condition);
    replies->ended = true;
    broker_condition_wake(&replies->condition);
}

static natsStatus subscribe(broker_replies *replies, natsConnection *nats)
{
    natsInbox *inbox = NULL;
    natsStatus status = natsInbox_Create(&inbox);
    if (status != NATS_OK)
        return status;
    snprintf(replies->inbox, sizeof(replies->inbox), "%s", inbox);
    natsInbox_Destroy(inbox);
    char pattern[BROKER_REPLY_SUBJECT_MAX + 8];
    snprintf(pattern, sizeof(pattern), "%s.*.*", replies->inbox);
    status = natsConnection_Subscribe(&replies->subscription, nats, pattern, on_answer, replies);
    if (status == NATS_OK)
        status = natsSubscription_SetOnCompleteCB(replies->subscription, on_end, replies);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(replies->subscription, ANSWERS_QUEUED_MAX, ANSWER_BYTES_MAX);
    return status;
}

base_code broker_replies_init(broker_replies *replies, base_error *err)
{
    memset(replies, 0, sizeof(*replies));
    return broker_condition_init(&replies->condition, err);
}

base_code broker_replies_subscribe(broker_replies *replies, natsConnection *nats, base_error *err)
{
    natsStatus status = subscribe(replies, nats);
    return status == NATS_OK ? BASE_OK : broker_fail(err, status, "cannot subscribe to answers");
}

bool broker_replies_done(broker_replies *replies)
{
    if (replies->subscription != NULL) {
        BROKER_HOLD(&replies->condition);
        int64_t deadline = base_monotonic_ms() + DELIVERY_THREAD_MS;
        while (!replies->ended)
            if (!broker_condition_wait(&replies->condition, deadline))
                return false;
    }
    natsSubscription_Destroy(BASE_TAKE(replies->subscription));
    broker_condition_done(&replies->condition);
    return true;
}

void broker_replies_break(broker_replies *replies)
{
    BROKER_HOLD(&replies->condition);
    for (broker_call *call = replies->calls; call != NULL; call = call->next)
        call->broken = true;
    broker_condition_wake(&replies->condition);
}

base_code broker_call_begin(broker_replies *replies, size_t count, broker_call *call, base_error *err)
{
    memset(call, 0, sizeof(*call));
    call->answers = calloc(count, sizeof(natsMsg *));
    if (call->answers == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu answers", count);
    call->owner = replies;
    call->count = count;
    call->pending = count;
    BROKER_HOLD(&replies->condition);
    call->id = ++replies->next_id;
    call->next = replies->calls;
    replies->calls = call;
    return BASE_OK;
}

void broker_call_subject(const broker_call *call, size_t index, char *ret)
{
    snprintf(ret, BROKER_REPLY_SUBJECT_MAX, ANSWER_SUBJECT_FORM, call->owner->inbox, call->id, index);
}

void broker_call_forgo(broker_call *call)
{
    BROKER_HOLD(&call->owner->condition);
    call->pending--;
}

base_code broker_call_wait(broker_call *call, int64_t deadline_ms)
{
    BROKER_HOLD(&call->owner->condition);
    while (call->pending > 0) {
        if (call->broken)
            return BASE_UNAVAILABLE;
        if (!broker_condition_wait(&call->owner->condition, deadline_ms))
            return call->pending == 0 ? BASE_OK : BASE_TIMEOUT;
    }
    return BASE_OK;
}

void broker_call_close(broker_call *call)
{
    BROKER_HOLD(&call->owner->condition);
    broker_call **at = &call->owner->calls;
    while (*at != NULL && *at != call)
        at = &(*at)->next;
    if (*at == call)
        *at = call->next;
}

void broker_call_end(broker_call *call)
{
    if (call->owner == NULL)
        return;
    broker_call_close(call);
    for (size_t i = 0; i < call->count; i++)
        natsMsg_Destroy(call->answers[i]);
    free(call->answers);
    memset(call, 0, sizeof(*call));
}
