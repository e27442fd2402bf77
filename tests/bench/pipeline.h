#pragma once
/* Everything that is measured: NATS, Postgres, where needed a Mina node, and the two services, all of this run's own. */
#include "broker/connection.h"
#include "harness/nats_server.h"
#include "harness/postgres_server.h"
#include "harness/process.h"
#include "options.h"

typedef struct bench_pipeline {
    harness_nats *nats;
    harness_postgres *postgres;
    harness_database database;
    char since[64]; /* when the tables were ready: what is older is not of this run */
    broker_connection *broker;
    harness_process *devnode; /* NULL: the run needs none */
    harness_process *generator, *publisher;
} bench_pipeline;

/* Returns when both services are ready. Ends the program on failure. */
void bench_pipeline_start(const bench_plan *plan, bench_pipeline *ret);
/* Ends the program when a service is gone. */
void bench_pipeline_check(const bench_pipeline *pipeline);
/* Stops both services in order, which must succeed; the servers stay. */
void bench_pipeline_stop(bench_pipeline *pipeline);
void bench_pipeline_done(bench_pipeline *pipeline);
BASE_CLEANUP_VALUE(bench_pipeline, bench_pipeline_done);
