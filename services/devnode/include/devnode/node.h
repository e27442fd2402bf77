#pragma once
/* The development node itself: chain and journal under one lock, and the thread that makes blocks. Thread-safe. */
#include "devnode/chain.h"

typedef struct node node;

typedef struct node_options {
    mina_network network;
    uint64_t minimum_fee; /* nanomina */
    size_t pool_max;      /* payments, at most CHAIN_POOL_MAX */
    int64_t block_ms;     /* between blocks; 0: only on demand */
    const char *state;    /* path of the journal; NULL: nothing is kept */
    bool without_sync;    /* the journal survives the process, not the machine; many times the payments per second */
} node_options;

/* Comes back from its journal if there is one. The caller owns *ret; everything in options is borrowed for the call. */
BASE_MUST_CHECK base_code node_new(const node_options *options, node **ret, base_error *err);
/* Ends the thread; all callers must have left. */
void node_free(node *n);
BASE_CLEANUP_POINTER(node, node_free);

mina_network node_network(const node *n);

/* What became of a payment, and the numbers that the daemon's error texts name. */
typedef struct node_receipt {
    chain_answer answer;
    uint32_t account_nonce;
    uint32_t inferred_nonce;
} node_receipt;

/* Judges a payment whose signature was verified; an accepted one is durable on return, and in the pool a little earlier.
 * Anything but BASE_OK: the journal failed, so that the node must be started again; whether the payment is kept is unknown. */
BASE_MUST_CHECK base_code node_submit(node *n, const chain_transaction *transaction, node_receipt *ret,
                                      base_error *err);

/* Adds money to an account; with only_new, nothing happens to one that exists. Durable on return. */
BASE_MUST_CHECK base_code node_fund(node *n, const mina_public_key *key, uint64_t amount, bool only_new,
                                    base_error *err);

/* Makes a block now. */
BASE_MUST_CHECK base_code node_make_block(node *n, base_error *err);

/* Holds the chain still for reading until node_unlock; no other call in between. */
const chain *node_lock(node *n);
void node_unlock(node *n);
