#pragma once
/* The publish stage in Postgres: claims with their proofs, and ends of attempts. */
#include "store/claim.h"
#include "store/transactions.h"

typedef struct store_publish_request {
    const wire_publish_proof *job;
    store_job_identity identity;
} store_publish_request;

/* One claimed job with what publishing needs. */
typedef struct store_publish_work {
    store_claim claim;
    char proof_format[WIRE_FORMAT_MAX + 1];
    base_digest
        proof_digest; /* as stored beside the blob: the caller checks that the blob has it, and that the job names it */
    base_bytes blob;  /* owned by the batch */
    uint8_t public_key_x[32], public_key_y[32];
    char correlation_id[WIRE_CORRELATION_ID_MAX + 1];
    bool has_transaction; /* one was committed before and is not known to be dead: find out about it first */
    store_transaction transaction;
} store_publish_work;

typedef struct store_publish_batch store_publish_batch;
void store_publish_batch_free(store_publish_batch *batch);
BASE_CLEANUP_POINTER(store_publish_batch, store_publish_batch_free);
const store_publish_work *store_publish_batch_at(const store_publish_batch *batch, size_t index);

/* Takes `count` different submissions; *ret (owned by the caller) has one entry per request, in order.
 * - proof_publishing owned by nobody or by this message: STORE_CLAIMED (STORE_SUSPECT as in the generate stage), also when the stored
 *   proof is gone: its blob is empty then.
 * - rejected under another message, its proof still stored with the digest named by the job: a replay, STORE_CLAIMED, event proof_publishing.
 *   One that Postgres refuses, claimed together with others that it does not: STORE_SUSPECT, and nothing changed.
 * - no such submission, or rejected and its proof gone: STORE_UNKNOWN.
 * - everything else, also a job whose digest is not the stored one (an older life's command): STORE_ANSWERED. */
BASE_MUST_CHECK base_code store_publish_claim(store_session *session, const store_publish_request *requests,
                                              size_t count, store_claim_manner manner, store_publish_batch **ret,
                                              store_outbox *pending, base_error *err);

typedef struct store_publish_outcome {
    store_outcome_kind kind;
    const wire_publish_proof *job;
    const store_claim *claim;
    store_job_identity identity;
    const char *transaction_hash; /* STORE_SUCCEEDED: its row becomes "accepted" */
    int64_t block_height;         /* STORE_SUCCEEDED: of the chain when it was sent; 0 unknown */
    bool drop_proof;              /* STORE_SUCCEEDED: PROOF_RETENTION says so */
    bool abandon_transaction;     /* other kinds: the committed transaction is certainly nowhere, its nonce is free */
    store_failure failure;        /* other kinds */
} store_publish_outcome;

/* Ends `count` attempts in one transaction; fenced[i] as in the generate stage. Nothing is abandoned once `lane` has a new owner, who
 * sends all that is committed: STORE_RELEASED then leaves the transaction as it is, the others are fenced. */
BASE_MUST_CHECK base_code store_publish_commit(store_session *session, const store_lane *lane,
                                               const store_publish_outcome *outcomes, size_t count, bool *fenced,
                                               store_outbox *pending, base_error *err);
