#include "stage/batch.h"

#include "base/hex.h"
#include "telemetry/log.h"

#include <string.h>

enum {
    TWIN_DELAY_MS = 5000, /* a second message for a submission in hand comes back when the first may have ended */
    TURN_WAIT_MS = 10 * 60 * 1000 /* for the batches of other threads */
};

base_code stage_batch_init(stage_batch *batch, stage_worker *worker, const stage_steps *steps, void *ctx,
                           size_t capacity, base_error *err)
{
    *batch = (stage_batch){.worker = worker, .steps = steps, .ctx = ctx};
    batch->items = calloc(capacity, steps->item_size);
    batch->fresh = calloc(capacity, sizeof(stage_job *));
    batch->claimed = calloc(capacity, sizeof(stage_job *));
    batch->fenced = calloc(capacity, sizeof(*batch->fenced));
    if (batch->items == NULL || batch->fresh == NULL || batch->claimed == NULL || batch->fenced == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for batches of %zu jobs", capacity);
    batch->capacity = capacity;
    return BASE_OK;
}

void stage_batch_done(stage_batch *batch)
{
    free(batch->items);
    free(batch->fresh);
    free(batch->claimed);
    free(batch->fenced);
    *batch = (stage_batch){0};
}

stage_job *stage_batch_at(const stage_batch *batch, size_t index)
{
    void *item = (char *)batch->items + index * batch->steps->item_size;
    return item;
}

/* A job that was not claimed comes again, to whoever has it by now. */
static void return_job(const stage_batch *batch, stage_job *job, int64_t delay_ms)
{
    if (stage_worker_holds(batch->worker, job->delivery))
        stage_job_give_back(job, delay_ms);
    else
        *job->settlement = (broker_settlement){.verdict = BROKER_LEAVE};
}

/* False: the job is settled already. */
static bool read_job(const stage_batch *batch, stage_job *job)
{
    base_error err = {0};
    base_code code = batch->steps->decode(batch->ctx, job, &err);
    if (code == BASE_NO_MEMORY)
        return_job(batch, job, TWIN_DELAY_MS);
    else if (code != BASE_OK)
        *job->settlement = stage_worker_bury(batch->worker, job->delivery, "undecodable", err.message);
    return code == BASE_OK;
}

/* A claim takes each submission once: a twin shares the fate of the first. */
static stage_job *find_twin(stage_job *const *jobs, size_t count, const stage_job *candidate)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(jobs[i]->submission, candidate->submission, sizeof(base_sha256)) == 0)
            return jobs[i];
    return NULL;
}

static size_t read_jobs(stage_batch *batch, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        stage_job *job = stage_batch_at(batch, i);
        *job = (stage_job){.delivery = jobs[i], .settlement = &settlements[i]};
        if (read_job(batch, job) && (job->twin_of = find_twin(batch->fresh, fresh, job)) == NULL)
            batch->fresh[fresh++] = job;
    }
    return fresh;
}

/* A twin of a failed job may be better than it, and comes back as a job of its own: at once when the first was put off unclaimed (it
 * may be an older command than the twin), for with the same delay both would come back together for ever. */
static void end_jobs(const stage_batch *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stage_job *job = stage_batch_at(batch, i);
        if (job->twin_of != NULL && job->twin_of->passed)
            *job->settlement = (broker_settlement){.verdict = BROKER_DONE};
        else if (job->twin_of != NULL)
            return_job(batch, job, job->twin_of->claim.answer == STORE_ANSWERED ? 0 : TWIN_DELAY_MS);
    }
    for (size_t i = 0; batch->steps->forget != NULL && i < count; i++)
        batch->steps->forget(batch->ctx, stage_batch_at(batch, i));
}

/* Settles a job that the claim left to others, or has no work for. */
static void settle_answered(const stage_batch *batch, stage_job *job)
{
    if (job->claim.answer == STORE_UNKNOWN) {
        *job->settlement = stage_worker_bury(batch->worker, job->delivery, "proof_missing",
                                             "no such submission, or its proof was dropped: redrive its generate job");
    } else if (job->claim.status == batch->steps->pending) {
        stage_job_give_back(job, TWIN_DELAY_MS); /* another message has it, and may yet fail */
    } else {
        job->passed = job->claim.status > batch->steps->pending && job->claim.status != WIRE_STATUS_REJECTED;
        *job->settlement = (broker_settlement){.verdict = BROKER_DONE};
    }
}

/* Settles what the claim answers by itself; collects the rest. Returns how many jobs are ours. */
static size_t sort_claims(stage_batch *batch, stage_job *const *jobs, size_t count)
{
    size_t ours = 0;
    for (size_t i = 0; i < count; i++) {
        if (jobs[i]->claim.answer == STORE_CLAIMED)
            batch->claimed[ours++] = jobs[i];
        else if (jobs[i]->claim.answer != STORE_SUSPECT)
            settle_answered(batch, jobs[i]);
    }
    return ours;
}

/* Commits claimed jobs until the store takes them or waiting mends nothing: what an attempt has made is not thrown away because
 * Postgres restarts. */
static base_code commit(const stage_batch *batch, size_t first, size_t count, base_error *err)
{
    base_code code = BASE_OK;
    do {
        code = batch->steps->commit(batch->ctx, batch->claimed + first, count, batch->fenced + first, err);
    } while (code != BASE_OK && stage_worker_try_again(batch->worker, code, err));
    if (code != BASE_OK)
        TELEMETRY_LOG(TELEMETRY_ERROR, "commit_failed", telemetry_text("reason", err->message),
                      telemetry_int("jobs", (int64_t)count));
    return code;
}

/* A result that the store refuses is a counted failure of its job; left open, the attempt would pass for a crash. */
static base_code commit_alone(const stage_batch *batch, size_t index)
{
    stage_job *job = batch->claimed[index];
    base_error err = {0};
    base_code code = commit(batch, index, 1, &err);
    if (code == BASE_OK || !stage_service_may_commit(batch->worker->service))
        return code;
    store_outcome_kind was = job->kind;
    job->why = err;
    stage_job_fail(batch->worker, job, "commit_failed");
    if (batch->steps->refused != NULL)
        batch->steps->refused(batch->ctx, job, was);
    return commit(batch, index, 1, &err);
}

/* All at once; when the store refuses the batch for a reason of its content, one by one, so that one bad job fails alone. */
static void finish(const stage_batch *batch, size_t count)
{
    base_error err = {0};
    base_code code = commit(batch, 0, count, &err);
    for (size_t i = 0; i < count; i++) {
        stage_job *job = batch->claimed[i];
        base_code own = code;
        if (code != BASE_OK && stage_service_may_commit(batch->worker->service))
            own = commit_alone(batch, i);
        job->fenced = job->fenced || (own == BASE_OK && batch->fenced[i]);
        if (own == BASE_OK)
            stage_job_settle(batch->worker, job, batch->steps->success);
        else
            stage_job_give_back(job, STAGE_GATE_MAX_MS);
    }
    stage_worker_relay(batch->worker);
}

static store_attempt attempt_at(const void *ctx, size_t index)
{
    const stage_job *job = ((const stage_batch *)ctx)->claimed[index];
    return (store_attempt){*job->submission, job->claim.epoch};
}

/* Works on what the claim has made ours, and commits it. */
static void work_on_claimed(stage_batch *batch, stage_job *const *jobs, size_t count)
{
    stage_worker_relay(batch->worker);
    size_t ours = sort_claims(batch, jobs, count);
    if (ours == 0)
        return;
    stage_hand_take(&batch->worker->hand, ours, attempt_at, batch);
    batch->steps->work(batch->ctx, batch->claimed, ours);
    finish(batch, ours);
    stage_hand_drop(&batch->worker->hand);
}

/* Leaves alone what others have by now, for a claim would take it from them and count a crash. Returns how many jobs remain. */
static size_t leave_lost(const stage_batch *batch, stage_job **jobs, size_t count)
{
    size_t held = 0;
    for (size_t i = 0; i < count; i++) {
        if (stage_worker_holds(batch->worker, jobs[i]->delivery))
            jobs[held++] = jobs[i];
        else
            *jobs[i]->settlement = (broker_settlement){.verdict = BROKER_LEAVE};
    }
    if (held < count)
        TELEMETRY_LOG(TELEMETRY_WARN, "jobs_left", telemetry_text("reason", "not kept alive for an ack wait"),
                      telemetry_int("jobs", (int64_t)(count - held)));
    return held;
}

/* While an answer is lost nobody knows whether the jobs were claimed: they stay in hand until the store tells. Given back, those that were
 * would pass for jobs whose worker has died. *count: those that are still ours; *manner: how those are to be claimed from now on. */
static base_code claim(const stage_batch *batch, stage_job **jobs, size_t *count, store_claim_manner *manner,
                       base_error *err)
{
    for (;;) {
        base_code code = batch->steps->claim(batch->ctx, jobs, *count, *manner, err);
        if (code == BASE_AMBIGUOUS) {
            *manner |= STORE_CLAIM_AGAIN;
            /* It may have left rows in the table, to be published before all later ones. */
            batch->worker->relay_failed = true;
        }
        if (code == BASE_OK || (*manner & STORE_CLAIM_AGAIN) == 0 || !stage_worker_try_again(batch->worker, code, err))
            return code;
        *count = leave_lost(batch, jobs, *count);
        if (*count == 0)
            return BASE_OK;
    }
}

/* The store does not let it be claimed, and so does not let it be rejected either: it waits for an operator for as long as its stream
 * keeps it. */
static void put_off(const stage_batch *batch, stage_job *job, const base_error *why)
{
    TELEMETRY_LOG(TELEMETRY_ERROR, "claim_refused", telemetry_text("submission", base_sha256_hex(job->submission).text),
                  telemetry_text("reason", why->message),
                  telemetry_int("stream_sequence", (int64_t)job->delivery->stream_sequence));
    return_job(batch, job, stage_worker_retry_delay_ms(batch->worker, 0));
}

static void return_unclaimed(const stage_batch *batch, stage_job *const *jobs, size_t count, const base_error *why)
{
    stage_worker_store_failed(batch->worker, why);
    bool is_away = why->code == BASE_UNAVAILABLE || why->code == BASE_AMBIGUOUS;
    for (size_t i = 0; i < count; i++)
        return_job(batch, jobs[i], is_away ? 0 : STAGE_GATE_MAX_MS);
}

/* Claims, works and commits `count` jobs; when the store refuses to let all be claimed, one by one, so that one bad job is put off alone.
 * Those answered STORE_SUSPECT are left for a call of their own. Returns how many jobs are still ours. */
static size_t process(stage_batch *batch, stage_job **jobs, size_t count, store_claim_manner manner)
{
    base_error err = {0};
    base_code code = claim(batch, jobs, &count, &manner, &err);
    if (count > 1 && store_claim_is_refused(code)) {
        for (size_t i = 0; i < count; i++)
            (void)process(batch, &jobs[i], 1, manner);
    } else if (store_claim_is_refused(code)) {
        put_off(batch, jobs[0], &err);
    } else if (code != BASE_OK) {
        return_unclaimed(batch, jobs, count, &err);
    } else {
        work_on_claimed(batch, jobs, count);
    }
    return count;
}

/* Returns how many jobs there are still; the others are settled. */
static size_t process_in_turn(stage_batch *batch, stage_job **jobs, size_t count, bool alone)
{
    stage_turn *turn = stage_service_turn(batch->worker->service);
    if (!stage_turn_enter(turn, alone, TURN_WAIT_MS)) {
        for (size_t i = 0; i < count; i++)
            return_job(batch, jobs[i], stage_worker_stopping(batch->worker) ? 0 : TWIN_DELAY_MS);
        return 0;
    }
    size_t held = leave_lost(batch, jobs, count);
    if (held > 0)
        held = process(batch, jobs, held, alone ? STORE_CLAIM_ALONE : STORE_CLAIM_TOGETHER);
    stage_turn_leave(turn, alone);
    return held;
}

/* A job that an earlier attempt died with must not take others along. */
static void process_suspects(stage_batch *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stage_job *job = batch->fresh[i];
        if (job->claim.answer != STORE_SUSPECT)
            continue;
        if (batch->steps->ready == NULL || batch->steps->ready(batch->ctx))
            (void)process_in_turn(batch, &job, 1, true);
        else
            return_job(batch, job, 0);
    }
}

void stage_batch_run(stage_batch *batch, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    size_t fresh = read_jobs(batch, jobs, count, settlements);
    if (fresh > 0)
        process_suspects(batch, process_in_turn(batch, batch->fresh, fresh, false));
    end_jobs(batch, count);
}
