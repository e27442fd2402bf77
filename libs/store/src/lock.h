#pragma once
/* Advisory locks of a session, by name. */
#include "flight.h"

/* The lock's number: the first 8 bytes of the name's BLAKE2b-256. */
int64_t store_lock_key(const char *name);
/* Takes the lock unless another session has it. Taking it again in the same session is harmless. From now on the server ends the
 * session when it is silent for lock_silence_ms: the lock of a process that stands still goes to another. */
BASE_MUST_CHECK base_code store_lock_try(store_session *session, int64_t key, bool *ret_held, base_error *err);
BASE_MUST_CHECK base_code store_lock_release(store_session *session, int64_t key, base_error *err);

/* Whether a lock seen on this connection is certainly held still, without asking: the server has not closed it, and was heard of
 * less than STORE_LOCK_FRESH_MS ago, which is much less than lock_silence_ms. */
bool store_lock_is_fresh(const store_session *session);

/* SQL that is true while the asking connection holds the lock. */
#define STORE_LOCK_IS_HELD(key)                                                                                        \
    "EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted "         \
    "AND l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = " key ") "
