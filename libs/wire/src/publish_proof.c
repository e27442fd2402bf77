#include "codec.h"
#include "proofline/v1/jobs.pb-c.h"
#include "rules.h"
#include "wire/messages.h"

#include <stddef.h>

/* PublishProof and PrepareTransaction have the same fields, so that one pair of functions serves both. */
#define SAME_PLACE(field)                                                                                              \
    _Static_assert(offsetof(Proofline__V1__PublishProof, field) == offsetof(Proofline__V1__PrepareTransaction, field), \
                   #field " lies elsewhere in PrepareTransaction")
SAME_PLACE(sha256);
SAME_PLACE(correlation_id);
SAME_PLACE(submitted_at_unix_ms);
SAME_PLACE(chain_id);
SAME_PLACE(zkapp_address);
SAME_PLACE(proof_format);
SAME_PLACE(proof_digest);
_Static_assert(sizeof(Proofline__V1__PublishProof) == sizeof(Proofline__V1__PrepareTransaction), "sizes differ");

static base_code take_message(const Proofline__V1__PublishProof *from, wire_publish_proof *ret, base_error *err)
{
    base_code code = wire_take_bytes("sha256", wire_bytes(from->sha256), ret->sha256.bytes, BASE_SHA256_SIZE, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_CORRELATION_ID, from->correlation_id, ret->correlation_id, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_PROOF_FORMAT, from->proof_format, ret->proof_format, err);
    if (code == BASE_OK)
        code = wire_take_bytes("proof_digest", wire_bytes(from->proof_digest), ret->proof_digest.bytes,
                               BASE_DIGEST_SIZE, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_ZKAPP_ADDRESS, from->zkapp_address, ret->zkapp_address, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_CHAIN_ID, from->chain_id, ret->chain_id, err);
    if (code == BASE_OK)
        code = wire_check_time("submitted_at_unix_ms", from->submitted_at_unix_ms, err);
    ret->submitted_unix_ms = from->submitted_at_unix_ms;
    return code;
}

static base_code check_values(const wire_publish_proof *message, base_error *err)
{
    base_code code = wire_check_text(&WIRE_RULE_CORRELATION_ID, message->correlation_id, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_PROOF_FORMAT, message->proof_format, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_ZKAPP_ADDRESS, message->zkapp_address, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_CHAIN_ID, message->chain_id, err);
    if (code == BASE_OK)
        code = wire_check_time("submitted_at_unix_ms", message->submitted_unix_ms, err);
    return code;
}

static base_code decode(const ProtobufCMessageDescriptor *type, base_bytes data, wire_publish_proof *ret,
                        base_error *err)
{
    BASE_CLEANUP(wire_unpacked_done) wire_unpacked unpacked;
    wire_publish_proof message = {0};
    base_code code = wire_unpack(type, data, &unpacked, err);
    if (code == BASE_OK)
        code = take_message((const Proofline__V1__PublishProof *)unpacked.message, &message, err);
    if (code == BASE_OK)
        *ret = message;
    return code;
}

static base_code encode(const ProtobufCMessageDescriptor *type, const wire_publish_proof *message, base_buffer *ret,
                        base_error *err)
{
    base_code code = check_values(message, err);
    if (code != BASE_OK)
        return code;
    Proofline__V1__PublishProof out = PROOFLINE__V1__PUBLISH_PROOF__INIT;
    out.base.descriptor = type;
    out.sha256 = wire_binary(message->sha256.bytes, BASE_SHA256_SIZE);
    out.correlation_id = wire_string(message->correlation_id);
    out.submitted_at_unix_ms = message->submitted_unix_ms;
    out.chain_id = wire_string(message->chain_id);
    out.zkapp_address = wire_string(message->zkapp_address);
    out.proof_format = wire_string(message->proof_format);
    out.proof_digest = wire_binary(message->proof_digest.bytes, BASE_DIGEST_SIZE);
    return wire_pack(&out.base, ret, err);
}

base_code wire_publish_proof_decode(base_bytes data, wire_publish_proof *ret, base_error *err)
{
    return decode(&proofline__v1__publish_proof__descriptor, data, ret, err);
}

base_code wire_prepare_transaction_decode(base_bytes data, wire_publish_proof *ret, base_error *err)
{
    return decode(&proofline__v1__prepare_transaction__descriptor, data, ret, err);
}

base_code wire_publish_proof_encode(const wire_publish_proof *message, base_buffer *ret, base_error *err)
{
    return encode(&proofline__v1__publish_proof__descriptor, message, ret, err);
}

base_code wire_prepare_transaction_encode(const wire_publish_proof *message, base_buffer *ret, base_error *err)
{
    return encode(&proofline__v1__prepare_transaction__descriptor, message, ret, err);
}
