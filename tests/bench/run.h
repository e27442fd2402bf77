#pragma once
/* One run: a pipeline of its own, three phases, the verdict, and what it all took. */
#include "phase.h"

/* MB and seconds of CPU of one program; resident 0: not measured. */
typedef struct bench_usage {
    const char *name;
    double resident_mb; /* the peak */
    double cpu_seconds; /* in the burst */
} bench_usage;

enum { BENCH_GENERATOR, BENCH_PUBLISHER, BENCH_NATS, BENCH_POSTGRES, BENCH_LOAD, BENCH_DEVNODE, BENCH_PROGRAMS };

typedef struct bench_result {
    bench_plan plan;
    size_t proof_bytes;
    bench_phase idle, burst, steady;
    double steady_per_second; /* asked for */
    bench_usage programs[BENCH_PROGRAMS];
    size_t program_count;            /* without the node where there is none */
    double rest_cpu[BENCH_PROGRAMS]; /* share of one CPU, while nothing is to be done; 0 without plan.rest_s */
    double other_cpu_seconds;        /* used by anything else on the machine in the burst: what disturbs the figures */
} bench_result;

/* Ends the program on any failure. */
void bench_run(const bench_plan *plan, bench_result *ret);
