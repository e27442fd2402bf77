#include "broker/stream.h"

#include "stored.h"

#include <stdio.h>

#define SUBJECT_MAX 320

typedef base_code api_function(broker_connection *, const char *, const char *, const json_t *, json_t **,
                               base_error *);

static base_code ask(api_function *api, broker_connection *connection, const char *stream, const char *verb,
                     const char *what, const json_t *request, json_t **ret, base_error *err)
{
    if (!broker_name_is_valid(stream))
        return base_fail(err, BASE_INVALID, "no valid name of a stream: %.80s", stream == NULL ? "" : stream);
    char subject[SUBJECT_MAX];
    snprintf(subject, sizeof(subject), "STREAM.%s.%s", verb, stream);
    return api(connection, what, subject, request, ret, err);
}

static base_code get_message(broker_connection *connection, const char *stream, const char *what, json_t *request,
                             broker_stored *ret, base_error *err)
{
    if (request == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a request");
    BROKER_JSON *answer = NULL;
    base_code code = ask(broker_api_ask, connection, stream, "MSG.GET", what, request, &answer, err);
    if (code != BASE_OK)
        return code;
    return broker_stored_parse(json_object_get(answer, "message"), ret, err);
}

base_code broker_stream_get(broker_connection *connection, const char *stream, uint64_t sequence, broker_stored *ret,
                            base_error *err)
{
    char what[BASE_ERROR_MESSAGE];
    snprintf(what, sizeof(what), "message %llu of stream %.64s", (unsigned long long)sequence, stream);
    if (sequence == 0) /* the server would take it for a question without a sequence */
        return base_fail(err, BASE_NOT_FOUND, "%s: sequences start at 1", what);
    BROKER_JSON *request = json_pack("{s:I}", "seq", (json_int_t)sequence);
    return get_message(connection, stream, what, request, ret, err);
}

base_code broker_stream_next(broker_connection *connection, const char *stream, uint64_t sequence, const char *subject,
                             broker_stored *ret, base_error *err)
{
    char what[BASE_ERROR_MESSAGE];
    snprintf(what, sizeof(what), "a message on %.80s from %llu in stream %.64s", subject, (unsigned long long)sequence,
             stream);
    BROKER_JSON *request =
        json_pack("{s:I, s:s}", "seq", (json_int_t)(sequence == 0 ? 1 : sequence), "next_by_subj", subject);
    return get_message(connection, stream, what, request, ret, err);
}

base_code broker_stream_read_state(broker_connection *connection, const char *stream, broker_stream_state *ret,
                                   base_error *err)
{
    char what[BASE_ERROR_MESSAGE];
    snprintf(what, sizeof(what), "stream %.64s", stream);
    BROKER_JSON *answer = NULL;
    base_code code = ask(broker_api_ask, connection, stream, "INFO", what, NULL, &answer, err);
    if (code != BASE_OK)
        return code;
    const json_t *state = json_object_get(answer, "state");
    *ret = (broker_stream_state){
        .messages = broker_json_uint(state, "messages"),
        .bytes = broker_json_uint(state, "bytes"),
        .first_sequence = broker_json_uint(state, "first_seq"),
        .last_sequence = broker_json_uint(state, "last_seq"),
    };
    return BASE_OK;
}
