#pragma once
/* The generate stage in Postgres. All calls are set-based: one or two round trips for any batch. */
#include "store/claim.h"

typedef struct store_generate_request {
    const wire_generate_proof *job;
    store_job_identity identity;
    base_bytes payload; /* the message to publish again should JetStream lose it: without an inline image */
} store_generate_request;

/* Takes `count` different submissions (no sha256 twice): creates missing rows, raises epochs, opens attempts, writes the event
 * proof_generation where that status is new, all in one transaction whose outbox rows are appended to `pending`.
 * - no row, awaiting_review, or proof_generation owned by nobody or by this message: STORE_CLAIMED. An attempt found open counts as a crash.
 * - proof_generation with an open attempt or an earlier crash, and not STORE_CLAIM_ALONE: STORE_SUSPECT, nothing changed.
 * - rejected under another message: a replay: counters start at zero, STORE_CLAIMED.
 * - everything else: STORE_ANSWERED. So is a message older than the end of a submission that a sweep rejected while no message owned it. */
BASE_MUST_CHECK base_code store_generate_claim(store_session *session, const store_generate_request *requests,
                                               size_t count, store_claim_manner manner, store_claim *claims,
                                               store_outbox *pending, base_error *err);

typedef struct store_generate_outcome {
    store_outcome_kind kind;
    const wire_generate_proof *job;
    const store_claim *claim;
    store_job_identity identity;
    base_bytes blob;    /* STORE_SUCCEEDED */
    const char *format; /* STORE_SUCCEEDED */
    base_digest digest; /* STORE_SUCCEEDED: of blob */
    int64_t duration_ms;
    store_failure failure; /* the other kinds */
} store_generate_outcome;

/* Ends `count` attempts in one transaction. STORE_SUCCEEDED: proof stored (an older one replaced), status proof_publishing, event, PublishProof command, stored job payload dropped.
 * fenced[i] = true: a later claim owns it, nothing was written for it; the job must not be acked. */
BASE_MUST_CHECK base_code store_generate_commit(store_session *session, const store_generate_outcome *outcomes,
                                                size_t count, bool *fenced, store_outbox *pending, base_error *err);
