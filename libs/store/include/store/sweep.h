#pragma once
/* Rebuilding what JetStream lost from what Postgres knows, and ending what is too old. */
#include "store/claim.h"

/* One sweeper at a time over all services, by a session-level advisory lock. BASE_CONFLICT: another one is at it. */
BASE_MUST_CHECK base_code store_sweep_acquire(store_session *session, base_error *err);
BASE_MUST_CHECK base_code store_sweep_release(store_session *session, base_error *err);

/* An attempt that somebody has in hand. */
typedef struct store_attempt {
    base_sha256 submission;
    int64_t epoch;
} store_attempt;

/* A sign of life for attempts that take long: keeps store_sweep_requeue from taking them for abandoned. Those that have ended or
 * were taken over are passed by, and so is a row that somebody works on just now: never waits for a lock. */
BASE_MUST_CHECK base_code store_sweep_keep(store_session *session, const store_attempt *attempts, size_t count,
                                           base_error *err);

typedef enum store_stage { STORE_STAGE_GENERATE, STORE_STAGE_PUBLISH } store_stage;

/* Writes outbox commands for up to `limit` submissions whose status says that the stage's work is pending, that have been quiet
 * for min_quiet_ms, and whose message was stored before settled_before_unix_ms: every message older than that is settled, so
 * none covers them. Their epoch rises and they belong to no message until claimed again. Rows are appended to `pending`. */
BASE_MUST_CHECK base_code store_sweep_requeue(store_session *session, store_stage stage, int64_t settled_before_unix_ms,
                                              int64_t min_quiet_ms, size_t limit, store_outbox *pending,
                                              size_t *ret_requeued, base_error *err);

/* Rejects up to `limit` submissions that have been pending in a stage for more than max_age_ms since they were accepted, but
 * none whose transaction may be at the node:
 * reason code "expired", event, dead letter with the stored command (empty when there is none, as in an adopted database). */
BASE_MUST_CHECK base_code store_sweep_expire(store_session *session, int64_t max_age_ms, size_t limit,
                                             store_outbox *pending, size_t *ret_expired, base_error *err);
