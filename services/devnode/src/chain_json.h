#pragma once
/* The whole chain as JSON, for tests. */
#include "devnode/chain.h"

#include <jansson.h>

/* {"network", "height", "blocks": [{"height", "slot", "stateHash", "time", "transactions"}], "accounts": [{"publicKey", "nonce",
 * "balance"}], "pool"}; amounts in nanomina as text. A new reference; NULL when memory is short. */
json_t *chain_json(mina_network network, const chain *c);
