/* When a transaction that the node did not show may be taken for missing. */
#include "missing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 60000, BEYOND_MS = WAIT_MS + 1 }; /* a slow machine must not reach the end of the wait by itself */

static publisher_missing the_missing; /* large */

static int begin(void **state)
{
    memset(&the_missing, 0, sizeof(the_missing));
    the_missing.wait_ms = WAIT_MS;
    *state = &the_missing;
    return 0;
}

/* Time passes by the clock of what is under test: everything that it remembers becomes older. */
static void let_pass(publisher_missing *missing, int64_t ms)
{
    missing->highest_ms -= ms;
    for (size_t i = 0; i < missing->count; i++) {
        missing->entries[i].since_ms -= ms;
        missing->entries[i].looked_ms -= ms;
    }
}

static base_code look(publisher_missing *missing, const char *hash, ledger_place place, int64_t tip_height)
{
    const ledger_sighting sighting = {.place = place, .tip_height = tip_height};
    base_error err = {0};
    publisher_missing_note(missing, hash, &sighting);
    return publisher_missing_judge(missing, hash, &sighting, &err);
}

static void one_look_is_not_enough_and_a_second_one_comes_too_soon_until_the_time_is_over(void **state)
{
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    let_pass(*state, BEYOND_MS);
    assert_int_equal(look(*state, "b", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_OK);
}

static void a_look_at_a_node_that_lags_counts_neither_first_nor_last(void **state)
{
    publisher_missing_note_height(*state, 11);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    let_pass(*state, BEYOND_MS);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 11), BASE_UNAVAILABLE); /* the first that counts */
    let_pass(*state, BEYOND_MS);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 12), BASE_OK);
    assert_int_equal(look(*state, "b", LEDGER_NOWHERE, 11), BASE_UNAVAILABLE); /* 12 was heard of */
    assert_true(the_missing.highest == 12);
}

static void whatever_finds_it_in_between_begins_the_time_anew(void **state)
{
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    let_pass(*state, BEYOND_MS);
    const ledger_sighting pooled = {.place = LEDGER_POOLED, .tip_height = 9}; /* finding needs no height */
    publisher_missing_note(*state, "a", &pooled);
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
    let_pass(*state, BEYOND_MS);
    publisher_missing_forget(*state, "a"); /* sent again, and taken */
    assert_int_equal(look(*state, "a", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
}

static void a_full_table_forgets_what_was_not_looked_for_for_the_longest_time(void **state)
{
    char hash[32];
    (void)look(*state, "old", LEDGER_NOWHERE, 10);
    let_pass(*state, 1);
    for (int i = 0; i < PUBLISHER_MISSING_MAX; i++) {
        snprintf(hash, sizeof(hash), "new%d", i);
        (void)look(*state, hash, LEDGER_NOWHERE, 10);
    }
    let_pass(*state, BEYOND_MS);
    assert_int_equal(look(*state, "new0", LEDGER_NOWHERE, 10), BASE_OK);
    assert_int_equal(look(*state, "new499", LEDGER_NOWHERE, 10), BASE_OK);
    assert_int_equal(look(*state, "old", LEDGER_NOWHERE, 10), BASE_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_look_is_not_enough_and_a_second_one_comes_too_soon_until_the_time_is_over, begin),
        cmocka_unit_test_setup(a_look_at_a_node_that_lags_counts_neither_first_nor_last, begin),
        cmocka_unit_test_setup(whatever_finds_it_in_between_begins_the_time_anew, begin),
        cmocka_unit_test_setup(a_full_table_forgets_what_was_not_looked_for_for_the_longest_time, begin),
    };
    return cmocka_run_group_tests_name("missing transactions", tests, NULL, NULL);
}
