#include "mina/base58.h"

#include "base/secret.h"

#include <sodium.h>
#include <string.h>

enum {
    CHECKSUM_SIZE = 4,
    DECODED_MAX = 1 + MINA_BASE58_PAYLOAD_MAX + CHECKSUM_SIZE,
};

static const char ALPHABET[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static void checksum(const uint8_t *data, size_t size, uint8_t ret[static CHECKSUM_SIZE])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, size);
    crypto_hash_sha256(hash, hash, sizeof(hash));
    memcpy(ret, hash, CHECKSUM_SIZE);
    base_wipe(hash, sizeof(hash));
}

/* Long division of the big-endian number by 58, one digit at a time; returns the digits, least significant first. */
static size_t digits_of(const uint8_t *data, size_t size, uint8_t digits[static MINA_BASE58_TEXT_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned carry = data[i];
        for (size_t d = 0; d < count; d++) {
            carry += (unsigned)digits[d] << 8;
            digits[d] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry > 0; carry /= 58)
            digits[count++] = (uint8_t)(carry % 58);
    }
    return count;
}

static size_t leading_zeros(const uint8_t *data, size_t size)
{
    size_t zeros = 0;
    while (zeros < size && data[zeros] == 0)
        zeros++;
    return zeros;
}

base_code mina_base58_encode(mina_base58_version version, base_bytes payload, char *ret, size_t ret_size,
                             base_error *err)
{
    if (payload.size > MINA_BASE58_PAYLOAD_MAX)
        return base_fail(err, BASE_LIMIT, "a base58check payload may have at most %d bytes", MINA_BASE58_PAYLOAD_MAX);
    uint8_t data[DECODED_MAX] = {(uint8_t)version};
    memcpy(data + 1, payload.data, payload.size);
    checksum(data, 1 + payload.size, data + 1 + payload.size);
    size_t size = 1 + payload.size + CHECKSUM_SIZE;

    uint8_t digits[MINA_BASE58_TEXT_MAX];
    size_t zeros = leading_zeros(data, size);
    size_t count = digits_of(data, size, digits);
    bool fits = zeros + count < ret_size;
    if (fits) {
        memset(ret, ALPHABET[0], zeros);
        for (size_t i = 0; i < count; i++)
            ret[zeros + i] = ALPHABET[digits[count - 1 - i]];
        ret[zeros + count] = '\0';
    }
    base_wipe(data, sizeof(data));
    base_wipe(digits, sizeof(digits));
    return fits ? BASE_OK : base_fail(err, BASE_LIMIT, "the base58check text does not fit in %zu bytes", ret_size);
}

/* The number as exactly `size` big-endian bytes; false when a character is foreign or the number does not fit. */
static bool read_digits(const char *text, size_t length, uint8_t *data, size_t size)
{
    memset(data, 0, size);
    for (size_t i = 0; i < length; i++) {
        const char *digit = memchr(ALPHABET, text[i], sizeof(ALPHABET) - 1);
        if (digit == NULL)
            return false;
        unsigned carry = (unsigned)(digit - ALPHABET);
        for (size_t at = size; at-- > 0;) {
            carry += (unsigned)data[at] * 58;
            data[at] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry != 0)
            return false;
    }
    return true;
}

/* data is version, payload of `size` bytes and checksum, as the text said. */
static base_code check_decoded(const char *what, mina_base58_version version, const uint8_t *data, size_t size,
                               base_error *err)
{
    uint8_t sum[CHECKSUM_SIZE];
    checksum(data, 1 + size, sum);
    if (sodium_memcmp(sum, data + 1 + size, CHECKSUM_SIZE) != 0)
        return base_fail(err, BASE_INVALID, "%s: the checksum is wrong: a character is mistyped or missing", what);
    if (data[0] != version)
        return base_fail(err, BASE_INVALID, "%s: this base58check text is for something else (version %02x, not %02x)",
                         what, data[0], (unsigned)version);
    return BASE_OK;
}

base_code mina_base58_decode(const char *what, mina_base58_version version, const char *text, uint8_t *ret, size_t size,
                             base_error *err)
{
    if (size > MINA_BASE58_PAYLOAD_MAX)
        return base_fail(err, BASE_LIMIT, "%s: at most %d bytes", what, MINA_BASE58_PAYLOAD_MAX);
    size_t length = strnlen(text, MINA_BASE58_TEXT_MAX);
    if (length == 0 || length == MINA_BASE58_TEXT_MAX)
        return base_fail(err, BASE_INVALID, "%s: %s", what, length == 0 ? "it is empty" : "the text is too long");
    if (strspn(text, ALPHABET) != length)
        return base_fail(err, BASE_INVALID, "%s: it holds a character that base58 does not have", what);

    uint8_t data[DECODED_MAX];
    size_t whole = 1 + size + CHECKSUM_SIZE;
    bool fits = read_digits(text, length, data, whole);
    size_t ones = strspn(text, "1");
    base_code code;
    if (!fits || leading_zeros(data, whole) != ones)
        code = base_fail(err, BASE_INVALID, "%s: the text has the wrong length", what);
    else
        code = check_decoded(what, version, data, size, err);
    if (code == BASE_OK)
        memcpy(ret, data + 1, size);
    base_wipe(data, sizeof(data));
    return code;
}
