#include "worker.h"

#include "base/clock.h"
#include "base/hex.h"
#include "broker/topology.h"
#include "prover/prover.h"
#include "send.h"
#include "stage/dead.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

#include <string.h>

enum { TWIN_DELAY_MS = 5000 }; /* a second message for a submission in hand comes back when the first may have ended */

/* One job of the batch in hand. */
typedef struct publisher_item {
    const broker_job *job;
    broker_settlement *settlement;
    wire_publish_proof message;
    bool suspect;
    struct publisher_item *twin_of; /* an earlier job of the batch for the same submission */
    bool passed;                    /* the submission is complete: whoever asks again needs nothing more */
    publisher_task task;
} publisher_item;

struct publisher_worker {
    stage_worker stage;
    ledger *ledger;
    publisher_lane lane;
    bool keep_proofs;
    /* One entry per job of a batch, so that no batch allocates: */
    publisher_item *items;
    publisher_item **fresh, **claimed; /* views of items */
    publisher_task **sendable;
    store_publish_request *requests;
    store_publish_outcome *outcomes;
    bool *fenced;
};

static store_job_identity identity_of(const broker_job *job)
{
    return (store_job_identity){job->stream_sequence, job->published_unix_ns};
}

static void give_back(publisher_item *item, int64_t delay_ms)
{
    *item->settlement = (broker_settlement){.verdict = BROKER_RETRY, .delay_ms = delay_ms};
}

/* A claim takes each submission once: a twin shares the fate of the first. */
static publisher_item *find_twin(publisher_item *const *items, size_t count, const publisher_item *candidate)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&items[i]->message.sha256, &candidate->message.sha256, sizeof(base_sha256)) == 0)
            return items[i];
    return NULL;
}

static size_t read_jobs(publisher_worker *worker, const broker_job *const *jobs, size_t count,
                        broker_settlement *settlements)
{
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        publisher_item *item = &worker->items[i];
        *item = (publisher_item){.job = jobs[i], .settlement = &settlements[i]};
        base_error err = {0};
        base_code code = wire_publish_proof_decode(jobs[i]->payload, &item->message, &err);
        if (code == BASE_NO_MEMORY)
            give_back(item, TWIN_DELAY_MS);
        else if (code != BASE_OK)
            settlements[i] = stage_worker_bury(&worker->stage, jobs[i], "undecodable", err.message);
        else if ((item->twin_of = find_twin(worker->fresh, fresh, item)) == NULL)
            worker->fresh[fresh++] = item;
    }
    return fresh;
}

/* A twin of a failed job comes back as a job of its own. */
static void settle_twins(publisher_worker *worker, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        publisher_item *item = &worker->items[i];
        if (item->twin_of != NULL && item->twin_of->passed)
            *item->settlement = (broker_settlement){.verdict = BROKER_DONE};
        else if (item->twin_of != NULL)
            give_back(item, TWIN_DELAY_MS);
    }
}

/* The proof is checked here, before anything is sent: what the database holds may have changed since it was made. */
static base_code check_proof(const publisher_task *task, const char **ret_code, base_error *err)
{
    const store_publish_work *work = task->work;
    base_digest digest = base_digest_of(work->blob);
    *ret_code = "proof_corrupt";
    if (memcmp(&digest, &work->proof_digest, sizeof(digest)) != 0)
        return base_fail(err, BASE_INVALID, "the stored proof does not have its digest: %zu bytes", work->blob.size);
    prover_claim claim = {.hash = *task->sha256};
    memcpy(claim.public_key.x, work->public_key_x, sizeof(claim.public_key.x));
    memcpy(claim.public_key.y, work->public_key_y, sizeof(claim.public_key.y));
    *ret_code = "proof_invalid";
    return prover_verify(work->proof_format, &claim, work->blob, err);
}

/* Sets the result of a job that must end before anything is sent. False: it may be sent. */
static bool refuse(publisher_worker *worker, publisher_task *task)
{
    const stage_settings *settings = stage_service_settings(worker->stage.service);
    const store_claim *claim = &task->work->claim;
    task->kind = STORE_REJECTED;
    if (claim->crashes >= settings->crash_limit) {
        base_fail(&task->why, BASE_INVALID, "its worker died %lld times while it had this job",
                  (long long)claim->crashes);
        task->reason_code = "quarantined";
        return true;
    }
    if (base_unix_ms() - claim->accepted_unix_ms > settings->job_max_age_s * 1000) {
        base_fail(&task->why, BASE_INVALID, "not done within %lld s", (long long)settings->job_max_age_s);
        task->reason_code = "expired";
        return true;
    }
    base_code code = check_proof(task, &task->reason_code, &task->why);
    if (code == BASE_OK || code == BASE_INVALID)
        return code == BASE_INVALID;
    /* A format unknown here may be known to a newer publisher: the job waits for it and is counted. */
    bool last = claim->retries >= settings->retry_limit;
    task->kind = last ? STORE_REJECTED : STORE_RETRY;
    task->reason_code = "proof_unchecked";
    return true;
}

static bool proof_is_bad(const publisher_task *task)
{
    return task->kind == STORE_REJECTED &&
           (strcmp(task->reason_code, "proof_corrupt") == 0 || strcmp(task->reason_code, "proof_invalid") == 0);
}

static store_publish_outcome outcome_of(publisher_worker *worker, const publisher_item *item)
{
    const publisher_task *task = &item->task;
    bool final = task->kind == STORE_SUCCEEDED || task->kind == STORE_REJECTED;
    store_publish_outcome outcome = {
        .kind = task->kind,
        .job = &item->message,
        .claim = &task->work->claim,
        .identity = identity_of(item->job),
        .transaction_hash = task->kind == STORE_SUCCEEDED ? task->hash : NULL,
        .block_height = worker->lane.height,
        .drop_proof = final && !worker->keep_proofs,
        .abandon_transaction = task->abandon,
        .failure = {.reason_code = task->reason_code,
                    .reason = task->why.message,
                    .job_payload = item->job->payload,
                    .job_subject = item->job->subject,
                    .drop_proof = proof_is_bad(task) || (final && !worker->keep_proofs)},
    };
    if (task->kind == STORE_RETRY)
        outcome.failure.retry_delay_ms = stage_worker_retry_delay_ms(&worker->stage, task->work->claim.retries);
    return outcome;
}

static void tell(const publisher_item *item, bool fenced)
{
    static const char *const EVENTS[] = {"proof_published", "submission_rejected", "job_retried", "job_released"};
    static const char *const LABELS[] = {"succeeded", "rejected", "retried", "released"};
    const publisher_task *task = &item->task;
    telemetry_level level = task->kind == STORE_REJECTED               ? TELEMETRY_ERROR
                            : task->kind == STORE_SUCCEEDED && !fenced ? TELEMETRY_INFO
                                                                       : TELEMETRY_WARN;
    stage_metrics_job(STAGE_PUBLISH, fenced ? "fenced" : LABELS[task->kind]);
    TELEMETRY_LOG(level, fenced ? "job_fenced" : EVENTS[task->kind],
                  telemetry_text("submission", base_sha256_hex(task->sha256).text),
                  telemetry_text("correlation_id", item->message.correlation_id),
                  telemetry_int("attempt", task->work->claim.retries + 1),
                  telemetry_int("epoch", task->work->claim.epoch), telemetry_text("transaction", task->hash),
                  telemetry_text("reason_code", task->reason_code != NULL ? task->reason_code : ""),
                  telemetry_text("reason", task->kind == STORE_SUCCEEDED ? "" : task->why.message));
}

static void settle(publisher_item *item, const store_publish_outcome *outcome, bool fenced)
{
    fenced = fenced || item->task.fenced;
    tell(item, fenced);
    item->passed = !fenced && outcome->kind == STORE_SUCCEEDED;
    if (fenced)
        *item->settlement = (broker_settlement){.verdict = BROKER_LEAVE};
    else if (outcome->kind == STORE_RETRY)
        give_back(item, outcome->failure.retry_delay_ms);
    else if (outcome->kind == STORE_RELEASED)
        give_back(item, 0);
    else
        *item->settlement = (broker_settlement){.verdict = BROKER_DONE};
}

/* Commits until the store takes it: what the node accepted must be known, or it is looked up and sent again. */
static base_code commit(publisher_worker *worker, const store_publish_outcome *outcomes, size_t count, bool *fenced)
{
    for (;;) {
        base_error err = {0};
        base_code code = store_publish_commit(worker->stage.store, &worker->lane.lane, outcomes, count, fenced,
                                              worker->stage.pending, &err);
        if (code == BASE_OK || !stage_worker_try_again(&worker->stage, code, &err)) {
            if (code != BASE_OK)
                TELEMETRY_LOG(TELEMETRY_ERROR, "commit_failed", telemetry_text("reason", err.message),
                              telemetry_int("jobs", (int64_t)count));
            return code;
        }
    }
}

/* All at once; when the store refuses the batch for a reason of its content, one by one, so that one bad job fails alone. */
static void finish(publisher_worker *worker, size_t count)
{
    for (size_t i = 0; i < count; i++)
        worker->outcomes[i] = outcome_of(worker, worker->claimed[i]);
    base_code code = commit(worker, worker->outcomes, count, worker->fenced);
    for (size_t i = 0; i < count; i++) {
        base_code own = code;
        if (code != BASE_OK && count > 1 && !stage_worker_stopping(&worker->stage))
            own = commit(worker, &worker->outcomes[i], 1, &worker->fenced[i]);
        if (own == BASE_OK)
            settle(worker->claimed[i], &worker->outcomes[i], worker->fenced[i]);
        else
            give_back(worker->claimed[i], STAGE_GATE_MAX_MS);
    }
    stage_worker_relay(&worker->stage);
}

/* Settles what the claim answers by itself, prepares a task for each job that is ours. Returns their number. */
static size_t sort_claims(publisher_worker *worker, publisher_item **items, size_t count,
                          const store_publish_batch *batch)
{
    size_t ours = 0;
    for (size_t i = 0; i < count; i++) {
        publisher_item *item = items[i];
        const store_publish_work *work = store_publish_batch_at(batch, i);
        item->suspect = work->claim.answer == STORE_SUSPECT;
        if (work->claim.answer == STORE_CLAIMED) {
            item->task = (publisher_task){.work = work, .sha256 = &item->message.sha256};
            worker->claimed[ours++] = item;
        } else if (work->claim.answer == STORE_UNKNOWN) {
            *item->settlement =
                stage_worker_bury(&worker->stage, item->job, "proof_missing",
                                  "no such submission, or its proof was dropped: redrive its generate job");
        } else if (work->claim.answer == STORE_ANSWERED && work->claim.status == WIRE_STATUS_PROOF_PUBLISHING) {
            give_back(item, TWIN_DELAY_MS); /* another message has it, and may yet fail */
        } else if (work->claim.answer == STORE_ANSWERED) {
            item->passed = work->claim.status == WIRE_STATUS_COMPLETE;
            *item->settlement = (broker_settlement){.verdict = BROKER_DONE};
        }
    }
    return ours;
}

static void publish(publisher_worker *worker, size_t ours)
{
    size_t sendable = 0;
    for (size_t i = 0; i < ours; i++)
        if (!refuse(worker, &worker->claimed[i]->task))
            worker->sendable[sendable++] = &worker->claimed[i]->task;
    base_error err = {0};
    if (sendable == 0 || publisher_send(&worker->lane, worker->sendable, sendable, &err) == BASE_OK)
        return;
    TELEMETRY_LOG(TELEMETRY_WARN, "send_failed", telemetry_text("reason", err.message));
    stage_worker_needs_failed(&worker->stage, &err); /* rests a little: what failed for good must not spin */
    for (size_t i = 0; i < sendable; i++) {
        worker->sendable[i]->kind = STORE_RELEASED;
        worker->sendable[i]->reason_code = "released";
        worker->sendable[i]->why = err;
    }
}

/* Claims, sends and commits `count` jobs. Suspects are left for a call of their own. */
static void process(publisher_worker *worker, publisher_item **items, size_t count, bool alone)
{
    for (size_t i = 0; i < count; i++)
        worker->requests[i] = (store_publish_request){&items[i]->message, identity_of(items[i]->job)};
    base_error err = {0};
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = NULL;
    base_code code =
        store_publish_claim(worker->stage.store, worker->requests, count, alone, &batch, worker->stage.pending, &err);
    if (code != BASE_OK) {
        stage_worker_store_failed(&worker->stage, &err);
        for (size_t i = 0; i < count; i++)
            give_back(items[i], code == BASE_UNAVAILABLE || code == BASE_AMBIGUOUS ? 0 : STAGE_GATE_MAX_MS);
        return;
    }
    stage_worker_relay(&worker->stage);
    size_t ours = sort_claims(worker, items, count, batch);
    if (ours == 0)
        return;
    publish(worker, ours);
    finish(worker, ours);
    if (worker->lane.node_failed) {
        base_fail(&err, BASE_UNAVAILABLE, "the node did not take a transaction");
        stage_worker_needs_failed(&worker->stage, &err);
    }
}

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    publisher_worker *worker = ctx;
    size_t fresh = read_jobs(worker, jobs, count, settlements);
    if (fresh > 0)
        process(worker, worker->fresh, fresh, false);
    for (size_t i = 0; i < fresh; i++) {
        publisher_item *suspect = worker->fresh[i];
        if (!suspect->suspect)
            continue;
        if (worker->lane.settled)
            process(worker, &suspect, 1, true);
        else
            give_back(suspect, 0); /* the lane must be settled before the next send */
    }
    settle_twins(worker, count);
}

static base_code prepare(void *ctx, base_error *err)
{
    publisher_worker *worker = ctx;
    return publisher_lane_prepare(&worker->lane, err);
}

static base_code allocate(publisher_worker *worker, size_t capacity, base_error *err)
{
    worker->items = calloc(capacity, sizeof(*worker->items));
    worker->fresh = calloc(capacity, sizeof(publisher_item *));
    worker->claimed = calloc(capacity, sizeof(publisher_item *));
    worker->sendable = calloc(capacity, sizeof(publisher_task *));
    worker->requests = calloc(capacity, sizeof(*worker->requests));
    worker->outcomes = calloc(capacity, sizeof(*worker->outcomes));
    worker->fenced = calloc(capacity, sizeof(*worker->fenced));
    if (worker->items == NULL || worker->fresh == NULL || worker->claimed == NULL || worker->sendable == NULL ||
        worker->requests == NULL || worker->outcomes == NULL || worker->fenced == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", capacity);
    return BASE_OK;
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
                                    .confirm_interval_ms = options->confirm_interval_s * 1000};
    const stage_worker_options stage = {.stage = STAGE_PUBLISH,
                                        .durable = BROKER_DURABLE_PUBLISHER,
                                        .handler = handle,
                                        .prepare = prepare,
                                        .needs = "nonce_lane",
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
    free(worker->items);
    free(worker->fresh);
    free(worker->claimed);
    free(worker->sendable);
    free(worker->requests);
    free(worker->outcomes);
    free(worker->fenced);
    free(worker);
}

stage_worker *publisher_worker_stage(publisher_worker *worker)
{
    return &worker->stage;
}
