#include "send.h"

#include "base/clock.h"
#include "base/fault.h"
#include "funds.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_BACK_BLOCKS = 30 }; /* for what was sent just now */

/* The batch's new transactions, in the order of their nonces. */
typedef struct send_batch {
    size_t count;
    publisher_task **tasks;
    ledger_transaction *made;
    store_transaction *stored;
    int64_t *epochs;
    bool *fenced;
} send_batch;

static void send_batch_done(send_batch *batch)
{
    for (size_t i = 0; batch->made != NULL && i < batch->count; i++)
        ledger_transaction_done(&batch->made[i]);
    free(batch->tasks);
    free(batch->made);
    free(batch->stored);
    free(batch->epochs);
    free(batch->fenced);
}
BASE_CLEANUP_VALUE(send_batch, send_batch_done);

static base_code send_batch_init(send_batch *batch, size_t capacity, base_error *err)
{
    batch->tasks = calloc(capacity, sizeof(publisher_task *));
    batch->made = calloc(capacity, sizeof(*batch->made));
    batch->stored = calloc(capacity, sizeof(*batch->stored));
    batch->epochs = calloc(capacity, sizeof(*batch->epochs));
    batch->fenced = calloc(capacity, sizeof(*batch->fenced));
    if (batch->tasks == NULL || batch->made == NULL || batch->stored == NULL || batch->epochs == NULL ||
        batch->fenced == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu transactions", capacity);
    return BASE_OK;
}

static void conclude(publisher_task *task, store_outcome_kind kind, const char *reason_code, bool abandon)
{
    task->kind = kind;
    task->reason_code = reason_code;
    task->abandon = abandon;
}

static void retry_or_reject(publisher_lane *lane, publisher_task *task, const char *reason_code, bool abandon)
{
    int64_t limit = stage_service_settings(lane->stage->service)->retry_limit;
    bool last = task->work->claim.retries >= limit;
    conclude(task, last ? STORE_REJECTED : STORE_RETRY, reason_code, abandon);
}

/* A transaction of another fee payer, whose key was changed since: no lane of ours settles it. Its bytes are sent again, and as long as
 * they may land there is no other. */
static void send_foreign(publisher_lane *lane, publisher_task *task, const ledger_sighting *sighting)
{
    const store_transaction *transaction = &task->work->transaction;
    if (publisher_lane_guard(lane, &task->why) != BASE_OK) {
        conclude(task, STORE_RELEASED, "released", false);
        return;
    }
    ledger_answer answer = publisher_lane_send(lane, transaction->payload, BASE_FAULT_NAME("foreign.sending"),
                                               BASE_FAULT_NAME("foreign.sent"), &task->why);
    if (answer == LEDGER_ACCEPTED) {
        conclude(task, STORE_SUCCEEDED, NULL, false);
    } else if (answer == LEDGER_UNAVAILABLE || answer == LEDGER_UNKNOWN ||
               publisher_missing_judge(&lane->missing, transaction->hash, sighting, &task->why) != BASE_OK) {
        conclude(task, STORE_RELEASED, "released", false);
        publisher_lane_node_failed(lane);
    } else {
        base_fail_within(&task->why, "transaction %s of the fee payer %s", transaction->hash, transaction->fee_payer);
        retry_or_reject(lane, task, "other_fee_payer", false);
    }
}

/* A submission that was rejected while its transaction might still land (its fee payer's key was changed, say) and then proven anew has
 * a transaction whose memo commits to the earlier proof. */
static bool publishes_this_proof(const publisher_lane *lane, const publisher_task *task)
{
    const store_publish_work *work = task->work;
    const ledger_statement statement = {*task->sha256, work->proof_digest, work->proof_format};
    return ledger_publishes(lane->ledger, work->transaction.payload, &statement);
}

/* An earlier proof is out. It cannot be called back, so the nonce is not freed and nothing more is sent: two transactions for one image
 * are worse than none. Nor is it a completion: what the chain commits to is not the proof that is stored, and would not verify. */
static void judge_superseded(publisher_task *task)
{
    base_fail(&task->why, BASE_CONFLICT,
              "transaction %s publishes an earlier proof of this image, which was made anew since: there is no second",
              task->work->transaction.hash);
    conclude(task, STORE_REJECTED, "proof_superseded", false);
}

/* A transaction of an earlier attempt: the node has it and the job is done, or the lane must be settled first. */
static void judge_earlier(publisher_lane *lane, publisher_task *task, const ledger_sighting *sighting)
{
    const store_transaction *transaction = &task->work->transaction;
    bool is_ours = strcmp(transaction->fee_payer, lane->lane.fee_payer) == 0;
    snprintf(task->hash, sizeof(task->hash), "%s", transaction->hash);
    if (sighting->place == LEDGER_FAILED) {
        base_fail(&task->why, BASE_TRANSIENT, "transaction %s: %s", transaction->hash, sighting->reason);
        retry_or_reject(lane, task, "transaction_failed", false);
        publisher_lane_unsettle(lane);
    } else if (sighting->place != LEDGER_NOWHERE || transaction->state != STORE_TX_COMMITTED) {
        if (!publishes_this_proof(lane, task)) {
            judge_superseded(task);
            return;
        }
        conclude(task, STORE_SUCCEEDED, NULL,
                 false); /* lost since it was accepted: a matter of the lane's confirmations */
    } else if (!is_ours && !publishes_this_proof(lane, task)) {
        base_fail(&task->why, BASE_TRANSIENT, "transaction %s of the fee payer %s publishes an earlier proof",
                  transaction->hash, transaction->fee_payer);
        retry_or_reject(lane, task, "other_fee_payer", false);
    } else if (!is_ours) {
        send_foreign(lane, task, sighting);
    } else {
        base_fail(&task->why, BASE_TRANSIENT, "transaction %s: not at the node", transaction->hash);
        conclude(task, STORE_RELEASED, "released", false);
        publisher_lane_unsettle(lane);
    }
}

/* Looks up the earlier transactions, all in one request, and collects the tasks that need a new one. */
static base_code sort_tasks(publisher_lane *lane, publisher_task *const *tasks, size_t count, send_batch *batch,
                            base_error *err)
{
    BASE_CLEANUP(free) const char **hashes = calloc(count, sizeof(*hashes));
    BASE_CLEANUP(free) ledger_sighting *sightings = calloc(count, sizeof(*sightings));
    if (hashes == NULL || sightings == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu tasks", count);
    size_t earlier = 0;
    for (size_t i = 0; i < count; i++)
        if (tasks[i]->work->has_transaction)
            hashes[earlier++] = tasks[i]->work->transaction.hash;
        else
            batch->tasks[batch->count++] = tasks[i];
    if (earlier == 0)
        return BASE_OK;
    base_code code = ledger_find(lane->ledger, hashes, earlier, LEDGER_BLOCKS_MAX, sightings, err);
    if (code != BASE_OK) {
        publisher_lane_node_failed(lane);
        return code;
    }
    for (size_t i = 0; i < earlier; i++)
        publisher_missing_note(&lane->missing, hashes[i], &sightings[i]);
    for (size_t i = 0, at = 0; i < count; i++)
        if (tasks[i]->work->has_transaction)
            judge_earlier(lane, tasks[i], &sightings[at++]);
    return BASE_OK;
}

static base_code make(publisher_lane *lane, send_batch *batch, base_error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        publisher_task *task = batch->tasks[i];
        const ledger_statement statement = {*task->sha256, task->work->proof_digest, task->work->proof_format};
        ledger_transaction *made = &batch->made[i];
        base_code code = ledger_make(lane->ledger, &statement, lane->next_nonce + (int64_t)i, made, err);
        if (code != BASE_OK)
            return code;
        snprintf(task->hash, sizeof(task->hash), "%s", made->hash);
        store_transaction *stored = &batch->stored[i];
        *stored = (store_transaction){.submission = *task->sha256,
                                      .nonce = made->nonce,
                                      .fee_nanomina = made->fee_nanomina,
                                      .payload = base_buffer_view(&made->payload),
                                      .state = STORE_TX_COMMITTED,
                                      .block_height = lane->height};
        snprintf(stored->hash, sizeof(stored->hash), "%s", made->hash);
        snprintf(stored->fee_payer, sizeof(stored->fee_payer), "%s", lane->lane.fee_payer);
        batch->epochs[i] = task->work->claim.epoch;
    }
    return BASE_OK;
}

/* Not everything that is no success has failed: the transaction's hash tells. */
static bool find_sent(publisher_lane *lane, const char *hash, ledger_sighting *ret)
{
    base_error err = {0};
    publisher_lane_keep(lane);
    if (ledger_find(lane->ledger, &hash, 1, LOOK_BACK_BLOCKS, ret, &err) != BASE_OK) {
        publisher_lane_node_failed(lane);
        return false;
    }
    publisher_missing_note(&lane->missing, hash, ret);
    return true;
}

/* A second look at what the node refused and does not show: until then nothing else can be sent anyway, for its nonce is in doubt.
 * False: no second look could be had. */
static bool find_again(publisher_lane *lane, const char *hash, ledger_sighting *ret)
{
    enum { GRAIN_MS = 5, SLICE_MS = 5000 }; /* the grain, so that rounding never makes the time too short */
    const int64_t end_ms = base_monotonic_ms() + lane->missing.wait_ms + GRAIN_MS;
    for (int64_t left_ms; (left_ms = end_ms - base_monotonic_ms()) > 0;) {
        if (stage_service_wait_stop(lane->stage->service, left_ms < SLICE_MS ? left_ms : SLICE_MS))
            return false;
        publisher_lane_keep(lane);
    }
    return find_sent(lane, hash, ret);
}

/* Looks it up. True: it is at the node. Else it is given back with its transaction, which settling sends again or abandons;
 * but what the node refused and certainly does not have counts, and is made anew. */
static bool judge_by_hash(publisher_lane *lane, publisher_task *task, bool refused)
{
    ledger_sighting sighting = {0};
    base_error doubt = {0};
    bool found = find_sent(lane, task->hash, &sighting);
    if (found && refused && sighting.place == LEDGER_NOWHERE)
        found = find_again(lane, task->hash, &sighting);
    if (found && (sighting.place == LEDGER_POOLED || sighting.place == LEDGER_INCLUDED)) {
        conclude(task, STORE_SUCCEEDED, NULL, false);
        return true;
    }
    if (found && refused && sighting.place == LEDGER_NOWHERE &&
        publisher_missing_judge(&lane->missing, task->hash, &sighting, &doubt) == BASE_OK) {
        publisher_missing_forget(&lane->missing, task->hash);
        retry_or_reject(lane, task, "node_refused", true);
    } else {
        conclude(task, STORE_RELEASED, "released", false);
    }
    return false;
}

/* Turns the node's answer into the task's result. True: the next nonce may follow. */
static bool judge_answer(publisher_lane *lane, publisher_task *task, ledger_answer answer)
{
    switch (answer) {
    case LEDGER_ACCEPTED:
        conclude(task, STORE_SUCCEEDED, NULL, false);
        return true;
    case LEDGER_UNKNOWN:
    case LEDGER_NONCE:
    case LEDGER_REPLACED:
    case LEDGER_RETRY: /* also a text that nobody knows, which may follow the taking */
    case LEDGER_EXPIRED:
        if (judge_by_hash(lane, task, answer == LEDGER_RETRY || answer == LEDGER_EXPIRED))
            return true;
        break;
    case LEDGER_UNAVAILABLE:
        conclude(task, STORE_RELEASED, "released", false);
        break;
    case LEDGER_UNFUNDED: /* no job's fault; refused at the only send, so it is nowhere */
        publisher_funds_refused(lane);
        conclude(task, STORE_RELEASED, "released", true);
        break;
    case LEDGER_REJECTED:
        conclude(task, STORE_REJECTED, "node_rejected", true);
        break;
    }
    if (answer == LEDGER_UNAVAILABLE || answer == LEDGER_UNKNOWN)
        publisher_lane_node_failed(lane);
    publisher_lane_unsettle(lane);
    return false;
}

/* Sends until one does not get through: those behind it would leave a gap, which the node refuses. */
static void send_all(publisher_lane *lane, send_batch *batch)
{
    bool going = true, owned = true;
    for (size_t i = 0; i < batch->count; i++) {
        publisher_task *task = batch->tasks[i];
        base_error lost = {0};
        owned = owned && publisher_lane_guard(lane, &lost) == BASE_OK;
        if (!owned || !going || stage_worker_stopping(lane->stage)) {
            base_fail(&task->why, BASE_CANCELLED,
                      "not sent: an earlier nonce did not get through, a stop, or the lane was lost");
            conclude(task, STORE_RELEASED, "released", owned); /* a new owner sends what it finds stored */
            publisher_lane_unsettle(lane);
            going = false;
            continue;
        }
        ledger_answer answer =
            publisher_lane_send(lane, base_buffer_view(&batch->made[i].payload), BASE_FAULT_NAME("publisher.sending"),
                                BASE_FAULT_NAME("publisher.sent"), &task->why);
        going = judge_answer(lane, task, answer);
        if (going)
            lane->next_nonce++;
    }
    if (lane->next_nonce >= lane->nonce_end) /* the hole is filled: what lies behind it can be sent now */
        publisher_lane_unsettle(lane);
}

/* Gives back, unmade, what has no nonce or cannot be paid. */
static void shorten(publisher_lane *lane, send_batch *batch)
{
    uint64_t free_nonces = (uint64_t)(lane->nonce_end - lane->next_nonce);
    size_t wanted = batch->count < free_nonces ? batch->count : (size_t)free_nonces;
    size_t kept = publisher_funds_cover(lane, wanted);
    for (; batch->count > kept; batch->count--) {
        publisher_task *task = batch->tasks[batch->count - 1];
        base_fail(&task->why, BASE_CANCELLED, "not sent: %s",
                  batch->count <= wanted ? lane->funds_trouble.message : "it has to wait for its nonce");
        conclude(task, STORE_RELEASED, "released", false);
    }
}

/* A submission taken over by a later claim leaves a hole in the nonces: all is given back, unsent. */
static bool give_up_fenced(publisher_lane *lane, send_batch *batch)
{
    bool any = false;
    for (size_t i = 0; i < batch->count; i++)
        any = any || batch->fenced[i];
    for (size_t i = 0; any && i < batch->count; i++) {
        batch->tasks[i]->fenced = batch->fenced[i];
        base_fail(&batch->tasks[i]->why, BASE_CONFLICT, "not sent: a later claim took a submission of this batch");
        conclude(batch->tasks[i], STORE_RELEASED, "released", true);
    }
    if (any)
        publisher_lane_unsettle(lane);
    return any;
}

base_code publisher_send(publisher_lane *lane, publisher_task *const *tasks, size_t count, base_error *err)
{
    BASE_CLEANUP(send_batch_done) send_batch batch = {0};
    base_code code = send_batch_init(&batch, count, err);
    if (code == BASE_OK)
        code = sort_tasks(lane, tasks, count, &batch, err);
    if (code != BASE_OK || batch.count == 0)
        return code;
    if (!lane->settled) { /* an earlier transaction unsettled it: nothing new before that is clear */
        for (size_t i = 0; i < batch.count; i++)
            conclude(batch.tasks[i], STORE_RELEASED, "released", false);
        return BASE_OK;
    }
    shorten(lane, &batch);
    if (batch.count == 0)
        return BASE_OK;
    code = make(lane, &batch, err);
    if (code == BASE_OK)
        code = store_transactions_commit(lane->stage->store, &lane->lane, batch.stored, batch.epochs, batch.count,
                                         batch.fenced, err);
    if (code == BASE_OK)
        code = BASE_FAULT("publisher.stored", err);
    if (code != BASE_OK) {
        publisher_lane_unsettle(lane);
        return code;
    }
    if (!give_up_fenced(lane, &batch))
        send_all(lane, &batch);
    return BASE_OK;
}
