#pragma once
/* Bytes as text: lower-case hex, and back from it and from base64 (libsodium's, constant time). */
#include "base/bytes.h"

#define BASE_HEX_CHARS(n) ((n)*2 + 1) /* with terminator */

typedef struct base_hex32 {
    char text[BASE_HEX_CHARS(32)];
} base_hex32;

/* Hex of a SHA-256 by value, for use inside a call: printf("%s", base_sha256_hex(&id).text). */
base_hex32 base_sha256_hex(const base_sha256 *hash);

/* Writes 2·n characters and the terminator. */
void base_hex_encode(base_bytes data, char *ret);

/* Exactly `size` bytes from exactly 2·size hex characters (either case). BASE_INVALID names `what`. */
BASE_MUST_CHECK base_code base_hex_decode(const char *what, const char *text, uint8_t *ret, size_t size,
                                          base_error *err);

/* Appends the decoding of `length` characters of padded base64 (RFC 4648, 4). BASE_INVALID when it is none. */
BASE_MUST_CHECK base_code base_base64_decode(const char *text, size_t length, base_buffer *ret, base_error *err);
