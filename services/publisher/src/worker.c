#include "worker.h"

#include "base/fault.h"
#include "broker/topology.h"
#include "prover/prover.h"
#include "send.h"
#include "stage/dead.h"
#include "stage/outcome.h"
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

/* A failure that is counted: tried again later, or final. */
static void count_failure(publisher_worker *worker, publisher_task *task, const char *reason_code)
{
    bool last = task->work->claim.retries >= stage_service_settings(worker->stage.service)->retry_limit;
    task->kind = last ? STORE_REJECTED : STORE_RETRY;
    task->reason_code = reason_code;
}

/* Sets the result of a job that must end before anything is sent. False: it may be sent, or was: a submission whose transaction may be
 * at the node is never rejected for its age, its crashes, or what has become of its proof since that was checked. */
static bool refuse(publisher_worker *worker, publisher_task *task)
{
    if (task->work->has_transaction)
        return false;
    task->kind = STORE_REJECTED;
    task->reason_code = stage_refusal(&worker->stage, &task->work->claim, &task->why);
    if (task->reason_code != NULL)
        return true;
    base_code code = check_proof(task, &task->reason_code, &task->why);
    if (code == BASE_OK || code == BASE_INVALID)
        return code == BASE_INVALID;
    if (code == BASE_NO_MEMORY) { /* says nothing about the proof: uncounted */
        task->kind = STORE_RELEASED;
        task->reason_code = "released";
        task->retry_delay_ms = STAGE_GATE_MAX_MS;
        return true;
    }
    /* A format unknown here may be known to a newer publisher: the job waits for it. */
    count_failure(worker, task, "proof_unchecked");
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
    else
        outcome.failure.retry_delay_ms = task->retry_delay_ms;
    return outcome;
}

static void settle(publisher_worker *worker, publisher_item *item, const store_publish_outcome *outcome, bool fenced)
{
    const publisher_task *task = &item->task;
    fenced = fenced || task->fenced;
    stage_tell(&worker->stage, &(stage_end){.success = "proof_published",
                                            .submission = task->sha256,
                                            .correlation_id = item->message.correlation_id,
                                            .claim = &task->work->claim,
                                            .kind = outcome->kind,
                                            .fenced = fenced,
                                            .transaction = task->hash,
                                            .reason_code = task->reason_code,
                                            .reason = task->why.message});
    item->passed = !fenced && outcome->kind == STORE_SUCCEEDED;
    *item->settlement = stage_settlement(outcome->kind, outcome->failure.retry_delay_ms, fenced);
}

/* The outcomes of one commit. */
typedef struct commit_part {
    publisher_worker *worker;
    const store_publish_outcome *outcomes;
    size_t count;
    bool *fenced;
} commit_part;

static base_code commit_once(void *ctx, base_error *err)
{
    const commit_part *part = ctx;
    publisher_worker *worker = part->worker;
    base_code code = BASE_FAULT("publisher.concluded", err);
    if (code == BASE_OK)
        code = store_publish_commit(worker->stage.store, &worker->lane.lane, part->outcomes, part->count, part->fenced,
                                    worker->stage.pending, err);
    return code == BASE_OK ? BASE_FAULT("publisher.committed", err) : code;
}

static base_code commit(commit_part part, base_error *err)
{
    return stage_commit(&part.worker->stage, commit_once, &part, part.count, err);
}

/* A result that the store refuses is a counted failure of its job; left open, the attempt would pass for a crash. What was sent is
 * known by its stored transaction, and found by the next attempt. */
static base_code commit_alone(publisher_worker *worker, publisher_item *item, size_t index)
{
    commit_part part = {worker, &worker->outcomes[index], 1, &worker->fenced[index]};
    base_error err = {0};
    base_code code = commit(part, &err);
    if (code == BASE_OK || stage_worker_stopping(&worker->stage))
        return code;
    item->task.why = err;
    item->task.abandon = false;
    count_failure(worker, &item->task, "commit_failed");
    if (worker->outcomes[index].kind == STORE_SUCCEEDED)
        item->task.kind = STORE_RETRY; /* never final: its transaction is out */
    worker->outcomes[index] = outcome_of(worker, item);
    return commit(part, &err);
}

/* All at once; when the store refuses the batch for a reason of its content, one by one, so that one bad job fails alone. */
static void finish(publisher_worker *worker, size_t count)
{
    for (size_t i = 0; i < count; i++)
        worker->outcomes[i] = outcome_of(worker, worker->claimed[i]);
    base_error err = {0};
    base_code code = commit((commit_part){worker, worker->outcomes, count, worker->fenced}, &err);
    for (size_t i = 0; i < count; i++) {
        base_code own = code;
        if (code != BASE_OK && !stage_worker_stopping(&worker->stage))
            own = commit_alone(worker, worker->claimed[i], i);
        if (own == BASE_OK)
            settle(worker, worker->claimed[i], &worker->outcomes[i], worker->fenced[i]);
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
    if (code == BASE_OK)
        code = BASE_FAULT("publisher.claimed", &err);
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
    (void)BASE_FAULT("publisher.relayed", NULL); /* the broker acks next */
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
