#include "api.h"

#include "link.h"
#include "nats_status.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define API_SUBJECT_MAX 512
#define AGAIN_MS        500 /* after which an unanswered question is asked again */

/* Numbers of the server's errors.json. */
enum {
    NO_PEERS = 10005,
    CONSUMER_NAME_EXISTS = 10013,
    CONSUMER_NOT_FOUND = 10014,
    SEQUENCE_NOT_FOUND = 10043,
    DELETE_FAILED = 10057, /* for any reason, in words */
    STREAM_NAME_EXISTS = 10058,
    STREAM_NOT_FOUND = 10059,
    REPLICAS_NOT_SUPPORTED = 10074, /* a single server; it calls this an error of its own (500) */
    CONSUMER_EXISTS = 10148,
    HTTP_NOT_FOUND = 404,
    HTTP_SERVER_ERROR = 500,
};

bool broker_name_is_valid(const char *name)
{
    if (name == NULL || name[0] == '\0' || strlen(name) > 255)
        return false;
    for (const char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || strchr(".*>/\\\x7f", *at) != NULL)
            return false;
    return true;
}

/* At load time, when there is only one thread. */
__attribute__((constructor)) static void note_memory(void)
{
    json_set_alloc_funcs(base_noting_malloc, free);
}

base_code broker_json_parse(base_bytes text, json_t **ret, base_error *err)
{
    base_memory_forget();
    BROKER_JSON *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    if (base_memory_lacked())
        return base_fail(err, BASE_NO_MEMORY, "no memory to read JetStream's answer of %zu bytes", text.size);
    *ret = BASE_TAKE(root);
    return BASE_OK;
}

char *broker_json_text(const json_t *value)
{
    base_memory_forget();
    BASE_CLEANUP(free) char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    return base_memory_lacked() ? NULL : BASE_TAKE(text);
}

uint64_t broker_json_uint(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static base_code refuse(const char *what, const json_t *error, base_error *err)
{
    const char *words = json_string_value(json_object_get(error, "description"));
    if (words == NULL)
        words = "refused without a reason";
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    json_int_t err_code = json_integer_value(json_object_get(error, "err_code"));
    bool no_message =
        err_code == DELETE_FAILED && (strcmp(words, "no message found") == 0 || strcmp(words, "stream store EOF") == 0);
    if (err_code == STREAM_NOT_FOUND || err_code == CONSUMER_NOT_FOUND)
        return base_fail(err, BASE_UNPREPARED, "%s: %s: run `proofctl topology apply`", what, words);
    if (code == HTTP_NOT_FOUND || err_code == SEQUENCE_NOT_FOUND || no_message)
        return base_fail(err, BASE_NOT_FOUND, "%s: %s", what, words);
    if (err_code == NO_PEERS)
        return base_fail(err, BASE_UNAVAILABLE,
                         "%s: %s: fewer servers with JetStream are up and have room than it is to have replicas", what,
                         words);
    if (err_code == STREAM_NAME_EXISTS || err_code == CONSUMER_EXISTS || err_code == CONSUMER_NAME_EXISTS)
        return base_fail(err, BASE_CONFLICT, "%s: %s", what, words);
    bool is_away = code >= HTTP_SERVER_ERROR && err_code != REPLICAS_NOT_SUPPORTED;
    return base_fail(err, is_away ? BASE_UNAVAILABLE : BASE_INVALID, "%s: %s (%d)", what, words, (int)err_code);
}

base_code broker_api_read(const char *what, base_bytes answer, json_t **ret, base_error *err)
{
    BROKER_JSON *root = NULL;
    base_code code = broker_json_parse(answer, &root, err);
    if (code != BASE_OK)
        return code;
    if (!json_is_object(root))
        return base_fail(err, BASE_UNAVAILABLE, "%s: the answer is not JSON", what);
    const json_t *error = json_object_get(root, "error");
    if (error != NULL)
        return refuse(what, error, err);
    *ret = BASE_TAKE(root);
    return BASE_OK;
}

static base_code no_answer(broker_connection *connection, const char *what, base_error *err)
{
    base_code code = broker_connection_check(connection, err);
    if (code != BASE_OK)
        return code;
    broker_server_text complaint = broker_link_complaint(connection);
    return base_fail(err, BASE_TIMEOUT, "%s: no answer from JetStream within %d ms%s%s", what, BROKER_API_TIMEOUT_MS,
                     complaint.text[0] == '\0' ? "" : "; the server says: ", complaint.text);
}

/* Sends the request, and again while `again` and nobody answers: a cluster without a leader leaves a request lie, so that one sent
 * just before the election would cost all of the timeout. The first answer counts. No answer: the time ran out or the link was lost. */
static base_code exchange(broker_connection *connection, const char *subject, const char *body, bool again,
                          broker_call *call, base_error *err)
{
    char reply[BROKER_REPLY_SUBJECT_MAX];
    int64_t deadline_ms = base_monotonic_ms() + BROKER_API_TIMEOUT_MS;
    base_code code = broker_call_begin(broker_link_replies(connection), 1, call, err);
    if (code != BASE_OK)
        return code;
    broker_call_subject(call, 0, reply);
    for (base_code waited = BASE_TIMEOUT; waited == BASE_TIMEOUT && base_monotonic_ms() < deadline_ms;) {
        natsStatus status = natsConnection_PublishRequestString(broker_link_nats(connection), subject, reply, body);
        if (status != NATS_OK)
            return broker_fail(err, status, "request to JetStream");
        broker_link_flush(connection);
        int64_t again_ms = base_monotonic_ms() + AGAIN_MS;
        waited = broker_call_wait(call, again && again_ms < deadline_ms ? again_ms : deadline_ms);
    }
    broker_call_close(call);
    return BASE_OK;
}

static base_code read_answer(broker_connection *connection, const char *what, natsMsg *answer, json_t **ret,
                             base_error *err)
{
    if (answer == NULL)
        return no_answer(connection, what, err);
    if (natsMsg_IsNoResponders(answer))
        return base_fail(err, BASE_UNAVAILABLE, "%s: JetStream is off or not ready on %s", what,
                         broker_connection_server(connection).text);
    return broker_api_read(what, base_bytes_of(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer)), ret,
                           err);
}

static base_code run(broker_connection *connection, const char *what, const char *subject, const json_t *request,
                     bool again, json_t **ret, base_error *err)
{
    base_code code = broker_connection_check(connection, err);
    if (code != BASE_OK)
        return code;
    char full[API_SUBJECT_MAX];
    if (snprintf(full, sizeof(full), "$JS.API.%s", subject) >= (int)sizeof(full))
        return base_fail(err, BASE_INVALID, "%s: the name is too long", what);
    BASE_CLEANUP(free) char *body = request == NULL ? NULL : broker_json_text(request);
    if (request != NULL && body == NULL)
        return base_fail(err, BASE_NO_MEMORY, "%s: no memory for the request", what);
    __attribute__((cleanup(broker_call_end_at))) broker_call call = {0};
    code = exchange(connection, full, body == NULL ? "" : body, again, &call, err);
    return code == BASE_OK ? read_answer(connection, what, call.answers[0], ret, err) : code;
}

base_code broker_api(broker_connection *connection, const char *what, const char *subject, const json_t *request,
                     json_t **ret, base_error *err)
{
    return run(connection, what, subject, request, false, ret, err);
}

base_code broker_api_ask(broker_connection *connection, const char *what, const char *subject, const json_t *request,
                         json_t **ret, base_error *err)
{
    return run(connection, what, subject, request, true, ret, err);
}
