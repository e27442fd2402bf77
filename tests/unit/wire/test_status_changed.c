/* SubmissionStatusChanged: round trips, and every field at its limits and one step beyond. */
#include "samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static base_code again(const wire_status_changed *message, wire_status_changed *ret, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer encoded = {.limit = 4096};
    base_code code = wire_status_changed_encode(message, &encoded, err);
    return code == BASE_OK ? wire_status_changed_decode(base_buffer_view(&encoded), ret, err) : code;
}

static void an_event_comes_back_as_it_was_encoded(void **state)
{
    (void)state;
    wire_status_changed message = sample_status_changed();
    wire_status_changed decoded;
    base_error err = {0};
    assert_int_equal(again(&message, &decoded, &err), BASE_OK);
    assert_memory_equal(&decoded.sha256, &message.sha256, sizeof(message.sha256));
    assert_string_equal(decoded.correlation_id, message.correlation_id);
    assert_int_equal(decoded.sequence, 3);
    assert_int_equal(decoded.status, WIRE_STATUS_REJECTED);
    assert_int_equal(decoded.previous_status, WIRE_STATUS_PROOF_PUBLISHING);
    assert_string_equal(decoded.reason_code, message.reason_code);
    assert_string_equal(decoded.reason, message.reason);
    assert_int_equal(decoded.occurred_unix_ms, message.occurred_unix_ms);

    message = (wire_status_changed){.sequence = UINT64_MAX, .status = WIRE_STATUS_COMPLETE};
    memcpy(message.transaction_hash, LONG_TEXT, WIRE_TRANSACTION_MAX);
    assert_int_equal(again(&message, &decoded, &err), BASE_OK);
    assert_true(decoded.sequence == UINT64_MAX);
    assert_string_equal(decoded.transaction_hash, message.transaction_hash);
    assert_int_equal(decoded.previous_status, WIRE_STATUS_NONE);
}

static void an_event_has_only_the_fields_of_its_status(void **state)
{
    (void)state;
    wire_status_changed ignored;
    base_error err = {0};
    wire_status_changed message = sample_status_changed();
    message.reason_code[0] = '\0';
    assert_refused(again(&message, &ignored, &err), &err, "reason_code must not be empty when the status is rejected");
    message = sample_status_changed();
    memcpy(message.transaction_hash, "5Jx", 4);
    assert_refused(again(&message, &ignored, &err), &err,
                   "transaction_hash must be empty unless the status is complete");
    message = sample_status_changed();
    message.status = WIRE_STATUS_COMPLETE;
    assert_refused(again(&message, &ignored, &err), &err, "reason_code must be empty unless the status is rejected");
    message.reason_code[0] = '\0';
    assert_refused(again(&message, &ignored, &err), &err, "reason must be empty unless the status is rejected");
    message = sample_status_changed();
    message.sequence = 0;
    assert_refused(again(&message, &ignored, &err), &err, "sequence must be at least 1");
    message = sample_status_changed();
    message.status = WIRE_STATUS_NONE;
    assert_refused(again(&message, &ignored, &err), &err, "status must be a known status, not 0");
    message.status = (wire_status)6;
    assert_refused(again(&message, &ignored, &err), &err, "status must be a known status, not 6");
    message = sample_status_changed();
    message.previous_status = (wire_status)6;
    assert_refused(again(&message, &ignored, &err), &err, "previous_status must be a known status, not 6");
    message = sample_status_changed();
    memset(message.reason, 'x', sizeof(message.reason)); /* without its end */
    assert_refused(again(&message, &ignored, &err), &err, "reason must be at most 1024 bytes long");
}

static void a_foreign_reason_never_keeps_an_event_from_being_written(void **state)
{
    (void)state;
    wire_status_changed message = sample_status_changed();
    memset(message.reason, 'x', sizeof(message.reason) - 1);
    message.reason[3] = '\n';
    message.reason[WIRE_REASON_MAX - 1] = '\xc3'; /* a character cut in half */
    wire_status_changed decoded;
    base_error err = {0};
    assert_int_equal(again(&message, &decoded, &err), BASE_OK);
    message.reason[3] = ' ';
    message.reason[WIRE_REASON_MAX - 1] = '?';
    assert_string_equal(decoded.reason, message.reason);
}

static void a_received_event_obeys_its_limits(void **state)
{
    (void)state;
    BASE_CLEANUP(free) char *reason = malloc(WIRE_REASON_MAX + 1);
    assert_non_null(reason);
    memset(reason, 'r', WIRE_REASON_MAX + 1);
    const struct {
        uint32_t number;
        const char *value;
        size_t size;
        const char *error;
    } cases[] = {
        {1, LONG_TEXT, 0, "sha256 must be 32 bytes, not 0"},
        {11, LONG_TEXT, 64, NULL},
        {11, LONG_TEXT, 65, "reason_code must be at most 64 bytes long"},
        {11, "Big", 3, "reason_code must be a-z, 0-9 and _, but byte 1 is 0x42"},
        {12, reason, WIRE_REASON_MAX, NULL},
        {12, reason, WIRE_REASON_MAX + 1, "reason must be at most 1024 bytes long"},
        {12, "a\nb", 3, "reason must be UTF-8 without control characters, but byte 2 is 0x0a"},
        {12, "a\xff", 2, "reason must be UTF-8 without control characters, but byte 2 is 0xff"},
        {12, "a\0b", 3, "reason must not contain the character NUL"},
        {13, LONG_TEXT, 129, "transaction_hash must be at most 128 bytes long"},
        {13, "5J+", 3, "transaction_hash must be letters and digits, but byte 3 is 0x2b"},
    };
    const wire_status_changed message = sample_status_changed();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BASE_CLEANUP(base_buffer_done) base_buffer raw = {.limit = 4096};
        base_error err = {0};
        assert_int_equal(wire_status_changed_encode(&message, &raw, &err), BASE_OK);
        raw_bytes(&raw, cases[i].number, base_bytes_of(cases[i].value, cases[i].size));
        wire_status_changed decoded;
        base_code code = wire_status_changed_decode(base_buffer_view(&raw), &decoded, &err);
        if (cases[i].error != NULL)
            assert_refused(code, &err, cases[i].error);
        else
            assert_int_equal(code, BASE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_back_as_it_was_encoded),
        cmocka_unit_test(an_event_has_only_the_fields_of_its_status),
        cmocka_unit_test(a_foreign_reason_never_keeps_an_event_from_being_written),
        cmocka_unit_test(a_received_event_obeys_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
