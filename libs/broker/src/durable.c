#include "durable.h"

#include "base/own.h"

#include <stdio.h>
#include <string.h>

#define SUBJECT_MAX 600
#define NS_PER_MS   1000000

static base_code read_info(broker_connection *connection, const char *stream, const char *durable, json_t **ret,
                           base_error *err)
{
    if (!broker_name_is_valid(stream) || !broker_name_is_valid(durable))
        return base_fail(err, BASE_INVALID, "no valid name of a stream and consumer: %.80s, %.80s", stream, durable);
    char subject[SUBJECT_MAX];
    char what[BASE_ERROR_MESSAGE];
    snprintf(subject, sizeof(subject), "CONSUMER.INFO.%s.%s", stream, durable);
    snprintf(what, sizeof(what), "consumer %s of stream %s", durable, stream);
    base_code code = broker_api_ask(connection, what, subject, NULL, ret, err);
    if (code != BASE_OK || json_object_get(*ret, "config") != NULL)
        return code;
    json_decref(BASE_TAKE(*ret)); /* it is just being deleted: a server tells that by an answer without contents */
    return base_fail(err, BASE_UNPREPARED, "%s: consumer not found: run `proofctl topology apply`", what);
}

void broker_durable_fill(const json_t *info, broker_durable_state *ret)
{
    *ret = (broker_durable_state){
        .pending = broker_json_uint(info, "num_pending"),
        .ack_pending = broker_json_uint(info, "num_ack_pending"),
        .ack_floor_sequence = broker_json_uint(json_object_get(info, "ack_floor"), "stream_seq"),
        .delivered_sequence = broker_json_uint(json_object_get(info, "delivered"), "stream_seq"),
        .deliveries = broker_json_uint(json_object_get(info, "delivered"), "consumer_seq"),
        .ack_wait_ms = (int64_t)broker_json_uint(json_object_get(info, "config"), "ack_wait") / NS_PER_MS,
    };
}

base_code broker_durable_read_state(broker_connection *connection, const char *stream, const char *durable,
                                    broker_durable_state *ret, base_error *err)
{
    BROKER_JSON *info = NULL;
    base_code code = read_info(connection, stream, durable, &info, err);
    if (code == BASE_OK)
        broker_durable_fill(info, ret);
    return code;
}

base_code broker_durable_bind(broker_connection *connection, const char *stream, const char *durable,
                              broker_durable_state *ret, base_error *err)
{
    BROKER_JSON *info = NULL;
    base_code code = read_info(connection, stream, durable, &info, err);
    if (code != BASE_OK)
        return code;
    const json_t *config = json_object_get(info, "config");
    const char *policy = json_string_value(json_object_get(config, "ack_policy"));
    if (json_object_get(config, "deliver_subject") != NULL || policy == NULL || strcmp(policy, "explicit") != 0)
        return base_fail(err, BASE_INVALID,
                         "consumer %s of stream %s is not a pull consumer with explicit acks: delete it and run "
                         "`proofctl topology apply`",
                         durable, stream);
    broker_durable_fill(info, ret);
    if (ret->ack_wait_ms <= 0)
        return base_fail(err, BASE_INVALID, "consumer %s of stream %s has no ack wait", durable, stream);
    return BASE_OK;
}
