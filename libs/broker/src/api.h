#pragma once
/* Requests to JetStream's own API ($JS.API.…), JSON in and out. */
#include "broker/connection.h"

#include <jansson.h>

#define BROKER_API_TIMEOUT_MS 5000

static inline void broker_json_release_at(json_t **value)
{
    json_decref(*value);
}
#define BROKER_JSON __attribute__((cleanup(broker_json_release_at))) json_t

/* Sends `request` (NULL: an empty body) to $JS.API.<subject> and waits. The caller owns *ret (json_decref).
 * `what` names the thing asked for in messages. BASE_UNPREPARED (no such stream or consumer), BASE_NOT_FOUND (message),
 * BASE_CONFLICT, BASE_INVALID (JetStream refuses the request), BASE_UNAVAILABLE, BASE_TIMEOUT. */
BASE_MUST_CHECK base_code broker_api(broker_connection *connection, const char *what, const char *subject,
                                     const json_t *request, json_t **ret, base_error *err);

/* The same for a question that changes nothing: it is asked again while nobody answers, as in a cluster that elects a leader. */
BASE_MUST_CHECK base_code broker_api_ask(broker_connection *connection, const char *what, const char *subject,
                                         const json_t *request, json_t **ret, base_error *err);

/* What these make of the bytes of an answer. Pure. */
BASE_MUST_CHECK base_code broker_api_read(const char *what, base_bytes answer, json_t **ret, base_error *err);

/* A name of a stream or consumer can stand in a subject. */
bool broker_name_is_valid(const char *name);

/* Reads an answer of JetStream's; *ret (NULL: it is no JSON) is the caller's. BASE_NO_MEMORY. */
BASE_MUST_CHECK base_code broker_json_parse(base_bytes text, json_t **ret, base_error *err);

/* The text of any value, on one line; NULL for want of memory. The caller frees it. */
char *broker_json_text(const json_t *value);

/* An unsigned number of an object, 0 when absent. */
uint64_t broker_json_uint(const json_t *object, const char *key);
