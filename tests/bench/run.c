#include "run.h"

#include "usage.h"
#include "verdict.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define WARM_UP      20  /* submissions before anything is measured: connections, statements, caches */
#define STEADY_SHARE 0.2 /* of the burst's throughput */

static void read_cpu(const bench_pipeline *pipeline, double ret[BENCH_PROGRAMS])
{
    ret[BENCH_GENERATOR] = bench_cpu_of_process(harness_process_pid(pipeline->generator));
    ret[BENCH_PUBLISHER] = bench_cpu_of_process(harness_process_pid(pipeline->publisher));
    ret[BENCH_NATS] = bench_cpu_of_process(harness_nats_pid(pipeline->nats));
    ret[BENCH_POSTGRES] = bench_cpu_of_family(harness_postgres_pid(pipeline->postgres));
    ret[BENCH_LOAD] = bench_cpu_of_process(getpid());
    ret[BENCH_DEVNODE] = pipeline->devnode != NULL ? bench_cpu_of_process(harness_process_pid(pipeline->devnode)) : 0;
}

static void measure_burst(bench_load *load, bench_result *result)
{
    double before[BENCH_PROGRAMS], after[BENCH_PROGRAMS];
    double machine = bench_cpu_of_machine();
    read_cpu(load->pipeline, before);
    result->burst = bench_phase_burst(load, result->plan.burst);
    read_cpu(load->pipeline, after);
    result->other_cpu_seconds = bench_cpu_of_machine() - machine;
    for (size_t i = 0; i < BENCH_PROGRAMS; i++) {
        result->programs[i].cpu_seconds = after[i] - before[i];
        result->other_cpu_seconds -= after[i] - before[i];
    }
    if (result->other_cpu_seconds < 0) /* the two clocks tick apart */
        result->other_cpu_seconds = 0;
}

/* While nothing is to be done, longer than one sweep if possible. */
static void measure_rest(const bench_pipeline *pipeline, bench_result *result)
{
    double before[BENCH_PROGRAMS], after[BENCH_PROGRAMS];
    fprintf(stderr, "  rest: %zu s\n", result->plan.rest_s);
    read_cpu(pipeline, before);
    base_sleep_ms((int64_t)result->plan.rest_s * 1000);
    read_cpu(pipeline, after);
    for (size_t i = 0; i < BENCH_PROGRAMS; i++)
        result->rest_cpu[i] = (after[i] - before[i]) / (double)result->plan.rest_s;
}

static void read_memory(const bench_pipeline *pipeline, bench_result *result)
{
    static const char *const NAMES[] = {"generator", "publisher", "nats", "postgres", "load", "devnode"};
    for (size_t i = 0; i < BENCH_PROGRAMS; i++)
        result->programs[i].name = NAMES[i];
    result->programs[BENCH_GENERATOR].resident_mb = bench_peak_resident_mb(harness_process_pid(pipeline->generator));
    result->programs[BENCH_PUBLISHER].resident_mb = bench_peak_resident_mb(harness_process_pid(pipeline->publisher));
    result->programs[BENCH_NATS].resident_mb = bench_peak_resident_mb(harness_nats_pid(pipeline->nats));
    result->programs[BENCH_LOAD].resident_mb = bench_peak_resident_mb(getpid());
    result->program_count = BENCH_PROGRAMS;
    if (pipeline->devnode == NULL)
        result->program_count = BENCH_DEVNODE;
    else
        result->programs[BENCH_DEVNODE].resident_mb = bench_peak_resident_mb(harness_process_pid(pipeline->devnode));
}

static void measure(bench_load *load, bench_result *result)
{
    bench_phase_idle(load, WARM_UP);
    fprintf(stderr, "  idle: %zu, one at a time\n", result->plan.idle);
    result->idle = bench_phase_idle(load, result->plan.idle);
    if (result->plan.rest_s > 0)
        measure_rest(load->pipeline, result);
    fprintf(stderr, "  burst: %zu at once\n", result->plan.burst);
    measure_burst(load, result);
    result->steady_per_second = STEADY_SHARE * (double)result->burst.count / result->burst.seconds;
    fprintf(stderr, "  steady: %zu at %.0f/s\n", result->plan.steady, result->steady_per_second);
    result->steady = bench_phase_steady(load, result->plan.steady, result->steady_per_second);
}

void bench_run(const bench_plan *plan, bench_result *ret)
{
    *ret = (bench_result){.plan = *plan};
    fprintf(stderr, "%s: starting\n", plan->name);
    size_t total = WARM_UP + plan->idle + plan->burst + plan->steady;
    BASE_CLEANUP(bench_submissions_done) bench_submissions set = {0};
    BASE_CLEANUP(bench_pipeline_done) bench_pipeline pipeline = {0};
    bench_submissions_make(total, &set);
    bench_pipeline_start(plan, &pipeline);
    BASE_CLEANUP(bench_follower_free) bench_follower *follower = bench_follower_new(pipeline.broker, &set);
    bench_load load = {.pipeline = &pipeline, .set = &set, .follower = follower};
    measure(&load, ret);
    read_memory(&pipeline, ret);
    ret->proof_bytes = bench_verdict(plan, &pipeline, follower, total);
    bench_pipeline_stop(&pipeline);
}
