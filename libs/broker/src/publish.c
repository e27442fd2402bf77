#include "broker/publish.h"

#include "link.h"
#include "nats_status.h"
#include "puback.h"

#include "base/clock.h"

#include <limits.h>
#include <string.h>

#define MESSAGE_ID "Nats-Msg-Id"

_Static_assert(BROKER_PUBLISH_BATCH_MAX <= BROKER_CALL_MAX, "a batch is one call");

static inline void message_destroy_at(natsMsg **message)
{
    natsMsg_Destroy(*message);
}

/* nats.c writes these into the protocol as they are, so a space or line break would be a command. */
static bool subject_is_valid(const char *subject)
{
    if (subject == NULL || subject[0] == '\0')
        return false;
    for (const char *at = subject; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '*' || *at == '>')
            return false;
    return true;
}

static bool header_is_valid(const char *name, const char *value)
{
    return name != NULL && name[0] != '\0' && strpbrk(name, ": \r\n") == NULL && value != NULL &&
           strpbrk(value, "\r\n") == NULL;
}

static base_code check_message(const broker_message *message, base_error *err)
{
    if (!subject_is_valid(message->subject))
        return base_fail(err, BASE_INVALID, "cannot publish to subject \"%.100s\"",
                         message->subject == NULL ? "" : message->subject);
    if (message->header_count > BROKER_HEADERS_MAX)
        return base_fail(err, BASE_LIMIT, "%s: more than %d headers", message->subject, BROKER_HEADERS_MAX);
    if (message->message_id != NULL && !header_is_valid(MESSAGE_ID, message->message_id))
        return base_fail(err, BASE_INVALID, "%s: message id with a line break", message->subject);
    for (size_t i = 0; i < message->header_count; i++)
        if (!header_is_valid(message->headers[i].name, message->headers[i].value))
            return base_fail(err, BASE_INVALID, "%s: header %zu cannot be sent", message->subject, i);
    if (message->payload.size > INT_MAX)
        return base_fail(err, BASE_LIMIT, "%s: payload of %zu bytes", message->subject, message->payload.size);
    return BASE_OK;
}

static natsStatus add_headers(natsMsg *nats, const broker_message *message)
{
    natsStatus status = NATS_OK;
    if (message->message_id != NULL)
        status = natsMsgHeader_Set(nats, MESSAGE_ID, message->message_id);
    for (size_t i = 0; status == NATS_OK && i < message->header_count; i++)
        status = natsMsgHeader_Set(nats, message->headers[i].name, message->headers[i].value);
    return status;
}

static base_code send_one(broker_connection *connection, const broker_message *message, const char *reply,
                          base_error *err)
{
    base_code code = check_message(message, err);
    if (code != BASE_OK)
        return code;
    __attribute__((cleanup(message_destroy_at))) natsMsg *nats = NULL;
    natsStatus status =
        natsMsg_Create(&nats, message->subject, reply, (const char *)message->payload.data, (int)message->payload.size);
    if (status == NATS_OK)
        status = add_headers(nats, message);
    if (status == NATS_OK)
        status = natsConnection_PublishMsg(broker_link_nats(connection), nats);
    if (status == NATS_MAX_PAYLOAD)
        return base_fail(err, BASE_LIMIT,
                         "%s: a payload of %zu bytes with its headers exceeds the server's maximum of %lld",
                         message->subject, message->payload.size, (long long)broker_connection_max_payload(connection));
    return status == NATS_OK ? BASE_OK : broker_fail(err, status, "publish to %s", message->subject);
}

/* Keeps the first failure of the batch for the caller. */
static void note_failure(base_code code, const base_error *detail, base_code *first, base_error *err)
{
    if (code == BASE_OK || *first != BASE_OK)
        return;
    *first = code;
    if (err != NULL)
        *err = *detail;
}

static base_code read_answer(const broker_message *message, natsMsg *answer, base_code waited,
                             broker_publish_result *ret, base_error *err)
{
    memset(ret, 0, sizeof(*ret));
    if (answer == NULL) {
        ret->code = BASE_AMBIGUOUS;
        return base_fail(err, BASE_AMBIGUOUS, "publish to %s: %s before JetStream answered", message->subject,
                         waited == BASE_TIMEOUT ? "time ran out" : "the connection was lost");
    }
    if (natsMsg_IsNoResponders(answer)) {
        ret->code = BASE_UNAVAILABLE;
        return base_fail(err, BASE_UNAVAILABLE,
                         "no stream takes subject %s: it has no leader at present, or is missing: run `proofctl "
                         "topology apply`",
                         message->subject);
    }
    base_bytes json = base_bytes_of(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer));
    if (broker_puback_parse(json, ret, err) == BASE_OK)
        return BASE_OK;
    return err == NULL ? ret->code : base_fail_within(err, "publish to %s", message->subject);
}

static base_code fail_all(size_t count, base_code code, broker_publish_result *results)
{
    for (size_t i = 0; i < count; i++)
        results[i] = (broker_publish_result){.code = code};
    return code;
}

base_code broker_publish(broker_connection *connection, const broker_message *messages, size_t count,
                         int64_t timeout_ms, broker_publish_result *results, base_error *err)
{
    if (count == 0)
        return BASE_OK;
    if (count > BROKER_PUBLISH_BATCH_MAX)
        return fail_all(
            count, base_fail(err, BASE_LIMIT, "more than %d messages in one batch", BROKER_PUBLISH_BATCH_MAX), results);
    int64_t deadline_ms = base_monotonic_ms() + timeout_ms;
    base_code code = broker_connection_check(connection, err);
    if (code != BASE_OK)
        return fail_all(count, code == BASE_DENIED ? BASE_DENIED : BASE_UNAVAILABLE, results);
    __attribute__((cleanup(broker_call_end_at))) broker_call call = {0};
    code = broker_call_begin(broker_link_replies(connection), count, &call, err);
    if (code != BASE_OK)
        return fail_all(count, code, results);
    base_code first = BASE_OK;
    base_error detail = {0};
    for (size_t i = 0; i < count; i++) {
        char reply[BROKER_REPLY_SUBJECT_MAX];
        broker_call_subject(&call, i, reply);
        results[i] = (broker_publish_result){.code = send_one(connection, &messages[i], reply, &detail)};
        if (results[i].code != BASE_OK)
            broker_call_forgo(&call);
        note_failure(results[i].code, &detail, &first, err);
    }
    broker_link_flush(connection);
    base_code waited = broker_call_wait(&call, deadline_ms);
    broker_call_close(&call);
    for (size_t i = 0; i < count; i++)
        if (results[i].code == BASE_OK)
            note_failure(read_answer(&messages[i], call.answers[i], waited, &results[i], &detail), &detail, &first,
                         err);
    return first;
}
