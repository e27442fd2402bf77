#include "stage/worker.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "stage/dead.h"
#include "stage/metrics.h"
#include "stage/relay.h"
#include "store/submissions.h"
#include "telemetry/log.h"

_Static_assert(STAGE_HEALTH_PARTS >= 3 * STAGE_WORKERS_MAX + 3, "every part of every worker has a place of its own");

enum {
    STORE_CHECK_MS = 2000,          /* an idle worker asks the store this often, so that /readyz tells the truth */
    PULL_MS = 2000,                 /* the same for the broker; bounds how late `prepare` is called */
    RETRY_MAX_MS = 6 * 3600 * 1000, /* cap of the doubled delay */
};

/* A service whose tables are missing must not look ready: reads a row as any job will. */
static base_code see_schema(stage_worker *worker, base_error *err)
{
    store_submission newest;
    size_t count = 0;
    base_code code = store_submission_list(worker->store, WIRE_STATUS_NONE, 0, 1, &newest, &count, err);
    worker->schema_seen = code == BASE_OK;
    return code;
}

/* Asks the store unless it has answered a moment ago. */
static base_code check_store(stage_worker *worker, base_error *err)
{
    int64_t now = base_monotonic_ms();
    if (now - worker->store_checked_ms < STORE_CHECK_MS)
        return BASE_OK;
    base_code code = worker->schema_seen ? store_session_check(worker->store, err) : see_schema(worker, err);
    if (code == BASE_OK)
        worker->store_checked_ms = now;
    return code;
}

/* What failed in the middle of a batch and answers questions again (a full disk, a node that takes no transactions) is back
 * only when a batch has passed: until then its pauses go on growing and /readyz goes on naming it. True: that batch is next. */
static bool is_on_trial(stage_worker *worker)
{
    bool doubted = worker->store_doubted || worker->needs_doubted;
    if (!worker->store_doubted)
        stage_health_set(worker->gate.health, worker->store_part, NULL);
    worker->store_doubted = false;
    worker->needs_doubted = false;
    return doubted;
}

static int64_t close_gate(stage_worker *worker, size_t part, const base_error *why)
{
    stage_gate_close(&worker->gate, part, why);
    return stage_gate_remaining_ms(&worker->gate);
}

static int64_t gate(void *ctx)
{
    stage_worker *worker = ctx;
    int64_t rest = stage_gate_remaining_ms(&worker->gate);
    if (rest > 0)
        return rest;
    base_error err = {0};
    if (check_store(worker, &err) != BASE_OK)
        return close_gate(worker, worker->store_part, &err);
    if (broker_consumer_check(worker->consumer, NULL) == BASE_OK) /* trouble() hears of changes, not of a good start */
        stage_health_set(worker->gate.health, worker->consumer_part, NULL);
    base_code code = worker->options.prepare != NULL ? worker->options.prepare(worker->options.ctx, &err) : BASE_OK;
    if (code == BASE_CONFLICT) { /* standing by for another instance is being ready */
        worker->store_doubted = false;
        worker->needs_doubted = false;
        stage_health_set(worker->gate.health, worker->store_part, NULL);
        stage_health_set(worker->gate.health, worker->needs_part, NULL);
        return STAGE_GATE_MAX_MS;
    }
    if (code != BASE_OK)
        return close_gate(worker, worker->needs_part, &err);
    if (!is_on_trial(worker))
        stage_gate_open(&worker->gate, worker->options.prepare != NULL ? worker->needs_part : worker->store_part);
    return 0;
}

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    stage_worker *worker = ctx;
    worker->relay_failed = false;
    int64_t started = base_monotonic_us();
    worker->options.handler(worker->options.ctx, jobs, count, settlements);
    stage_metrics_batch(worker->options.stage, count, (double)(base_monotonic_us() - started) / 1e6);
}

static void trouble(void *ctx, const base_error *err)
{
    stage_worker *worker = ctx;
    stage_health_set(worker->gate.health, worker->consumer_part, err);
}

base_code stage_worker_init(stage_worker *worker, stage_service *service, const stage_worker_options *options,
                            base_error *err)
{
    const stage_settings *settings = stage_service_settings(service);
    stage_health *health = stage_service_health(service);
    *worker = (stage_worker){.service = service, .options = *options, .gate = {.health = health}};
    worker->store_checked_ms = -STORE_CHECK_MS;
    worker->store_part = stage_health_add(health, "postgres");
    worker->consumer_part = stage_health_add(health, "consumer");
    if (options->prepare != NULL)
        worker->needs_part = stage_health_add(health, options->needs);
    store_session_options store = stage_store_options(settings, stage_service_name(service));
    store.subjects = stage_service_subjects(service);
    store.lock_silence_ms = options->lock_silence_ms;
    const broker_consumer_options consumer = {
        .stream = stage_service_names(service)->stream_jobs,
        .durable = options->durable,
        .batch = (size_t)settings->batch,
        .pull_ms = PULL_MS,
        .gate = gate,
        .handler = handle,
        .ctx = worker,
    };
    base_code code = stage_hand_init(&worker->hand, (size_t)settings->batch, err);
    if (code == BASE_OK)
        code = store_session_new(&store, &worker->store, err);
    if (code == BASE_OK)
        code = store_outbox_new(&worker->pending, err);
    if (code == BASE_OK)
        code = broker_consumer_new(stage_service_broker(service), &consumer, &worker->consumer, err);
    return code;
}

void stage_worker_done(stage_worker *worker)
{
    broker_consumer_free(worker->consumer);
    store_outbox_free(worker->pending);
    store_session_free(worker->store);
    stage_hand_done(&worker->hand);
    *worker = (stage_worker){0};
}

void stage_worker_run(stage_worker *worker)
{
    broker_consumer_run(worker->consumer, trouble);
}

void stage_worker_stop(stage_worker *worker)
{
    broker_consumer_stop(worker->consumer);
    if (worker->options.stop != NULL)
        worker->options.stop(worker->options.ctx);
}

bool stage_worker_stopping(const stage_worker *worker)
{
    return broker_consumer_stopping(worker->consumer);
}

bool stage_worker_holds(const stage_worker *worker, const broker_job *job)
{
    return broker_consumer_holds(worker->consumer, job);
}

void stage_worker_store_failed(stage_worker *worker, const base_error *why)
{
    worker->store_checked_ms = base_monotonic_ms() - STORE_CHECK_MS; /* ask it before the next pull */
    worker->store_doubted = true;
    stage_gate_close(&worker->gate, worker->store_part, why);
}

void stage_worker_needs_failed(stage_worker *worker, const base_error *why)
{
    worker->needs_doubted = true;
    stage_gate_close(&worker->gate, worker->needs_part, why);
}

bool stage_worker_try_again(stage_worker *worker, base_code code, const base_error *why)
{
    const bool is_away = code == BASE_UNAVAILABLE || code == BASE_AMBIGUOUS || code == BASE_TIMEOUT;
    const bool is_misconfigured =
        code == BASE_DENIED || code == BASE_UNPREPARED; /* a table or a right: no job's fault */
    if (!is_away && !is_misconfigured && code != BASE_NO_MEMORY)
        return false;
    stage_worker_store_failed(worker, why);
    stage_service_rest(worker->service, stage_gate_remaining_ms(&worker->gate));
    return stage_service_may_commit(worker->service);
}

void stage_worker_relay(stage_worker *worker)
{
    base_error err = {0};
    size_t rows = store_outbox_count(worker->pending);
    if (worker->relay_failed) { /* rows of before are still in the table: the sweeper publishes all of them in order */
        store_outbox_clear(worker->pending);
        return;
    }
    worker->relay_failed =
        stage_relay(stage_service_broker(worker->service), worker->store, worker->pending, &err) != BASE_OK;
    if (worker->relay_failed)
        TELEMETRY_LOG(TELEMETRY_WARN, "relay_failed", telemetry_text("reason", err.message),
                      telemetry_int("rows", (int64_t)rows));
}

broker_settlement stage_worker_bury(stage_worker *worker, const broker_job *job, const char *code, const char *reason)
{
    base_error err = {0};
    const char *dead = stage_service_names(worker->service)->subject_dead;
    base_code stored = BASE_FAULT("worker.burying", &err);
    if (stored == BASE_OK)
        stored = stage_dead_publish(stage_service_broker(worker->service), dead, worker->options.stage, job, code,
                                    reason, &err);
    if (stored == BASE_OK)
        stored = BASE_FAULT("worker.buried", &err);
    if (stored != BASE_OK) {
        TELEMETRY_LOG(TELEMETRY_WARN, "dead_letter_failed", telemetry_text("reason", err.message),
                      telemetry_int("stream_sequence", (int64_t)job->stream_sequence));
        return (broker_settlement){.verdict = BROKER_RETRY, .delay_ms = STAGE_GATE_MAX_MS};
    }
    stage_metrics_job(worker->options.stage, "dead");
    TELEMETRY_LOG(TELEMETRY_ERROR, "dead_letter", telemetry_text("stage", worker->options.stage),
                  telemetry_text("reason_code", code), telemetry_text("reason", reason),
                  telemetry_int("stream_sequence", (int64_t)job->stream_sequence));
    return (broker_settlement){.verdict = BROKER_DONE};
}

int64_t stage_worker_retry_delay_ms(const stage_worker *worker, int64_t retries)
{
    return base_backoff_ms(retries + 1, stage_service_settings(worker->service)->retry_delay_s * 1000, RETRY_MAX_MS);
}
