#include "labels/plan.h"

#include "harness/wait.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS_MAX = 128 };

typedef struct plan {
    harness_postgres *cluster;
    size_t count;
    size_t runs, submissions, violations; /* judged so far */
    char points[POINTS_MAX][LABELS_POINT_MAX];
    struct CMUnitTest tests[POINTS_MAX];
} plan;

static plan the_plan;

labels_action labels_what(void)
{
    if (strcmp(FAULT_ACTION, "exit") == 0)
        return LABELS_EXIT;
    return strcmp(FAULT_ACTION, "error") == 0 ? LABELS_ERROR : LABELS_STALL;
}

harness_postgres *labels_cluster(void)
{
    return the_plan.cluster;
}

static void read_points(plan *all, const char *program)
{
    BASE_CLEANUP(free) char *output = NULL;
    const char *const argv[] = {program, "--fault-points", NULL};
    if (harness_run(argv, NULL, PIPELINE_WAIT_MS, &output, NULL) != 0)
        harness_fail("%s --fault-points: %s", program, output);
    char *rest = NULL;
    size_t index = 0;
    for (char *line = strtok_r(output, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (index++ % FAULT_PARTS != FAULT_PART)
            continue;
        if (all->count == POINTS_MAX)
            harness_fail("more than %d fault points", POINTS_MAX);
        snprintf(all->points[all->count++], LABELS_POINT_MAX, "%s", line);
    }
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

int labels_run_all(const char *program, void (*test)(void **state))
{
    read_points(&the_plan, program);
    for (size_t i = 0; i < the_plan.count; i++)
        the_plan.tests[i] =
            (struct CMUnitTest){.name = the_plan.points[i], .test_func = test, .initial_state = the_plan.points[i]};
    printf("%zu fault points of %s, each broken by " FAULT_ACTION "\n", the_plan.count, strrchr(program, '/') + 1);
    int failed = _cmocka_run_group_tests("fault points", the_plan.tests, the_plan.count, setup, teardown);
    /* A point is broken in each way by another program, and counted by one of them. */
    printf("TOTAL fault_points=%zu fault_runs=%zu submissions=%zu violations=%zu\n",
           labels_what() == LABELS_EXIT ? the_plan.count : 0, the_plan.runs, the_plan.submissions, the_plan.violations);
    return failed;
}

const char *labels_arm(char text[LABELS_ARM_MAX], const char *point, const char *action)
{
    snprintf(text, LABELS_ARM_MAX, "PROOFLINE_FAULT=%s:%s", point, action);
    return text;
}

const char *labels_arm_here(char text[LABELS_ARM_MAX], const char *point)
{
    return labels_arm(text, point, FAULT_ACTION);
}

void labels_wait_act(harness_process *armed)
{
    BASE_CLEANUP(free) char *line = harness_process_wait_line(armed, "fault point", PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("the point was never passed: %s", harness_process_errors(armed));
    if (labels_what() == LABELS_EXIT)
        assert_int_equal(harness_process_wait(armed, PIPELINE_WAIT_MS), 128 + SIGKILL);
    if (labels_what() == LABELS_STALL)
        harness_process_wait_paused(armed);
    harness_process_mark(armed);
}

void labels_wake(harness_process *armed)
{
    harness_process_resume(armed);
    BASE_CLEANUP(free) char *line = harness_process_wait_line(armed, "goes on", PIPELINE_WAIT_MS);
    assert_non_null(line);
}

void labels_check(pipeline *p, const pipeline_outcome *expected)
{
    checker_report report = pipeline_judge(p, expected);
    the_plan.runs++;
    the_plan.submissions += report.submissions;
    the_plan.violations += report.violation_count;
    if (report.violation_count > 0)
        harness_fail("%zu violations", report.violation_count);
    assert_int_equal(report.complete, expected->complete);
    assert_int_equal(report.rejected, expected->rejected);
}
