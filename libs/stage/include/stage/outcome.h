#pragma once
/* How an attempt ends, alike in all stages: refusals before any work, the commit that waits for the store, settlement, log and count. */
#include "stage/worker.h"
#include "store/claim.h"

/* Why a claimed job must end before any work: its worker died with it too often, or it is too old. Returns the reason code (static storage)
 * and fills *why, or NULL: go on. */
const char *stage_refusal(const stage_worker *worker, const store_claim *claim, base_error *why);

/* Commits a batch by `once` until the store takes it or waiting mends nothing: what an attempt has made is not thrown away because
 * Postgres restarts. `jobs` is for the log. */
typedef base_code stage_commit_once(void *ctx, base_error *err);
BASE_MUST_CHECK base_code stage_commit(stage_worker *worker, stage_commit_once *once, void *ctx, size_t jobs,
                                       base_error *err);

/* What to tell the broker of a committed attempt. Fenced: a later claim owns the job. */
broker_settlement stage_settlement(store_outcome_kind kind, int64_t retry_delay_ms, bool fenced);

/* One ended attempt, for its log line and its counter. Texts may be NULL. */
typedef struct stage_end {
    const char *success; /* event of a success: "proof_generated" */
    const base_sha256 *submission;
    const char *correlation_id;
    const store_claim *claim;
    store_outcome_kind kind;
    bool fenced;
    int64_t duration_ms;
    const char *transaction;
    const char *reason_code, *reason;
} stage_end;
void stage_tell(const stage_worker *worker, const stage_end *end);
