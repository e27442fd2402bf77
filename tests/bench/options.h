#pragma once
/* What is to be measured: the command line, and the runs there are. */
#include <stdbool.h>
#include <stddef.h>

#define BENCH_RUNS_MAX        8
#define BENCH_SUBMISSIONS_MAX 1000000
#define BENCH_ROWS_MAX        100000000
#define BENCH_REST_MAX_S      3600

/* One configuration of the services. */
typedef struct bench_plan {
    const char *name;
    const char *prover; /* PROVER */
    const char *ledger; /* LEDGER */
    const char *null_proof_bytes;
    size_t burst;  /* submissions published at once: throughput */
    size_t steady; /* at a fifth of that throughput: latency under load */
    size_t idle;   /* one at a time: latency of an idle system */
    size_t rows;   /* submissions of the past in the tables from the beginning */
    size_t rest_s; /* seconds without any work: what idling costs */
} bench_plan;

typedef struct bench_options {
    bench_plan plans[BENCH_RUNS_MAX];
    size_t count;
} bench_options;

/* Ends the program for --help, --version, and, with exit code 2, for bad arguments. */
void bench_options_read(int argc, char **argv, bench_options *ret);
