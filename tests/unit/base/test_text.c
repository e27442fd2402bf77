/* Foreign text made fit for one line, by itself and in the messages of errors. */
#include "base/error.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
        base_one_line(CASES[i].from, line, sizeof(line));
        assert_string_equal(line, CASES[i].to);
    }
}

static void one_line_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char line[5];
    base_one_line("abc\xe2\x82\xac", line, sizeof(line));
    assert_string_equal(line, "abc");
    base_one_line("a\xe2\x82\xac-", line, sizeof(line));
    assert_string_equal(line, "a\xe2\x82\xac");
    base_one_line("abcdef", line, 1);
    assert_string_equal(line, "");
}

static void the_message_of_an_error_is_one_line_of_utf8(void **state)
{
    (void)state;
    base_error err = {0};
    assert_int_equal(base_fail(&err, BASE_INVALID, "\"%s\" is no name", "a\nb\x1b[31m\xff"), BASE_INVALID);
    assert_string_equal(err.message, "\"a b [31m?\" is no name");
    assert_int_equal(base_fail_within(&err, "line\t%d", 3), BASE_INVALID);
    assert_string_equal(err.message, "line 3: \"a b [31m?\" is no name");
}

static void a_long_message_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char longest[BASE_ERROR_MESSAGE];
    for (size_t before = BASE_ERROR_MESSAGE - 6; before < BASE_ERROR_MESSAGE; before++) {
        memset(longest, 'x', before);
        longest[before] = '\0';
        base_error err = {0};
        assert_int_equal(base_fail(&err, BASE_INVALID, "%s\xf0\x9f\x98\x80 and more", longest), BASE_INVALID);
        size_t length = strlen(err.message);
        assert_int_equal(base_line_prefix(err.message, length), length);
        assert_null(strchr(err.message, '?'));
        assert_memory_equal(err.message, longest, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_keeps_characters_and_replaces_what_is_none),
        cmocka_unit_test(one_line_is_cut_at_a_whole_character),
        cmocka_unit_test(the_message_of_an_error_is_one_line_of_utf8),
        cmocka_unit_test(a_long_message_is_cut_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
