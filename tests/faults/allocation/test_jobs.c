/* Fails every allocation on the way of a job, in the services as they are built, and has the checker judge what became of the work. */
#include "victim.h"

#include "checker.h"
#include "harness/wait.h"
#include "readiness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    GROUP = 5,              /* submissions at a time */
    BACKLOG = 20,           /* of them under way, at most */
    SUBMISSIONS_MAX = 4000, /* a test that finds new places for ever must end, too */
    NEXT_MS = 200,          /* a group comes as soon as an allocation has failed, or after this */
    QUIET_GROUPS = 15,      /* in a row without a new place: all have had their turn */
    PLACES_MIN = 40,        /* of either service; fewer mean that the test does not reach them */
    PAUSE_US = 20000,
    BLOCK_MS = 500,
};

typedef struct scene {
    pipeline pipeline;
    victim victims[2];
    base_sha256 submissions[SUBMISSIONS_MAX];
    size_t count;
} scene;

static void arm(victim *v)
{
    v->board->owners = ALLOCATION_OURS;
    v->board->pause_us = PAUSE_US;
    v->board->mode = ALLOCATION_PLACES;
}

/* Whether an allocation has failed since it was asked last. */
static bool has_failed(void *ctx)
{
    scene *s = ctx;
    bool any = false;
    for (size_t i = 0; i < 2; i++) {
        victim *v = &s->victims[i];
        uint64_t failed = v->board->failed;
        any = any || failed != v->seen;
        v->seen = failed;
        if (!harness_process_running(v->service))
            victim_tell_end(v);
    }
    return any;
}

static void submit_group(scene *s)
{
    char prefix[32];
    if (s->count + GROUP > SUBMISSIONS_MAX)
        harness_fail("after %zu submissions there are still places that have not failed", s->count);
    snprintf(prefix, sizeof(prefix), "group %zu, ", s->count);
    pipeline_submit_many(&s->pipeline, prefix, GROUP, s->submissions + s->count);
    s->count += GROUP;
    if (s->count > BACKLOG)
        pipeline_wait(&s->pipeline, &s->submissions[s->count - BACKLOG], WIRE_STATUS_COMPLETE);
}

static void wait_complete(scene *s)
{
    for (size_t i = 0; i < s->count; i++)
        pipeline_wait(&s->pipeline, &s->submissions[i], WIRE_STATUS_COMPLETE);
}

/* Goes on until no place is left that has not failed: also not after the work that was held up is done. */
static void work_until_all_have_failed(scene *s)
{
    do {
        for (size_t quiet = 0; quiet < QUIET_GROUPS;) {
            submit_group(s);
            quiet = harness_wait_until(has_failed, s, NEXT_MS) ? 0 : quiet + 1;
        }
        wait_complete(s);
    } while (has_failed(s));
}

static void check_promises(pipeline *p, size_t submitted)
{
    base_error err = {0};
    BASE_CLEANUP(checker_report_done) checker_report report = {0};
    const checker_options options = {
        .database_url = p->database.url, .broker = p->broker, .names = p->names, .node_port = p->node_port};
    if (checker_run(&options, &report, &err) != BASE_OK)
        harness_fail("the checker cannot read: %s", err.message);
    if (report.violation_count > 0) {
        checker_report_print(&report, stderr);
        harness_fail("%zu violations", report.violation_count);
    }
    assert_int_equal(report.complete, submitted);
    assert_int_equal(report.rejected, 0);
    assert_int_equal(pipeline_number(p, "SELECT count(*) FROM submissions WHERE retry_count > 0 OR crash_count > 0"),
                     0);
}

/* The end of the process is where AddressSanitizer tells of leaks. */
static void stop(victim *v)
{
    harness_process_signal(v->service, SIGTERM);
    if (harness_process_wait(v->service, PIPELINE_WAIT_MS) != 0)
        victim_tell_end(v);
    victim_end(v);
}

static void no_submission_suffers_when_any_allocation_fails_once(void **state)
{
    static scene s;
    pipeline_prepare(&s.pipeline, *state, BLOCK_MS);
    s.victims[0] = victim_new(BINARY_DIR "/proofline-generator");
    s.victims[1] = victim_new(BINARY_DIR "/proofline-publisher");
    for (size_t i = 0; i < 2; i++)
        victim_launch(&s.victims[i], &s.pipeline);
    for (size_t i = 0; i < 2; i++) {
        (void)readiness_port(s.victims[i].service); /* it has started */
        arm(&s.victims[i]);
    }
    work_until_all_have_failed(&s);
    for (size_t i = 0; i < 2; i++)
        s.victims[i].board->mode = ALLOCATION_NONE;
    pipeline_wait_settled(&s.pipeline);
    check_promises(&s.pipeline, s.count);
    for (size_t i = 0; i < 2; i++) {
        assert_true(s.victims[i].board->failed >= PLACES_MIN);
        printf("%s: %zu allocations failed\n", s.victims[i].program, (size_t)s.victims[i].board->failed);
        stop(&s.victims[i]);
    }
    printf("%zu submissions\n", s.count);
    pipeline_stop(&s.pipeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_submission_suffers_when_any_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
