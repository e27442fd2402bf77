#include "store/transactions.h"

#include "fence.h"
#include "stage.h"
#include "transaction_row.h"

#include "base/hex.h"

#include <string.h>

static const char *const STATES[] = {[STORE_TX_COMMITTED] = "committed",
                                     [STORE_TX_ACCEPTED] = "accepted",
                                     [STORE_TX_INCLUDED] = "included",
                                     [STORE_TX_FAILED] = "failed",
                                     [STORE_TX_ABANDONED] = "abandoned"};
#define STATE_COUNT (sizeof(STATES) / sizeof(STATES[0]))

const char *store_transaction_state_name(store_transaction_state state)
{
    return STATES[state];
}

static base_code read_state(const store_rows *rows, size_t row, int column, store_transaction_state *ret,
                            base_error *err)
{
    char text[32];
    store_rows_text(rows, row, column, text, sizeof(text));
    for (size_t i = 0; i < STATE_COUNT; i++) {
        if (strcmp(text, STATES[i]) == 0) {
            *ret = (store_transaction_state)i;
            return BASE_OK;
        }
    }
    return base_fail(err, BASE_INTERNAL, "a stored transaction is in the unknown state %s", text);
}

base_code store_transaction_read(const store_rows *rows, size_t row, int column, store_transaction *ret,
                                 base_error *err)
{
    store_rows_text(rows, row, column, ret->hash, sizeof(ret->hash));
    store_rows_text(rows, row, column + 1, ret->fee_payer, sizeof(ret->fee_payer));
    ret->nonce = store_rows_int64(rows, row, column + 3);
    ret->fee_nanomina = store_rows_int64(rows, row, column + 4);
    ret->payload = store_rows_bytes(rows, row, column + 5);
    ret->block_height = store_rows_int64(rows, row, column + 7);
    ret->created_unix_ms = store_rows_int64(rows, row, column + 8);
    base_code code = store_rows_hash(rows, row, column + 2, &ret->submission, err);
    return code == BASE_OK ? read_state(rows, row, column + 6, &ret->state, err) : code;
}

struct store_transaction_list {
    store_rows rows; /* owns the payloads */
    store_transaction *items;
    size_t count;
};

void store_transaction_list_free(store_transaction_list *list)
{
    if (list == NULL)
        return;
    store_rows_done(&list->rows);
    free(list->items);
    free(list);
}

size_t store_transaction_list_count(const store_transaction_list *list)
{
    return list->count;
}

const store_transaction *store_transaction_list_at(const store_transaction_list *list, size_t index)
{
    return &list->items[index];
}

static base_code find(store_session *session, const store_statement *statement, store_params *params,
                      store_transaction_list **ret, base_error *err)
{
    BASE_CLEANUP(store_transaction_list_free) store_transaction_list *list = calloc(1, sizeof(*list));
    if (list == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a list of transactions");
    base_code code = store_query(session, STORE_FLIGHT_READS, statement, params, &list->rows, err);
    if (code != BASE_OK)
        return code;
    list->items = calloc(store_rows_count(&list->rows) + 1, sizeof(*list->items));
    if (list->items == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a list of transactions");
    for (; list->count < store_rows_count(&list->rows) && code == BASE_OK; list->count++)
        code = store_transaction_read(&list->rows, list->count, 0, &list->items[list->count], err);
    if (code != BASE_OK)
        return code;
    *ret = BASE_TAKE(list);
    return BASE_OK;
}

base_code store_transactions_find_open(store_session *session, const char *fee_payer, int64_t from_nonce, size_t limit,
                                       store_transaction_list **ret, base_error *err)
{
    static const store_statement FIND_OPEN = {
        "transactions_find_open",
        "SELECT " STORE_TRANSACTION_COLUMNS "FROM transactions t WHERE t.fee_payer = $1::text "
        "AND t.nonce >= $3::bigint "
        "AND t.state IN ('committed', 'accepted') ORDER BY t.nonce LIMIT $2::bigint"};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, fee_payer);
    store_params_int64(&params, (int64_t)limit);
    store_params_int64(&params, from_nonce);
    return find(session, &FIND_OPEN, &params, ret, err);
}

base_code store_transactions_find_abandoned(store_session *session, const char *fee_payer, int64_t seconds,
                                            size_t limit, store_transaction_list **ret, base_error *err)
{
    static const store_statement FIND_ABANDONED = {
        "transactions_find_abandoned",
        "SELECT " STORE_TRANSACTION_COLUMNS "FROM transactions t WHERE t.fee_payer = $1::text "
        "AND t.updated_at > now() - $3::bigint * interval '1 s' "
        "AND t.state = 'abandoned' ORDER BY t.updated_at DESC LIMIT $2::bigint"};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_text(&params, fee_payer);
    store_params_int64(&params, (int64_t)limit);
    store_params_int64(&params, seconds);
    return find(session, &FIND_ABANDONED, &params, ret, err);
}

static base_code lane_lost(const store_lane *lane, base_error *err)
{
    return base_fail(err, BASE_CONFLICT, "the lane of %s has a new owner", lane->fee_payer);
}

/* A row of the same hash that is alive is this very transaction, stored by an earlier try of this call. */
static const store_statement COMMIT_TRANSACTIONS = {
    "transactions_commit",
    "INSERT INTO transactions AS t (hash, fee_payer, submission, nonce, fee_nanomina, payload, state, block_height) "
    "SELECT o.hash, $2::text, o.sha, o.nonce, o.fee, o.payload, 'committed', nullif(o.height, 0) "
    "FROM unnest($1::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bigint[]) "
    "AS o (sha, epoch, hash, nonce, fee, payload, height) " STORE_STILL_OURS(
        "proof_publishing") "AND EXISTS (SELECT FROM fee_payers l WHERE l.fee_payer = $2::text AND l.lane_epoch = "
                            "$3::bigint) "
                            "ON CONFLICT (hash) DO UPDATE SET updated_at = now(), "
                            "state = CASE WHEN t.state = 'abandoned' THEN 'committed' ELSE t.state END, "
                            "block_height = CASE WHEN t.state = 'abandoned' THEN excluded.block_height "
                            "ELSE t.block_height END RETURNING t.hash"};

typedef struct storing {
    const store_lane *lane;
    const store_transaction *transactions;
    const int64_t *epochs;
    const store_place *places;
    size_t count;
} storing;

static void commit_params(const storing *s, store_params *params)
{
    store_places_params(s->places, s->count, params);
    store_lane_params(s->lane, params);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < s->count; i++)
        store_params_add_int64(params, s->epochs[s->places[i].index]);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < s->count; i++)
        store_params_add_text(params, s->transactions[s->places[i].index].hash);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < s->count; i++)
        store_params_add_int64(params, s->transactions[s->places[i].index].nonce);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < s->count; i++)
        store_params_add_int64(params, s->transactions[s->places[i].index].fee_nanomina);
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < s->count; i++)
        store_params_add_bytes(params, s->transactions[s->places[i].index].payload);
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < s->count; i++)
        store_params_add_int64(params, s->transactions[s->places[i].index].block_height);
}

static void read_stored(const storing *s, const store_rows *rows, bool *fenced)
{
    for (size_t i = 0; i < s->count; i++) {
        fenced[s->places[i].index] = true;
        for (size_t row = 0; row < store_rows_count(rows) && fenced[s->places[i].index]; row++) {
            char hash[WIRE_TRANSACTION_MAX + 1];
            store_rows_text(rows, row, 0, hash, sizeof(hash));
            fenced[s->places[i].index] = strcmp(hash, s->transactions[s->places[i].index].hash) != 0;
        }
    }
}

static base_code commit_places(store_session *session, const storing *s, bool *fenced, base_error *err)
{
    BASE_CLEANUP(store_params_done) store_params fence = {0};
    BASE_CLEANUP(store_params_done) store_params locks = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_lane_params(s->lane, &fence);
    store_places_params(s->places, s->count, &locks);
    commit_params(s, &params);
    const store_step steps[] = {{&STORE_BEGIN, NULL},
                                {&STORE_LANE_FENCE, &fence},
                                {&STORE_LOCK_SUBMISSIONS, &locks},
                                {&COMMIT_TRANSACTIONS, &params},
                                {&STORE_COMMIT, NULL}};
    store_rows rows[5] = {0};
    base_code code = store_flight(session, STORE_FLIGHT_COMMITS, steps, 5, rows, err);
    if (code == BASE_OK && store_rows_count(&rows[1]) == 0)
        code = lane_lost(s->lane, err);
    if (code == BASE_OK)
        read_stored(s, &rows[3], fenced);
    for (size_t i = 0; i < 5; i++)
        store_rows_done(&rows[i]);
    return code;
}

static base_code check_transaction(const store_transaction *t, base_error *err)
{
    if (t->payload.size > STORE_TRANSACTION_PAYLOAD_MAX)
        return base_fail(err, BASE_LIMIT, "transaction %s has %zu bytes, the limit is %d", t->hash, t->payload.size,
                         STORE_TRANSACTION_PAYLOAD_MAX);
    return BASE_OK;
}

base_code store_transactions_commit(store_session *session, const store_lane *lane,
                                    const store_transaction *transactions, const int64_t *epochs, size_t count,
                                    bool *fenced, base_error *err)
{
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(free) store_place *places = calloc(count, sizeof(*places));
    if (places == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to store %zu transactions", count);
    base_code code = BASE_OK;
    for (size_t i = 0; i < count && code == BASE_OK; i++) {
        places[i] = (store_place){&transactions[i].submission, i};
        code = check_transaction(&transactions[i], err);
    }
    if (code == BASE_OK)
        code = store_places_sort(places, count, err);
    if (code != BASE_OK)
        return code;
    return commit_places(session, &(storing){lane, transactions, epochs, places, count}, fenced, err);
}

/* $1 hashes. Whoever writes a row of transactions holds its submission first, in the order of all batches. */
static const store_statement LOCK_MARKED = {
    "transactions_lock", "SELECT FROM (SELECT d.submission FROM (SELECT DISTINCT t.submission FROM transactions t "
                         "WHERE t.hash = ANY ($1::text[])) AS d ORDER BY d.submission COLLATE \"C\") AS r, LATERAL "
                         "(SELECT 1 FROM submissions s "
                         "WHERE s.sha256_hash = r.submission FOR NO KEY UPDATE) AS l"};
static const store_statement MARK = {
    "transactions_mark",
    "UPDATE transactions t SET state = m.state, updated_at = now(), "
    "block_height = CASE WHEN m.state <> 'abandoned' THEN coalesce(nullif(m.height, 0), t.block_height) END "
    "FROM unnest($1::text[], $2::text[], $3::bigint[]) AS m (hash, state, height) "
    "WHERE t.hash = m.hash AND EXISTS (SELECT FROM fee_payers f "
    "WHERE f.fee_payer = $4::text AND f.lane_epoch = $5::bigint)"};

static void hash_params(const store_transaction_mark *marks, size_t count, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_text(params, marks[i].hash);
}

base_code store_transactions_mark(store_session *session, const store_lane *lane, const store_transaction_mark *marks,
                                  size_t count, base_error *err)
{
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(store_params_done) store_params fence = {0};
    BASE_CLEANUP(store_params_done) store_params locks = {0};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_lane_params(lane, &fence);
    hash_params(marks, count, &locks);
    hash_params(marks, count, &params);
    store_params_array(&params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_text(&params, STATES[marks[i].state]);
    store_params_array(&params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < count; i++)
        store_params_add_int64(&params, marks[i].block_height);
    store_lane_params(lane, &params);
    const store_step steps[] = {{&STORE_BEGIN, NULL},
                                {&STORE_LANE_FENCE, &fence},
                                {&LOCK_MARKED, &locks},
                                {&MARK, &params},
                                {&STORE_COMMIT, NULL}};
    store_rows rows[5] = {0};
    base_code code = store_flight(session, STORE_FLIGHT_COMMITS, steps, 5, rows, err);
    if (code == BASE_OK && store_rows_count(&rows[1]) == 0)
        code = lane_lost(lane, err);
    for (size_t i = 0; i < 5; i++)
        store_rows_done(&rows[i]);
    return code;
}
