#include "store/transactions.h"

#include "fence.h"
#include "lock.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const store_statement STORE_LANE_FENCE = {"lane_fence", "SELECT lane_epoch FROM fee_payers WHERE fee_payer = $1::text "
                                                        "AND lane_epoch = $2::bigint FOR NO KEY UPDATE"};

void store_lane_params(const store_lane *lane, store_params *params)
{
    store_params_text(params, lane->fee_payer);
    store_params_int64(params, lane->lane_epoch);
}

static int64_t lane_key(const char *fee_payer)
{
    char name[WIRE_ADDRESS_MAX + 32];
    snprintf(name, sizeof(name), "proofline.lane.%s", fee_payer);
    return store_lock_key(name);
}

static base_code owned_by_another(store_session *session, const char *fee_payer, base_error *err)
{
    static const store_statement OWNER = {
        "lane_owner", "SELECT owner, (extract(epoch FROM acquired_at) * 1000)::bigint FROM fee_payers "
                      "WHERE fee_payer = $1::text"};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, fee_payer);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &OWNER, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    char owner[128] = "another session";
    int64_t since = base_unix_ms();
    if (store_rows_count(&rows) == 1) {
        store_rows_text(&rows, 0, 0, owner, sizeof(owner));
        since = store_rows_int64(&rows, 0, 1);
    }
    return base_fail(err, BASE_CONFLICT, "the lane of %s belongs to %s since %s", fee_payer, owner,
                     base_time_rfc3339(since).text);
}

base_code store_lane_acquire(store_session *session, const char *fee_payer, const char *owner, store_lane *ret,
                             base_error *err)
{
    static const store_statement RAISE = {
        "lane_raise", "INSERT INTO fee_payers AS f (fee_payer, lane_epoch, owner, acquired_at) "
                      "VALUES ($1::text, 1, $2::text, now()) ON CONFLICT (fee_payer) DO UPDATE "
                      "SET lane_epoch = f.lane_epoch + 1, owner = excluded.owner, acquired_at = excluded.acquired_at "
                      "RETURNING lane_epoch"};
    if (strlen(fee_payer) > WIRE_ADDRESS_MAX)
        return base_fail(err, BASE_INVALID, "a fee payer's address has at most %d characters", WIRE_ADDRESS_MAX);
    bool held = false;
    base_code code = store_lock_try(session, lane_key(fee_payer), &held, err);
    if (code != BASE_OK)
        return code;
    if (!held)
        return owned_by_another(session, fee_payer, err);
    char name[128];
    base_one_line(owner, name, sizeof(name));
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, fee_payer);
    store_params_text(&params, name);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_error why = {0};
    code = store_query(session, STORE_FLIGHT_COMMITS, &RAISE, &params, &rows, &why);
    if (code != BASE_OK) {
        store_session_disconnect(session); /* with the lock */
        return base_fail(err, code == BASE_AMBIGUOUS ? BASE_UNAVAILABLE : code, "%s", why.message);
    }
    snprintf(ret->fee_payer, sizeof(ret->fee_payer), "%s", fee_payer);
    ret->lane_epoch = store_rows_int64(&rows, 0, 0);
    return BASE_OK;
}

base_code store_lane_check(store_session *session, const store_lane *lane, base_error *err)
{
    static const store_statement STILL = {"lane_still",
                                          "SELECT EXISTS (SELECT FROM fee_payers WHERE fee_payer = $2::text "
                                          "AND lane_epoch = $3::bigint) AND " STORE_LOCK_IS_HELD("$1::bigint")};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_int64(&params, lane_key(lane->fee_payer));
    store_params_text(&params, lane->fee_payer);
    store_params_int64(&params, lane->lane_epoch);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &STILL, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    return store_rows_bool(&rows, 0, 0)
               ? BASE_OK
               : base_fail(err, BASE_CONFLICT, "the lane of %s is lost: acquire it again", lane->fee_payer);
}

base_code store_lane_still(store_session *session, const store_lane *lane, base_error *err)
{
    return store_lock_is_fresh(session) ? BASE_OK : store_lane_check(session, lane, err);
}

base_code store_lane_release(store_session *session, const store_lane *lane, base_error *err)
{
    return store_lock_release(session, lane_key(lane->fee_payer), err);
}

base_code store_lane_next_nonce(store_session *session, const store_lane *lane, int64_t from_nonce, int64_t *ret,
                                int64_t *ret_end, base_error *err)
{
    /* Up to the first hole the nonces rise by one from $2 on. Without a hole there is one row at most from the account's next nonce
     * on; a node that lags or has lost its pool makes it thousands. */
    static const store_statement NEXT = {
        "lane_next_nonce", "SELECT $2::bigint + count(*) FILTER (WHERE h.nonce = $2::bigint + h.rank), "
                           "coalesce(min(h.nonce) FILTER (WHERE h.nonce > $2::bigint + h.rank), 9223372036854775807) "
                           "FROM (SELECT nonce, row_number() OVER (ORDER BY nonce) - 1 AS rank FROM transactions "
                           "WHERE fee_payer = $1::text AND nonce >= $2::bigint AND state <> 'abandoned') AS h"};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, lane->fee_payer);
    store_params_int64(&params, from_nonce);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &NEXT, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    *ret = store_rows_int64(&rows, 0, 0);
    *ret_end = store_rows_int64(&rows, 0, 1);
    return BASE_OK;
}

base_code store_lane_holds_nonce(store_session *session, const store_lane *lane, int64_t nonce, bool *ret,
                                 base_error *err)
{
    static const store_statement HOLDS = {"lane_holds_nonce",
                                          "SELECT EXISTS (SELECT FROM transactions WHERE fee_payer = $1::text "
                                          "AND nonce = $2::bigint AND state <> 'abandoned')"};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, lane->fee_payer);
    store_params_int64(&params, nonce);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &HOLDS, &params, &rows, err);
    if (code == BASE_OK)
        *ret = store_rows_bool(&rows, 0, 0);
    return code;
}
