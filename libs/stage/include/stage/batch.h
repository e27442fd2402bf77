#pragma once
/* The way of a batch through any stage: decode, claim, work, commit, publish what was committed, settle.
 *
 * A stage fills in a table of its own steps and keeps its own data of a job in an item around the stage_job. What is the same
 * everywhere is here: twins, suspects, refusals of the store, settlements. Nothing is allocated per job or batch. */
#include "stage/job.h"

/* What a stage does its own way. `ctx` is that of stage_batch_init; a stage finds its item by the job, its first member. */
typedef struct stage_steps {
    wire_status pending; /* of a submission while this stage's work is to be done */
    const char *success; /* event of a success in the log */
    size_t item_size;

    /* Fills the item from job->delivery, and job->submission and ->correlation_id. BASE_NO_MEMORY gives the job back; any other
     * failure buries it as undecodable. */
    base_code (*decode)(void *ctx, stage_job *job, base_error *err);
    /* Claims all and fills in each job's claim. On failure no job was changed, but for BASE_AMBIGUOUS: after that it is called again for
     * those that are still ours, with STORE_CLAIM_AGAIN. */
    base_code (*claim)(void *ctx, stage_job *const *jobs, size_t count, store_claim_manner manner, base_error *err);
    /* Works on claimed jobs and concludes each of them. */
    void (*work)(void *ctx, stage_job *const *jobs, size_t count);
    /* Commits the results in one transaction; fenced[i] as in the store. May be called again, also for a part of the jobs. */
    base_code (*commit)(void *ctx, stage_job *const *jobs, size_t count, bool *fenced, base_error *err);
    /* The store refused the job's result, and it counts as a failure now: adapts it. May be NULL. */
    void (*refused)(void *ctx, stage_job *job, store_outcome_kind was);
    /* Whether more may be begun within the batch. NULL: always. */
    bool (*ready)(void *ctx);
    /* The batch has ended: wipes and releases what the item holds of it. May be NULL. */
    void (*forget)(void *ctx, stage_job *job);
} stage_steps;

/* Room for the jobs of one batch at a time; used by the worker's thread only. Zero is empty. */
typedef struct stage_batch {
    stage_worker *worker;
    const stage_steps *steps;
    void *ctx;
    size_t capacity;
    void *items;                  /* of steps->item_size */
    stage_job **fresh, **claimed; /* views of items */
    bool *fenced;                 /* of the claimed */
} stage_batch;

/* Borrows everything; items begin zeroed. stage_batch_done accepts a half-made batch. */
BASE_MUST_CHECK base_code stage_batch_init(stage_batch *batch, stage_worker *worker, const stage_steps *steps,
                                           void *ctx, size_t capacity, base_error *err);
/* Frees the items, not what they hold. */
void stage_batch_done(stage_batch *batch);
/* The item at `index` < capacity. */
stage_job *stage_batch_at(const stage_batch *batch, size_t index);

/* Takes up to `capacity` jobs all the way: the body of a broker_handler. */
void stage_batch_run(stage_batch *batch, const broker_job *const *jobs, size_t count, broker_settlement *settlements);
