#pragma once
/* The `anchor` driver: a Mina payment of nothing from the fee payer to itself, whose memo commits to the proof. */
#include "ledger/ledger.h"

/* Amount 0, valid for ever (valid_until 2^32 − 1): what was made is looked up and sent again, never replaced for its age.
 *
 * The memo is base64url without padding of the BLAKE2b-192 (24 bytes, unkeyed, RFC 7693) of
 *     "proofline-anchor-v1" (19 bytes of ASCII) ‖ SHA-256 of the image (32) ‖ BLAKE2b-256 of the proof blob (32)
 * which is 32 characters: all that a Mina memo holds. */
typedef struct ledger_memo {
    char text[33];
} ledger_memo;
ledger_memo ledger_anchor_memo(const base_sha256 *image, const base_digest *proof);

typedef struct ledger_anchor_options {
    const char *node_url; /* http(s)://host:port/graphql; borrowed for the call */
    /* mainnet | devnet | testnet. ledger_check wants a node that calls itself "mina:mainnet" for mainnet, and "mina:devnet" or
     * "mina:testnet" for the other two, whose signatures are the same. */
    const char *network;
    const base_secret *private_key; /* base58check EK…; copied into locked memory */
    int64_t fee_nanomina;
    int64_t timeout_ms;      /* of one request; 0: 30000 */
    const char *tls_ca_file; /* NULL: the system's */
} ledger_anchor_options;

/* Whether this is a Mina private key: BASE_INVALID says what is wrong with it, never the key. */
BASE_MUST_CHECK base_code ledger_anchor_check_key(const base_secret *private_key, base_error *err);

/* Does not talk to the node. BASE_INVALID names what is wrong, never the key. The caller owns *ret. */
BASE_MUST_CHECK base_code ledger_anchor_new(const ledger_anchor_options *options, ledger **ret, base_error *err);
