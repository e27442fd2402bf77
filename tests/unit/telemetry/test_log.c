#include "base/own.h"
#include "telemetry/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4
#define LINES   200

static int real_stderr;
static FILE *capture;

/* stderr goes to a file from here on. */
static void capture_start(void)
{
    capture = tmpfile();
    assert_non_null(capture);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fileno(capture), STDERR_FILENO) >= 0);
}

/* What was written since; the caller frees it. */
static char *capture_end(void)
{
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    close(real_stderr);
    off_t size = lseek(fileno(capture), 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(fileno(capture), text, (size_t)size, 0), size);
    fclose(capture);
    return text;
}

static json_t *parse(const char *line)
{
    json_error_t error;
    json_t *object = json_loads(line, 0, &error);
    if (object == NULL)
        fail_msg("%s in: %.200s", error.text, line);
    return object;
}

static const char *text_of(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void a_record_is_one_line_of_json_with_its_fields_in_order(void **state)
{
    (void)state;
    telemetry_log_init("generator", TELEMETRY_INFO, TELEMETRY_JSON);
    capture_start();
    TELEMETRY_LOG(TELEMETRY_WARN, "job_completed", telemetry_text("submission", "ab12"), telemetry_int("attempt", -2),
                  telemetry_real("seconds", 0.25), telemetry_bool("replay", true), telemetry_text("none", NULL),
                  telemetry_real("odd", NAN));
    BASE_CLEANUP(free) char *line = capture_end();
    assert_string_equal(strstr(line, ",\"level\""),
                        ",\"level\":\"warn\",\"service\":\"generator\",\"event\":\"job_completed\","
                        "\"submission\":\"ab12\",\"attempt\":-2,\"seconds\":0.25,"
                        "\"replay\":true,\"none\":null,\"odd\":null}\n");
    json_t *object = parse(line);
    const char *time = text_of(object, "time");
    assert_int_equal(strlen(time), strlen("2026-01-02T03:04:05.678Z"));
    assert_int_equal(time[10], 'T');
    json_decref(object);
}

static void a_record_may_have_no_fields(void **state)
{
    (void)state;
    telemetry_log_init("generator", TELEMETRY_INFO, TELEMETRY_JSON);
    capture_start();
    TELEMETRY_LOG(TELEMETRY_INFO, "started");
    BASE_CLEANUP(free) char *line = capture_end();
    json_t *object = parse(line);
    assert_string_equal(text_of(object, "event"), "started");
    assert_int_equal(json_object_size(object), 4);
    json_decref(object);
}

static void records_below_the_level_are_not_written(void **state)
{
    (void)state;
    telemetry_log_init("generator", TELEMETRY_WARN, TELEMETRY_JSON);
    capture_start();
    TELEMETRY_LOG(TELEMETRY_INFO, "quiet");
    TELEMETRY_LOG(TELEMETRY_ERROR, "loud");
    BASE_CLEANUP(free) char *lines = capture_end();
    assert_null(strstr(lines, "quiet"));
    assert_non_null(strstr(lines, "loud"));
    assert_false(telemetry_log_enabled(TELEMETRY_INFO));
    assert_true(telemetry_log_enabled(TELEMETRY_WARN));
}

static void text_from_outside_stays_valid_json_and_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *read_back;
    } CASES[] = {
        {"quote \" back \\ line \n tab \t", "quote \" back \\ line \n tab \t"},
        {"\x01\x1f\x7f", "\x01\x1f\x7f"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x92", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x92"},
        {"\xff", "\xef\xbf\xbd"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd"},
        {"surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"beyond \xf4\x90\x80\x80", "beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    telemetry_log_init("generator", TELEMETRY_INFO, TELEMETRY_JSON);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        capture_start();
        TELEMETRY_LOG(TELEMETRY_INFO, "text", telemetry_text("value", CASES[i].raw));
        BASE_CLEANUP(free) char *line = capture_end();
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        json_t *object = parse(line);
        assert_string_equal(text_of(object, "value"), CASES[i].read_back);
        json_decref(object);
    }
}

static void an_overlong_line_loses_its_last_fields_and_says_so(void **state)
{
    (void)state;
    static char huge[3 * TELEMETRY_LOG_LINE_MAX];
    memset(huge, '"', sizeof(huge) - 1);
    telemetry_field fields[8];
    for (size_t i = 0; i < 8; i++)
        fields[i] = telemetry_text("part", huge);
    telemetry_log_init("generator", TELEMETRY_INFO, TELEMETRY_JSON);
    for (int form = TELEMETRY_JSON; form <= TELEMETRY_TEXT; form++) {
        telemetry_log_init("generator", TELEMETRY_INFO, (telemetry_format)form);
        capture_start();
        telemetry_log(TELEMETRY_INFO, "huge", fields, 8);
        BASE_CLEANUP(free) char *line = capture_end();
        assert_in_range(strlen(line), 3 * TELEMETRY_LOG_TEXT_MAX, TELEMETRY_LOG_LINE_MAX);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        if (form == TELEMETRY_TEXT) {
            assert_non_null(strstr(line, " truncated=true\n"));
            continue;
        }
        json_t *object = parse(line);
        assert_true(json_is_true(json_object_get(object, "truncated")));
        json_decref(object);
    }
}

static void the_text_form_is_for_people(void **state)
{
    (void)state;
    telemetry_log_init("publisher", TELEMETRY_INFO, TELEMETRY_TEXT);
    capture_start();
    TELEMETRY_LOG(TELEMETRY_INFO, "sent", telemetry_text("hash", "5Jt"), telemetry_text("why", "node is down"),
                  telemetry_int("attempt", 3), telemetry_text("empty", ""));
    BASE_CLEANUP(free) char *line = capture_end();
    assert_string_equal(strchr(line, ' '),
                        " INFO  publisher sent hash=5Jt why=\"node is down\" attempt=3 empty=\"\"\n");
}

static void a_file_gets_json_by_default(void **state)
{
    (void)state;
    telemetry_log_init("publisher", TELEMETRY_INFO, TELEMETRY_AUTO);
    capture_start();
    TELEMETRY_LOG(TELEMETRY_INFO, "sent");
    BASE_CLEANUP(free) char *line = capture_end();
    assert_int_equal(line[0], '{');
}

static void level_and_format_words_are_parsed(void **state)
{
    (void)state;
    telemetry_level level = TELEMETRY_INFO;
    assert_true(telemetry_level_parse("error", &level));
    assert_int_equal(level, TELEMETRY_ERROR);
    assert_false(telemetry_level_parse("loud", &level));
    assert_int_equal(level, TELEMETRY_ERROR);
    telemetry_format format = TELEMETRY_AUTO;
    assert_true(telemetry_format_parse("text", &format));
    assert_int_equal(format, TELEMETRY_TEXT);
    assert_false(telemetry_format_parse("xml", &format));
}

static void *log_many(void *name)
{
    for (int i = 0; i < LINES; i++)
        TELEMETRY_LOG(TELEMETRY_INFO, "line", telemetry_text("thread", name), telemetry_int("n", i));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    static char names[THREADS][512];
    pthread_t threads[THREADS];
    telemetry_log_init("generator", TELEMETRY_INFO, TELEMETRY_JSON);
    capture_start();
    int fd = fcntl(STDERR_FILENO, F_GETFL);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, fd | O_APPEND), 0);
    for (size_t i = 0; i < THREADS; i++) {
        memset(names[i], (int)('a' + i), sizeof(names[i]) - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    BASE_CLEANUP(free) char *lines = capture_end();
    int count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        json_decref(parse(line));
        count++;
    }
    assert_int_equal(count, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_line_of_json_with_its_fields_in_order),
        cmocka_unit_test(a_record_may_have_no_fields),
        cmocka_unit_test(records_below_the_level_are_not_written),
        cmocka_unit_test(text_from_outside_stays_valid_json_and_utf8),
        cmocka_unit_test(an_overlong_line_loses_its_last_fields_and_says_so),
        cmocka_unit_test(the_text_form_is_for_people),
        cmocka_unit_test(a_file_gets_json_by_default),
        cmocka_unit_test(level_and_format_words_are_parsed),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
