/* PublishProof and PrepareTransaction: round trips, and every field at its limits and one step beyond. */
#include "samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TIME_MAX INT64_C(253402300799999)

typedef struct publish_codec {
    base_code (*encode)(const wire_publish_proof *message, base_buffer *ret, base_error *err);
    base_code (*decode)(base_bytes data, wire_publish_proof *ret, base_error *err);
} publish_codec;

static const publish_codec PUBLISH_CODECS[] = {
    {wire_publish_proof_encode, wire_publish_proof_decode},
    {wire_prepare_transaction_encode, wire_prepare_transaction_decode},
};
enum { PUBLISH_CODEC_COUNT = sizeof(PUBLISH_CODECS) / sizeof(PUBLISH_CODECS[0]) };

static void a_publish_or_prepare_command_comes_back_as_it_was_encoded(void **state)
{
    (void)state;
    const wire_publish_proof message = sample_publish_proof();
    for (size_t i = 0; i < PUBLISH_CODEC_COUNT; i++) {
        BASE_CLEANUP(base_buffer_done) base_buffer encoded = {.limit = 1024};
        base_error err = {0};
        assert_int_equal(PUBLISH_CODECS[i].encode(&message, &encoded, &err), BASE_OK);
        wire_publish_proof decoded;
        assert_int_equal(PUBLISH_CODECS[i].decode(base_buffer_view(&encoded), &decoded, &err), BASE_OK);
        assert_memory_equal(&decoded.sha256, &message.sha256, sizeof(message.sha256));
        assert_memory_equal(&decoded.proof_digest, &message.proof_digest, sizeof(message.proof_digest));
        assert_string_equal(decoded.correlation_id, message.correlation_id);
        assert_string_equal(decoded.proof_format, message.proof_format);
        assert_string_equal(decoded.zkapp_address, message.zkapp_address);
        assert_string_equal(decoded.chain_id, message.chain_id);
        assert_int_equal(decoded.submitted_unix_ms, message.submitted_unix_ms);
    }
}

typedef struct publish_case {
    uint32_t number; /* of the field that is sent again with `value`: the last one counts */
    const char *value;
    size_t size;
    const char *error; /* NULL: accepted */
} publish_case;

static void commands_obey_their_limits(void **state)
{
    (void)state;
    static const publish_case CASES[] = {
        {1, LONG_TEXT, 31, "sha256 must be 32 bytes, not 31"},
        {1, LONG_TEXT, 33, "sha256 must be 32 bytes, not 33"},
        {2, LONG_TEXT, 128, NULL},
        {2, LONG_TEXT, 129, "correlation_id must be at most 128 bytes long"},
        {4, LONG_TEXT, 64, NULL},
        {4, LONG_TEXT, 65, "chain_id must be at most 64 bytes long"},
        {5, LONG_TEXT, 64, NULL},
        {5, LONG_TEXT, 65, "zkapp_address must be at most 64 bytes long"},
        {8, LONG_TEXT, 0, "proof_format must not be empty"},
        {8, LONG_TEXT, 64, NULL},
        {8, LONG_TEXT, 65, "proof_format must be at most 64 bytes long"},
        {8, "a.b_c-9", 7, NULL},
        {8, "a/b", 3, "proof_format must be letters, digits and . _ -, but byte 2 is 0x2f"},
        {8, "a\0b", 3, "proof_format must not contain the character NUL"},
        {9, LONG_TEXT, 0, "proof_digest must be 32 bytes, not 0"},
        {9, LONG_TEXT, 33, "proof_digest must be 32 bytes, not 33"},
    };
    const wire_publish_proof message = sample_publish_proof();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]) * PUBLISH_CODEC_COUNT; i++) {
        const publish_codec *codec = &PUBLISH_CODECS[i % PUBLISH_CODEC_COUNT];
        const publish_case *one = &CASES[i / PUBLISH_CODEC_COUNT];
        BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 4096};
        base_error err = {0};
        assert_int_equal(codec->encode(&message, &raw, &err), BASE_OK);
        raw_bytes(&raw, one->number, base_bytes_of(one->value, one->size));
        wire_publish_proof decoded;
        base_code code = codec->decode(base_buffer_view(&raw), &decoded, &err);
        if (one->error != NULL)
            assert_refused(code, &err, one->error);
        else
            assert_int_equal(code, BASE_OK);
    }
}

static void commands_with_bad_values_are_not_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < PUBLISH_CODEC_COUNT; i++) {
        BASE_CLEANUP(base_buffer_done) base_buffer out = {.limit = 4096};
        base_error err = {0};
        wire_publish_proof message = sample_publish_proof();
        message.proof_format[0] = '\0';
        assert_refused(PUBLISH_CODECS[i].encode(&message, &out, &err), &err, "proof_format must not be empty");
        message = sample_publish_proof();
        message.submitted_unix_ms = TIME_MAX + 1;
        assert_refused(PUBLISH_CODECS[i].encode(&message, &out, &err), &err,
                       "submitted_at_unix_ms must be milliseconds from 1970 to 9999, not 253402300800000");
        assert_int_equal(out.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_or_prepare_command_comes_back_as_it_was_encoded),
        cmocka_unit_test(commands_obey_their_limits),
        cmocka_unit_test(commands_with_bad_values_are_not_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
