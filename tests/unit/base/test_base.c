/* Settings, buffers, text forms, back-off. */
#include "base/backoff.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct example {
    char *url;
    int64_t limit;
    bool verbose;
    char *level;
    base_secret key;
} example;

static const base_setting TABLE[] = {
    {"T_URL", BASE_SETTING_TEXT, offsetof(example, url), NULL, true, 0, 0, NULL, "where to connect"},
    {"T_LIMIT", BASE_SETTING_INT, offsetof(example, limit), "3", false, 0, 10, NULL, "attempts"},
    {"T_VERBOSE", BASE_SETTING_BOOL, offsetof(example, verbose), "false", false, 0, 0, NULL, "say more"},
    {"T_LEVEL", BASE_SETTING_CHOICE, offsetof(example, level), "info", false, 0, 0, "info|debug", "log level"},
    {"T_KEY", BASE_SETTING_SECRET, offsetof(example, key), NULL, false, 0, 0, NULL, "signing key"},
};
enum { ROWS = sizeof(TABLE) / sizeof(TABLE[0]) };

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        unsetenv(TABLE[i].name);
    unsetenv("T_KEY_FILE");
    return 0;
}

static void every_bad_setting_is_named_at_once(void **state)
{
    (void)state;
    setenv("T_LIMIT", "11", 1);
    setenv("T_VERBOSE", "maybe", 1);
    setenv("T_LEVEL", "loud", 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_INVALID);
    const char *text = (const char *)problems.data;
    assert_non_null(strstr(text, "T_URL is not set"));
    assert_non_null(strstr(text, "T_LIMIT: \"11\" is not a whole number from 0 to 10"));
    assert_non_null(strstr(text, "T_VERBOSE"));
    assert_non_null(strstr(text, "T_LEVEL: \"loud\" is not one of info|debug"));
    base_settings_done(TABLE, ROWS, &loaded);
}

static void defaults_fill_what_is_absent(void **state)
{
    (void)state;
    setenv("T_URL", "nats://x", 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_OK);
    assert_string_equal(loaded.url, "nats://x");
    assert_int_equal(loaded.limit, 3);
    assert_false(loaded.verbose);
    assert_null(loaded.key.data);
    base_settings_done(TABLE, ROWS, &loaded);
    assert_null(loaded.url);
}

static void a_secret_leaves_the_environment(void **state)
{
    (void)state;
    setenv("T_URL", "x", 1);
    setenv("T_KEY", "hush", 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_OK);
    assert_string_equal(loaded.key.data, "hush");
    assert_null(getenv("T_KEY"));
    base_settings_done(TABLE, ROWS, &loaded);
}

static void a_secret_file_loses_its_line_break(void **state)
{
    (void)state;
    char path[] = "/tmp/proofline-secret-XXXXXX";
    BASE_CLEANUP(base_close) int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hush\n", 5), 5);
    setenv("T_URL", "x", 1);
    setenv("T_KEY_FILE", path, 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_OK);
    assert_string_equal(loaded.key.data, "hush");
    base_settings_done(TABLE, ROWS, &loaded);

    setenv("T_KEY", "twice", 1);
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_INVALID);
    assert_non_null(strstr((const char *)problems.data, "T_KEY and T_KEY_FILE are both set"));
    base_settings_done(TABLE, ROWS, &loaded);
    unlink(path);
}

static void an_empty_secret_file_sets_nothing(void **state)
{
    (void)state;
    setenv("T_URL", "x", 1);
    setenv("T_KEY_FILE", "/dev/null", 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_OK);
    assert_null(loaded.key.data);
    base_settings_done(TABLE, ROWS, &loaded);

    base_setting required = TABLE[ROWS - 1];
    required.required = true;
    assert_int_equal(base_settings_load(&required, 1, &loaded, &problems), BASE_INVALID);
    assert_non_null(strstr((const char *)problems.data, "T_KEY is not set, nor is T_KEY_FILE"));
    base_settings_done(&required, 1, &loaded);
}

static void a_secret_that_is_too_long_is_named(void **state)
{
    (void)state;
    char secret[BASE_SECRET_MAX + 2];
    memset(secret, 's', sizeof(secret) - 1);
    secret[sizeof(secret) - 1] = '\0';
    setenv("T_URL", "x", 1);
    setenv("T_KEY", secret, 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_INVALID);
    assert_string_equal((const char *)problems.data, "T_KEY: a secret may have at most 4096 bytes\n");
    base_settings_done(TABLE, ROWS, &loaded);
}

static void a_buffer_refuses_to_grow_past_its_limit(void **state)
{
    (void)state;
    BASE_CLEANUP(base_buffer_done) base_buffer buffer = {.limit = 5};
    base_error err;
    assert_int_equal(base_buffer_append(&buffer, base_bytes_of("abc", 3), &err), BASE_OK);
    assert_int_equal(base_buffer_append(&buffer, base_bytes_of("def", 3), &err), BASE_LIMIT);
    assert_string_equal((const char *)buffer.data, "abc");
    assert_int_equal(base_buffer_printf(&buffer, &err, "%d", 12), BASE_OK);
    assert_string_equal((const char *)buffer.data, "abc12");
}

static void hex_decodes_only_the_exact_length(void **state)
{
    (void)state;
    uint8_t bytes[2];
    base_error err;
    assert_int_equal(base_hex_decode("hash", "0aFf", bytes, 2, &err), BASE_OK);
    assert_int_equal(bytes[0], 0x0a);
    assert_int_equal(bytes[1], 0xff);
    assert_int_equal(base_hex_decode("hash", "0aF", bytes, 2, &err), BASE_INVALID);
    assert_int_equal(base_hex_decode("hash", "0agg", bytes, 2, &err), BASE_INVALID);
    assert_string_equal(err.message, "hash must be 4 hex characters");
}

static void base64_decodes_only_its_own_alphabet_with_padding(void **state)
{
    (void)state;
    const uint8_t data[] = {0xfb, 0xff, 0xfe, 0x01};
    base_error err;
    BASE_CLEANUP(base_buffer_done) base_buffer back = {.limit = 64};
    assert_int_equal(base_base64_decode("+//+AQ==", 8, &back, &err), BASE_OK);
    assert_int_equal(back.size, 4);
    assert_memory_equal(back.data, data, 4);
    assert_int_equal(base_base64_decode("%%", 2, &back, &err), BASE_INVALID);
    assert_int_equal(base_base64_decode("-__-AQ==", 8, &back, &err), BASE_INVALID);
    assert_int_equal(base_base64_decode("+//+AQ", 6, &back, &err), BASE_INVALID);
    assert_int_equal(base_base64_decode("A\x80\xff\xc3", 4, &back, &err), BASE_INVALID);
    assert_int_equal(back.size, 4);
}

static void backoff_doubles_within_its_jitter_up_to_the_cap(void **state)
{
    (void)state;
    for (int64_t attempt = 1; attempt <= 5; attempt++) {
        int64_t expected = (int64_t)1000 << (attempt - 1);
        if (expected > 6000)
            expected = 6000;
        int64_t delay = base_backoff_ms(attempt, 1000, 6000);
        assert_in_range(delay, expected - expected / 5, expected + expected / 5);
    }
}

static void time_prints_as_rfc3339(void **state)
{
    (void)state;
    assert_string_equal(base_time_rfc3339(1767323045678).text, "2026-01-02T03:04:05.678Z");
    assert_string_equal(base_time_rfc3339(-1).text, "1969-12-31T23:59:59.999Z");
}

static void an_error_keeps_its_cause_inside_its_context(void **state)
{
    (void)state;
    base_error err = {0};
    assert_int_equal(base_fail(&err, BASE_DENIED, "no"), BASE_DENIED);
    assert_int_equal(base_fail_within(&err, "opening %s", "x"), BASE_DENIED);
    assert_string_equal(err.message, "opening x: no");
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int code = BASE_OK; code <= BASE_INTERNAL; code++) {
        const char *name = base_code_name((base_code)code);
        assert_string_not_equal(name, "unknown");
        for (int other = BASE_OK; other < code; other++)
            assert_string_not_equal(name, base_code_name((base_code)other));
    }
    assert_string_equal(base_code_name(BASE_NOT_FOUND), "not_found");
    assert_string_equal(base_code_name((base_code)(BASE_INTERNAL + 1)), "unknown");
}

static void who_wants_no_message_still_gets_the_code(void **state)
{
    (void)state;
    assert_int_equal(base_fail(NULL, BASE_CONFLICT, "no"), BASE_CONFLICT);
    assert_int_equal(base_fail_within(NULL, "opening"), BASE_INTERNAL);
}

static void a_file_that_cannot_be_read_is_named_with_the_cause(void **state)
{
    (void)state;
    char path[] = "/tmp/proofline-file-XXXXXX";
    BASE_CLEANUP(base_close) int fd = mkstemp(path);
    assert_int_equal(write(fd, "123456", 6), 6);
    BASE_CLEANUP(base_buffer_done) base_buffer file = {.limit = 5};
    base_error err = {0};
    assert_int_equal(base_file_read(path, &file, &err), BASE_LIMIT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "maximum of 5 bytes"));
    unlink(path);
    assert_int_equal(base_file_read(path, &file, &err), BASE_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(base_file_read("/proc/self", &file, &err), BASE_INTERNAL);
    assert_string_equal(err.message, "cannot read /proc/self: Is a directory");
}

static void what_is_too_long_is_refused_and_a_secret_not_shown(void **state)
{
    (void)state;
    char longer[BASE_SETTING_VALUE_MAX + 2];
    memset(longer, 'k', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    setenv("T_URL", longer, 1);
    setenv("T_KEY", longer, 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4096};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_INVALID);
    const char *text = (const char *)problems.data;
    assert_non_null(strstr(text, "T_URL: at most 4096 bytes"));
    assert_non_null(strstr(text, "a secret may have at most 4096 bytes"));
    assert_null(strstr(text, "kkk"));
    assert_null(getenv("T_KEY"));
    base_settings_done(TABLE, ROWS, &loaded);
}

static void bad_settings_stay_bad_when_there_is_no_room_to_say_so(void **state)
{
    (void)state;
    setenv("T_LIMIT", "11", 1);
    example loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = 4};
    assert_int_equal(base_settings_load(TABLE, ROWS, &loaded, &problems), BASE_INVALID);
    assert_int_equal(problems.size, 0);
    base_settings_done(TABLE, ROWS, &loaded);
}

static void a_short_delay_has_no_jitter(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(base_backoff_ms(2, 2, 60000), 4);
}

int main(void)
{
    base_error err;
    if (base_process_harden(&err) != BASE_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_bad_setting_is_named_at_once, clear_environment),
        cmocka_unit_test_setup(defaults_fill_what_is_absent, clear_environment),
        cmocka_unit_test_setup(a_secret_leaves_the_environment, clear_environment),
        cmocka_unit_test_setup(a_secret_file_loses_its_line_break, clear_environment),
        cmocka_unit_test_setup(an_empty_secret_file_sets_nothing, clear_environment),
        cmocka_unit_test_setup(a_secret_that_is_too_long_is_named, clear_environment),
        cmocka_unit_test(a_buffer_refuses_to_grow_past_its_limit),
        cmocka_unit_test(hex_decodes_only_the_exact_length),
        cmocka_unit_test(base64_decodes_only_its_own_alphabet_with_padding),
        cmocka_unit_test(backoff_doubles_within_its_jitter_up_to_the_cap),
        cmocka_unit_test(time_prints_as_rfc3339),
        cmocka_unit_test(an_error_keeps_its_cause_inside_its_context),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(who_wants_no_message_still_gets_the_code),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named_with_the_cause),
        cmocka_unit_test_setup(what_is_too_long_is_refused_and_a_secret_not_shown, clear_environment),
        cmocka_unit_test_setup(bad_settings_stay_bad_when_there_is_no_room_to_say_so, clear_environment),
        cmocka_unit_test(a_short_delay_has_no_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
