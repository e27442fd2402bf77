#pragma once
/* What a Mina node's answers say: pure functions over the bytes of an HTTP body, which nobody has vouched for. */
#include "mina/payment.h"

#define MINA_BLOCKS_MAX      290 /* a node keeps this many blocks behind its best one (k) */
#define MINA_HASHES_MAX      500 /* transactions of one question */
#define MINA_REASON_MAX      128 /* bytes with terminator of a failure reason; a longer one is cut */
#define MINA_NETWORK_ID_MAX  64  /* bytes with terminator */
#define MINA_SYNC_STATUS_MAX 32  /* bytes with terminator */

/* What kind of refusal one of the daemon's error texts is. */
typedef enum mina_error_class {
    MINA_ERROR_OTHER,       /* no text that we know */
    MINA_ERROR_UNAVAILABLE, /* the node is not ready or overloaded: nothing was taken */
    MINA_ERROR_TRANSIENT,   /* the pool is full or the fee too low for now */
    MINA_ERROR_UNFUNDED,    /* the fee payer lacks money or does not exist */
    MINA_ERROR_NONCE,       /* used already, or it leaves a gap */
    MINA_ERROR_DUPLICATE,   /* the pool has this very transaction: as good as taken */
    MINA_ERROR_REPLACED,    /* another transaction holds the nonce */
    MINA_ERROR_EXPIRED,     /* valid_until has passed */
    MINA_ERROR_PERMANENT,   /* never acceptable */
} mina_error_class;

/* One row of the table: the first row whose text occurs in a message (in any case) decides its class. */
typedef struct mina_error_row {
    const char *text;
    mina_error_class class;
} mina_error_row;

/* The whole table; static storage. Texts: MinaProtocol/mina, Transaction_pool's Diff_error and Mina_commands. */
const mina_error_row *mina_error_table(size_t *ret_count);
mina_error_class mina_error_classify(const char *message);

typedef struct mina_node_status {
    char network_id[MINA_NETWORK_ID_MAX]; /* "mina:devnet" */
    char sync_status[MINA_SYNC_STATUS_MAX];
    bool is_synced;
    int64_t height; /* of the best block; 0 while the node shows none */
} mina_node_status;

typedef struct mina_account_state {
    bool exists;
    uint32_t nonce;          /* of the chain */
    uint32_t inferred_nonce; /* after what is pooled; nonce when the node does not say */
    uint64_t balance;        /* nanomina */
    int64_t height;          /* of the block that shows this; 0 when the node does not say */
} mina_account_state;

/* Where one transaction was seen; zero: nowhere. */
typedef struct mina_sighting {
    bool is_pooled;
    int64_t tip_height;   /* of the best block in the answer, whether the transaction is in it or not */
    int64_t block_height; /* 0: in none of the blocks shown */
    bool has_failed;      /* in a block, without effect but for fee and nonce */
    char reason[MINA_REASON_MAX];
    char memo[MINA_MEMO_CHARS + 1]; /* base58check (E4…), for mina_memo_parse */
} mina_sighting;

/* The two below: BASE_UNAVAILABLE when the bytes are no usable answer (the node's own error text, cut short; not JSON;
 * missing or ill-typed fields), *ret untouched. BASE_NO_MEMORY. Numbers are taken as JSON numbers or decimal strings. */
BASE_MUST_CHECK base_code mina_answer_status(base_bytes body, mina_node_status *ret, base_error *err);
BASE_MUST_CHECK base_code mina_answer_account(base_bytes body, mina_account_state *ret, base_error *err);

/* As above; sightings[i] belongs to hashes[i]. The sightings are unspecified on failure. */
BASE_MUST_CHECK base_code mina_answer_sightings(base_bytes body, const char *const *hashes, size_t count,
                                                mina_sighting *sightings, base_error *err);

/* What came of handing a payment to a node. */
typedef enum mina_delivery {
    MINA_DELIVERY_TAKEN,       /* the node answered with the payment: it is in its pool */
    MINA_DELIVERY_REFUSED,     /* the node answered with an error: see its class */
    MINA_DELIVERY_TURNED_AWAY, /* HTTP 429, another 4xx or a redirect: it never came to the node's GraphQL */
    MINA_DELIVERY_NOT_SENT,    /* no byte of it left: name, connection or TLS failed, or the connection right after */
    MINA_DELIVERY_UNKNOWN, /* sent, and no usable answer: connection lost, too late, HTTP 5xx, unreadable or too large */
} mina_delivery;

typedef struct mina_receipt {
    mina_delivery delivery;
    mina_error_class error_class; /* MINA_DELIVERY_REFUSED only */
    base_error reason;            /* in the node's words, but for MINA_DELIVERY_TAKEN */
} mina_receipt;

/* Reads the answer to a payment. Never fails: what cannot be read is MINA_DELIVERY_UNKNOWN. */
mina_receipt mina_answer_payment(long http_status, base_bytes body);
