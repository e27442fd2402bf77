/* Names of states. */
#include "wire/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_status_is_found_again_by_its_name(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"none",     "awaiting_review", "proof_generation", "proof_publishing",
                                        "complete", "rejected"};
    for (int status = WIRE_STATUS_NONE; status <= (int)WIRE_STATUS_REJECTED; status++) {
        assert_string_equal(wire_status_name((wire_status)status), NAMES[status]);
        wire_status found = WIRE_STATUS_NONE;
        assert_int_equal(wire_status_parse(NAMES[status], &found, NULL), BASE_OK);
        assert_int_equal(found, status);
    }
    base_error err = {0};
    wire_status untouched = WIRE_STATUS_COMPLETE;
    assert_int_equal(wire_status_parse("processing", &untouched, &err), BASE_INVALID);
    assert_int_equal(untouched, WIRE_STATUS_COMPLETE);
    assert_string_equal(err.message, "\"processing\" is not the name of a status");
    assert_string_equal(wire_status_name((wire_status)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_is_found_again_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
