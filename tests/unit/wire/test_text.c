/* Names of states, and foreign text made fit for one line. */
#include "wire/headers.h"
#include "wire/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static void one_line_keeps_characters_and_replaces_what_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } CASES[] = {
        {"plain text", "plain text"},
        {"", ""},
        {"two\nlines\r\n\tand\x7f", "two lines   and "},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc0\xaf overlong", "?? overlong"},
        {"\xed\xa0\x80 surrogate", "??? surrogate"},
        {"\xf4\x90\x80\x80 beyond Unicode", "???? beyond Unicode"},
        {"\xc2\x85 a C1 control", "?? a C1 control"},
        {"cut \xe2\x82", "cut ??"},
        {"alone \x80\xff", "alone ??"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char line[64];
        wire_one_line(CASES[i].from, line, sizeof(line));
        assert_string_equal(line, CASES[i].to);
    }
}

static void one_line_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char line[5];
    wire_one_line("abc\xe2\x82\xac", line, sizeof(line));
    assert_string_equal(line, "abc");
    wire_one_line("a\xe2\x82\xac-", line, sizeof(line));
    assert_string_equal(line, "a\xe2\x82\xac");
    wire_one_line("abcdef", line, 1);
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_is_found_again_by_its_name),
        cmocka_unit_test(one_line_keeps_characters_and_replaces_what_is_none),
        cmocka_unit_test(one_line_is_cut_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
