#pragma once
/* Accounts to play with: fresh keys, and payments between them. */
#include "devnode/chain.h"

enum { ALICE, BOB, CAROL, KEYS };

extern mina_secret_key keys[KEYS];

void keys_make(void);
void keys_release(void);

/* A payment of 1 MINA with a fee of 0.01. */
mina_payment payment_of(int from, int to, uint32_t nonce);
/* Signed, for devnet, and hashed. */
chain_transaction transaction_of(const mina_payment *payment, int signer);
