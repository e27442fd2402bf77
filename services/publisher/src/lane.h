#pragma once
/* The nonce lane of the fee payer: owned by one publisher at a time, settled before anything new is sent.
 *
 * A lane is "settled" when every stored transaction that is in no block yet is known to be in the node's pool or known to be
 * nowhere (and then abandoned), so that the next nonce is certain. Whatever makes that doubtful unsettles it; settling looks
 * all of them up, sends the missing ones again byte for byte in the order of their nonces, and reads the account anew.
 *
 * The alternative was to mend each trouble where it occurs. One mechanism for start, take-over, lost replies, dropped pools
 * and foreign transactions is easier to get right, and costs nothing while all goes well. */
#include "missing.h"
#include "stage/worker.h"
#include "store/transactions.h"

#define PUBLISHER_ABANDONED_MAX 100 /* transactions given up lately that are looked for, the latest */

typedef struct publisher_lane {
    stage_worker *stage;   /* whose session holds the lock */
    ledger *ledger;        /* borrowed */
    size_t node_part;      /* of the health: whether the node answers; the stage's own part tells of the lane */
    int64_t confirmations; /* blocks after which a transaction is final */
    int64_t confirm_interval_ms;
    bool held, settled, standby_told;
    bool node_failed; /* the node must answer before the next pull */
    bool node_away;   /* it did not answer when last asked */
    store_lane lane;
    int64_t next_nonce;                     /* while settled */
    int64_t nonce_end;                      /* the next nonce above it that is taken */
    int64_t height;                         /* of the node's best block, when last asked */
    int64_t next_check_ms, next_confirm_ms; /* monotonic */
    publisher_missing missing;
    uint64_t balance, spendable; /* nanomina, when last asked; the second without what is pooled or was just sent */
    bool unfunded;               /* what is to be sent next cannot be paid */
    int64_t next_funds_ms;       /* monotonic: when to ask for the balance again */
    int64_t next_settle_ms;      /* monotonic: not before, for what is to be sent again cannot be paid */
    base_error funds_trouble;    /* while unfunded: what /readyz says */
    char landed[PUBLISHER_ABANDONED_MAX][WIRE_TRANSACTION_MAX + 1]; /* given up, seen after all, and told of */
    size_t landed_count;
} publisher_lane;

/* Before every pull: owns and settles the lane, and looks after confirmations now and then. BASE_CONFLICT: another publisher owns
 * it and this one stands by. BASE_UNAVAILABLE: node or store, or a node on another network. */
BASE_MUST_CHECK base_code publisher_lane_prepare(publisher_lane *lane, base_error *err);

/* Before every send: BASE_CONFLICT when another publisher may own the lane by now, and nothing is to be sent. Asks the store only now
 * and then, see store_lane_still. Whatever fails unsettles the lane. */
BASE_MUST_CHECK base_code publisher_lane_guard(publisher_lane *lane, base_error *err);
/* Between two questions to a node, each of which may take MINA_NODE_TIMEOUT_MS: lets the store hear of us, which would give the lane away
 * else. */
void publisher_lane_keep(publisher_lane *lane);

/* Sends the bytes of a transaction once and counts the node's answer. `sending` and `sent` are the fault points before and after
 * (BASE_FAULT_NAME): at the first nothing is sent, at the second the answer is lost. */
ledger_answer publisher_lane_send(publisher_lane *lane, base_bytes payload, const char *sending, const char *sent,
                                  base_error *ret_reason);

/* Something made the next nonce doubtful. */
void publisher_lane_unsettle(publisher_lane *lane);
/* The node did not do its part: nothing is pulled until it answers. Unsettles too. */
void publisher_lane_node_failed(publisher_lane *lane);
/* Lets another publisher have it at once instead of when this connection ends. */
void publisher_lane_release(publisher_lane *lane);

/* Looks up all open transactions, sends the missing ones again, and learns the next nonce. */
BASE_MUST_CHECK base_code publisher_lane_settle(publisher_lane *lane, base_error *err);
/* Records which open transactions are final, and rejects the submission of one that failed; unsettles the lane when the node has
 * lost one. */
BASE_MUST_CHECK base_code publisher_lane_confirm(publisher_lane *lane, base_error *err);
