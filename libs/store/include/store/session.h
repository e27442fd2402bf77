#pragma once
/* One Postgres connection for one thread: connects when needed, again after a loss, with timeouts on every statement. */
#include "base/secret.h"

#include <stdint.h>

typedef struct store_session store_session;

/* How old the last word of the server may be for a session to trust that it still holds its locks. */
#define STORE_LOCK_FRESH_MS 5000

#define STORE_BATCH_MAX 1000 /* rows of one set-based call */

/* Where outbox rows are to be published; texts borrowed for the session's life. */
typedef struct store_subjects {
    const char *generate; /* proofline.jobs.generate */
    const char *publish;  /* proofline.jobs.publish */
    const char *events;   /* proofline.events: followed by .<sha256>.<status> */
    const char *dead;     /* proofline.dead: followed by .<stage> */
} store_subjects;

typedef struct store_session_options {
    /* Copied into locked memory. A URL may hold the password; `password`, which may be NULL or hold nothing, is for one that does
     * not. libpq also reads PGSSLMODE etc. */
    const char *database_url;
    const base_secret *password;
    const char *application_name; /* shown in pg_stat_activity */
    int64_t connect_timeout_ms;   /* 0: 5000 */
    int64_t statement_timeout_ms; /* 0: 30000 */
    int64_t lock_timeout_ms;      /* 0: 5000 */
    int64_t
        lock_silence_ms; /* 0: 15000; after this much silence the server ends a session that asked for an advisory lock */
    store_subjects subjects; /* zero for sessions that never write an outbox row */
} store_session_options;

/* Does not connect yet. BASE_INVALID for an unreadable URL (the message never holds a password). The caller owns *ret. */
BASE_MUST_CHECK base_code store_session_new(const store_session_options *options, store_session **ret, base_error *err);
void store_session_free(store_session *session);
BASE_CLEANUP_POINTER(store_session, store_session_free);

/* Connects if there is no live connection (one try, bounded by connect_timeout_ms) and asks the server whether it takes writes.
 * BASE_UNAVAILABLE with the server's or the network's words; BASE_DENIED for bad credentials. */
BASE_MUST_CHECK base_code store_session_check(store_session *session, base_error *err);

/* Every other call of this library connects by itself where needed. A connection lost during a call gives BASE_UNAVAILABLE (nothing
 * happened, or a transaction that was rolled back) or, when the loss hit a COMMIT, BASE_AMBIGUOUS (repeat: all calls are safe to repeat).
 * Serialization failures, deadlocks, lock and statement timeouts, a full disk, a server shutting down: BASE_UNAVAILABLE.
 * A missing table or column: BASE_UNPREPARED, naming `proofctl migrate up`. */
