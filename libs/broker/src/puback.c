#include "puback.h"

#include "api.h"

#include <string.h>

/* Numbers of the server's errors.json. */
enum {
    ACCOUNT_LIMIT = 10002,       /* the account's streams are full; the server calls it a bad request (400) */
    MESSAGE_TOO_LARGE = 10054,   /* the stream's max_msg_size */
    WRONG_LAST_ID = 10070,       /* Nats-Expected-Last-Msg-Id */
    WRONG_LAST_SEQUENCE = 10071, /* Nats-Expected-Last-Sequence */
    BAD_REQUEST = 400,
};

static base_code code_of(json_int_t code, json_int_t err_code)
{
    if (err_code == MESSAGE_TOO_LARGE)
        return BASE_LIMIT;
    if (err_code == WRONG_LAST_ID || err_code == WRONG_LAST_SEQUENCE)
        return BASE_CONFLICT;
    return code == BAD_REQUEST && err_code != ACCOUNT_LIMIT ? BASE_INVALID : BASE_UNAVAILABLE;
}

base_code broker_puback_parse(base_bytes json, broker_publish_result *ret, base_error *err)
{
    memset(ret, 0, sizeof(*ret));
    BROKER_JSON *root = NULL;
    if (broker_json_parse(json, &root, err) != BASE_OK)
        return ret->code = base_fail(err, BASE_AMBIGUOUS, "no memory to read the acknowledgement");
    json_t *error = json_object_get(root, "error");
    if (error != NULL) {
        const char *words = json_string_value(json_object_get(error, "description"));
        json_int_t err_code = json_integer_value(json_object_get(error, "err_code"));
        ret->code = code_of(json_integer_value(json_object_get(error, "code")), err_code);
        return base_fail(err, ret->code, "JetStream refuses it: %s (%d)", words == NULL ? "no reason given" : words,
                         (int)err_code);
    }
    json_int_t sequence = json_integer_value(json_object_get(root, "seq"));
    if (sequence <= 0 || json_string_value(json_object_get(root, "stream")) == NULL) {
        ret->code = BASE_AMBIGUOUS;
        return base_fail(err, BASE_AMBIGUOUS, "the answer is no JetStream acknowledgement");
    }
    ret->duplicate = json_is_true(json_object_get(root, "duplicate"));
    ret->sequence = (uint64_t)sequence;
    return BASE_OK;
}
