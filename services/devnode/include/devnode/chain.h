#pragma once
/* The state of the development chain and the rules by which payments enter its pool and its blocks. One thread at a time. */
#include "mina/payment.h"

#define CHAIN_ACCOUNTS_MAX     65536
#define CHAIN_POOL_MAX         20000             /* payments that wait for a block, at most; options may say less */
#define CHAIN_BLOCK_MAX        5000              /* payments in one block; the others wait for the next */
#define CHAIN_BLOCKS_MAX       100000            /* kept; the oldest are forgotten beyond that */
#define CHAIN_TRANSACTIONS_MAX 500000            /* kept in blocks; the oldest blocks are forgotten beyond that */
#define CHAIN_ACCOUNT_CREATION MINA_NANOMINA     /* taken from the first payment to a new account */
#define CHAIN_MINIMUM_FEE      UINT64_C(1000000) /* nanomina; Mina's own minimum */
#define CHAIN_STATE_HASH_CHARS 52

typedef struct chain_account {
    mina_public_key key;
    bool exists;
    uint32_t nonce;       /* of the next payment that a block can include */
    uint32_t pooled;      /* payments in the pool: nonces nonce … nonce + pooled − 1 */
    uint64_t balance;     /* nanomina, after all blocks */
    uint64_t pooled_cost; /* nanomina that the pooled payments may take */
    uint64_t dropped_at;  /* height of the block that dropped a payment of its instead of including it; 0: none */
} chain_account;

typedef struct chain_transaction {
    mina_payment payment;
    mina_signature signature;
    mina_transaction_hash hash;
    const char *failure; /* static text; NULL: it succeeded, or waits in the pool */
} chain_transaction;

typedef struct chain_block {
    uint64_t height;
    uint64_t slot; /* since genesis; every slot has a block here */
    int64_t time_ms;
    char state_hash[CHAIN_STATE_HASH_CHARS + 1];
    char previous_hash[CHAIN_STATE_HASH_CHARS + 1];
    chain_transaction *transactions;
    size_t count;
} chain_block;

/* What the pool makes of a payment, in the order in which it is asked. */
typedef enum chain_answer {
    CHAIN_ACCEPTED,
    CHAIN_NO_ACCOUNT, /* the fee payer does not exist */
    CHAIN_BAD_NONCE,  /* used, or leaves a gap */
    CHAIN_LOW_FEE,
    CHAIN_EXPIRED,
    CHAIN_DUPLICATE,       /* these very bytes wait in the pool */
    CHAIN_LOW_REPLACEMENT, /* another payment with this nonce waits, and the fee does not exceed its */
    CHAIN_OVERFLOW,
    CHAIN_INSUFFICIENT_FUNDS,
    CHAIN_POOL_FULL,
} chain_answer;

typedef struct chain chain;

/* Begins with a genesis block, height 1. The caller owns *ret. */
BASE_MUST_CHECK base_code chain_new(uint64_t minimum_fee, size_t pool_max, chain **ret, base_error *err);
void chain_free(chain *c);
BASE_CLEANUP_POINTER(chain, chain_free);

/* NULL when there is none. Borrowed; stays valid as long as the chain. */
const chain_account *chain_find_account(const chain *c, const mina_public_key *key);
/* Adds to the balance of an account, making it if need be. BASE_LIMIT: too many accounts, or too much money. */
BASE_MUST_CHECK base_code chain_fund(chain *c, const mina_public_key *key, uint64_t amount, base_error *err);

/* Judges a payment whose signature was verified; changes nothing. */
chain_answer chain_judge(const chain *c, const mina_payment *payment);
/* Puts a payment that was judged CHAIN_ACCEPTED into the pool, in place of the one with its nonce if there is one. */
void chain_add(chain *c, const chain_transaction *transaction);

/* Makes sure that the next chain_make_block has the memory it needs. */
BASE_MUST_CHECK base_code chain_reserve_block(chain *c, base_error *err);
/* Includes what the pool holds, in order; drops what has expired. After chain_reserve_block. */
void chain_make_block(chain *c, int64_t time_ms);

/* Blocks that are kept, oldest first. */
size_t chain_block_count(const chain *c);
const chain_block *chain_block_at(const chain *c, size_t index);
const chain_block *chain_tip(const chain *c);
/* The pool, in the order in which blocks will take it. */
size_t chain_pool_count(const chain *c);
const chain_transaction *chain_pool_at(const chain *c, size_t index);
/* Calls back for each account, in no order. */
typedef void chain_account_visitor(void *ctx, const chain_account *account);
void chain_each_account(const chain *c, chain_account_visitor *visit, void *ctx);
uint64_t chain_minimum_fee(const chain *c);
