/* Breaks one service at every one of its fault points, in every way, and has the checker judge what became of the work.
 *
 * Built once for each FAULT_SERVICE (generator, publisher) and FAULT_ACTION (exit, error, stall). The points are those that the
 * program itself names by --fault-points: a new one is tested from the day it is compiled in. */
#include "base/clock.h"
#include "checker/checker.h"
#include "harness/wait.h"
#include "pipeline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    POINTS_MAX = 64,
    POINT_MAX = 96,
    LOAD = 12,
    STALL_MS = 3 * PIPELINE_ACK_WAIT_MS, /* beyond the ack wait: the stalled worker loses its jobs */
};

typedef struct plan {
    harness_postgres *cluster;
    size_t count;
    size_t runs, violations; /* so far */
    char points[POINTS_MAX][POINT_MAX];
    struct CMUnitTest tests[POINTS_MAX];
} plan;

static plan the_plan;

static const char PROGRAM[] = BINARY_DIR "/proofline-" FAULT_SERVICE;

static void read_points(plan *all)
{
    BASE_CLEANUP(free) char *output = NULL;
    const char *const argv[] = {PROGRAM, "--fault-points", NULL};
    if (harness_run(argv, NULL, PIPELINE_WAIT_MS, &output, NULL) != 0)
        harness_fail("%s --fault-points: %s", PROGRAM, output);
    char *rest = NULL;
    for (char *line = strtok_r(output, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (all->count == POINTS_MAX)
            harness_fail("more than %d fault points", POINTS_MAX);
        snprintf(all->points[all->count++], POINT_MAX, "%s", line);
    }
}

static bool is_generator(void)
{
    return strcmp(FAULT_SERVICE, "generator") == 0;
}

static void start_other_service(pipeline *p)
{
    if (is_generator())
        pipeline_start_publisher(p, NULL);
    else
        pipeline_start_generator(p, NULL);
}

static void start_unarmed(pipeline *p)
{
    if (is_generator())
        pipeline_start_generator(p, NULL);
    else
        pipeline_start_publisher(p, NULL);
}

/* The broken one, which may die before it has started. */
static harness_process *start_armed(pipeline *p, const char *point)
{
    char fault[POINT_MAX + 32];
    if (strcmp(FAULT_ACTION, "stall") == 0)
        snprintf(fault, sizeof(fault), "PROOFLINE_FAULT=%s:stall:%d", point, STALL_MS);
    else
        snprintf(fault, sizeof(fault), "PROOFLINE_FAULT=%s:%s", point, FAULT_ACTION);
    const char *const extra[] = {fault, NULL};
    return pipeline_launch(p, PROGRAM, extra);
}

static void check_promises(pipeline *p)
{
    base_error err = {0};
    BASE_CLEANUP(checker_report_done) checker_report report = {0};
    const checker_options options = {
        .database_url = p->database.url, .broker = p->broker, .names = p->names, .node_port = p->node_port};
    if (checker_run(&options, &report, &err) != BASE_OK)
        harness_fail("the checker cannot read: %s", err.message);
    the_plan.runs++;
    the_plan.violations += report.violation_count;
    if (report.violation_count > 0) {
        checker_report_print(&report, stderr);
        harness_fail("%zu violations", report.violation_count);
    }
    assert_int_equal(report.complete, LOAD);
    assert_int_equal(report.rejected, 1);
}

static void every_promise_holds_when_it_breaks_here(void **state)
{
    const char *point = *state;
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_prepare(&p, the_plan.cluster, 0);
    start_other_service(&p);
    harness_process *armed = start_armed(&p, point);
    pipeline_submit_many(&p, point, LOAD, submissions);
    base_sha256 forged = pipeline_submit_forged(&p, "forged");
    BASE_CLEANUP(free) char *line = harness_process_wait_line(armed, "fault point", PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("the point was never passed: %s", harness_process_errors(armed));
    if (strcmp(FAULT_ACTION, "exit") == 0)
        assert_int_equal(harness_process_wait(armed, PIPELINE_WAIT_MS), 128 + SIGKILL);
    if (strcmp(FAULT_ACTION, "error") != 0)
        start_unarmed(&p); /* takes over while the other stands still, or is gone */
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&p, &submissions[i], WIRE_STATUS_COMPLETE);
    pipeline_wait(&p, &forged, WIRE_STATUS_REJECTED);
    if (strcmp(FAULT_ACTION, "stall") == 0) /* what it does when it wakes up is the point of the test */
        base_sleep_ms(STALL_MS);
    pipeline_wait_settled(&p);
    check_promises(&p);
    harness_process_stop(armed, PIPELINE_WAIT_MS); /* in order, unless it was its lot to die */
    pipeline_stop(&p);
}

static int setup(void **state)
{
    (void)state;
    void *cluster = NULL;
    int status = pipeline_group_setup(&cluster);
    the_plan.cluster = cluster;
    return status;
}

static int teardown(void **state)
{
    (void)state;
    harness_postgres_free(the_plan.cluster);
    return 0;
}

int main(void)
{
    read_points(&the_plan);
    for (size_t i = 0; i < the_plan.count; i++)
        the_plan.tests[i] = (struct CMUnitTest){.name = the_plan.points[i],
                                                .test_func = every_promise_holds_when_it_breaks_here,
                                                .initial_state = the_plan.points[i]};
    printf("%zu fault points, each broken by %s\n", the_plan.count, FAULT_ACTION);
    int failed = _cmocka_run_group_tests("fault points", the_plan.tests, the_plan.count, setup, teardown);
    /* Each point is counted once, by the program that breaks it by exit. */
    printf("TOTAL fault_points=%zu fault_runs=%zu violations=%zu\n",
           strcmp(FAULT_ACTION, "exit") == 0 ? the_plan.count : 0, the_plan.runs, the_plan.violations);
    return failed;
}
