#pragma once
/* The object types of the schema, and how numbers and keys are shown. */
#include "devnode/chain.h"
#include "devnode/schema.h"

/* An account with what the query around it knows. */
typedef struct api_account {
    const chain_account *account;
    const chain_block *tip;
} api_account;

extern const schema_type API_USER_COMMAND;  /* chain_transaction */
extern const schema_type API_ZKAPP_COMMAND; /* there is none */
extern const schema_type API_ACCOUNT;       /* api_account */
extern const schema_type API_BLOCK;         /* chain_block */

/* Mina shows 64-bit numbers as text. */
json_t *api_number(uint64_t number);
json_t *api_key(const mina_public_key *key);
