#include "lock.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

int64_t store_lock_key(const char *name)
{
    const base_digest digest = base_digest_of(base_bytes_of(name, strlen(name)));
    uint64_t key = 0;
    for (size_t i = 0; i < 8; i++)
        key = key << 8 | digest.bytes[i];
    return (int64_t)key;
}

base_code store_lock_try(store_session *session, int64_t key, bool *ret_held, base_error *err)
{
    /* Locks of one session nest, so one that is held already is not taken again: one release must release it. */
    static const store_statement TRY = {
        "lock_try",
        "SELECT CASE WHEN " STORE_LOCK_IS_HELD("$1::bigint") "THEN true "
                                                             "ELSE pg_try_advisory_lock($1::bigint) END, "
                                                             "set_config('idle_session_timeout', $2::text, false)"};
    char silence_ms[24];
    snprintf(silence_ms, sizeof(silence_ms), "%lld", (long long)session->lock_silence_ms);
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_int64(&params, key);
    store_params_text(&params, silence_ms);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &TRY, &params, &rows, err);
    if (code == BASE_OK)
        *ret_held = session->has_lock = store_rows_bool(&rows, 0, 0);
    return code;
}

bool store_lock_is_fresh(const store_session *session)
{
    return session->has_lock && base_boottime_ms() - session->heard_ms < STORE_LOCK_FRESH_MS &&
           store_session_is_alive(session);
}

base_code store_lock_release(store_session *session, int64_t key, base_error *err)
{
    static const store_statement RELEASE = {
        "lock_release", "SELECT CASE WHEN " STORE_LOCK_IS_HELD("$1::bigint") "THEN pg_advisory_unlock($1::bigint) END"};
    if (session->connection == NULL)
        return BASE_OK; /* it went with the connection */
    session->has_lock = false;
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_int64(&params, key);
    return store_query(session, STORE_FLIGHT_READS, &RELEASE, &params, NULL, err);
}
