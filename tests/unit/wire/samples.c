#include "samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

const char LONG_TEXT[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

enum { VARINT, FIXED64, DELIMITED, FIXED32 = 5 };

static void put(base_buffer *out, base_bytes data)
{
    base_error err = {0};
    if (base_buffer_append(out, data, &err) != BASE_OK)
        fail_msg("%s", err.message);
}

static void put_number(base_buffer *out, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        put(out, base_bytes_of((const uint8_t[]){(uint8_t)(value | 0x80)}, 1));
    put(out, base_bytes_of((const uint8_t[]){(uint8_t)value}, 1));
}

static void put_little_endian(base_buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put(out, base_bytes_of((const uint8_t[]){(uint8_t)(value >> (8 * i))}, 1));
}

void raw_varint(base_buffer *out, uint32_t number, uint64_t value)
{
    put_number(out, (uint64_t)number << 3 | VARINT);
    put_number(out, value);
}

void raw_fixed32(base_buffer *out, uint32_t number, uint32_t value)
{
    put_number(out, (uint64_t)number << 3 | FIXED32);
    put_little_endian(out, value, 4);
}

void raw_fixed64(base_buffer *out, uint32_t number, uint64_t value)
{
    put_number(out, (uint64_t)number << 3 | FIXED64);
    put_little_endian(out, value, 8);
}

void raw_bytes(base_buffer *out, uint32_t number, base_bytes value)
{
    put_number(out, (uint64_t)number << 3 | DELIMITED);
    put_number(out, value.size);
    put(out, value);
}

void raw_text(base_buffer *out, uint32_t number, const char *value)
{
    raw_bytes(out, number, text_bytes(value));
}

base_bytes text_bytes(const char *text)
{
    return base_bytes_of(text, strlen(text));
}

wire_generate_proof sample_generate_proof(void)
{
    wire_generate_proof message = {
        .correlation_id = "order-4711",
        .final_round = {.message_word = 996066459, .round_constant = 0xc67178f2},
        .zkapp_address = "B62qiy32p8kAKnny8ZFwoMhYpBppM1DWVCqAPBYNcXnsAHhnfAAuXgg",
        .chain_id = "mina:devnet",
        .submitted_unix_ms = 1767323045678,
    };
    memset(message.sha256.bytes, 0xa1, sizeof(message.sha256.bytes));
    memset(message.signature_r, 0x11, sizeof(message.signature_r));
    memset(message.signature_s, 0x22, sizeof(message.signature_s));
    memset(message.public_key_x, 0x33, sizeof(message.public_key_x));
    memset(message.public_key_y, 0x44, sizeof(message.public_key_y));
    for (uint32_t i = 0; i < 8; i++) {
        message.final_round.state[i] = UINT32_MAX - i;
        message.final_round.initial_state[i] = i;
    }
    return message;
}

wire_publish_proof sample_publish_proof(void)
{
    wire_publish_proof message = {
        .correlation_id = "order-4711",
        .proof_format = "ecdsa-p256-sok-v1",
        .zkapp_address = "B62qiy32p8kAKnny8ZFwoMhYpBppM1DWVCqAPBYNcXnsAHhnfAAuXgg",
        .chain_id = "mina:devnet",
        .submitted_unix_ms = 1767323045678,
    };
    memset(message.sha256.bytes, 0xa1, sizeof(message.sha256.bytes));
    memset(message.proof_digest.bytes, 0x5c, sizeof(message.proof_digest.bytes));
    return message;
}

wire_status_changed sample_status_changed(void)
{
    wire_status_changed message = {
        .correlation_id = "order-4711",
        .sequence = 3,
        .status = WIRE_STATUS_REJECTED,
        .previous_status = WIRE_STATUS_PROOF_PUBLISHING,
        .reason_code = "invalid_signature",
        .reason = "the node says: Ungültige Unterschrift",
        .occurred_unix_ms = 1767323045678,
    };
    memset(message.sha256.bytes, 0xa1, sizeof(message.sha256.bytes));
    return message;
}

generate_parts sample_parts(void)
{
    static const char TEXT[] = "0123456789abcdef0123456789abcdef";
    const base_bytes number = base_bytes_of(TEXT, 32);
    return (generate_parts){
        .sha256 = number,
        .correlation_id = text_bytes("order-4711"),
        .chain_id = text_bytes("mina:devnet"),
        .zkapp_address = text_bytes("B62qAddress"),
        .submitted_at_unix_ms = 1,
        .has_signature = true,
        .has_public_key = true,
        .r = number,
        .s = number,
        .x = number,
        .y = number,
        .has_final_round = true,
        .states = 8,
        .initial_states = 8,
    };
}

static void raw_words(base_buffer *out, uint32_t number, size_t count, bool unpacked)
{
    BASE_CLEANUP(base_buffer_done) base_buffer packed = {.limit = WIRE_MESSAGE_MAX};
    for (size_t i = 0; i < count; i++) {
        if (unpacked)
            raw_fixed32(out, number, (uint32_t)i);
        else
            put_little_endian(&packed, i, 4);
    }
    if (!unpacked)
        raw_bytes(out, number, base_buffer_view(&packed));
}

static void raw_pair(base_buffer *out, uint32_t number, base_bytes first, base_bytes second)
{
    BASE_CLEANUP(base_buffer_done) base_buffer inner = {.limit = WIRE_MESSAGE_MAX};
    raw_bytes(&inner, 1, first);
    raw_bytes(&inner, 2, second);
    raw_bytes(out, number, base_buffer_view(&inner));
}

void raw_generate_proof(const generate_parts *parts, base_buffer *out)
{
    raw_bytes(out, 1, parts->sha256);
    raw_bytes(out, 2, parts->correlation_id);
    raw_varint(out, 3, (uint64_t)parts->submitted_at_unix_ms);
    raw_bytes(out, 4, parts->chain_id);
    raw_bytes(out, 5, parts->zkapp_address);
    if (parts->has_signature)
        raw_pair(out, 8, parts->r, parts->s);
    if (parts->has_public_key)
        raw_pair(out, 9, parts->x, parts->y);
    if (parts->has_final_round) {
        BASE_CLEANUP(base_buffer_done) base_buffer inner = {.limit = WIRE_MESSAGE_MAX};
        raw_words(&inner, 1, parts->states, parts->unpacked);
        raw_words(&inner, 2, parts->initial_states, parts->unpacked);
        raw_fixed32(&inner, 3, 5);
        raw_fixed32(&inner, 4, 6);
        raw_bytes(out, 10, base_buffer_view(&inner));
    }
    if (parts->has_image)
        raw_bytes(out, 11, parts->image);
}

void assert_refused(base_code code, const base_error *err, const char *message)
{
    if (code != BASE_INVALID)
        fail_msg("accepted, or %s, where this was expected: %s", base_code_name(code), message);
    assert_int_equal(err->code, BASE_INVALID);
    assert_string_equal(err->message, message);
}
