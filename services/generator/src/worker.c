#include "worker.h"

#include "base/clock.h"
#include "base/fault.h"
#include "broker/topology.h"
#include "judge.h"
#include "stage/dead.h"
#include "stage/metrics.h"
#include "stage/outcome.h"
#include "store/generation.h"

#include <string.h>

enum { TWIN_DELAY_MS = 5000 }; /* a second message for a submission in hand comes back when the first may have ended */

/* One job of the batch in hand. */
typedef struct generator_item {
    const broker_job *job;
    broker_settlement *settlement;
    wire_generate_proof message;
    wire_owner *owner;         /* of an inline image */
    base_buffer without_image; /* the message again with the witness instead of the image */
    prover_statement statement;
    base_buffer blob;
    base_error why;
    store_claim claim;
    struct generator_item *twin_of; /* an earlier job of the batch for the same submission */
    bool passed;                    /* the submission has its proof: whoever asks again needs nothing more */
} generator_item;

struct generator_worker {
    stage_worker stage;
    struct prover *prover;
    const evidence_signers *signers;
    size_t capacity;
    /* One entry per job of a batch, so that no batch allocates: */
    generator_item *items;
    generator_item **fresh, **claimed; /* views of items */
    store_generate_request *requests;
    store_claim *claims;
    store_generate_outcome *outcomes;
    bool *fenced;
};

static store_job_identity identity_of(const broker_job *job)
{
    return (store_job_identity){job->stream_sequence, job->published_unix_ns};
}

static void give_back(generator_item *item, int64_t delay_ms)
{
    *item->settlement = (broker_settlement){.verdict = BROKER_RETRY, .delay_ms = delay_ms};
}

/* Fills the item from its job. False: the job is settled, it can never be valid. */
static bool read_job(generator_worker *worker, generator_item *item)
{
    base_error err = {0};
    base_code code = wire_generate_proof_decode(item->job->payload, &item->message, &item->owner, &err);
    if (code == BASE_OK) {
        item->statement = judge_statement(&item->message);
        if (item->message.has_image)
            code = judge_without_image(&item->message, &item->statement, &item->without_image, &err);
    }
    if (code == BASE_NO_MEMORY)
        give_back(item, TWIN_DELAY_MS);
    else if (code != BASE_OK)
        *item->settlement = stage_worker_bury(&worker->stage, item->job, "undecodable", err.message);
    return code == BASE_OK;
}

/* A claim takes each submission once: a twin shares the fate of the first. */
static generator_item *find_twin(generator_item *const *items, size_t count, const generator_item *candidate)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&items[i]->message.sha256, &candidate->message.sha256, sizeof(base_sha256)) == 0)
            return items[i];
    return NULL;
}

static size_t read_jobs(generator_worker *worker, const broker_job *const *jobs, size_t count,
                        broker_settlement *settlements)
{
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        generator_item *item = &worker->items[i];
        item->job = jobs[i];
        item->settlement = &settlements[i];
        item->claim = (store_claim){0};
        item->twin_of = NULL;
        item->passed = false;
        if (!read_job(worker, item))
            continue;
        item->twin_of = find_twin(worker->fresh, fresh, item);
        if (item->twin_of == NULL)
            worker->fresh[fresh++] = item;
    }
    return fresh;
}

/* A twin of a failed job may be better than it, and comes back as a job of its own. */
static void settle_twins(generator_worker *worker, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        generator_item *item = &worker->items[i];
        if (item->twin_of != NULL && item->twin_of->passed)
            *item->settlement = (broker_settlement){.verdict = BROKER_DONE};
        else if (item->twin_of != NULL)
            give_back(item, TWIN_DELAY_MS);
    }
}

static void forget_jobs(generator_worker *worker, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        generator_item *item = &worker->items[i];
        wire_owner_free(BASE_TAKE(item->owner));
        base_wipe(&item->statement.signature, sizeof(item->statement.signature));
        base_buffer_clear(&item->without_image);
        base_buffer_clear(&item->blob);
    }
}

static base_code claim(generator_worker *worker, generator_item **items, size_t count, bool alone, base_error *err)
{
    for (size_t i = 0; i < count; i++)
        worker->requests[i] = (store_generate_request){
            .job = &items[i]->message,
            .identity = identity_of(items[i]->job),
            .payload =
                items[i]->message.has_image ? base_buffer_view(&items[i]->without_image) : items[i]->job->payload,
        };
    return store_generate_claim(worker->stage.store, worker->requests, count, alone, worker->claims,
                                worker->stage.pending, err);
}

static store_generate_outcome outcome_of(const generator_item *item, store_outcome_kind kind, const char *reason_code)
{
    return (store_generate_outcome){
        .kind = kind,
        .job = &item->message,
        .claim = &item->claim,
        .identity = identity_of(item->job),
        .failure = {.reason_code = reason_code,
                    .reason = item->why.message,
                    .job_payload = item->job->payload,
                    .job_subject = item->job->subject},
    };
}

/* A failure that is counted: tried again later, or final. */
static store_generate_outcome count_failure(generator_worker *worker, const generator_item *item,
                                            const char *reason_code)
{
    if (item->claim.retries >= stage_service_settings(worker->stage.service)->retry_limit)
        return outcome_of(item, STORE_REJECTED, reason_code);
    store_generate_outcome outcome = outcome_of(item, STORE_RETRY, reason_code);
    outcome.failure.retry_delay_ms = stage_worker_retry_delay_ms(&worker->stage, item->claim.retries);
    return outcome;
}

static store_generate_outcome failed(generator_worker *worker, const generator_item *item, base_code code)
{
    if (code == BASE_CANCELLED || code == BASE_UNAVAILABLE || code == BASE_NO_MEMORY) {
        store_generate_outcome outcome = outcome_of(item, STORE_RELEASED, "released");
        outcome.failure.retry_delay_ms = code == BASE_NO_MEMORY ? STAGE_GATE_MAX_MS : 0; /* no job is to blame for it */
        return outcome;
    }
    if (code == BASE_INVALID)
        return outcome_of(item, STORE_REJECTED, "unprovable");
    return count_failure(worker, item, "proving_failed");
}

/* Proves one claimed job, or says why not. */
static store_generate_outcome work(generator_worker *worker, generator_item *item)
{
    int64_t started = base_monotonic_us();
    if (stage_worker_stopping(&worker->stage))
        return outcome_of(item, STORE_RELEASED, "released");
    const char *reason_code = stage_refusal(&worker->stage, &item->claim, &item->why);
    if (reason_code != NULL)
        return outcome_of(item, STORE_REJECTED, reason_code);
    base_code code = judge_evidence(&item->statement, worker->signers, &reason_code, &item->why);
    if (code != BASE_OK) /* without an answer (no memory, say) nothing is proven either */
        return code == BASE_INVALID ? outcome_of(item, STORE_REJECTED, reason_code) : failed(worker, item, code);
    code = prover_prove(worker->prover, &item->statement, &item->blob, &item->why);
    if (code != BASE_OK)
        return failed(worker, item, code);
    int64_t spent_us = base_monotonic_us() - started;
    stage_metrics_proof((double)spent_us / 1e6);
    store_generate_outcome outcome = outcome_of(item, STORE_SUCCEEDED, NULL);
    outcome.blob = base_buffer_view(&item->blob);
    outcome.format = prover_format(worker->prover);
    outcome.digest = base_digest_of(outcome.blob);
    outcome.duration_ms = spent_us / 1000;
    return outcome;
}

static void settle(generator_worker *worker, generator_item *item, const store_generate_outcome *outcome, bool fenced)
{
    stage_tell(&worker->stage, &(stage_end){.success = "proof_generated",
                                            .submission = &item->message.sha256,
                                            .correlation_id = item->message.correlation_id,
                                            .claim = &item->claim,
                                            .kind = outcome->kind,
                                            .fenced = fenced,
                                            .duration_ms = outcome->duration_ms,
                                            .reason_code = outcome->failure.reason_code,
                                            .reason = item->why.message});
    item->passed = !fenced && outcome->kind == STORE_SUCCEEDED;
    *item->settlement = stage_settlement(outcome->kind, outcome->failure.retry_delay_ms, fenced);
}

/* The outcomes of one commit. */
typedef struct commit_part {
    generator_worker *worker;
    const store_generate_outcome *outcomes;
    size_t count;
    bool *fenced;
} commit_part;

static base_code commit_once(void *ctx, base_error *err)
{
    const commit_part *part = ctx;
    stage_worker *stage = &part->worker->stage;
    base_code code = BASE_FAULT("generator.proved", err);
    if (code == BASE_OK)
        code = store_generate_commit(stage->store, part->outcomes, part->count, part->fenced, stage->pending, err);
    return code == BASE_OK ? BASE_FAULT("generator.committed", err) : code;
}

static base_code commit(commit_part part, base_error *err)
{
    return stage_commit(&part.worker->stage, commit_once, &part, part.count, err);
}

/* A result that the store refuses is a counted failure of its job; left open, the attempt would pass for a crash. */
static base_code commit_alone(generator_worker *worker, generator_item *item, size_t index)
{
    commit_part part = {worker, &worker->outcomes[index], 1, &worker->fenced[index]};
    base_error err = {0};
    base_code code = commit(part, &err);
    if (code == BASE_OK || stage_worker_stopping(&worker->stage))
        return code;
    item->why = err;
    worker->outcomes[index] = count_failure(worker, item, "commit_failed");
    return commit(part, &err);
}

/* All at once; when the store refuses the batch for a reason of its content, one by one, so that one bad job fails alone. */
static void finish(generator_worker *worker, generator_item **items, size_t count)
{
    base_error err = {0};
    base_code code = commit((commit_part){worker, worker->outcomes, count, worker->fenced}, &err);
    for (size_t i = 0; i < count; i++) {
        base_code own = code;
        if (code != BASE_OK && !stage_worker_stopping(&worker->stage))
            own = commit_alone(worker, items[i], i);
        if (own == BASE_OK)
            settle(worker, items[i], &worker->outcomes[i], worker->fenced[i]);
        else
            give_back(items[i], STAGE_GATE_MAX_MS);
    }
    stage_worker_relay(&worker->stage);
}

/* Settles what the claim answers by itself; collects the rest. Returns how many jobs are ours. */
static size_t sort_claims(generator_worker *worker, generator_item **items, size_t count)
{
    size_t ours = 0;
    for (size_t i = 0; i < count; i++) {
        items[i]->claim = worker->claims[i];
        if (items[i]->claim.answer == STORE_CLAIMED)
            worker->claimed[ours++] = items[i];
        else if (items[i]->claim.answer == STORE_SUSPECT)
            continue;
        else if (items[i]->claim.status == WIRE_STATUS_PROOF_GENERATION)
            give_back(items[i], TWIN_DELAY_MS); /* another message has it, and may yet fail */
        else {
            items[i]->passed = items[i]->claim.status != WIRE_STATUS_REJECTED;
            *items[i]->settlement = (broker_settlement){.verdict = BROKER_DONE};
        }
    }
    return ours;
}

/* Claims, works and commits `count` jobs. Those answered STORE_SUSPECT are left for a call of their own. */
static void process(generator_worker *worker, generator_item **items, size_t count, bool alone)
{
    base_error err = {0};
    base_code code = claim(worker, items, count, alone, &err);
    if (code == BASE_OK)
        code = BASE_FAULT("generator.claimed", &err);
    if (code != BASE_OK) {
        stage_worker_store_failed(&worker->stage, &err);
        for (size_t i = 0; i < count; i++)
            give_back(items[i], code == BASE_UNAVAILABLE || code == BASE_AMBIGUOUS ? 0 : STAGE_GATE_MAX_MS);
        return;
    }
    stage_worker_relay(&worker->stage);
    (void)BASE_FAULT("generator.announced", &err);
    size_t ours = sort_claims(worker, items, count);
    for (size_t i = 0; i < ours; i++)
        worker->outcomes[i] = work(worker, worker->claimed[i]);
    if (ours > 0)
        finish(worker, worker->claimed, ours);
}

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    generator_worker *worker = ctx;
    size_t fresh = read_jobs(worker, jobs, count, settlements);
    if (fresh > 0)
        process(worker, worker->fresh, fresh, false);
    for (size_t i = 0; i < fresh; i++)
        if (worker->fresh[i]->claim.answer == STORE_SUSPECT)
            process(worker, &worker->fresh[i], 1, true);
    settle_twins(worker, count);
    forget_jobs(worker, count);
    (void)BASE_FAULT("generator.relayed", NULL); /* the broker acks next */
}

static base_code allocate(generator_worker *worker, size_t capacity, base_error *err)
{
    worker->capacity = capacity;
    worker->items = calloc(capacity, sizeof(*worker->items));
    worker->fresh = calloc(capacity, sizeof(generator_item *));
    worker->claimed = calloc(capacity, sizeof(generator_item *));
    worker->requests = calloc(capacity, sizeof(*worker->requests));
    worker->claims = calloc(capacity, sizeof(*worker->claims));
    worker->outcomes = calloc(capacity, sizeof(*worker->outcomes));
    worker->fenced = calloc(capacity, sizeof(*worker->fenced));
    if (worker->items == NULL || worker->fresh == NULL || worker->claimed == NULL || worker->requests == NULL ||
        worker->claims == NULL || worker->outcomes == NULL || worker->fenced == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", capacity);
    for (size_t i = 0; i < capacity; i++) {
        worker->items[i].without_image.limit = WIRE_MESSAGE_MAX;
        worker->items[i].blob.limit = PROVER_BLOB_MAX;
    }
    return BASE_OK;
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
    for (size_t i = 0; worker->items != NULL && i < worker->capacity; i++) {
        base_buffer_done(&worker->items[i].without_image);
        base_buffer_done(&worker->items[i].blob);
    }
    free(worker->items);
    free(worker->fresh);
    free(worker->claimed);
    free(worker->requests);
    free(worker->claims);
    free(worker->outcomes);
    free(worker->fenced);
    free(worker);
}

stage_worker *generator_worker_stage(generator_worker *worker)
{
    return &worker->stage;
}
