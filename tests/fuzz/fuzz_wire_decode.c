/* Bytes as each of the four messages: what is accepted encodes, and the encoding decodes to the same bytes again. All can be shown. */
#include "fuzz.h"
#include "wire/json.h"
#include "wire/messages.h"

typedef struct fuzz_codec {
    base_code (*decode)(base_bytes data, base_buffer *again, base_error *err); /* and encodes what was accepted */
} fuzz_codec;

static base_code generate_proof(base_bytes data, base_buffer *again, base_error *err)
{
    wire_generate_proof message;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    base_code code = wire_generate_proof_decode(data, &message, &owner, err);
    FUZZ_CHECK(code != BASE_OK || message.has_image == (owner != NULL));
    if (code == BASE_OK)
        FUZZ_CHECK(wire_generate_proof_encode(&message, again, err) == BASE_OK);
    return code;
}

static base_code publish_proof(base_bytes data, base_buffer *again, base_error *err)
{
    wire_publish_proof message;
    base_code code = wire_publish_proof_decode(data, &message, err);
    if (code == BASE_OK)
        FUZZ_CHECK(wire_publish_proof_encode(&message, again, err) == BASE_OK);
    return code;
}

static base_code prepare_transaction(base_bytes data, base_buffer *again, base_error *err)
{
    wire_publish_proof message;
    base_code code = wire_prepare_transaction_decode(data, &message, err);
    if (code == BASE_OK)
        FUZZ_CHECK(wire_prepare_transaction_encode(&message, again, err) == BASE_OK);
    return code;
}

static base_code status_changed(base_bytes data, base_buffer *again, base_error *err)
{
    wire_status_changed message;
    base_code code = wire_status_changed_decode(data, &message, err);
    if (code == BASE_OK)
        FUZZ_CHECK(wire_status_changed_encode(&message, again, err) == BASE_OK);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* In the order of wire_json_types(). */
    static const fuzz_codec CODECS[] = {{generate_proof}, {prepare_transaction}, {publish_proof}, {status_changed}};
    for (size_t i = 0; i < sizeof(CODECS) / sizeof(CODECS[0]); i++) {
        BASE_CLEANUP(base_buffer_done) base_buffer once = {.limit = WIRE_MESSAGE_MAX};
        BASE_CLEANUP(base_buffer_done) base_buffer twice = {.limit = WIRE_MESSAGE_MAX};
        base_error err = {0};
        base_code code = CODECS[i].decode(base_bytes_of(data, size), &once, &err);
        FUZZ_CHECK_ANSWER(code, err);
        if (code == BASE_OK) {
            FUZZ_CHECK(CODECS[i].decode(base_buffer_view(&once), &twice, &err) == BASE_OK);
            FUZZ_CHECK(base_bytes_equal(base_buffer_view(&once), base_buffer_view(&twice)));
        }
        BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = WIRE_JSON_MAX};
        base_code shown = wire_json_from_message(wire_json_types()[i], base_bytes_of(data, size), false, &json, &err);
        FUZZ_CHECK_ANSWER(shown, err);
        FUZZ_CHECK(code != BASE_OK || shown == BASE_OK);
    }
    return 0;
}
