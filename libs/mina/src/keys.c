#include "mina/keys.h"

#include "curve.h"
#include "field.h"
#include "mina/base58.h"

#include <sodium.h>
#include <string.h>

enum {
    PUBLIC_KEY_SIZE = 2 + MINA_FIELD_SIZE + 1, /* two format versions, x, parity of y */
    SECRET_KEY_SIZE = 1 + MINA_FIELD_SIZE,     /* a format version, the scalar */
    FORMAT_VERSION = 1,
};

mina_address mina_public_key_format(const mina_public_key *key)
{
    uint8_t payload[PUBLIC_KEY_SIZE] = {FORMAT_VERSION, FORMAT_VERSION};
    memcpy(payload + 2, key->x, MINA_FIELD_SIZE);
    payload[PUBLIC_KEY_SIZE - 1] = key->is_odd;
    mina_address address = {{0}};
    /* The version byte and the payload's size fix the text's length, so this cannot fail. */
    base_code code = mina_base58_encode(MINA_BASE58_PUBLIC_KEY, base_bytes_of(payload, sizeof(payload)), address.text,
                                        sizeof(address.text), NULL);
    (void)code;
    return address;
}

bool mina_public_key_equal(const mina_public_key *a, const mina_public_key *b)
{
    return a->is_odd == b->is_odd && memcmp(a->x, b->x, MINA_FIELD_SIZE) == 0;
}

base_code mina_public_key_parse(const char *text, mina_public_key *ret, base_error *err)
{
    uint8_t payload[PUBLIC_KEY_SIZE];
    base_code code = mina_base58_decode("Mina address", MINA_BASE58_PUBLIC_KEY, text, payload, sizeof(payload), err);
    if (code != BASE_OK)
        return code;
    uint8_t parity = payload[PUBLIC_KEY_SIZE - 1];
    if (payload[0] != FORMAT_VERSION || payload[1] != FORMAT_VERSION || parity > 1)
        return base_fail(err, BASE_INVALID, "Mina address: unknown format of a public key");
    mina_public_key key = {.is_odd = parity == 1};
    memcpy(key.x, payload + 2, MINA_FIELD_SIZE);
    curve_point point;
    code = curve_decompress(&key, &point, err);
    if (code == BASE_OK)
        *ret = key;
    return code;
}

bool mina_is_address(const char *text)
{
    mina_public_key key;
    return text != NULL && mina_public_key_parse(text, &key, NULL) == BASE_OK;
}

static bool is_scalar(const uint8_t bytes[static MINA_FIELD_SIZE])
{
    return !sodium_is_zero(bytes, MINA_FIELD_SIZE) && pallas_number_less(pallas_number_read(bytes), PALLAS_Q);
}

static base_code key_of(const uint8_t scalar[static MINA_FIELD_SIZE], mina_secret_key *ret, base_error *err)
{
    curve_point point;
    base_code code = curve_multiply_base(scalar, &point, err);
    if (code != BASE_OK)
        return code;
    mina_secret_key key = {.public_key = curve_compress(&point)};
    memcpy(key.public_y, point.y, MINA_FIELD_SIZE);
    code = base_secret_copy(base_bytes_of(scalar, MINA_FIELD_SIZE), &key.scalar, err);
    if (code == BASE_OK)
        *ret = key;
    return code;
}

base_code mina_secret_key_generate(mina_secret_key *ret, base_error *err)
{
    uint8_t scalar[MINA_FIELD_SIZE];
    do { /* draws uniformly below 2^255; half of the draws are below q */
        randombytes_buf(scalar, sizeof(scalar));
        scalar[MINA_FIELD_SIZE - 1] &= 0x7f;
    } while (!is_scalar(scalar));
    base_code code = key_of(scalar, ret, err);
    base_wipe(scalar, sizeof(scalar));
    return code;
}

base_code mina_secret_key_parse(const char *text, mina_secret_key *ret, base_error *err)
{
    uint8_t payload[SECRET_KEY_SIZE];
    base_code code =
        mina_base58_decode("Mina private key", MINA_BASE58_SECRET_KEY, text, payload, sizeof(payload), err);
    if (code != BASE_OK)
        return code;
    if (payload[0] != FORMAT_VERSION || !is_scalar(payload + 1))
        code = base_fail(err, BASE_INVALID, "Mina private key: its number is zero or not below the group's order");
    else
        code = key_of(payload + 1, ret, err);
    base_wipe(payload, sizeof(payload));
    return code;
}

base_code mina_secret_key_format(const mina_secret_key *key, base_secret *ret, base_error *err)
{
    if (key->scalar.size != MINA_FIELD_SIZE)
        return base_fail(err, BASE_INVALID, "there is no private key");
    uint8_t payload[SECRET_KEY_SIZE] = {FORMAT_VERSION};
    memcpy(payload + 1, key->scalar.data, MINA_FIELD_SIZE);
    char text[MINA_SECRET_KEY_CHARS + 1];
    base_code code =
        mina_base58_encode(MINA_BASE58_SECRET_KEY, base_bytes_of(payload, sizeof(payload)), text, sizeof(text), err);
    if (code == BASE_OK)
        code = base_secret_copy(base_bytes_of(text, strlen(text)), ret, err);
    base_wipe(payload, sizeof(payload));
    base_wipe(text, sizeof(text));
    return code;
}

void mina_secret_key_done(mina_secret_key *key)
{
    if (key == NULL)
        return;
    base_secret_done(&key->scalar);
    *key = (mina_secret_key){0};
}
