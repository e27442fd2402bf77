#pragma once
/* The blocks that the chain keeps. */
#include "devnode/chain.h"

typedef struct blocks {
    chain_block *list; /* oldest first; room for CHAIN_BLOCKS_MAX */
    size_t count;
    size_t transactions; /* in all kept blocks */
} blocks;

/* With the genesis block. */
BASE_MUST_CHECK base_code blocks_init(blocks *b, base_error *err);
void blocks_done(blocks *b);
/* Appends a block with these transactions, which it owns from now on. */
void blocks_append(blocks *b, int64_t time_ms, chain_transaction *transactions, size_t count);
