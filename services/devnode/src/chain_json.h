#pragma once
/* The whole chain as JSON, for tests. */
#include "devnode/chain.h"

#include <jansson.h>

/* {"network", "height", "blocks": [{"height", "slot", "stateHash", "time", "transactions"}], "accounts": [{"publicKey", "nonce",
 * "balance"}], "pool"}; amounts in nanomina as text. A new reference; NULL when memory is short. */
json_t *chain_json(mina_network network, const chain *c);
/* A part of it, for chains that are too long for one answer: the blocks from the height `from` on, some thousand transactions at
 * most. "next" is the height of the first block that follows; without it the part ends with the tip, and has accounts and pool too. */
json_t *chain_page_json(mina_network network, const chain *c, uint64_t from);
