#include "pipeline.h"

#include "broker/topology.h"
#include "devnode.h"
#include "fatal.h"
#include "harness/wait.h"
#include "service.h"
#include "store/migrate.h"

#include <stdio.h>
#include <string.h>

#define GENERATOR       "proofline-generator"
#define PUBLISHER       "proofline-publisher"
#define SETTING_MAX     512
#define FILL_MS         7200000
#define MAX_ACK_PENDING 20000 /* as `proofctl topology apply` sets it */

/* What Postgres does as installed; the cluster of a test is set up smaller. */
static const char *const POSTGRES_CONFIG = "shared_buffers = 128MB\nwal_level = replica\nsynchronous_commit = on\n";

static void ignore_migration(void *ctx, const char *version, const char *name, const char *state, int64_t at_unix_ms)
{
    (void)ctx, (void)version, (void)name, (void)state, (void)at_unix_ms;
}

static void migrate(const bench_pipeline *pipeline)
{
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    base_error err = {0};
    const store_session_options options = {.database_url = pipeline->database.url,
                                           .application_name = "proofline-bench"};
    bench_require(store_session_new(&options, &session, &err), &err, "connect to Postgres");
    bench_require(store_migrate_up(session, MIGRATIONS_DIR, ignore_migration, NULL, &err), &err, "apply migrations");
}

/* The tables as they are after plan->rows submissions; that may take long. */
static void fill(const bench_plan *plan, bench_pipeline *pipeline)
{
    char rows[SETTING_MAX];
    snprintf(rows, sizeof(rows), "rows=%zu", plan->rows);
    const char *argv[] = {"psql", "-Xq", "-v", rows, "-d", pipeline->database.url, "-f", FILL_FILE, NULL};
    BASE_CLEANUP(free) char *errors = NULL;
    if (plan->rows > 0) {
        fprintf(stderr, "  filling the tables: %zu submissions\n", plan->rows);
        if (harness_run(argv, NULL, FILL_MS, NULL, &errors) != 0)
            harness_fail("the tables could not be filled: %.2000s", errors);
    }
    BASE_CLEANUP(free) char *now = harness_database_query(&pipeline->database, "SELECT now()");
    snprintf(pipeline->since, sizeof(pipeline->since), "%s", now);
}

static void ignore_topology(void *ctx, const char *kind, const char *name, const char *state, const char *differences)
{
    (void)ctx, (void)kind, (void)name, (void)state, (void)differences;
}

static void make_streams(const bench_pipeline *pipeline)
{
    broker_topology_options options = {.replicas = 1, .max_ack_pending = MAX_ACK_PENDING};
    base_error err = {0};
    bench_require(broker_names_of("proofline", &options.names, &err), &err, "name the streams");
    bench_require(broker_topology_apply(pipeline->broker, &options, ignore_topology, NULL, &err), &err,
                  "make the streams");
}

static void start_servers(const bench_plan *plan, bench_pipeline *pipeline)
{
    pipeline->nats = harness_nats_new(NULL);
    pipeline->postgres = harness_postgres_new(&(harness_postgres_options){.config = POSTGRES_CONFIG});
    pipeline->database = harness_database_new(pipeline->postgres);
    const broker_connection_options options = {.url = harness_nats_url(pipeline->nats), .name = "proofline-bench"};
    base_error err = {0};
    bench_require(broker_connection_open(&options, &pipeline->broker, &err), &err, "connect to NATS");
    migrate(pipeline);
    fill(plan, pipeline);
    make_streams(pipeline);
}

static void start_services(const bench_plan *plan, const bench_devnode_access *access, bench_pipeline *pipeline)
{
    char nats[SETTING_MAX], database[SETTING_MAX], prover[SETTING_MAX], bytes[SETTING_MAX], ledger[SETTING_MAX];
    snprintf(nats, sizeof(nats), "NATS_URL=%s", harness_nats_url(pipeline->nats));
    snprintf(database, sizeof(database), "DATABASE_URL=%s", pipeline->database.url);
    snprintf(prover, sizeof(prover), "PROVER=%s", plan->prover);
    snprintf(bytes, sizeof(bytes), "NULL_PROOF_BYTES=%s", plan->null_proof_bytes);
    snprintf(ledger, sizeof(ledger), "LEDGER=%s", plan->ledger);
    const char *const generator[] = {nats,   database, "HTTP_PORT=0", "HTTP_BIND=127.0.0.1", "LOG_FORMAT=json",
                                     prover, bytes,    NULL};
    pipeline->generator = bench_service_start(GENERATOR, generator);
    const char *const publisher[] = {nats,
                                     database,
                                     "HTTP_PORT=0",
                                     "HTTP_BIND=127.0.0.1",
                                     "LOG_FORMAT=json",
                                     "MINA_NETWORK=devnet",
                                     ledger,
                                     pipeline->devnode != NULL ? access->endpoint : "MINA_NODE_ENDPOINT",
                                     pipeline->devnode != NULL ? access->key : "FEE_PAYER_PRIVATE_KEY",
                                     NULL};
    pipeline->publisher = bench_service_start(PUBLISHER, publisher);
}

void bench_pipeline_start(const bench_plan *plan, bench_pipeline *ret)
{
    *ret = (bench_pipeline){0};
    bench_devnode_access access = {0};
    start_servers(plan, ret);
    if (strcmp(plan->ledger, "anchor") == 0)
        ret->devnode = bench_devnode_start(&access);
    start_services(plan, &access, ret);
    base_wipe(&access, sizeof(access));
}

void bench_pipeline_check(const bench_pipeline *pipeline)
{
    bench_service_check(pipeline->generator, GENERATOR);
    bench_service_check(pipeline->publisher, PUBLISHER);
}

void bench_pipeline_stop(bench_pipeline *pipeline)
{
    bench_service_stop(pipeline->generator, GENERATOR);
    bench_service_stop(pipeline->publisher, PUBLISHER);
}

void bench_pipeline_done(bench_pipeline *pipeline)
{
    harness_process_free(pipeline->generator);
    harness_process_free(pipeline->publisher);
    harness_process_free(pipeline->devnode);
    broker_connection_free(pipeline->broker);
    harness_postgres_free(pipeline->postgres);
    harness_nats_free(pipeline->nats);
    *pipeline = (bench_pipeline){0};
}
