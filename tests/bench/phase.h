#pragma once
/* Three ways to publish a part of the load; each returns when all of it is complete. */
#include "follower.h"
#include "pipeline.h"

/* What the phases share. Submissions are used up in order. */
typedef struct bench_load {
    const bench_pipeline *pipeline;
    bench_submissions *set;
    bench_follower *follower;
    size_t used;
} bench_load;

typedef struct bench_latency {
    double p50_ms, p99_ms; /* nearest rank */
} bench_latency;

typedef struct bench_phase {
    size_t count;
    double seconds; /* from the first publish to the last `complete` */
    bench_latency latency;
} bench_phase;

/* One at a time, each after the system has come to rest. */
bench_phase bench_phase_idle(bench_load *load, size_t count);
/* All at once, in batches that the broker acknowledges together. */
bench_phase bench_phase_burst(bench_load *load, size_t count);
/* At a constant rate. */
bench_phase bench_phase_steady(bench_load *load, size_t count, double per_second);
