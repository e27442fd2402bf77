#pragma once
/* Which answers of a node to `networkID` belong to which configured network. */
#include <stdbool.h>

/* mainnet: "mina:mainnet". devnet and testnet alike, since their signatures are the same: "mina:devnet" and "mina:testnet" (what a
 * daemon built for development calls itself when its ledger has no name). Nothing else. */
bool network_accepts(const char *configured, const char *network_id);
