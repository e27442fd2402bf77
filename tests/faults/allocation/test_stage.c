/* Fails every allocation of what a service is made of: its connections and tables, its worker, the room for its batches. */
#include "torture.h"

#include "scene.h"
#include "stage/batch.h"
#include "stage/dead.h"
#include "stage/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 20 };

/* No database answers there: sessions connect when they are needed first. */
static char nobody[] = "postgresql://proofline@127.0.0.1:1/nothing";

static stage_settings settings_for(const harness_nats *server)
{
    const char *url = harness_nats_url(server);
    return (stage_settings){.nats_url = {.data = (char *)(uintptr_t)url, .size = strlen(url)},
                            .subject_prefix = (char *)(uintptr_t) "allocation",
                            .database_url = {.data = nobody, .size = strlen(nobody)},
                            .http_bind = (char *)(uintptr_t) "127.0.0.1",
                            .shutdown_grace_s = 1,
                            .batch = BATCH,
                            .concurrency = 1};
}

static base_code make_health(void *ctx, base_error *err)
{
    (void)ctx;
    stage_health *made = TORTURE_UNTOUCHED;
    base_code code = stage_health_new(&made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        stage_health_free(made);
    return code;
}

static base_code make_metrics(void *ctx, base_error *err)
{
    (void)ctx;
    telemetry_metrics *made = TORTURE_UNTOUCHED;
    base_code code = stage_metrics_new(&made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    stage_metrics_batch(STAGE_GENERATE, BATCH, 0.5); /* counts what it has room for */
    stage_metrics_job(STAGE_GENERATE, "succeeded");
    stage_metrics_send("accepted", 0.1);
    stage_metrics_free(made);
    return code;
}

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    (void)ctx, (void)jobs, (void)count, (void)settlements;
}

static base_code make_worker(stage_service *service, base_error *err)
{
    static const stage_worker_options OPTIONS = {
        .stage = STAGE_GENERATE, .durable = BROKER_DURABLE_GENERATOR, .handler = handle};
    static const stage_steps STEPS = {.item_size = 1000};
    stage_worker worker = {0};
    stage_batch batch = {0};
    base_code code = stage_worker_init(&worker, service, &OPTIONS, err);
    if (code == BASE_OK)
        code = stage_batch_init(&batch, &worker, &STEPS, NULL, BATCH, err);
    if (code == BASE_OK)
        code = stage_service_add(service, &worker, err);
    stage_batch_done(&batch); /* both also of a half-made one */
    stage_worker_done(&worker);
    return code;
}

static base_code make_service(void *ctx, base_error *err)
{
    const stage_settings *settings = ctx;
    stage_service *made = TORTURE_UNTOUCHED;
    base_code code = stage_service_new("allocation", settings, &made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(stage_service_free) stage_service *service = made;
    return make_worker(service, err);
}

/* A dead letter must be whole, or not be stored. */
static base_code bury(void *ctx, base_error *err)
{
    broker_connection *connection = ctx;
    const broker_job job = {.payload = base_bytes_of("no message", 10),
                            .subject = "allocation.jobs.generate",
                            .message_id = "an id",
                            .traceparent = "00-1-2-01",
                            .stream_sequence = 7,
                            .published_unix_ns = 1700000000000000000};
    return stage_dead_publish(connection, "allocation.dead", STAGE_GENERATE, &job, "undecodable", "no field", err);
}

static void services_are_made_or_say_that_memory_is_lacking(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    (void)scene_apply(connection, "allocation", 0);
    stage_settings settings = settings_for(server);
    torture("health", ALLOCATION_OURS, make_health, NULL);
    torture("metrics of a stage", ALLOCATION_OURS, make_metrics, NULL);
    torture("service, worker and batch", ALLOCATION_OURS, make_service, &settings);
    torture("service, worker and batch, libpq", ALLOCATION_LIBPQ, make_service, &settings);
    torture_loosely("dead letter", ALLOCATION_OURS | ALLOCATION_PROTOBUF | ALLOCATION_JANSSON, bury, connection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_are_made_or_say_that_memory_is_lacking),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    torture_print_totals();
    return failed;
}
