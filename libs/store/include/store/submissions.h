#pragma once
/* Reading submissions and proofs, for tools and metrics. */
#include "store/session.h"
#include "wire/messages.h"

typedef struct store_submission {
    base_sha256 sha256;
    wire_status status;
    char correlation_id[WIRE_CORRELATION_ID_MAX + 1];
    char reason_code[WIRE_REASON_CODE_MAX + 1];
    char failure_reason[WIRE_REASON_MAX + 1];
    char transaction_id[WIRE_TRANSACTION_MAX + 1];
    int64_t transaction_block_height;
    int64_t retries, crashes, epoch, event_sequence;
    int64_t generate_attempts;                                                  /* claims by a generator */
    int64_t proofs_generated;                                                   /* proofs stored, over all its lives */
    int64_t publish_attempts;                                                   /* claims by a publisher */
    int64_t created_unix_ms, updated_unix_ms, verified_unix_ms, failed_unix_ms; /* 0: not yet */
} store_submission;

/* BASE_NOT_FOUND names the hash. */
BASE_MUST_CHECK base_code store_submission_get(store_session *session, const base_sha256 *sha256, store_submission *ret,
                                               base_error *err);

/* Newest first: up to `limit` (≤ STORE_BATCH_MAX) with `status` (WIRE_STATUS_NONE: any) and created before before_unix_ms (0: now). Fills ret[], says how many. */
BASE_MUST_CHECK base_code store_submission_list(store_session *session, wire_status status, int64_t before_unix_ms,
                                                size_t limit, store_submission *ret, size_t *ret_count,
                                                base_error *err);

/* ret[i] is the status of hashes[i], WIRE_STATUS_NONE where there is no such submission. One query for up to STORE_BATCH_MAX. */
BASE_MUST_CHECK base_code store_submission_statuses(store_session *session, const base_sha256 *hashes, size_t count,
                                                    wire_status *ret, base_error *err);

/* Number of submissions by wire_status that are not terminal (cheap: partial index); terminal ones are counted only when `all`. */
#define STORE_STATUS_COUNT (WIRE_STATUS_REJECTED + 1)
BASE_MUST_CHECK base_code store_submission_count(store_session *session, bool all, int64_t ret[STORE_STATUS_COUNT],
                                                 base_error *err);

typedef struct store_proof {
    char format[WIRE_FORMAT_MAX + 1];
    base_digest digest;
    base_buffer blob; /* owned: store_proof_done; empty when cleared by retention */
    uint8_t public_key_x[32], public_key_y[32];
    int64_t created_unix_ms;
} store_proof;
void store_proof_done(store_proof *proof);
BASE_CLEANUP_VALUE(store_proof, store_proof_done);
/* BASE_NOT_FOUND: none was made, or it was dropped. */
BASE_MUST_CHECK base_code store_proof_load(store_session *session, const base_sha256 *sha256, store_proof *ret,
                                           base_error *err);
