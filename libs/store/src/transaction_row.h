#pragma once
/* How a transaction is selected and read, shared by those who return one. */
#include "rows.h"
#include "store/transactions.h"

#define STORE_TRANSACTION_COLUMNS                                                                                      \
    "t.hash, t.fee_payer, t.submission, t.nonce, t.fee_nanomina, t.payload, t.state, coalesce(t.block_height, 0), "    \
    "(extract(epoch FROM t.created_at) * 1000)::bigint "
#define STORE_TRANSACTION_NULLS                                                                                        \
    "NULL, NULL, NULL, NULL::bigint, NULL::bigint, NULL::bytea, NULL, NULL::bigint, NULL::bigint "

/* The state of t in statements that look for certain rows. Plain, it would offer them the index of open transactions; with statistics of
 * a time when none was open the planner takes that for empty, and reads all of it instead of looking up each row. */
#define STORE_TRANSACTION_STATE "(t.state || '') "
/* What the one transaction is that transactions_live_submission has of a submission. */
#define STORE_TRANSACTION_LIVES "t.state IN ('committed', 'accepted', 'included') "

/* Reads the columns above from `column` on. The payload is borrowed from the rows. */
BASE_MUST_CHECK base_code store_transaction_read(const store_rows *rows, size_t row, int column, store_transaction *ret,
                                                 base_error *err);
const char *store_transaction_state_name(store_transaction_state state);
