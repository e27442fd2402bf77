#pragma once
/* Transactions and the nonce lane of a fee payer: nonce, bytes and hash are stored before the first send. */
#include "store/outbox.h"
#include "wire/messages.h"

#define STORE_TRANSACTION_PAYLOAD_MAX 262144 /* bytes */

typedef enum store_transaction_state {
    STORE_TX_COMMITTED, /* stored; may or may not have been sent */
    STORE_TX_ACCEPTED,  /* the node took it into its pool */
    STORE_TX_INCLUDED,  /* in a block, successful */
    STORE_TX_FAILED,    /* in a block, with a failure reason: the nonce is used */
    STORE_TX_ABANDONED, /* certainly nowhere: the nonce is free */
} store_transaction_state;

typedef struct store_transaction {
    char hash[WIRE_TRANSACTION_MAX + 1];
    char fee_payer[WIRE_ADDRESS_MAX + 1];
    base_sha256 submission;
    int64_t nonce;
    int64_t fee_nanomina;
    base_bytes payload; /* exactly what is sent; owned by whoever returned the transaction */
    store_transaction_state state;
    int64_t block_height; /* of inclusion; before, of the chain when it was stored, then accepted; 0 unknown */
    int64_t created_unix_ms;
} store_transaction;

/* One publisher at a time owns the lane of a fee payer, by a session-level advisory lock; lane_epoch fences writes of an owner that lost it. */
typedef struct store_lane {
    char fee_payer[WIRE_ADDRESS_MAX + 1];
    int64_t lane_epoch;
} store_lane;
/* BASE_CONFLICT: another publisher owns it (the message says since when and who); try again later. The lane is lost with the session's connection,
 * which the server ends when it hears nothing for the session's lock_silence_ms. */
BASE_MUST_CHECK base_code store_lane_acquire(store_session *session, const char *fee_payer, const char *owner,
                                             store_lane *ret, base_error *err);
/* BASE_OK while this session's connection still holds the lock it took; else BASE_CONFLICT: acquire again. */
BASE_MUST_CHECK base_code store_lane_check(store_session *session, const store_lane *lane, base_error *err);
/* The same for use before every send: asks the server only when its last word is STORE_LOCK_FRESH_MS old or the connection has closed.
 * A process that stood still for so long that another owns the lane learns it here. */
BASE_MUST_CHECK base_code store_lane_still(store_session *session, const store_lane *lane, base_error *err);
BASE_MUST_CHECK base_code store_lane_release(store_session *session, const store_lane *lane, base_error *err);

/* The lowest nonce from from_nonce on that none of this payer's transactions holds, abandoned ones apart. *ret_end: the next above it
 * that is held; INT64_MAX: none is. An abandoned transaction may leave a hole, and nothing behind a hole lands before it is filled. */
BASE_MUST_CHECK base_code store_lane_next_nonce(store_session *session, const store_lane *lane, int64_t from_nonce,
                                                int64_t *ret, int64_t *ret_end, base_error *err);

/* Is there a transaction of this payer with that nonce that is not abandoned? */
BASE_MUST_CHECK base_code store_lane_holds_nonce(store_session *session, const store_lane *lane, int64_t nonce,
                                                 bool *ret, base_error *err);

/* Stores `count` new transactions as STORE_TX_COMMITTED before anything is sent. epochs[i] is the claim's epoch of the submission;
 * fenced[i] = true: a later claim owns that submission, nothing was stored for it. An abandoned row of the same hash is revived.
 * A living row of the same hash counts as stored: the call may be repeated. Transactions of one call are of different submissions.
 * BASE_CONFLICT: the lane is lost, or a living transaction holds the nonce or the submission; nothing was stored. */
BASE_MUST_CHECK base_code store_transactions_commit(store_session *session, const store_lane *lane,
                                                    const store_transaction *transactions, const int64_t *epochs,
                                                    size_t count, bool *fenced, base_error *err);

/* A list of transactions, owned by the caller. */
typedef struct store_transaction_list store_transaction_list;
void store_transaction_list_free(store_transaction_list *list);
BASE_CLEANUP_POINTER(store_transaction_list, store_transaction_list_free);
size_t store_transaction_list_count(const store_transaction_list *list);
const store_transaction *store_transaction_list_at(const store_transaction_list *list, size_t index);

/* This payer's committed and accepted transactions (not known to be final), by rising nonce from from_nonce on, at most `limit`. */
BASE_MUST_CHECK base_code store_transactions_find_open(store_session *session, const char *fee_payer,
                                                       int64_t from_nonce, size_t limit, store_transaction_list **ret,
                                                       base_error *err);

/* This payer's transactions that were abandoned in the last `seconds`, the latest first, at most `limit`. */
BASE_MUST_CHECK base_code store_transactions_find_abandoned(store_session *session, const char *fee_payer,
                                                            int64_t seconds, size_t limit, store_transaction_list **ret,
                                                            base_error *err);

typedef struct store_transaction_mark {
    const char *hash;
    store_transaction_state state;
    int64_t block_height; /* as in store_transaction */
} store_transaction_mark;
/* Records what the chain says; fenced by the lane (BASE_CONFLICT). */
BASE_MUST_CHECK base_code store_transactions_mark(store_session *session, const store_lane *lane,
                                                  const store_transaction_mark *marks, size_t count, base_error *err);

/* Why a transaction that the node had accepted will not stay on the chain. Texts borrowed for the call. */
typedef struct store_loss {
    store_transaction_mark mark; /* STORE_TX_FAILED or STORE_TX_ABANDONED */
    const char *reason_code;
    const char *reason;
} store_loss;
/* Records it and, if the submission is complete by this transaction, rejects that in the same transaction: event, and a dead letter
 * whose redrive publishes its proof anew. Outbox rows are appended to `pending`. *ret_rejected: it was complete. Fenced by the lane
 * (BASE_CONFLICT). */
BASE_MUST_CHECK base_code store_transaction_lose(store_session *session, const store_lane *lane,
                                                 const store_transaction *transaction, const store_loss *loss,
                                                 store_outbox *pending, bool *ret_rejected, base_error *err);
