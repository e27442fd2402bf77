#pragma once
/* Makes, signs, sends and looks up the Mina transactions that publish proofs: one driver behind a function table. */
#include "base/secret.h"

#include <stdint.h>

#define LEDGER_HASH_MAX    128
#define LEDGER_ADDRESS_MAX 64
#define LEDGER_FORMAT_MAX  64
#define LEDGER_FIND_MAX    500 /* transactions looked up at once */
#define LEDGER_BLOCKS_MAX  290 /* blocks looked through: what a node keeps */

/* What is published: a statement about one proof. */
typedef struct ledger_statement {
    base_sha256 image;  /* SHA-256 of the image */
    base_digest proof;  /* BLAKE2b-256 of the proof blob */
    const char *format; /* of the proof; borrowed */
} ledger_statement;

/* A signed transaction; its bytes are stored before they are sent, and only they are sent again. */
typedef struct ledger_transaction {
    char hash[LEDGER_HASH_MAX + 1]; /* known before sending */
    int64_t nonce;
    int64_t fee_nanomina;
    base_buffer payload; /* owned: ledger_transaction_done. For `anchor`: the GraphQL request body */
} ledger_transaction;
void ledger_transaction_done(ledger_transaction *transaction);
BASE_CLEANUP_VALUE(ledger_transaction, ledger_transaction_done);

/* What the node made of a send. */
typedef enum ledger_answer {
    LEDGER_ACCEPTED, /* in the node's pool; "Duplicate" too */
    LEDGER_UNAVAILABLE, /* certainly not taken, and not its fault: refused connection, bootstrapping, overload, HTTP 429. Uncounted */
    LEDGER_UNKNOWN, /* the request went out and no usable answer came: look it up, then send the same bytes again */
    LEDGER_NONCE, /* the nonce is used or leaves a gap: look up the hash; if it is nowhere, ask for the account again */
    LEDGER_UNFUNDED, /* the fee payer lacks money or does not exist: pause the lane and say so; counted */
    LEDGER_RETRY,    /* not taken: pool full, fee too low for now, or an error text that nobody knows; counted */
    LEDGER_EXPIRED,  /* valid_until has passed: make it anew */
    LEDGER_REPLACED, /* another transaction holds the nonce: look up, then make it anew under a new nonce */
    LEDGER_REJECTED, /* never acceptable: wrong signature, malformed, fee below the minimum. Certainly not taken */
} ledger_answer;

/* "accepted", "nonce"…; static storage. */
const char *ledger_answer_name(ledger_answer answer);

typedef enum ledger_place {
    LEDGER_NOWHERE, /* neither pooled nor in the blocks that the node showed */
    LEDGER_POOLED,
    LEDGER_INCLUDED, /* in a block, successful */
    LEDGER_FAILED,   /* in a block, with a failure reason; the nonce is used */
} ledger_place;

typedef struct ledger_sighting {
    ledger_place place;
    int64_t tip_height;   /* of the best block of the node that answered: it knows of nothing later */
    int64_t block_height; /* LEDGER_INCLUDED, LEDGER_FAILED */
    char reason[128];     /* LEDGER_FAILED */
} ledger_sighting;

typedef struct ledger_account {
    bool exists;
    int64_t nonce;             /* of the chain: the next one that can be included */
    int64_t inferred_nonce;    /* after what is pooled: the next one to use */
    uint64_t balance_nanomina; /* what is pooled is not taken from it yet */
    int64_t height;            /* of the block that shows this; 0: the node does not say */
} ledger_account;

typedef struct ledger ledger;

/* A ledger belongs to one thread. Every call that talks to the node blocks at most the driver's timeout. */

/* Public key of the fee payer; borrowed. */
const char *ledger_fee_payer(const ledger *ledger);
/* Nanomina that one transaction costs. */
int64_t ledger_fee(const ledger *ledger);
/* Is the node there, in sync, and on the configured network? BASE_UNAVAILABLE; BASE_CONFLICT: another network. *ret_height (may
 * be NULL): of its best block. */
BASE_MUST_CHECK base_code ledger_check(ledger *ledger, int64_t *ret_height, base_error *err);
/* The fee payer's; BASE_UNAVAILABLE. One that does not exist is an answer, not an error. */
BASE_MUST_CHECK base_code ledger_find_account(ledger *ledger, ledger_account *ret, base_error *err);
/* Makes and signs, without talking to anyone: the same statement and nonce give the same bytes and hash. The caller owns *ret.
 * BASE_INVALID: no nonce. */
BASE_MUST_CHECK base_code ledger_make(ledger *ledger, const ledger_statement *statement, int64_t nonce,
                                      ledger_transaction *ret, base_error *err);
/* Whether these bytes, made by this driver whenever, publish this very statement. */
bool ledger_publishes(const ledger *ledger, base_bytes payload, const ledger_statement *statement);
/* Sends the bytes. *ret_reason says in the node's words why not, for every answer but LEDGER_ACCEPTED. */
ledger_answer ledger_send(ledger *ledger, base_bytes payload, base_error *ret_reason);
/* Where are these transactions? One request for all; sightings[i] belongs to hashes[i]. Looks back `blocks` blocks. BASE_UNAVAILABLE;
 * BASE_INVALID over LEDGER_FIND_MAX hashes or outside 1..LEDGER_BLOCKS_MAX blocks. */
BASE_MUST_CHECK base_code ledger_find(ledger *ledger, const char *const *hashes, size_t count, int64_t blocks,
                                      ledger_sighting *sightings, base_error *err);
/* For a process that stops: a call under way, or begun later, ends after_ms from now at the latest. Any thread. */
void ledger_end(ledger *ledger, int64_t after_ms);
void ledger_free(ledger *ledger);
BASE_CLEANUP_POINTER(ledger, ledger_free);
