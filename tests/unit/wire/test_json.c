/* Every message as JSON and back. */
#include "samples.h"
#include "wire/headers.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HASH "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define R    "1111111111111111111111111111111111111111111111111111111111111111"
#define S    "2222222222222222222222222222222222222222222222222222222222222222"
#define X    "3333333333333333333333333333333333333333333333333333333333333333"
#define Y    "4444444444444444444444444444444444444444444444444444444444444444"

static const char GENERATE_JSON[] =
    "{\"sha256\":\"" HASH "\",\"correlation_id\":\"order-4711\",\"submitted_at_unix_ms\":1767323045678,"
    "\"chain_id\":\"mina:devnet\",\"zkapp_address\":\"B62qiy32p8kAKnny8ZFwoMhYpBppM1DWVCqAPBYNcXnsAHhnfAAuXgg\","
    "\"signature\":{\"r\":\"" R "\",\"s\":\"" S "\"},\"public_key\":{\"x\":\"" X "\",\"y\":\"" Y "\"},"
    "\"final_round\":{\"state\":[4294967295,4294967294,4294967293,4294967292,4294967291,4294967290,4294967289,"
    "4294967288],"
    "\"initial_state\":[0,1,2,3,4,5,6,7],\"message_word\":996066459,\"round_constant\":3329325298}}";

static const char CHANGED_JSON[] =
    "{\"sha256\":\"" HASH "\",\"correlation_id\":\"order-4711\",\"occurred_at_unix_ms\":1767323045678,\"sequence\":3,"
    "\"status\":\"rejected\",\"previous_status\":\"proof_publishing\",\"reason_code\":\"invalid_signature\","
    "\"reason\":\"the node says: Ung\xc3\xbcltige Unterschrift\"}";

static void encode_sample(size_t which, base_buffer *out)
{
    const wire_generate_proof generate = sample_generate_proof();
    const wire_publish_proof publish = sample_publish_proof();
    const wire_status_changed changed = sample_status_changed();
    base_error err = {0};
    base_code code = which == 0   ? wire_generate_proof_encode(&generate, out, &err)
                     : which == 1 ? wire_prepare_transaction_encode(&publish, out, &err)
                     : which == 2 ? wire_publish_proof_encode(&publish, out, &err)
                                  : wire_status_changed_encode(&changed, out, &err);
    if (code != BASE_OK)
        fail_msg("%s", err.message);
}

static void refuses(const char *type, const char *json, const char *expected)
{
    BASE_CLEANUP(base_buffer_done) base_buffer out = {.limit = WIRE_MESSAGE_MAX};
    base_error err = {0};
    if (wire_json_to_message(type, text_bytes(json), &out, &err) != BASE_INVALID)
        fail_msg("accepted: %s", json);
    assert_string_equal(err.message, expected);
    assert_int_equal(out.size, 0);
}

static void a_job_is_shown_with_short_names_and_hex(void **state)
{
    (void)state;
    static const char *const EXPECTED[] = {[0] = GENERATE_JSON, [3] = CHANGED_JSON};
    for (size_t which = 0; which < 4; which += 3) {
        BASE_CLEANUP(base_buffer_done) base_buffer message = {.limit = 4096};
        BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 4096};
        base_error err = {0};
        encode_sample(which, &message);
        assert_int_equal(
            wire_json_from_message(wire_json_types()[which], base_buffer_view(&message), false, &json, &err), BASE_OK);
        assert_string_equal((const char *)json.data, EXPECTED[which]);
    }
}

static void every_message_comes_back_byte_for_byte(void **state)
{
    (void)state;
    size_t count = 0;
    for (; wire_json_types()[count] != NULL; count++) {
        const char *full = wire_json_types()[count];
        const char *last = strrchr(full, '.') + 1;
        BASE_CLEANUP(base_buffer_done) base_buffer message = {.limit = 4096};
        BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 8192};
        BASE_CLEANUP(base_buffer_done) base_buffer back = {.limit = 4096};
        base_error err = {0};
        encode_sample(count, &message);
        assert_int_equal(wire_json_from_message(full, base_buffer_view(&message), true, &json, &err), BASE_OK);
        assert_non_null(strchr((const char *)json.data, '\n'));
        assert_int_equal(wire_json_to_message(last, base_buffer_view(&json), &back, &err), BASE_OK);
        assert_true(base_bytes_equal(base_buffer_view(&back), base_buffer_view(&message)));
    }
    assert_int_equal(count, 4);
}

static void an_image_of_the_largest_size_comes_back(void **state)
{
    (void)state;
    BASE_CLEANUP(free) uint8_t *image = malloc(WIRE_IMAGE_MAX);
    assert_non_null(image);
    memset(image, 0xee, WIRE_IMAGE_MAX);
    wire_generate_proof generate = sample_generate_proof();
    generate.has_image = true;
    generate.image = base_bytes_of(image, WIRE_IMAGE_MAX);
    BASE_CLEANUP(base_buffer_done) base_buffer message = {.limit = WIRE_MESSAGE_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = WIRE_JSON_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer back = {.limit = WIRE_MESSAGE_MAX};
    base_error err = {0};
    assert_int_equal(wire_generate_proof_encode(&generate, &message, &err), BASE_OK);
    assert_int_equal(wire_json_from_message("GenerateProof", base_buffer_view(&message), false, &json, &err), BASE_OK);
    assert_int_equal(wire_json_to_message("GenerateProof", base_buffer_view(&json), &back, &err), BASE_OK);
    assert_true(base_bytes_equal(base_buffer_view(&back), base_buffer_view(&message)));
}

static void numbers_are_taken_as_strings_and_enums_by_either_name(void **state)
{
    (void)state;
    static const char JSON[] = "{\"sha256\":\"A1" HASH "\",\"sequence\":\"18446744073709551615\","
                               "\"status\":\"SUBMISSION_STATUS_COMPLETE\",\"previous_status\":\"Proof_Publishing\","
                               "\"occurred_at_unix_ms\":\"253402300799999\",\"transaction_hash\":\"5Jabc\"}";
    char json[sizeof(JSON)];
    memcpy(json, JSON, sizeof(JSON));
    memmove(strstr(json, "A1a1") + 2, strstr(json, "A1a1") + 4, strlen(strstr(json, "A1a1") + 4) + 1);
    BASE_CLEANUP(base_buffer_done) base_buffer out = {.limit = 4096};
    base_error err = {0};
    if (wire_json_to_message(WIRE_TYPE_STATUS_CHANGED, text_bytes(json), &out, &err) != BASE_OK)
        fail_msg("%s", err.message);
    wire_status_changed event;
    assert_int_equal(wire_status_changed_decode(base_buffer_view(&out), &event, &err), BASE_OK);
    assert_true(event.sequence == UINT64_MAX);
    assert_int_equal(event.sha256.bytes[0], 0xa1);
    assert_int_equal(event.status, WIRE_STATUS_COMPLETE);
    assert_int_equal(event.previous_status, WIRE_STATUS_PROOF_PUBLISHING);
    assert_int_equal(event.occurred_unix_ms, 253402300799999);
    BASE_CLEANUP(base_buffer_done) base_buffer shown = {.limit = 4096};
    assert_int_equal(wire_json_from_message(WIRE_TYPE_STATUS_CHANGED, base_buffer_view(&out), false, &shown, &err),
                     BASE_OK);
    assert_non_null(strstr((const char *)shown.data, "\"sequence\":\"18446744073709551615\",\"status\":\"complete\""));
}

static void what_cannot_be_read_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *json, *error;
    } CASES[] = {
        {"", "not valid JSON: '[' or '{' expected near end of file (line 1, column 0)"},
        {"[]", "GenerateProof must be a JSON object"},
        {"{} x", "not valid JSON: end of file expected near 'x' (line 1, column 4)"},
        {"{\"sha256\":\"00\",\"sha256\":\"00\"}",
         "not valid JSON: duplicate object key near '\"sha256\"' (line 1, column 23)"},
        {"{\"hash\":1}", "GenerateProof has no field \"hash\""},
        {"{\"signature\":{\"v\":1}}", "signature has no field \"v\""},
        {"{\"signature\":\"ab\"}", "signature must be a JSON object"},
        {"{\"sha256\":12}", "sha256 must be a string of hex characters"},
        {"{\"sha256\":null}", "sha256 must be a string of hex characters"},
        {"{\"sha256\":\"abc\"}", "sha256 must be an even number of hex characters"},
        {"{\"sha256\":\"zz\"}", "sha256 must be hex characters"},
        {"{\"correlation_id\":5}", "correlation_id must be a string"},
        {"{\"submitted_at_unix_ms\":1.5}", "submitted_at_unix_ms must be a whole number of 64 bits"},
        {"{\"submitted_at_unix_ms\":\"\"}", "submitted_at_unix_ms must be a whole number of 64 bits"},
        {"{\"submitted_at_unix_ms\":\"-\"}", "submitted_at_unix_ms must be a whole number of 64 bits"},
        {"{\"submitted_at_unix_ms\":\"9223372036854775808\"}",
         "submitted_at_unix_ms must be a whole number of 64 bits"},
        {"{\"final_round\":{\"state\":7}}", "final_round.state must be an array of numbers"},
        {"{\"final_round\":{\"state\":[4294967296]}}", "final_round.state must be a whole number from 0 to 4294967295"},
        {"{\"final_round\":{\"message_word\":-1}}",
         "final_round.message_word must be a whole number from 0 to 4294967295"},
        {"{\"final_round\":{},\"image\":\"00\"}", "final_round and image exclude each other"},
        {"{\"final_round\":{\"state\":[1,\"x\"]}}", "final_round.state must be a whole number from 0 to 4294967295"},
        {"{}", "sha256 must be 32 bytes, not 0"},
        {"{\"sha256\":\"" HASH "\",\"signature\":{\"r\":\"" R "\"}}", "public_key is missing"},
        {"{\"sha256\":\"" HASH "\",\"signature\":{},\"public_key\":{}}", "signature.r must be 32 bytes, not 0"},
        {"{\"sha256\":\"" HASH "\",\"signature\":{\"r\":\"" R "\",\"s\":\"" S "\"},\"public_key\":{\"x\":\"" X
         "\",\"y\":\"" Y "\"},\"image\":\"\"}",
         "image must not be empty"},
        {"{\"sha256\":\"" HASH "\",\"correlation_id\":\"a b\"}",
         "correlation_id must be printable ASCII without spaces, but byte 2 is 0x20"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        refuses("GenerateProof", CASES[i].json, CASES[i].error);
    refuses("SubmissionStatusChanged", "{\"status\":\"processing\"}",
            "status must be the name of a SubmissionStatus, not \"processing\"");
    refuses("SubmissionStatusChanged", "{\"status\":2}", "status must be the name of a SubmissionStatus");
    refuses("SubmissionStatusChanged", "{\"sequence\":\"18446744073709551616\"}",
            "sequence must be a whole number from 0 to 18446744073709551615");
    refuses("SubmissionStatusChanged", "{\"occurred_at_unix_ms\":\"-9223372036854775809\"}",
            "occurred_at_unix_ms must be a whole number of 64 bits");
    refuses("Nonsense", "{}", "\"Nonsense\" is not the name of a message");
}

static void what_is_larger_than_any_message_is_not_even_read(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 2 * WIRE_JSON_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer out = {.limit = WIRE_MESSAGE_MAX};
    base_error err = {0};
    BASE_CLEANUP(free) char *hex = malloc(WIRE_JSON_MAX + 1);
    assert_non_null(hex);
    memset(hex, '0', WIRE_JSON_MAX + 1);
    assert_int_equal(base_buffer_printf(&json, &err, "{\"image\":\"%.*s\"}", WIRE_JSON_MAX, hex), BASE_OK);
    assert_int_equal(wire_json_to_message("GenerateProof", base_buffer_view(&json), &out, &err), BASE_INVALID);
    assert_string_equal(err.message, "JSON must be at most 3000000 bytes, not 3000012");
    base_buffer_clear(&json);
    assert_int_equal(base_buffer_printf(&json, &err, "{\"image\":\"%.*s\"}", 2 * (WIRE_MESSAGE_MAX + 1), hex), BASE_OK);
    assert_int_equal(wire_json_to_message("GenerateProof", base_buffer_view(&json), &out, &err), BASE_INVALID);
    assert_string_equal(err.message, "a message must be at most 1000000 bytes");
    assert_int_equal(out.size, 0);
}

static void a_message_of_an_unknown_type_cannot_be_shown(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 1024};
    base_error err = {0};
    assert_int_equal(wire_json_from_message("Nonsense", text_bytes(""), false, &json, &err), BASE_INVALID);
    assert_string_equal(err.message, "\"Nonsense\" is not the name of a message");
}

static void a_message_that_breaks_its_rules_can_still_be_shown(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 1024};
    BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 1024};
    base_error err = {0};
    raw_text(&raw, 1, "short");
    raw_varint(&raw, 3, (uint64_t)INT64_C(-5));
    raw_varint(&raw, 9, 77);
    raw_varint(&raw, 99, 1);
    assert_int_equal(wire_json_from_message("SubmissionStatusChanged", base_buffer_view(&raw), false, &json, &err),
                     BASE_OK);
    assert_string_equal((const char *)json.data,
                        "{\"sha256\":\"73686f7274\",\"occurred_at_unix_ms\":-5,\"status\":77}");
}

static void what_has_no_field_of_its_type_is_no_message(void **state)
{
    (void)state;
    for (const char *const *type = wire_json_types(); *type != NULL; type++) {
        BASE_CLEANUP(base_buffer_done) base_buffer stranger = {.limit = 64};
        BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 1024};
        base_error err = {0};
        raw_varint(&stranger, 99, 1);
        assert_int_equal(wire_json_from_message(*type, text_bytes(""), false, &json, &err), BASE_INVALID);
        assert_int_equal(wire_json_from_message(*type, base_buffer_view(&stranger), false, &json, &err), BASE_INVALID);
        assert_int_equal(json.size, 0);
    }
}

static void what_cannot_be_shown_leaves_the_buffer_alone(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 1024};
    BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = 100};
    base_error err = {0};
    assert_int_equal(base_buffer_append(&json, text_bytes("kept"), &err), BASE_OK);
    encode_sample(0, &raw);
    assert_int_equal(wire_json_from_message("GenerateProof", base_buffer_view(&raw), false, &json, &err), BASE_LIMIT);
    assert_string_equal((const char *)json.data, "kept");
    assert_int_equal(json.size, 4);
    assert_int_equal(wire_json_from_message("GenerateProof", text_bytes("\xff\xff"), false, &json, &err), BASE_INVALID);
    base_buffer_clear(&raw);
    raw_text(&raw, 2, "\xff");
    assert_int_equal(wire_json_from_message("GenerateProof", base_buffer_view(&raw), false, &json, &err), BASE_INVALID);
    assert_string_equal(err.message, "correlation_id is not valid UTF-8");
    assert_string_equal((const char *)json.data, "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_shown_with_short_names_and_hex),
        cmocka_unit_test(every_message_comes_back_byte_for_byte),
        cmocka_unit_test(an_image_of_the_largest_size_comes_back),
        cmocka_unit_test(numbers_are_taken_as_strings_and_enums_by_either_name),
        cmocka_unit_test(what_cannot_be_read_is_refused_with_its_place),
        cmocka_unit_test(what_is_larger_than_any_message_is_not_even_read),
        cmocka_unit_test(a_message_of_an_unknown_type_cannot_be_shown),
        cmocka_unit_test(a_message_that_breaks_its_rules_can_still_be_shown),
        cmocka_unit_test(what_has_no_field_of_its_type_is_no_message),
        cmocka_unit_test(what_cannot_be_shown_leaves_the_buffer_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
