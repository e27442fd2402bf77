#include "network.h"

#include <string.h>

static const struct {
    const char *configured;
    const char *network_id;
} TABLE[] = {
    {"mainnet", "mina:mainnet"}, {"devnet", "mina:devnet"},  {"devnet", "mina:testnet"},
    {"testnet", "mina:testnet"}, {"testnet", "mina:devnet"},
};

bool network_accepts(const char *configured, const char *network_id)
{
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
        if (strcmp(configured, TABLE[i].configured) == 0 && strcmp(network_id, TABLE[i].network_id) == 0)
            return true;
    return false;
}
