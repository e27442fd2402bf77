#include "schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000, LONG_MS = 60 * MINUTE_MS };

static void the_same_seed_draws_the_same_schedule_on_every_machine(void **state)
{
    (void)state;
    chaos_schedule first = chaos_schedule_draw(1, MINUTE_MS);
    chaos_schedule second = chaos_schedule_draw(1, MINUTE_MS);
    chaos_schedule other = chaos_schedule_draw(2, MINUTE_MS);
    assert_int_equal(first.count, second.count);
    assert_memory_equal(first.list, second.list, first.count * sizeof(*first.list));
    assert_true(first.hash == 0x6fd0eaf2481c998a); /* as drawn when this was written: old seeds keep their meaning */
    assert_true(first.hash == second.hash);
    assert_true(first.hash != other.hash);
    chaos_schedule_done(&first);
    chaos_schedule_done(&second);
    chaos_schedule_done(&other);
}

static void an_hour_holds_every_kind_of_fault(void **state)
{
    (void)state;
    bool seen[CHAOS_KINDS] = {false};
    chaos_schedule schedule = chaos_schedule_draw(3, LONG_MS);
    for (size_t i = 0; i < schedule.count; i++)
        seen[schedule.list[i].kind] = true;
    for (int kind = 0; kind < CHAOS_KINDS; kind++)
        assert_true(seen[kind]);
    chaos_schedule_done(&schedule);
}

/* What a build's tests run, by its sanitizer. */
static void the_two_short_runs_of_every_build_hold_every_kind_of_fault(void **state)
{
    (void)state;
    static const uint64_t SEEDS[][2] = {CI_SEEDS};
    for (size_t i = 0; i < sizeof(SEEDS) / sizeof(SEEDS[0]); i++) {
        bool seen[CHAOS_KINDS] = {false};
        for (size_t j = 0; j < 2; j++) {
            chaos_schedule schedule = chaos_schedule_draw(SEEDS[i][j], (int64_t)(CI_MINUTES * MINUTE_MS));
            for (size_t k = 0; k < schedule.count; k++)
                seen[schedule.list[k].kind] = true;
            chaos_schedule_done(&schedule);
        }
        for (int kind = 0; kind < CHAOS_KINDS; kind++)
            assert_true(seen[kind]);
    }
}

static bool is_of_a_service(chaos_kind kind)
{
    return kind == CHAOS_SERVICE_KILL || kind == CHAOS_SERVICE_PAUSE || kind == CHAOS_SERVICE_TERM;
}

static void faults_overlap_but_never_on_one_service_and_end_with_the_run(void **state)
{
    (void)state;
    size_t overlapping = 0;
    chaos_schedule schedule = chaos_schedule_draw(4, LONG_MS);
    for (size_t i = 0; i < schedule.count; i++) {
        const chaos_fault *fault = &schedule.list[i];
        int64_t end_ms = fault->at_ms + fault->duration_ms;
        assert_true(fault->at_ms >= 0 && end_ms <= LONG_MS);
        for (size_t j = i + 1; j < schedule.count && schedule.list[j].at_ms < end_ms; j++) {
            const chaos_fault *later = &schedule.list[j];
            assert_true(later->at_ms >= fault->at_ms);
            overlapping++;
            assert_false(is_of_a_service(fault->kind) && is_of_a_service(later->kind) &&
                         fault->target == later->target);
        }
    }
    assert_true(overlapping > schedule.count / 4);
    chaos_schedule_done(&schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_draws_the_same_schedule_on_every_machine),
        cmocka_unit_test(an_hour_holds_every_kind_of_fault),
        cmocka_unit_test(the_two_short_runs_of_every_build_hold_every_kind_of_fault),
        cmocka_unit_test(faults_overlap_but_never_on_one_service_and_end_with_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
