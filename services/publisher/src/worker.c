#include "worker.h"

#include "base/fault.h"
#include "broker/topology.h"
#include "prover/prover.h"
#include "send.h"
#include "stage/batch.h"
#include "stage/dead.h"
#include "telemetry/log.h"

#include <string.h>

enum {
    /* A publisher that the store has not heard of for MINA_NODE_TIMEOUT_MS and this has lost its lane. More than STORE_LOCK_FRESH_MS. */
    LANE_SILENCE_MS = 15000,
    /* A stop waits for the node for SHUTDOWN_GRACE_S / this: less than for Postgres, which then notes what became of it. */
    STOP_NODE_SHARE = 4,
};

/* One job of the batch in hand. */
typedef struct publisher_item {
    stage_job job; /* first: the batch knows the item by it */
    wire_publish_proof message;
    publisher_task task;
} publisher_item;

_Static_assert(offsetof(publisher_item, job) == 0, "an item is found by its job");

struct publisher_worker {
    stage_worker stage;
    stage_batch batch;
    ledger *ledger;
    publisher_lane lane;
    bool keep_proofs;
    store_publish_batch *claimed; /* what the last claim brought: tasks borrow from it */
    /* One entry per job of a batch, so that no batch allocates: */
    publisher_task **sendable;
    store_publish_request *requests;
    store_publish_outcome *outcomes;
};

static publisher_item *item_of(stage_job *job)
{
    return (publisher_item *)job;
}

static base_code decode(void *ctx, stage_job *job, base_error *err)
{
    (void)ctx;
    publisher_item *item = item_of(job);
    job->submission = &item->message.sha256;
    job->correlation_id = item->message.correlation_id;
    return wire_publish_proof_decode(job->delivery->payload, &item->message, err);
}

static void release_claimed(publisher_worker *worker)
{
    store_publish_batch_free(BASE_TAKE(worker->claimed));
}

static base_code claim(void *ctx, stage_job *const *jobs, size_t count, store_claim_manner manner, base_error *err)
{
    publisher_worker *worker = ctx;
    release_claimed(worker);
    for (size_t i = 0; i < count; i++)
        worker->requests[i] = (store_publish_request){&item_of(jobs[i])->message, stage_job_identity(jobs[i])};
    base_code code = store_publish_claim(worker->stage.store, worker->requests, count, manner, &worker->claimed,
                                         worker->stage.pending, err);
    if (code == BASE_OK)
        code = BASE_FAULT("publisher.claimed", err);
    for (size_t i = 0; code == BASE_OK && i < count; i++) {
        publisher_item *item = item_of(jobs[i]);
        const store_publish_work *claimed = store_publish_batch_at(worker->claimed, i);
        item->task =
            (publisher_task){.work = claimed, .sha256 = jobs[i]->submission, .digest = &item->message.proof_digest};
        jobs[i]->claim = claimed->claim;
        jobs[i]->transaction = item->task.hash;
    }
    return code;
}

/* The proof is checked here, before anything is sent: what the database holds may have changed since it was made. */
static base_code check_proof(const publisher_task *task, const char **ret_code, base_error *err)
{
    const store_publish_work *work = task->work;
    base_digest digest = base_digest_of(work->blob);
    *ret_code = "proof_corrupt";
    if (memcmp(&digest, &work->proof_digest, sizeof(digest)) != 0)
        return base_fail(err, BASE_INVALID, "the stored proof does not have its digest: %zu bytes", work->blob.size);
    if (memcmp(&digest, task->digest, sizeof(digest)) != 0)
        return base_fail(err, BASE_INVALID, "the stored proof is not the one that was to be published");
    prover_claim claim = {.hash = *task->sha256};
    memcpy(claim.public_key.x, work->public_key_x, sizeof(claim.public_key.x));
    memcpy(claim.public_key.y, work->public_key_y, sizeof(claim.public_key.y));
    *ret_code = "proof_invalid";
    return prover_verify(work->proof_format, &claim, work->blob, err);
}

/* Ends a job that must end before anything is sent. False: it may be sent, or was: a submission whose transaction may be at the node is
 * never rejected for its age, its crashes, or what has become of its proof since that was checked. */
static bool refuse(const publisher_worker *worker, stage_job *job)
{
    const publisher_task *task = &item_of(job)->task;
    if (task->work->has_transaction)
        return false;
    if (stage_job_refuse(&worker->stage, job))
        return true;
    const char *reason_code = NULL;
    base_code code = check_proof(task, &reason_code, &job->why);
    if (code == BASE_INVALID)
        stage_job_conclude(job, STORE_REJECTED, reason_code);
    else if (code == BASE_NO_MEMORY)
        stage_job_release(job, STAGE_GATE_MAX_MS); /* says nothing about the proof: uncounted */
    else if (code != BASE_OK) /* a format unknown here may be known to a newer publisher: the job waits for it */
        stage_job_fail(&worker->stage, job, "proof_unchecked");
    return code != BASE_OK;
}

/* What became of the task becomes of its job. */
static void take_result(const publisher_worker *worker, stage_job *job)
{
    const publisher_task *task = &item_of(job)->task;
    job->why = task->why;
    job->fenced = task->fenced;
    if (task->kind == STORE_RETRY)
        stage_job_retry(&worker->stage, job, task->reason_code);
    else
        stage_job_conclude(job, task->kind, task->reason_code);
}

/* Nothing was stored or sent. */
static void release_all(publisher_worker *worker, size_t count, const base_error *why)
{
    if (worker->stage.gate.failures == 0) /* each later one is a trial whether it is over */
        TELEMETRY_LOG(TELEMETRY_WARN, "send_failed", telemetry_text("reason", why->message));
    stage_worker_needs_failed(&worker->stage, why); /* rests a little: what failed for good must not spin */
    for (size_t i = 0; i < count; i++) {
        worker->sendable[i]->kind = STORE_RELEASED;
        worker->sendable[i]->reason_code = "released";
        worker->sendable[i]->why = *why;
    }
}

static void work(void *ctx, stage_job *const *jobs, size_t count)
{
    publisher_worker *worker = ctx;
    size_t sendable = 0;
    for (size_t i = 0; i < count; i++)
        if (!refuse(worker, jobs[i]))
            worker->sendable[sendable++] = &item_of(jobs[i])->task;
    base_error err = {0};
    if (sendable > 0 && publisher_send(&worker->lane, worker->sendable, sendable, &err) != BASE_OK)
        release_all(worker, sendable, &err);
    for (size_t i = 0, at = 0; i < count && at < sendable; i++)
        if (worker->sendable[at] == &item_of(jobs[i])->task) {
            take_result(worker, jobs[i]);
            at++;
        }
}

static bool proof_is_bad(const stage_job *job)
{
    return job->kind == STORE_REJECTED &&
           (strcmp(job->reason_code, "proof_corrupt") == 0 || strcmp(job->reason_code, "proof_invalid") == 0);
}

static store_publish_outcome outcome_of(const publisher_worker *worker, stage_job *job)
{
    const publisher_item *item = item_of(job);
    bool final = job->kind == STORE_SUCCEEDED || job->kind == STORE_REJECTED;
    store_publish_outcome outcome = {
        .kind = job->kind,
        .job = &item->message,
        .claim = &job->claim,
        .identity = stage_job_identity(job),
        .transaction_hash = job->kind == STORE_SUCCEEDED ? item->task.hash : NULL,
        .block_height = worker->lane.height,
        .drop_proof = final && !worker->keep_proofs,
        .abandon_transaction = item->task.abandon,
        .failure = stage_job_failure(job),
    };
    outcome.failure.drop_proof = proof_is_bad(job) || outcome.drop_proof;
    return outcome;
}

static base_code commit(void *ctx, stage_job *const *jobs, size_t count, bool *fenced, base_error *err)
{
    publisher_worker *worker = ctx;
    for (size_t i = 0; i < count; i++)
        worker->outcomes[i] = outcome_of(worker, jobs[i]);
    base_code code = BASE_FAULT("publisher.concluded", err);
    if (code == BASE_OK)
        code = store_publish_commit(worker->stage.store, &worker->lane.lane, worker->outcomes, count, fenced,
                                    worker->stage.pending, err);
    return code == BASE_OK ? BASE_FAULT("publisher.committed", err) : code;
}

/* What was sent is known by its stored transaction, and found by the next attempt. */
static void refused(void *ctx, stage_job *job, store_outcome_kind was)
{
    const publisher_worker *worker = ctx;
    item_of(job)->task.abandon = false;
    if (was == STORE_SUCCEEDED ||
        item_of(job)->task.hash[0] != '\0') /* never final: its transaction is out, or may be sent */
        stage_job_retry(&worker->stage, job, job->reason_code);
}

/* The lane must be settled before the next send. */
static bool ready(void *ctx)
{
    const publisher_worker *worker = ctx;
    return worker->lane.settled;
}

static const stage_steps STEPS = {
    .pending = WIRE_STATUS_PROOF_PUBLISHING,
    .success = "proof_published",
    .item_size = sizeof(publisher_item),
    .decode = decode,
    .claim = claim,
    .work = work,
    .commit = commit,
    .refused = refused,
    .ready = ready,
};

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    publisher_worker *worker = ctx;
    stage_batch_run(&worker->batch, jobs, count, settlements);
    release_claimed(worker);
    if (worker->lane.node_failed) {
        base_error why = {0};
        base_fail(&why, BASE_UNAVAILABLE, "the node did not take a transaction");
        stage_worker_needs_failed(&worker->stage, &why);
    } else if (worker->lane.unfunded) {
        stage_worker_needs_failed(&worker->stage, &worker->lane.funds_trouble);
    }
    (void)BASE_FAULT("publisher.relayed", NULL); /* the broker acks next */
}

static base_code prepare(void *ctx, base_error *err)
{
    publisher_worker *worker = ctx;
    return publisher_lane_prepare(&worker->lane, err);
}

/* A node that does not answer must not use up the time that an orderly stop has. */
static void stop(void *ctx)
{
    const publisher_worker *worker = ctx;
    int64_t grace_ms = stage_service_settings(worker->stage.service)->shutdown_grace_s * 1000;
    ledger_end(worker->ledger, grace_ms / STOP_NODE_SHARE);
}

static base_code allocate(publisher_worker *worker, size_t capacity, base_error *err)
{
    worker->sendable = calloc(capacity, sizeof(publisher_task *));
    worker->requests = calloc(capacity, sizeof(*worker->requests));
    worker->outcomes = calloc(capacity, sizeof(*worker->outcomes));
    if (worker->sendable == NULL || worker->requests == NULL || worker->outcomes == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", capacity);
    return stage_batch_init(&worker->batch, &worker->stage, &STEPS, worker, capacity, err);
}

base_code publisher_worker_new(stage_service *service, const publisher_worker_options *options, publisher_worker **ret,
                               base_error *err)
{
    BASE_CLEANUP(publisher_worker_free) publisher_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        ledger_free(options->ledger);
        return base_fail(err, BASE_NO_MEMORY, "no memory for a worker");
    }
    worker->ledger = options->ledger;
    worker->keep_proofs = options->keep_proofs;
    worker->lane = (publisher_lane){.stage = &worker->stage,
                                    .ledger = options->ledger,
                                    .confirmations = options->confirmations,
                                    .confirm_interval_ms = options->confirm_interval_s * 1000,
                                    .missing = {.wait_ms = options->missing_after_s * 1000}};
    const stage_worker_options stage = {.stage = STAGE_PUBLISH,
                                        .durable = BROKER_DURABLE_PUBLISHER,
                                        .handler = handle,
                                        .prepare = prepare,
                                        .needs = "nonce_lane",
                                        .stop = stop,
                                        .lock_silence_ms = options->node_timeout_ms + LANE_SILENCE_MS,
                                        .ctx = worker};
    base_code code = allocate(worker, (size_t)stage_service_settings(service)->batch, err);
    if (code == BASE_OK)
        code = stage_worker_init(&worker->stage, service, &stage, err);
    worker->lane.node_part = stage_health_add(stage_service_health(service), "mina_node");
    if (code == BASE_OK)
        *ret = BASE_TAKE(worker);
    return code;
}

void publisher_worker_free(publisher_worker *worker)
{
    if (worker == NULL)
        return;
    publisher_lane_release(&worker->lane);
    stage_worker_done(&worker->stage);
    ledger_free(worker->ledger);
    release_claimed(worker);
    stage_batch_done(&worker->batch);
    free(worker->sendable);
    free(worker->requests);
    free(worker->outcomes);
    free(worker);
}

stage_worker *publisher_worker_stage(publisher_worker *worker)
{
    return &worker->stage;
}
