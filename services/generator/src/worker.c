#include "worker.h"

#include "base/clock.h"
#include "base/fault.h"
#include "broker/topology.h"
#include "judge.h"
#include "stage/batch.h"
#include "stage/dead.h"
#include "stage/metrics.h"
#include "store/generation.h"

/* One job of the batch in hand. */
typedef struct generator_item {
    stage_job job; /* first: the batch knows the item by it */
    wire_generate_proof message;
    wire_owner *owner;         /* of an inline image */
    base_buffer without_image; /* the message again with the witness instead of the image */
    prover_statement statement;
    base_buffer blob;
    base_digest digest; /* of the blob */
} generator_item;

_Static_assert(offsetof(generator_item, job) == 0, "an item is found by its job");

struct generator_worker {
    stage_worker stage;
    stage_batch batch;
    struct prover *prover;
    const evidence_signers *signers;
    /* One entry per job of a batch, so that no batch allocates: */
    store_generate_request *requests;
    store_claim *claims;
    store_generate_outcome *outcomes;
};

static generator_item *item_of(stage_job *job)
{
    return (generator_item *)job;
}

static base_code decode(void *ctx, stage_job *job, base_error *err)
{
    (void)ctx;
    generator_item *item = item_of(job);
    base_code code = wire_generate_proof_decode(job->delivery->payload, &item->message, &item->owner, err);
    if (code != BASE_OK)
        return code;
    job->submission = &item->message.sha256;
    job->correlation_id = item->message.correlation_id;
    item->statement = judge_statement(&item->message);
    return item->message.has_image ? judge_without_image(&item->message, &item->statement, &item->without_image, err)
                                   : BASE_OK;
}

static void forget(void *ctx, stage_job *job)
{
    (void)ctx;
    generator_item *item = item_of(job);
    wire_owner_free(BASE_TAKE(item->owner));
    base_wipe(&item->statement.signature, sizeof(item->statement.signature));
    base_buffer_clear(&item->without_image);
    base_buffer_clear(&item->blob);
}

static base_code claim(void *ctx, stage_job *const *jobs, size_t count, store_claim_manner manner, base_error *err)
{
    generator_worker *worker = ctx;
    for (size_t i = 0; i < count; i++) {
        const generator_item *item = item_of(jobs[i]);
        worker->requests[i] = (store_generate_request){
            .job = &item->message,
            .identity = stage_job_identity(jobs[i]),
            .payload = item->message.has_image ? base_buffer_view(&item->without_image) : jobs[i]->delivery->payload,
        };
    }
    base_code code = store_generate_claim(worker->stage.store, worker->requests, count, manner, worker->claims,
                                          worker->stage.pending, err);
    if (code == BASE_OK)
        code = BASE_FAULT("generator.claimed", err);
    for (size_t i = 0; code == BASE_OK && i < count; i++)
        jobs[i]->claim = worker->claims[i];
    return code;
}

static void fail(const generator_worker *worker, stage_job *job, base_code code)
{
    if (code == BASE_CANCELLED || code == BASE_UNAVAILABLE)
        stage_job_release(job, 0);
    else if (code == BASE_NO_MEMORY)
        stage_job_release(job, STAGE_GATE_MAX_MS); /* no job is to blame for it */
    else if (code == BASE_INVALID)
        stage_job_conclude(job, STORE_REJECTED, "unprovable");
    else
        stage_job_fail(&worker->stage, job, "proving_failed");
}

/* Proves one claimed job, or says why not. */
static void prove(generator_worker *worker, stage_job *job)
{
    generator_item *item = item_of(job);
    int64_t started = base_monotonic_us();
    if (stage_worker_stopping(&worker->stage)) {
        stage_job_release(job, 0);
        return;
    }
    if (stage_job_refuse(&worker->stage, job))
        return;
    const char *reason_code = NULL;
    base_code code = judge_evidence(&item->statement, worker->signers, &reason_code, &job->why);
    if (code == BASE_INVALID) {
        stage_job_conclude(job, STORE_REJECTED, reason_code);
        return;
    }
    if (code == BASE_OK) /* without an answer (no memory, say) nothing is proven either */
        code = prover_prove(worker->prover, &item->statement, &item->blob, &job->why);
    if (code != BASE_OK) {
        fail(worker, job, code);
        return;
    }
    int64_t spent_us = base_monotonic_us() - started;
    stage_metrics_proof((double)spent_us / 1e6);
    item->digest = base_digest_of(base_buffer_view(&item->blob));
    job->duration_ms = spent_us / 1000;
    stage_job_conclude(job, STORE_SUCCEEDED, NULL);
}

static void work(void *ctx, stage_job *const *jobs, size_t count)
{
    (void)BASE_FAULT("generator.announced", NULL);
    for (size_t i = 0; i < count; i++)
        prove(ctx, jobs[i]);
}

static store_generate_outcome outcome_of(const generator_worker *worker, stage_job *job)
{
    const generator_item *item = item_of(job);
    store_generate_outcome outcome = {
        .kind = job->kind,
        .job = &item->message,
        .claim = &job->claim,
        .identity = stage_job_identity(job),
    };
    if (job->kind == STORE_SUCCEEDED) {
        outcome.blob = base_buffer_view(&item->blob);
        outcome.format = prover_format(worker->prover);
        outcome.digest = item->digest;
        outcome.duration_ms = job->duration_ms;
    } else {
        outcome.failure = stage_job_failure(job);
    }
    return outcome;
}

static base_code commit(void *ctx, stage_job *const *jobs, size_t count, bool *fenced, base_error *err)
{
    generator_worker *worker = ctx;
    for (size_t i = 0; i < count; i++)
        worker->outcomes[i] = outcome_of(worker, jobs[i]);
    base_code code = BASE_FAULT("generator.proved", err);
    if (code == BASE_OK)
        code = store_generate_commit(worker->stage.store, worker->outcomes, count, fenced, worker->stage.pending, err);
    return code == BASE_OK ? BASE_FAULT("generator.committed", err) : code;
}

static const stage_steps STEPS = {
    .pending = WIRE_STATUS_PROOF_GENERATION,
    .success = "proof_generated",
    .item_size = sizeof(generator_item),
    .decode = decode,
    .claim = claim,
    .work = work,
    .commit = commit,
    .forget = forget,
};

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    generator_worker *worker = ctx;
    stage_batch_run(&worker->batch, jobs, count, settlements);
    (void)BASE_FAULT("generator.relayed", NULL); /* the broker acks next */
}

static base_code allocate(generator_worker *worker, size_t capacity, base_error *err)
{
    worker->requests = calloc(capacity, sizeof(*worker->requests));
    worker->claims = calloc(capacity, sizeof(*worker->claims));
    worker->outcomes = calloc(capacity, sizeof(*worker->outcomes));
    if (worker->requests == NULL || worker->claims == NULL || worker->outcomes == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", capacity);
    base_code code = stage_batch_init(&worker->batch, &worker->stage, &STEPS, worker, capacity, err);
    for (size_t i = 0; code == BASE_OK && i < capacity; i++) {
        generator_item *item = item_of(stage_batch_at(&worker->batch, i));
        item->without_image.limit = WIRE_MESSAGE_MAX;
        item->blob.limit = PROVER_BLOB_MAX;
    }
    return code;
}

base_code generator_worker_new(stage_service *service, struct prover *prover, const evidence_signers *signers,
                               generator_worker **ret, base_error *err)
{
    BASE_CLEANUP(generator_worker_free) generator_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        prover_free(prover);
        return base_fail(err, BASE_NO_MEMORY, "no memory for a worker");
    }
    worker->prover = prover;
    worker->signers = signers;
    const stage_worker_options options = {
        .stage = STAGE_GENERATE, .durable = BROKER_DURABLE_GENERATOR, .handler = handle, .ctx = worker};
    base_code code = allocate(worker, (size_t)stage_service_settings(service)->batch, err);
    if (code == BASE_OK)
        code = stage_worker_init(&worker->stage, service, &options, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(worker);
    return code;
}

void generator_worker_free(generator_worker *worker)
{
    if (worker == NULL)
        return;
    stage_worker_done(&worker->stage);
    prover_free(worker->prover);
    for (size_t i = 0; i < worker->batch.capacity; i++) {
        generator_item *item = item_of(stage_batch_at(&worker->batch, i));
        base_buffer_done(&item->without_image);
        base_buffer_done(&item->blob);
    }
    stage_batch_done(&worker->batch);
    free(worker->requests);
    free(worker->claims);
    free(worker->outcomes);
    free(worker);
}

stage_worker *generator_worker_stage(generator_worker *worker)
{
    return &worker->stage;
}
