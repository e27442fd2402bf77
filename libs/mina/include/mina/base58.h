#pragma once
/* Base58check as Mina writes it: Bitcoin's alphabet, a version byte in front, four bytes of double SHA-256 behind. */
#include "base/bytes.h"

#define MINA_BASE58_PAYLOAD_MAX 72  /* bytes, without version and checksum */
#define MINA_BASE58_TEXT_MAX    112 /* bytes with terminator of the longest text */

/* What the first byte of each of Mina's texts says. */
typedef enum mina_base58_version {
    MINA_BASE58_STATE_HASH = 0x10,
    MINA_BASE58_MEMO = 0x14,
    MINA_BASE58_TRANSACTION_HASH = 0x1d,
    MINA_BASE58_SECRET_KEY = 0x5a,
    MINA_BASE58_SIGNATURE = 0x9a,
    MINA_BASE58_PUBLIC_KEY = 0xcb,
} mina_base58_version;

/* Writes the text of `payload` to ret[ret_size]. BASE_LIMIT when the payload is over MINA_BASE58_PAYLOAD_MAX or the text
 * does not fit. Leaves no copy of the payload behind in memory, so that it serves for secrets too. */
BASE_MUST_CHECK base_code mina_base58_encode(mina_base58_version version, base_bytes payload, char *ret,
                                             size_t ret_size, base_error *err);

/* Reads a text whose payload has exactly `size` bytes. BASE_INVALID says in which way `what` is wrong (alphabet, length,
 * checksum, version), and never quotes the text. `ret` is untouched on failure. */
BASE_MUST_CHECK base_code mina_base58_decode(const char *what, mina_base58_version version, const char *text,
                                             uint8_t *ret, size_t size, base_error *err);
