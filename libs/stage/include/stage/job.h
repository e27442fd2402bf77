#pragma once
/* One job of a batch, alike in all stages: what it is about, what its claim says, what became of it, and how that is told. */
#include "stage/worker.h"
#include "store/claim.h"

typedef struct stage_job {
    const broker_job *delivery;
    broker_settlement *settlement;
    /* Borrowed from the decoded message: */
    const base_sha256 *submission;
    const char *correlation_id;
    store_claim claim;
    struct stage_job *twin_of; /* an earlier job of the batch for the same submission */
    bool passed;               /* the submission is past this stage: whoever asks again needs nothing more */
    /* What became of the attempt: */
    store_outcome_kind kind;
    const char *reason_code; /* static storage; NULL for STORE_SUCCEEDED */
    base_error why;
    int64_t retry_delay_ms; /* STORE_RETRY, STORE_RELEASED: when the message comes again */
    int64_t duration_ms;
    const char *transaction; /* for the log, or NULL */
    bool fenced;             /* a later claim owns the submission */
} stage_job;

/* Not settled by anything that was written: delivered again after delay_ms. */
void stage_job_give_back(stage_job *job, int64_t delay_ms);

/* The attempt's result. `reason_code` has static storage. */
void stage_job_conclude(stage_job *job, store_outcome_kind kind, const char *reason_code);
/* Ends the attempt as if it had not been: no fault of the job. Delivered again after delay_ms. */
void stage_job_release(stage_job *job, int64_t delay_ms);
/* A failure that is counted and tried again later. */
void stage_job_retry(const stage_worker *worker, stage_job *job, const char *reason_code);
/* A failure that is counted: tried again later, or final when it has failed WORKER_RETRY_LIMIT times before. */
void stage_job_fail(const stage_worker *worker, stage_job *job, const char *reason_code);
/* Ends a claimed job that must end before any work: its worker died with it too often, or it is too old. False: go on. */
bool stage_job_refuse(const stage_worker *worker, stage_job *job);

/* Parts of the store's outcomes; texts and bytes borrow from the job. */
store_job_identity stage_job_identity(const stage_job *job);
store_failure stage_job_failure(const stage_job *job);

/* After the commit: settlement, counter, and a log line, `success` being the event of a success. */
void stage_job_settle(const stage_worker *worker, stage_job *job, const char *success);
