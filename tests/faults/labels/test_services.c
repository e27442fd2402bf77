/* Breaks one service (FAULT_SERVICE) at every one of its fault points, and has the checker judge what became of the work. */
#include "base/clock.h"
#include "harness/wait.h"
#include "labels/situations.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
    LOAD = 12,
    STALL_MS = PIPELINE_ACK_WAIT_MS + 500, /* at least: JetStream has given its jobs to others by then */
};

static const char PROGRAM[] = BINARY_DIR "/proofline-" FAULT_SERVICE;

static void start_service(labels_run *run, bool generator)
{
    if (generator)
        pipeline_start_generator(&run->pipeline, NULL);
    else
        pipeline_start_publisher(&run->pipeline, NULL);
}

/* It may die before it has started. */
static void start_armed(labels_run *run)
{
    char fault[LABELS_ARM_MAX];
    const char *const extra[] = {labels_arm_here(fault, run->point), NULL};
    run->armed = pipeline_launch(&run->pipeline, PROGRAM, extra);
}

/* What the database does with the sessions of a machine that answers no more: keep-alive ends them, and others get the locks. The
 * generator keeps its own, to be turned away by its epochs only. */
static void lose_sessions(labels_run *run)
{
    free(harness_database_query(&run->pipeline.database,
                                run->of_generator
                                    ? "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                      "WHERE datname = current_database() AND application_name = 'proofline-sweeper'"
                                    : "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                      "WHERE datname = current_database() "
                                      "AND application_name IN ('proofline-sweeper', 'proofline-publisher')"));
}

/* The point has acted: others take over from one that is gone or stands still. */
static void replace_armed(labels_run *run, const labels_situation *situation)
{
    if (labels_what() == LABELS_STALL)
        lose_sessions(run);
    if (labels_what() == LABELS_ERROR && situation->ends)
        assert_int_equal(harness_process_wait(run->armed, PIPELINE_WAIT_MS), 0);
    if (situation->is_alone)
        start_service(run, !run->of_generator);
    if (labels_what() != LABELS_ERROR || situation->ends)
        start_service(run, run->of_generator);
}

static void wait_ends(labels_run *run, const base_sha256 *submissions, const base_sha256 *forged)
{
    pipeline *p = &run->pipeline;
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
    for (size_t i = 0; i < run->old_count; i++)
        pipeline_wait(p, &run->old[i], i < run->old_rejected ? WIRE_STATUS_REJECTED : WIRE_STATUS_COMPLETE);
    pipeline_wait(p, forged, WIRE_STATUS_REJECTED);
}

/* It wakes in the middle of the work that others have taken from it. Once the results are out (relayed, published, settled), the
 * others may have completed everything well before the ack wait is over, and the job in its hands would still be its own. So time
 * itself is awaited here: a stall longer than the ack wait is the subject of the test, and no event tells the end of it. */
static void wake_late(labels_run *run, int64_t stalled_ms, const base_sha256 *taken_over)
{
    pipeline_wait(&run->pipeline, taken_over, WIRE_STATUS_COMPLETE);
    int64_t left_ms = stalled_ms + STALL_MS - base_monotonic_ms();
    if (left_ms > 0)
        base_sleep_ms(left_ms);
    labels_wake(run->armed);
}

/* What it does after it has woken up is the point of the test: it has the time that one more submission takes, and then ends what
 * it is at. */
static void stop_woken(labels_run *run)
{
    pipeline_wait_settled(&run->pipeline);
    base_sha256 after = pipeline_submit(&run->pipeline, "afterwards");
    pipeline_wait(&run->pipeline, &after, WIRE_STATUS_COMPLETE);
    harness_process_signal(run->armed, SIGTERM);
    assert_int_equal(harness_process_wait(run->armed, PIPELINE_WAIT_MS), 0);
}

static void every_promise_holds_when_it_breaks_here(void **state)
{
    labels_run run = {.point = *state, .of_generator = strcmp(FAULT_SERVICE, "generator") == 0};
    const labels_situation *situation = labels_situation_of(run.point);
    pipeline *p = &run.pipeline;
    base_sha256 submissions[LOAD];
    pipeline_prepare(p, labels_cluster(), 0);
    if (situation->before != NULL)
        situation->before(&run);
    if (!situation->is_alone)
        start_service(&run, !run.of_generator);
    start_armed(&run);
    pipeline_submit_many(p, "load", LOAD, submissions);
    base_sha256 forged = pipeline_submit_forged(p, "forged");
    pipeline_publish_to(p, p->names.subject_generate, base_bytes_of("no job", 6));
    pipeline_publish_to(p, p->names.subject_publish, base_bytes_of("nor this", 8));
    if (situation->provoke != NULL)
        situation->provoke(&run, &submissions[0]);
    labels_wait_act(run.armed);
    int64_t acted_ms = base_monotonic_ms();
    replace_armed(&run, situation);
    bool wakes = labels_what() == LABELS_STALL;
    if (wakes)
        wake_late(&run, acted_ms, &submissions[0]);
    wait_ends(&run, submissions, &forged);
    if (wakes)
        stop_woken(&run);
    pipeline_wait_settled(p);
    labels_check(p, &(pipeline_outcome){.complete = LOAD + wakes + run.old_count - run.old_rejected,
                                        .rejected = 1 + run.old_rejected,
                                        .strangers = situation->strangers});
    harness_process_free(run.armed);
    pipeline_stop(p);
}

int main(void)
{
    return labels_run_all(PROGRAM, every_promise_holds_when_it_breaks_here);
}
