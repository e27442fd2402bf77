#pragma once
/* Mina payments: signing, verifying and naming them without a node. All functions are thread-safe. */
#include "mina/keys.h"

#define MINA_MEMO_TEXT_MAX          32 /* bytes of a memo's text */
#define MINA_MEMO_SIZE              34 /* bytes of a memo as it is signed: tag 1, length, text, zeros */
#define MINA_MEMO_CHARS             53 /* at most, of a memo's base58check text (E4…), as nodes show it */
#define MINA_TRANSACTION_HASH_CHARS 52 /* of a transaction hash, 5J… */
#define MINA_DECIMAL_MAX            78 /* digits of the greatest 256-bit number */
#define MINA_NANOMINA               UINT64_C(1000000000)

/* What a signature is for: one made for a development network is worth nothing on the main network. */
typedef enum mina_network { MINA_MAINNET, MINA_DEVNET } mina_network;

typedef struct mina_memo {
    uint8_t bytes[MINA_MEMO_SIZE];
} mina_memo;

typedef struct mina_memo_text {
    char text[MINA_MEMO_CHARS + 1];
} mina_memo_text;

/* Amounts in nanomina. Zeroed memory is not a payment: set memo with mina_memo_of. */
typedef struct mina_payment {
    mina_public_key from; /* pays the fee too */
    mina_public_key to;
    uint64_t amount;
    uint64_t fee;
    uint32_t nonce;
    uint32_t valid_until; /* global slot since genesis; UINT32_MAX is for ever */
    mina_memo memo;
} mina_payment;

/* (R.x, s) of Mina's Schnorr signature; little-endian. */
typedef struct mina_signature {
    uint8_t field[MINA_FIELD_SIZE];
    uint8_t scalar[MINA_FIELD_SIZE];
} mina_signature;

/* Both numbers in decimal, as GraphQL carries them. */
typedef struct mina_signature_text {
    char field[MINA_DECIMAL_MAX + 1];
    char scalar[MINA_DECIMAL_MAX + 1];
} mina_signature_text;

typedef struct mina_transaction_hash {
    char text[MINA_TRANSACTION_HASH_CHARS + 1];
} mina_transaction_hash;

/* "mainnet", "devnet" or "testnet" (signs as devnet). BASE_INVALID for anything else. */
BASE_MUST_CHECK base_code mina_network_parse(const char *text, mina_network *ret, base_error *err);
const char *mina_network_name(mina_network network); /* "mainnet" or "devnet" */

/* BASE_INVALID over MINA_MEMO_TEXT_MAX bytes. GraphQL carries a memo as text: keep to UTF-8 if it shall be sent. */
BASE_MUST_CHECK base_code mina_memo_of(base_bytes text, mina_memo *ret, base_error *err);
/* The text inside; borrowed from `memo`. Empty for a memo that holds a digest instead of text. */
base_bytes mina_memo_content(const mina_memo *memo);
mina_memo_text mina_memo_format(const mina_memo *memo);
BASE_MUST_CHECK base_code mina_memo_parse(const char *text, mina_memo *ret, base_error *err);

/* Signs with `key`, which must be the key of payment->from (BASE_INVALID otherwise). Deterministic: the same payment always
 * gets the same signature. Scheme: Mina's Schnorr signatures over Pallas with the legacy Poseidon hash
 * (github.com/MinaProtocol/mina, docs/specs/signatures); test vectors by mina-signer 4.0.0. About 0.5 ms. */
BASE_MUST_CHECK base_code mina_payment_sign(const mina_payment *payment, mina_network network,
                                            const mina_secret_key *key, mina_signature *ret, base_error *err);

/* BASE_OK: `signature` is payment->from's for this very payment and network. BASE_INVALID: it is not. About 0.5 ms. */
BASE_MUST_CHECK base_code mina_payment_verify(const mina_payment *payment, mina_network network,
                                              const mina_signature *signature, base_error *err);

/* The hash by which nodes name the payment once it is signed. It depends neither on the signature nor on the network, so it is
 * known before sending. */
mina_transaction_hash mina_payment_hash(const mina_payment *payment);
/* Whether `text` has the form of a transaction hash. NULL has not. */
bool mina_is_transaction_hash(const char *text);

mina_signature_text mina_signature_format(const mina_signature *signature);
/* Decimal digits only; BASE_INVALID when field ≥ p or scalar ≥ q, the moduli of Pallas's base and scalar fields. */
BASE_MUST_CHECK base_code mina_signature_parse(const char *field, const char *scalar, mina_signature *ret,
                                               base_error *err);
