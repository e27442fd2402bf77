/* Fails every allocation of a service's start, one in each: it must start all the same, or end and say why. */
#include "victim.h"

#include "harness/wait.h"
#include "readiness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    STARTS_MAX = 1000,
    PLACES_MIN = 40, /* of either service; fewer mean that the test does not reach them */
};

static void launch(victim *v, const pipeline *p)
{
    v->board->owners = ALLOCATION_OURS;
    v->board->failed = 0;
    v->board->mode = ALLOCATION_FIRST;
    victim_launch(v, p);
}

/* It becomes ready, and ends in good order. */
static void expect_service(const victim *v)
{
    if (!readiness_comes(readiness_port(v->service), 200, NULL, PIPELINE_WAIT_MS))
        victim_tell_end(v);
    harness_process_signal(v->service, SIGTERM);
    if (harness_process_wait(v->service, PIPELINE_WAIT_MS) != EXIT_SUCCESS)
        victim_tell_end(v);
}

/* It has failed, not found fault with its settings, and says that memory is lacking. */
static void expect_end(const victim *v)
{
    if (harness_process_wait(v->service, PIPELINE_WAIT_MS) != EXIT_FAILURE)
        victim_tell_end(v);
    BASE_CLEANUP(free) char *words = harness_process_errors(v->service);
    const char *name = strrchr(v->program, '/') + 1;
    char start[64];
    snprintf(start, sizeof(start), "\n%s: ", name);
    const char *last = strstr(words, start); /* behind the place that has failed */
    if (last == NULL || (strstr(last, "memory") == NULL && strstr(last, "thread") == NULL))
        victim_tell_end(v);
}

/* False: nothing was left to fail. */
static bool judge(const victim *v)
{
    BASE_CLEANUP(free)
    char *started = harness_process_wait_line(v->service, "service_started", PIPELINE_WAIT_MS);
    if (started != NULL)
        expect_service(v);
    else
        expect_end(v);
    return v->board->failed > 0;
}

static void a_service_starts_or_says_that_memory_is_lacking(void **state)
{
    static pipeline p;
    pipeline_prepare(&p, *state, 0);
    victim victims[] = {victim_new(BINARY_DIR "/proofline-generator"), victim_new(BINARY_DIR "/proofline-publisher")};
    bool more[] = {true, true};
    for (size_t starts = 0; more[0] || more[1]; starts++) {
        if (starts == STARTS_MAX)
            harness_fail("after %zu starts there are still places that have not failed", starts);
        for (size_t i = 0; i < 2; i++)
            if (more[i])
                launch(&victims[i], &p);
        for (size_t i = 0; i < 2; i++)
            if (more[i])
                more[i] = judge(&victims[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(victims[i].board->known_count >= PLACES_MIN);
        printf("%s: %zu allocations failed\n", victims[i].program, (size_t)victims[i].board->known_count);
        victim_end(&victims[i]);
    }
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_starts_or_says_that_memory_is_lacking),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
