#include "options.h"

#include "amount.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

enum { POOL_DEFAULT = 3000, BLOCK_MS_DEFAULT = 3000, BLOCK_MS_MAX = 3600000, ADDRESS_TEXT_MAX = 100 };

void options_help(FILE *out)
{
    fputs(
        "proofline-devnode: a development Mina node: accounts, payments, a pool and blocks, over GraphQL\n\n"
        "  --port N            TCP port; 0 takes a free one [3085]\n"
        "  --bind ADDRESS      IPv4 address to listen on [127.0.0.1]\n"
        "  --port-file FILE    write the port there once it listens\n"
        "  --network NAME      devnet, testnet or mainnet: for which signatures are checked [devnet]\n"
        "  --state FILE        keep the chain in this file [kept in memory only]\n"
        "  --no-sync           do not force that file to disk: quicker, and lost when the machine (not the node) dies\n"
        "  --block-ms N        milliseconds between blocks; 0: only by POST /control/block [3000]\n"
        "  --pool-max N        payments that may wait for a block [3000]\n"
        "  --minimum-fee MINA  below it payments are refused [0.001]\n"
        "  --fund ADDRESS=MINA make this account with that balance unless it exists; may be repeated\n"
        "  --help, --version\n\n"
        "POST /graphql                 as a Mina daemon: sendPayment, account, bestChain, pooledUserCommands, …\n"
        "POST /control/block           {\"count\": 1}: make blocks now\n"
        "POST /control/fund            {\"address\": \"B62…\", \"mina\": \"12.5\"}\n"
        "GET  /control/chain           all of it, or with {\"from\": height} a part of it\n"
        "GET  /control/stats\n"
        "POST /control/faults          {\"kind\": \"refuse\" | \"http_503\" | \"http_429\" | \"drop_reply\" | "
        "\"delay\" |\n"
        "                                \"error\" | \"late_error\" | \"lag\", \"text\": \"…\", \"delay_ms\": n,\n"
        "                               \"blocks\": n, \"next\": n, \"probability\": 0..1,\n"
        "                               \"on\": \"send\" | \"lookup\" | \"all\"}; GET lists them, DELETE clears them\n",
        out);
}

static base_code read_int(const char *name, const char *text, int64_t max, int64_t *ret, base_error *err)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 0 || number > max)
        return base_fail(err, BASE_INVALID, "--%s: \"%.40s\" is not a whole number from 0 to %lld", name, text,
                         (long long)max);
    *ret = number;
    return BASE_OK;
}

static base_code read_fund(const char *text, options *ret, base_error *err)
{
    const char *equals = strchr(text, '=');
    char address[ADDRESS_TEXT_MAX];
    if (equals == NULL || (size_t)(equals - text) >= sizeof(address))
        return base_fail(err, BASE_INVALID, "--fund: wanted ADDRESS=MINA");
    if (ret->fund_count == OPTIONS_FUNDS_MAX)
        return base_fail(err, BASE_LIMIT, "--fund: at most %d times; fund others over HTTP", OPTIONS_FUNDS_MAX);
    memcpy(address, text, (size_t)(equals - text));
    address[equals - text] = '\0';
    options_fund *fund = &ret->funds[ret->fund_count++];
    base_code code = mina_public_key_parse(address, &fund->key, err);
    return code == BASE_OK ? amount_parse(equals + 1, &fund->amount, err) : code;
}

static base_code read_option(const char *name, const char *value, options *ret, base_error *err)
{
    int64_t number = 0;
    base_code code = BASE_OK;
    if (strcmp(name, "bind") == 0) {
        ret->bind = value;
    } else if (strcmp(name, "port-file") == 0) {
        ret->port_file = value;
    } else if (strcmp(name, "state") == 0) {
        ret->node.state = value;
    } else if (strcmp(name, "network") == 0) {
        code = mina_network_parse(value, &ret->node.network, err);
    } else if (strcmp(name, "minimum-fee") == 0) {
        code = amount_parse(value, &ret->node.minimum_fee, err);
    } else if (strcmp(name, "fund") == 0) {
        code = read_fund(value, ret, err);
    } else if (strcmp(name, "port") == 0) {
        code = read_int(name, value, UINT16_MAX, &number, err);
        ret->port = (uint16_t)number;
    } else if (strcmp(name, "pool-max") == 0) {
        code = read_int(name, value, CHAIN_POOL_MAX, &number, err);
        ret->node.pool_max = (size_t)number;
    } else {
        code = read_int(name, value, BLOCK_MS_MAX, &ret->node.block_ms, err);
    }
    return code;
}

base_code options_parse(int argc, char **argv, options *ret, base_error *err)
{
    static const struct option KNOWN[] = {
        {"port", required_argument, NULL, 0},
        {"bind", required_argument, NULL, 0},
        {"port-file", required_argument, NULL, 0},
        {"network", required_argument, NULL, 0},
        {"state", required_argument, NULL, 0},
        {"block-ms", required_argument, NULL, 0},
        {"pool-max", required_argument, NULL, 0},
        {"minimum-fee", required_argument, NULL, 0},
        {"fund", required_argument, NULL, 0},
        {"no-sync", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    *ret = (options){
        .bind = "127.0.0.1",
        .port = 3085,
        .node = {MINA_DEVNET, CHAIN_MINIMUM_FEE, POOL_DEFAULT, BLOCK_MS_DEFAULT, NULL, false},
    };
    opterr = 0;
    base_code code = BASE_OK;
    int index = 0;
    for (int found; code == BASE_OK && (found = getopt_long(argc, argv, "", KNOWN, &index)) != -1;) {
        if (found == '?')
            return base_fail(err, BASE_INVALID, "\"%.60s\" is no option, or lacks its value", argv[optind - 1]);
        ret->wants_help = ret->wants_help || found == 'h';
        ret->wants_version = ret->wants_version || found == 'v';
        ret->node.without_sync = ret->node.without_sync || found == 's';
        if (found == 0)
            code = read_option(KNOWN[index].name, optarg, ret, err);
    }
    if (code == BASE_OK && optind < argc)
        return base_fail(err, BASE_INVALID, "\"%.60s\" is no option", argv[optind]);
    return code;
}
