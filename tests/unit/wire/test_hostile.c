/* Bytes that no honest producer sends, and fields that only a later one does. */
#include "samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGES = 4, MUTATIONS = 200000, UNKNOWN_MANY = 200 };

/* Encodes one of the four messages by its number. */
static void encode_any(size_t which, base_buffer *out)
{
    const wire_generate_proof generate = sample_generate_proof();
    const wire_publish_proof publish = sample_publish_proof();
    const wire_status_changed changed = sample_status_changed();
    base_error err = {0};
    base_code code = which == 0   ? wire_generate_proof_encode(&generate, out, &err)
                     : which == 1 ? wire_publish_proof_encode(&publish, out, &err)
                     : which == 2 ? wire_prepare_transaction_encode(&publish, out, &err)
                                  : wire_status_changed_encode(&changed, out, &err);
    if (code != BASE_OK)
        fail_msg("%s", err.message);
}

static base_code decode_any(size_t which, base_bytes data, base_error *err)
{
    wire_generate_proof generate;
    wire_publish_proof publish;
    wire_status_changed changed;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    return which == 0   ? wire_generate_proof_decode(data, &generate, &owner, err)
           : which == 1 ? wire_publish_proof_decode(data, &publish, err)
           : which == 2 ? wire_prepare_transaction_decode(data, &publish, err)
                        : wire_status_changed_decode(data, &changed, err);
}

/* Decodes from a block of exactly data.size bytes, so that a sanitizer sees a read beyond. */
static base_code decode_exact(size_t which, base_bytes data, base_error *err)
{
    BASE_CLEANUP(free) uint8_t *copy = malloc(data.size > 0 ? data.size : 1);
    assert_non_null(copy);
    memcpy(copy, data.data, data.size);
    return decode_any(which, base_bytes_of(copy, data.size), err);
}

static void unknown_fields_of_every_kind_do_not_hurt(void **state)
{
    (void)state;
    for (size_t which = 0; which < MESSAGES; which++) {
        BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 65536};
        raw_text(&raw, 7, "before all others");
        encode_any(which, &raw);
        raw_varint(&raw, 15, UINT64_MAX);
        raw_fixed32(&raw, 100, 1);
        raw_fixed64(&raw, 2000, 2);
        raw_text(&raw, 536870911, "the highest number there is");
        for (uint32_t i = 0; i < UNKNOWN_MANY; i++)
            raw_varint(&raw, 100 + i, i);
        base_error err = {0};
        if (decode_exact(which, base_buffer_view(&raw), &err) != BASE_OK)
            fail_msg("message %zu refused: %s", which, err.message);
    }
}

static void unknown_fields_inside_of_fields_do_not_hurt(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 65536};
    encode_any(0, &raw);
    BASE_CLEANUP(base_buffer_done) base_buffer inner = {.limit = 1024};
    raw_text(&inner, 9, "of a later version");
    raw_bytes(&raw, 8, base_buffer_view(&inner)); /* merged with the signature already there */
    base_error err = {0};
    assert_int_equal(decode_exact(0, base_buffer_view(&raw), &err), BASE_OK);
}

static void a_flood_of_fields_is_refused_instead_of_filling_memory(void **state)
{
    (void)state;
    static const uint8_t FLOODS[][2] = {{15 << 3, 0}, {15 << 3 | 2, 0}, {8 << 3 | 2, 0}, {10 << 3 | 2, 0}};
    for (size_t i = 0; i < sizeof(FLOODS) / sizeof(FLOODS[0]); i++) {
        BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = WIRE_MESSAGE_MAX};
        base_error err = {0};
        while (raw.size + 2 <= WIRE_MESSAGE_MAX)
            assert_int_equal(base_buffer_append(&raw, base_bytes_of(FLOODS[i], 2), &err), BASE_OK);
        assert_int_equal(decode_exact(0, base_buffer_view(&raw), &err), BASE_INVALID);
        assert_string_equal(err.message, "not a proofline.v1.GenerateProof: it has too many fields");
    }
}

static void a_small_message_with_a_huge_length_is_refused(void **state)
{
    (void)state;
    static const uint8_t LENGTHS[][8] = {
        {1 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0x0f},          /* 4 GiB − 1 */
        {1 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0x07},          /* 2 GiB − 1 */
        {1 << 3 | 2, 0x80, 0x80, 0x80, 0x80, 0x10},          /* 4 GiB */
        {10 << 3 | 2, 6, 1 << 3 | 2, 0xff, 0xff, 0xff, 0x7f} /* inside of a field */
    };
    for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
        base_error err = {0};
        assert_int_equal(decode_exact(0, base_bytes_of(LENGTHS[i], sizeof(LENGTHS[i])), &err), BASE_INVALID);
        assert_string_equal(err.message, "not a proofline.v1.GenerateProof: it cannot be decoded as protobuf");
    }
}

static void a_field_of_the_wrong_kind_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 4096};
    encode_any(0, &raw);
    raw_varint(&raw, 2, 7); /* correlation_id */
    base_error err = {0};
    assert_int_equal(decode_exact(0, base_buffer_view(&raw), &err), BASE_INVALID);
    assert_string_equal(err.message, "not a proofline.v1.GenerateProof: it cannot be decoded as protobuf");
}

static void nothing_at_all_is_refused(void **state)
{
    (void)state;
    for (size_t which = 0; which < MESSAGES; which++) {
        base_error err = {0};
        assert_int_equal(decode_any(which, (base_bytes){NULL, 0}, &err), BASE_INVALID);
        assert_string_equal(err.message, "sha256 must be 32 bytes, not 0");
    }
}

/* A message cut between two fields may by chance be whole (all that follows is optional): then it must encode as that. */
static void a_message_cut_anywhere_is_refused_or_whole(void **state)
{
    (void)state;
    for (size_t which = 0; which < MESSAGES; which++) {
        BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 4096};
        encode_any(which, &raw);
        size_t accepted = 0;
        for (size_t size = 0; size < raw.size; size++) {
            base_error err = {0};
            base_code code = decode_exact(which, base_bytes_of(raw.data, size), &err);
            accepted += code == BASE_OK;
            assert_true(code == BASE_OK || code == BASE_INVALID);
            assert_true(code == BASE_OK || err.message[0] != '\0');
        }
        /* The last field of an event, its reason, may be missing; the last of the others is required. */
        assert_int_equal(accepted, which == 3 ? 1 : 0);
    }
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

static void random_changes_are_accepted_or_refused_with_a_reason(void **state)
{
    (void)state;
    uint64_t seed = 20260102;
    size_t refused = 0;
    for (size_t round = 0; round < MUTATIONS / MESSAGES; round++) {
        for (size_t which = 0; which < MESSAGES; which++) {
            BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 4096};
            encode_any(which, &raw);
            for (uint32_t changes = 1 + next_random(&seed) % 4; changes > 0; changes--)
                raw.data[next_random(&seed) % raw.size] ^= (uint8_t)(1U << next_random(&seed) % 8);
            size_t size = next_random(&seed) % 4 > 0 ? raw.size : next_random(&seed) % raw.size;
            base_error err = {0};
            base_code code = decode_exact(which, base_bytes_of(raw.data, size), &err);
            assert_true(code == BASE_OK || (code == BASE_INVALID && err.message[0] != '\0'));
            refused += code != BASE_OK;
        }
    }
    assert_in_range(refused, MUTATIONS / 10, MUTATIONS - MUTATIONS / 10); /* both happen, or the test tests nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_fields_of_every_kind_do_not_hurt),
        cmocka_unit_test(unknown_fields_inside_of_fields_do_not_hurt),
        cmocka_unit_test(a_flood_of_fields_is_refused_instead_of_filling_memory),
        cmocka_unit_test(a_small_message_with_a_huge_length_is_refused),
        cmocka_unit_test(a_field_of_the_wrong_kind_is_refused),
        cmocka_unit_test(nothing_at_all_is_refused),
        cmocka_unit_test(a_message_cut_anywhere_is_refused_or_whole),
        cmocka_unit_test(random_changes_are_accepted_or_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
