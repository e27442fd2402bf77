/* GenerateProof: round trips, and every field at its limits and one step beyond. */
#include "samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TIME_MAX INT64_C(253402300799999)

static base_code decode_parts(const generate_parts *parts, wire_generate_proof *ret, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 2 * WIRE_MESSAGE_MAX};
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    raw_generate_proof(parts, &raw);
    return wire_generate_proof_decode(base_buffer_view(&raw), ret, &owner, err);
}

static void accepts(const generate_parts *parts)
{
    wire_generate_proof message;
    base_error err = {0};
    if (decode_parts(parts, &message, &err) != BASE_OK)
        fail_msg("refused: %s", err.message);
}

static void refuses(const generate_parts *parts, const char *expected)
{
    wire_generate_proof message;
    memset(&message, 0x77, sizeof(message));
    const wire_generate_proof before = message;
    base_error err = {0};
    assert_refused(decode_parts(parts, &message, &err), &err, expected);
    assert_memory_equal(&message, &before, sizeof(message));
}

static void a_job_comes_back_as_it_was_encoded(void **state)
{
    (void)state;
    const wire_generate_proof message = sample_generate_proof();
    BASE_CLEANUP(base_buffer_done) base_buffer encoded = {.limit = 1024};
    base_error err = {0};
    assert_int_equal(base_buffer_append(&encoded, text_bytes("kept"), &err), BASE_OK);
    assert_int_equal(wire_generate_proof_encode(&message, &encoded, &err), BASE_OK);
    assert_memory_equal(encoded.data, "kept", 4);
    wire_generate_proof decoded;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = (wire_owner *)&decoded;
    assert_int_equal(
        wire_generate_proof_decode(base_bytes_of(encoded.data + 4, encoded.size - 4), &decoded, &owner, &err), BASE_OK);
    assert_null(owner);
    assert_memory_equal(&decoded.sha256, &message.sha256, sizeof(message.sha256));
    assert_string_equal(decoded.correlation_id, message.correlation_id);
    assert_false(decoded.has_image);
    assert_memory_equal(&decoded.final_round, &message.final_round, sizeof(message.final_round));
    assert_memory_equal(decoded.signature_r, message.signature_r, 32);
    assert_memory_equal(decoded.signature_s, message.signature_s, 32);
    assert_memory_equal(decoded.public_key_x, message.public_key_x, 32);
    assert_memory_equal(decoded.public_key_y, message.public_key_y, 32);
    assert_string_equal(decoded.zkapp_address, message.zkapp_address);
    assert_string_equal(decoded.chain_id, message.chain_id);
    assert_int_equal(decoded.submitted_unix_ms, message.submitted_unix_ms);
}

static void an_image_comes_back_in_memory_of_its_own(void **state)
{
    (void)state;
    BASE_CLEANUP(free) uint8_t *image = malloc(WIRE_IMAGE_MAX);
    assert_non_null(image);
    for (size_t i = 0; i < WIRE_IMAGE_MAX; i++)
        image[i] = (uint8_t)(i * 31 + (i >> 8));
    wire_generate_proof message = sample_generate_proof();
    message.has_image = true;
    message.image = base_bytes_of(image, WIRE_IMAGE_MAX);
    BASE_CLEANUP(base_buffer_done) base_buffer encoded = {.limit = WIRE_MESSAGE_MAX};
    base_error err = {0};
    assert_int_equal(wire_generate_proof_encode(&message, &encoded, &err), BASE_OK);
    wire_generate_proof decoded;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    assert_int_equal(wire_generate_proof_decode(base_buffer_view(&encoded), &decoded, &owner, &err), BASE_OK);
    base_buffer_done(&encoded);
    assert_true(decoded.has_image);
    assert_non_null(owner);
    assert_true(base_bytes_equal(decoded.image, message.image));
}

static void hash_and_numbers_have_exactly_32_bytes(void **state)
{
    (void)state;
    static const uint8_t BYTES[33] = {[0] = 1};
    static const struct {
        size_t offset;
        const char *field;
    } FIELDS[] = {
        {offsetof(generate_parts, sha256), "sha256"},  {offsetof(generate_parts, r), "signature.r"},
        {offsetof(generate_parts, s), "signature.s"},  {offsetof(generate_parts, x), "public_key.x"},
        {offsetof(generate_parts, y), "public_key.y"},
    };
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
        for (size_t size = 0; size <= 33; size++) {
            generate_parts parts = sample_parts();
            *(base_bytes *)(void *)((uint8_t *)&parts + FIELDS[i].offset) = base_bytes_of(BYTES, size);
            char expected[96];
            snprintf(expected, sizeof(expected), "%s must be 32 bytes, not %zu", FIELDS[i].field, size);
            if (size == 32)
                accepts(&parts);
            else
                refuses(&parts, expected);
        }
    }
}

static void signature_and_key_are_there_and_not_zero(void **state)
{
    (void)state;
    static const uint8_t ZERO[32];
    const base_bytes zero = base_bytes_of(ZERO, 32);
    generate_parts parts = sample_parts();
    parts.r = zero;
    refuses(&parts, "signature.r must not be zero");
    parts = sample_parts();
    parts.s = zero;
    refuses(&parts, "signature.s must not be zero");
    parts = sample_parts();
    parts.x = zero;
    refuses(&parts, "public_key.x must not be zero");
    parts = sample_parts();
    parts.y = zero;
    refuses(&parts, "public_key.y must not be zero");
    parts = sample_parts();
    parts.has_signature = false;
    refuses(&parts, "signature is missing");
    parts = sample_parts();
    parts.has_public_key = false;
    refuses(&parts, "public_key is missing");
}

static void the_final_round_has_eight_words_in_each_state(void **state)
{
    (void)state;
    for (size_t unpacked = 0; unpacked < 2; unpacked++) {
        generate_parts parts = sample_parts();
        parts.unpacked = unpacked != 0;
        accepts(&parts);
        parts.states = 7;
        refuses(&parts, "final_round.state must have 8 values, not 7");
        parts.states = 9;
        refuses(&parts, "final_round.state must have 8 values, not 9");
        parts.states = 0;
        refuses(&parts, "final_round.state must have 8 values, not 0");
        parts.states = 8;
        parts.initial_states = 9;
        refuses(&parts, "final_round.initial_state must have 8 values, not 9");
        parts.initial_states = 0;
        refuses(&parts, "final_round.initial_state must have 8 values, not 0");
    }
    generate_parts parts = sample_parts();
    parts.unpacked = true;
    wire_generate_proof message;
    base_error err = {0};
    assert_int_equal(decode_parts(&parts, &message, &err), BASE_OK);
    assert_int_equal(message.final_round.state[7], 7);
    assert_int_equal(message.final_round.message_word, 5);
    assert_int_equal(message.final_round.round_constant, 6);
}

static void an_image_has_a_byte_and_no_more_than_its_maximum(void **state)
{
    (void)state;
    BASE_CLEANUP(free) uint8_t *image = calloc(1, WIRE_IMAGE_MAX + 1);
    assert_non_null(image);
    generate_parts parts = sample_parts();
    parts.has_final_round = false;
    refuses(&parts, "evidence is missing: give final_round or image");
    parts.has_image = true;
    parts.image = base_bytes_of(image, 0);
    refuses(&parts, "image must not be empty");
    parts.image = base_bytes_of(image, 1);
    accepts(&parts);
    parts.image = base_bytes_of(image, WIRE_IMAGE_MAX);
    accepts(&parts);
    parts.image = base_bytes_of(image, WIRE_IMAGE_MAX + 1);
    refuses(&parts, "image must be at most 900000 bytes, not 900001");
    parts = sample_parts();
    parts.has_image = true; /* after the final round: the later one counts */
    parts.image = base_bytes_of(image, 3);
    wire_generate_proof message;
    base_error err = {0};
    assert_int_equal(decode_parts(&parts, &message, &err), BASE_OK);
    assert_true(message.has_image);
}

static void texts_have_their_length_and_their_characters(void **state)
{
    (void)state;
    generate_parts parts = sample_parts();
    parts.correlation_id = parts.chain_id = parts.zkapp_address = base_bytes_of("", 0);
    accepts(&parts);
    parts.correlation_id = base_bytes_of(LONG_TEXT, 128);
    parts.chain_id = parts.zkapp_address = base_bytes_of(LONG_TEXT, 64);
    accepts(&parts);
    parts.correlation_id = base_bytes_of(LONG_TEXT, 129);
    refuses(&parts, "correlation_id must be at most 128 bytes long");
    parts.correlation_id = text_bytes("!#~[]{}");
    accepts(&parts);
    parts.correlation_id = text_bytes("a b");
    refuses(&parts, "correlation_id must be printable ASCII without spaces, but byte 2 is 0x20");
    parts.correlation_id = text_bytes("ab\n");
    refuses(&parts, "correlation_id must be printable ASCII without spaces, but byte 3 is 0x0a");
    parts.correlation_id = text_bytes("\xc3\xa9");
    refuses(&parts, "correlation_id must be printable ASCII without spaces, but byte 1 is 0xc3");
    parts.correlation_id = base_bytes_of("ab\0cd", 5);
    refuses(&parts, "correlation_id must not contain the character NUL");
    parts = sample_parts();
    parts.chain_id = base_bytes_of(LONG_TEXT, 65);
    refuses(&parts, "chain_id must be at most 64 bytes long");
    parts.chain_id = text_bytes("a.b_c:d/e-F9");
    accepts(&parts);
    parts.chain_id = text_bytes("a;");
    refuses(&parts, "chain_id must be letters, digits and . _ : / -, but byte 2 is 0x3b");
    parts = sample_parts();
    parts.zkapp_address = base_bytes_of(LONG_TEXT, 65);
    refuses(&parts, "zkapp_address must be at most 64 bytes long");
    parts.zkapp_address = text_bytes("B62-");
    refuses(&parts, "zkapp_address must be letters and digits, but byte 4 is 0x2d");
}

static void times_lie_between_1970_and_9999(void **state)
{
    (void)state;
    generate_parts parts = sample_parts();
    parts.submitted_at_unix_ms = 0;
    accepts(&parts);
    parts.submitted_at_unix_ms = TIME_MAX;
    accepts(&parts);
    parts.submitted_at_unix_ms = TIME_MAX + 1;
    refuses(&parts, "submitted_at_unix_ms must be milliseconds from 1970 to 9999, not 253402300800000");
    parts.submitted_at_unix_ms = -1;
    refuses(&parts, "submitted_at_unix_ms must be milliseconds from 1970 to 9999, not -1");
}

static void encoding_refuses_what_decoding_would(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer out = {.limit = WIRE_MESSAGE_MAX};
    base_error err = {0};
    wire_generate_proof message = sample_generate_proof();
    memset(message.signature_s, 0, sizeof(message.signature_s));
    assert_refused(wire_generate_proof_encode(&message, &out, &err), &err, "signature.s must not be zero");
    message = sample_generate_proof();
    message.submitted_unix_ms = -5;
    assert_refused(wire_generate_proof_encode(&message, &out, &err), &err,
                   "submitted_at_unix_ms must be milliseconds from 1970 to 9999, not -5");
    message = sample_generate_proof();
    memset(message.correlation_id, 'a', sizeof(message.correlation_id)); /* not even terminated */
    assert_refused(wire_generate_proof_encode(&message, &out, &err), &err,
                   "correlation_id must be at most 128 bytes long");
    message = sample_generate_proof();
    message.has_image = true;
    assert_refused(wire_generate_proof_encode(&message, &out, &err), &err, "image must not be empty");
    message.image = base_bytes_of("x", WIRE_IMAGE_MAX + 1); /* refused by its size, never read */
    assert_refused(wire_generate_proof_encode(&message, &out, &err), &err,
                   "image must be at most 900000 bytes, not 900001");
    assert_int_equal(out.size, 0);
    message = sample_generate_proof();
    BASE_CLEANUP(base_buffer_done) base_buffer small = {.limit = 100};
    assert_int_equal(wire_generate_proof_encode(&message, &small, &err), BASE_LIMIT);
    assert_int_equal(small.size, 0);
}

static void a_message_has_no_more_than_its_maximum(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 2 * WIRE_MESSAGE_MAX};
    const generate_parts parts = sample_parts();
    raw_generate_proof(&parts, &raw);
    BASE_CLEANUP(free) uint8_t *filler = calloc(1, WIRE_MESSAGE_MAX);
    assert_non_null(filler);
    raw_bytes(&raw, 1000, base_bytes_of(filler, WIRE_MESSAGE_MAX - raw.size - 5)); /* tag 2 bytes, length 3 */
    assert_int_equal(raw.size, WIRE_MESSAGE_MAX);
    wire_generate_proof message;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    base_error err = {0};
    assert_int_equal(wire_generate_proof_decode(base_buffer_view(&raw), &message, &owner, &err), BASE_OK);
    raw_varint(&raw, 15, 0);
    assert_refused(wire_generate_proof_decode(base_buffer_view(&raw), &message, &owner, &err), &err,
                   "a message must be at most 1000000 bytes, not 1000002");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_comes_back_as_it_was_encoded),
        cmocka_unit_test(an_image_comes_back_in_memory_of_its_own),
        cmocka_unit_test(hash_and_numbers_have_exactly_32_bytes),
        cmocka_unit_test(signature_and_key_are_there_and_not_zero),
        cmocka_unit_test(the_final_round_has_eight_words_in_each_state),
        cmocka_unit_test(an_image_has_a_byte_and_no_more_than_its_maximum),
        cmocka_unit_test(texts_have_their_length_and_their_characters),
        cmocka_unit_test(times_lie_between_1970_and_9999),
        cmocka_unit_test(encoding_refuses_what_decoding_would),
        cmocka_unit_test(a_message_has_no_more_than_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
