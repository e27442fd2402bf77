#pragma once
/* The fence of a nonce lane, for transactions that only its owner may commit. */
#include "flight.h"
#include "store/transactions.h"

/* Locks the lane's row if it still has our epoch, and returns it: a new owner then waits until this transaction ends. No row: the
 * lane is lost. Before any submission is locked. */
extern const store_statement STORE_LANE_FENCE;
/* Two parameters: fee payer, lane epoch. */
void store_lane_params(const store_lane *lane, store_params *params);
