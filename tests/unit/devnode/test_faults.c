/* Which fault strikes which request. */
#include "devnode/faults.h"
#include "suites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int begin(void **state)
{
    *state = faults_new();
    return *state == NULL ? -1 : 0;
}

static int end(void **state)
{
    faults_free(*state);
    return 0;
}

static base_code add(faults *f, const char *text, base_error *err)
{
    json_t *wanted = json_loads(text, 0, NULL);
    assert_non_null(wanted);
    base_code code = faults_add(f, wanted, err);
    json_decref(wanted);
    return code;
}

static void a_fault_strikes_the_next_n_requests(void **state)
{
    faults *f = *state;
    assert_int_equal(add(f, "{\"kind\":\"http_503\",\"next\":2,\"on\":\"all\"}", NULL), BASE_OK);
    assert_int_equal(faults_draw(f, FAULTS_ON_OTHER).kind, FAULT_HTTP_503);
    assert_int_equal(faults_draw(f, FAULTS_ON_SEND).kind, FAULT_HTTP_503);
    assert_int_equal(faults_draw(f, FAULTS_ON_SEND).kind, FAULT_NONE);
    json_t *list = faults_list(f);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void faults_on_sends_leave_questions_alone(void **state)
{
    faults *f = *state;
    assert_int_equal(add(f, "{\"kind\":\"drop_reply\",\"next\":1,\"on\":\"send\"}", NULL), BASE_OK);
    assert_int_equal(faults_draw(f, FAULTS_ON_OTHER).kind, FAULT_NONE);
    assert_int_equal(faults_draw(f, FAULTS_ON_SEND).kind, FAULT_DROP_REPLY);
}

static void faults_on_lookups_leave_other_questions_and_sends_alone(void **state)
{
    faults *f = *state;
    assert_int_equal(add(f, "{\"kind\":\"lag\",\"blocks\":3,\"on\":\"lookup\"}", NULL), BASE_OK);
    assert_int_equal(faults_draw(f, FAULTS_ON_OTHER).kind, FAULT_NONE);
    assert_int_equal(faults_draw(f, FAULTS_ON_SEND).kind, FAULT_NONE);
    fault_strike strike = faults_draw(f, FAULTS_ON_LOOKUP);
    assert_int_equal(strike.kind, FAULT_LAG);
    assert_int_equal(strike.blocks, 3);
    assert_int_equal(add(f, "{\"kind\":\"lag\",\"blocks\":-1}", NULL), BASE_INVALID);
    assert_int_equal(add(f, "{\"kind\":\"late_error\"}", NULL), BASE_INVALID);
    assert_int_equal(add(f, "{\"kind\":\"lag\",\"on\":\"never\"}", NULL), BASE_INVALID);
}

static void a_fault_without_a_count_lasts_until_cleared(void **state)
{
    faults *f = *state;
    assert_int_equal(add(f, "{\"kind\":\"error\",\"text\":\"Overloaded\"}", NULL), BASE_OK);
    for (int i = 0; i < 100; i++)
        assert_string_equal(faults_draw(f, FAULTS_ON_SEND).text, "Overloaded");
    faults_clear(f);
    assert_int_equal(faults_draw(f, FAULTS_ON_SEND).kind, FAULT_NONE);
}

static void delays_come_before_another_fault(void **state)
{
    faults *f = *state;
    assert_int_equal(add(f, "{\"kind\":\"delay\",\"delay_ms\":20}", NULL), BASE_OK);
    assert_int_equal(add(f, "{\"kind\":\"refuse\",\"delay_ms\":3,\"next\":1}", NULL), BASE_OK);
    fault_strike strike = faults_draw(f, FAULTS_ON_SEND);
    assert_int_equal(strike.kind, FAULT_REFUSE);
    assert_int_equal(strike.delay_ms, 23);
    strike = faults_draw(f, FAULTS_ON_SEND);
    assert_int_equal(strike.kind, FAULT_NONE);
    assert_int_equal(strike.delay_ms, 20);
}

static void probability_strikes_about_that_often(void **state)
{
    faults *f = *state;
    assert_int_equal(add(f, "{\"kind\":\"http_429\",\"probability\":0.25}", NULL), BASE_OK);
    int struck = 0;
    for (int i = 0; i < 4000; i++)
        struck += faults_draw(f, FAULTS_ON_SEND).kind == FAULT_HTTP_429;
    assert_in_range(struck, 800, 1200); /* 7 standard deviations around 1000 */
    faults_clear(f);
    assert_int_equal(add(f, "{\"kind\":\"http_429\",\"probability\":0}", NULL), BASE_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(faults_draw(f, FAULTS_ON_SEND).kind, FAULT_NONE);
}

static void nonsense_is_refused_and_named(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "kind"},
        {"[]", "no fault"},
        {"{\"kind\":\"explode\"}", "kind"},
        {"{\"kind\":\"refuse\",\"on\":\"monday\"}", "on"},
        {"{\"kind\":\"refuse\",\"next\":0}", "next"},
        {"{\"kind\":\"refuse\",\"next\":-1,\"probability\":2}", "probability"},
        {"{\"kind\":\"refuse\",\"nxt\":1}", "nxt"},
        {"{\"kind\":\"delay\"}", "delay_ms"},
        {"{\"kind\":\"delay\",\"delay_ms\":600001}", "delay_ms"},
        {"{\"kind\":\"error\"}", "text"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        base_error err = {0};
        assert_int_equal(add(*state, bad[i][0], &err), BASE_INVALID);
        if (strstr(err.message, bad[i][1]) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.message, bad[i][1]);
    }
}

static void the_number_of_faults_is_bounded(void **state)
{
    for (int i = 0; i < FAULTS_MAX; i++)
        assert_int_equal(add(*state, "{\"kind\":\"refuse\"}", NULL), BASE_OK);
    assert_int_equal(add(*state, "{\"kind\":\"refuse\"}", NULL), BASE_LIMIT);
}

int run_faults_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fault_strikes_the_next_n_requests, begin, end),
        cmocka_unit_test_setup_teardown(faults_on_sends_leave_questions_alone, begin, end),
        cmocka_unit_test_setup_teardown(faults_on_lookups_leave_other_questions_and_sends_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_fault_without_a_count_lasts_until_cleared, begin, end),
        cmocka_unit_test_setup_teardown(delays_come_before_another_fault, begin, end),
        cmocka_unit_test_setup_teardown(probability_strikes_about_that_often, begin, end),
        cmocka_unit_test_setup_teardown(nonsense_is_refused_and_named, begin, end),
        cmocka_unit_test_setup_teardown(the_number_of_faults_is_bounded, begin, end),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
