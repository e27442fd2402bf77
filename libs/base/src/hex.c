#include "base/hex.h"

#include <sodium.h>
#include <string.h>

base_hex32 base_sha256_hex(const base_sha256 *hash)
{
    base_hex32 hex;
    base_hex_encode(base_bytes_of(hash->bytes, sizeof(hash->bytes)), hex.text);
    return hex;
}

void base_hex_encode(base_bytes data, char *ret)
{
    sodium_bin2hex(ret, data.size * 2 + 1, data.data, data.size);
}

base_code base_hex_decode(const char *what, const char *text, uint8_t *ret, size_t size, base_error *err)
{
    size_t length = strlen(text);
    size_t decoded = 0;
    if (length != size * 2 || sodium_hex2bin(ret, size, text, length, NULL, &decoded, NULL) != 0 || decoded != size)
        return base_fail(err, BASE_INVALID, "%s must be %zu hex characters", what, size * 2);
    return BASE_OK;
}

/* libsodium 1.0.18 takes every byte from 0x80 up for the last digit of its alphabet. */
static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

base_code base_base64_decode(const char *text, size_t length, base_buffer *ret, base_error *err)
{
    size_t size = length / 4 * 3 + 3;
    BASE_CLEANUP(free) uint8_t *data = malloc(size);
    if (data == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu bytes", size);
    size_t decoded = 0;
    if (!is_ascii(text, length) ||
        sodium_base642bin(data, size, text, length, NULL, &decoded, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return base_fail(err, BASE_INVALID, "not valid base64");
    return base_buffer_append(ret, base_bytes_of(data, decoded), err);
}
