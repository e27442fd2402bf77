#include "codec.h"
#include "proofline/v1/jobs.pb-c.h"
#include "rules.h"
#include "wire/messages.h"

#include <string.h>

enum { ROUND_WORDS = 8 };

/* Where the image lives after decoding. */
struct wire_owner {
    size_t size;
    uint8_t image[];
};

void wire_owner_free(wire_owner *owner)
{
    free(owner);
}

static base_code check_image(size_t size, base_error *err)
{
    if (size == 0)
        return base_fail(err, BASE_INVALID, "image must not be empty");
    if (size > WIRE_IMAGE_MAX)
        return base_fail(err, BASE_INVALID, "image must be at most %d bytes, not %zu", WIRE_IMAGE_MAX, size);
    return BASE_OK;
}

static base_code take_words(const char *field, const uint32_t *words, size_t count, uint32_t *ret, base_error *err)
{
    if (count != ROUND_WORDS)
        return base_fail(err, BASE_INVALID, "%s must have %d values, not %zu", field, ROUND_WORDS, count);
    memcpy(ret, words, sizeof(*ret) * ROUND_WORDS);
    return BASE_OK;
}

static base_code take_final_round(const Proofline__V1__Sha256FinalRound *from, wire_final_round *ret, base_error *err)
{
    if (from == NULL)
        return base_fail(err, BASE_INVALID, "final_round is missing");
    base_code code = take_words("final_round.state", from->state, from->n_state, ret->state, err);
    if (code == BASE_OK)
        code = take_words("final_round.initial_state", from->initial_state, from->n_initial_state, ret->initial_state,
                          err);
    ret->message_word = from->message_word;
    ret->round_constant = from->round_constant;
    return code;
}

static base_code take_image(base_bytes from, wire_generate_proof *ret, wire_owner **ret_owner, base_error *err)
{
    base_code code = check_image(from.size, err);
    if (code != BASE_OK)
        return code;
    wire_owner *owner = malloc(sizeof(*owner) + from.size);
    if (owner == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for an image of %zu bytes", from.size);
    owner->size = from.size;
    memcpy(owner->image, from.data, from.size);
    ret->has_image = true;
    ret->image = base_bytes_of(owner->image, owner->size);
    *ret_owner = owner;
    return BASE_OK;
}

static base_code take_evidence(const Proofline__V1__GenerateProof *from, wire_generate_proof *ret,
                               wire_owner **ret_owner, base_error *err)
{
    switch (from->evidence_case) {
    case PROOFLINE__V1__GENERATE_PROOF__EVIDENCE_FINAL_ROUND:
        return take_final_round(from->final_round, &ret->final_round, err);
    case PROOFLINE__V1__GENERATE_PROOF__EVIDENCE_IMAGE:
        return take_image(wire_bytes(from->image), ret, ret_owner, err);
    default:
        return base_fail(err, BASE_INVALID, "evidence is missing: give final_round or image");
    }
}

static base_code take_signature(const Proofline__V1__GenerateProof *from, wire_generate_proof *ret, base_error *err)
{
    if (from->signature == NULL)
        return base_fail(err, BASE_INVALID, "signature is missing");
    if (from->public_key == NULL)
        return base_fail(err, BASE_INVALID, "public_key is missing");
    struct {
        const char *field;
        ProtobufCBinaryData value;
        uint8_t *ret;
    } const numbers[] = {
        {"signature.r", from->signature->r, ret->signature_r},
        {"signature.s", from->signature->s, ret->signature_s},
        {"public_key.x", from->public_key->x, ret->public_key_x},
        {"public_key.y", from->public_key->y, ret->public_key_y},
    };
    base_code code = BASE_OK;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && code == BASE_OK; i++)
        code = wire_take_bytes(numbers[i].field, wire_bytes(numbers[i].value), numbers[i].ret, 32, err);
    return code;
}

/* The rules that hold for the C value, however it came to be. */
static base_code check_values(const wire_generate_proof *message, base_error *err)
{
    base_code code = wire_check_text(&WIRE_RULE_CORRELATION_ID, message->correlation_id, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_ZKAPP_ADDRESS, message->zkapp_address, err);
    if (code == BASE_OK)
        code = wire_check_text(&WIRE_RULE_CHAIN_ID, message->chain_id, err);
    if (code == BASE_OK)
        code = wire_check_time("submitted_at_unix_ms", message->submitted_unix_ms, err);
    if (code == BASE_OK)
        code = wire_check_not_zero("signature.r", message->signature_r, sizeof(message->signature_r), err);
    if (code == BASE_OK)
        code = wire_check_not_zero("signature.s", message->signature_s, sizeof(message->signature_s), err);
    if (code == BASE_OK)
        code = wire_check_not_zero("public_key.x", message->public_key_x, sizeof(message->public_key_x), err);
    if (code == BASE_OK)
        code = wire_check_not_zero("public_key.y", message->public_key_y, sizeof(message->public_key_y), err);
    if (code == BASE_OK && message->has_image)
        code = check_image(message->image.size, err);
    return code;
}

static base_code take_message(const Proofline__V1__GenerateProof *from, wire_generate_proof *ret,
                              wire_owner **ret_owner, base_error *err)
{
    base_code code = wire_take_bytes("sha256", wire_bytes(from->sha256), ret->sha256.bytes, BASE_SHA256_SIZE, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_CORRELATION_ID, from->correlation_id, ret->correlation_id, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_ZKAPP_ADDRESS, from->zkapp_address, ret->zkapp_address, err);
    if (code == BASE_OK)
        code = wire_take_text(&WIRE_RULE_CHAIN_ID, from->chain_id, ret->chain_id, err);
    ret->submitted_unix_ms = from->submitted_at_unix_ms;
    if (code == BASE_OK)
        code = take_signature(from, ret, err);
    if (code == BASE_OK)
        code = take_evidence(from, ret, ret_owner, err);
    return code;
}

base_code wire_generate_proof_decode(base_bytes data, wire_generate_proof *ret, wire_owner **ret_owner, base_error *err)
{
    BASE_CLEANUP(wire_unpacked_done) wire_unpacked unpacked;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    wire_generate_proof message = {0};
    base_code code = wire_unpack(&proofline__v1__generate_proof__descriptor, data, &unpacked, err);
    if (code == BASE_OK)
        code = take_message((const Proofline__V1__GenerateProof *)unpacked.message, &message, &owner, err);
    if (code == BASE_OK)
        code = check_values(&message, err);
    if (code != BASE_OK)
        return code;
    *ret = message;
    *ret_owner = BASE_TAKE(owner);
    return BASE_OK;
}

base_code wire_generate_proof_encode(const wire_generate_proof *message, base_buffer *ret, base_error *err)
{
    base_code code = check_values(message, err);
    if (code != BASE_OK)
        return code;
    wire_final_round words = message->final_round;
    Proofline__V1__Sha256FinalRound round = PROOFLINE__V1__SHA256_FINAL_ROUND__INIT;
    round.n_state = round.n_initial_state = ROUND_WORDS;
    round.state = words.state;
    round.initial_state = words.initial_state;
    round.message_word = words.message_word;
    round.round_constant = words.round_constant;
    Proofline__V1__EcdsaSignature signature = PROOFLINE__V1__ECDSA_SIGNATURE__INIT;
    signature.r = wire_binary(message->signature_r, sizeof(message->signature_r));
    signature.s = wire_binary(message->signature_s, sizeof(message->signature_s));
    Proofline__V1__EcdsaPublicKey key = PROOFLINE__V1__ECDSA_PUBLIC_KEY__INIT;
    key.x = wire_binary(message->public_key_x, sizeof(message->public_key_x));
    key.y = wire_binary(message->public_key_y, sizeof(message->public_key_y));

    Proofline__V1__GenerateProof out = PROOFLINE__V1__GENERATE_PROOF__INIT;
    out.sha256 = wire_binary(message->sha256.bytes, BASE_SHA256_SIZE);
    out.correlation_id = wire_string(message->correlation_id);
    out.zkapp_address = wire_string(message->zkapp_address);
    out.chain_id = wire_string(message->chain_id);
    out.submitted_at_unix_ms = message->submitted_unix_ms;
    out.signature = &signature;
    out.public_key = &key;
    if (message->has_image) {
        out.evidence_case = PROOFLINE__V1__GENERATE_PROOF__EVIDENCE_IMAGE;
        out.image = wire_binary(message->image.data, message->image.size);
    } else {
        out.evidence_case = PROOFLINE__V1__GENERATE_PROOF__EVIDENCE_FINAL_ROUND;
        out.final_round = &round;
    }
    return wire_pack(&out.base, ret, err);
}
