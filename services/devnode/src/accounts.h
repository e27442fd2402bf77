#pragma once
/* The accounts of the chain: a table of fixed size, keyed by public key. */
#include "devnode/chain.h"

typedef struct accounts {
    chain_account *slots; /* CHAIN_ACCOUNTS_MAX · 2, probed linearly; accounts are never removed */
    size_t count;
} accounts;

BASE_MUST_CHECK base_code accounts_init(accounts *a, base_error *err);
void accounts_done(accounts *a);
/* Borrowed, valid as long as the table; NULL when there is none. */
chain_account *accounts_find(const accounts *a, const mina_public_key *key);
/* Finds or makes; NULL when the table is full. */
chain_account *accounts_make(accounts *a, const mina_public_key *key);
