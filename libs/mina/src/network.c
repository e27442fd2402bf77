#include "mina/payment.h"

#include <string.h>

base_code mina_network_parse(const char *text, mina_network *ret, base_error *err)
{
    bool is_main = strcmp(text, "mainnet") == 0;
    if (!is_main && strcmp(text, "devnet") != 0 && strcmp(text, "testnet") != 0)
        return base_fail(err, BASE_INVALID, "\"%.40s\" is no Mina network: mainnet, devnet or testnet", text);
    *ret = is_main ? MINA_MAINNET : MINA_DEVNET;
    return BASE_OK;
}

const char *mina_network_name(mina_network network)
{
    return network == MINA_MAINNET ? "mainnet" : "devnet";
}
