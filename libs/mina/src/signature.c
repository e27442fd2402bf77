#include "mina/payment.h"

#include "curve.h"
#include "decimal.h"
#include "payment_bits.h"
#include "poseidon.h"

#include <sodium.h>
#include <string.h>

enum {
    FIELD_BITS = 255,
    CHUNK_BITS = 254, /* of the bits that go into one field element of the hash */
    CHUNKS = (PAYMENT_BITS + CHUNK_BITS - 1) / CHUNK_BITS,
    NONCE_INPUT_BITS = (PAYMENT_FIELDS + 2) * FIELD_BITS + PAYMENT_BITS + FIELD_BITS + 8,
    NONCE_INPUT_SIZE = (NONCE_INPUT_BITS + 7) / 8,
};

/* k: BLAKE2b-256 over the payment, the public point, the secret key and the network; below 2^254, so below the order. */
static void derive_nonce(const payment_input *input, mina_network network, const mina_secret_key *key,
                         uint8_t ret[static MINA_FIELD_SIZE])
{
    uint8_t bits[NONCE_INPUT_SIZE] = {0};
    size_t length = 0;
    for (size_t i = 0; i < PAYMENT_FIELDS; i++) {
        uint8_t bytes[MINA_FIELD_SIZE];
        pallas_number_write(input->fields[i], bytes);
        bits_append(bits, &length, bytes, FIELD_BITS);
    }
    bits_append(bits, &length, key->public_key.x, FIELD_BITS);
    bits_append(bits, &length, key->public_y, FIELD_BITS);
    bits_append(bits, &length, input->bits, PAYMENT_BITS);
    bits_append(bits, &length, (const uint8_t *)key->scalar.data, FIELD_BITS);
    const uint8_t network_byte = network == MINA_MAINNET ? 1 : 0;
    bits_append(bits, &length, &network_byte, 8);
    crypto_generichash(ret, MINA_FIELD_SIZE, bits, sizeof(bits), NULL, 0);
    ret[MINA_FIELD_SIZE - 1] &= 0x3f;
    base_wipe(bits, sizeof(bits));
}

/* e: Poseidon over the payment, the public point and R.x. */
static void challenge(const payment_input *input, mina_network network, const curve_point *public_point,
                      const uint8_t r_x[static MINA_FIELD_SIZE], uint8_t ret[static MINA_FIELD_SIZE])
{
    pallas_number elements[PAYMENT_FIELDS + 3 + CHUNKS];
    size_t count = 0;
    for (size_t i = 0; i < PAYMENT_FIELDS; i++)
        elements[count++] = input->fields[i];
    elements[count++] = pallas_number_read(public_point->x);
    elements[count++] = pallas_number_read(public_point->y);
    elements[count++] = pallas_number_read(r_x);
    for (size_t i = 0; i < CHUNKS; i++)
        elements[count++] = bits_chunk(input->bits, PAYMENT_BITS, i * CHUNK_BITS, CHUNK_BITS);
    pallas_number_write(poseidon_hash(network, elements, count), ret);
}

static base_code sign_with_nonce(const payment_input *input, mina_network network, const mina_secret_key *key,
                                 const uint8_t k[static MINA_FIELD_SIZE], mina_signature *ret, base_error *err)
{
    curve_point r;
    base_code code = curve_multiply_base(k, &r, err);
    if (code != BASE_OK)
        return code;
    curve_point public_point;
    memcpy(public_point.x, key->public_key.x, MINA_FIELD_SIZE);
    memcpy(public_point.y, key->public_y, MINA_FIELD_SIZE);
    uint8_t e[MINA_FIELD_SIZE];
    challenge(input, network, &public_point, r.x, e);
    mina_signature signature;
    memcpy(signature.field, r.x, MINA_FIELD_SIZE);
    bool r_is_odd = (r.y[0] & 1) != 0;
    code = curve_respond(k, r_is_odd, e, (const uint8_t *)key->scalar.data, signature.scalar, err);
    if (code == BASE_OK)
        *ret = signature;
    return code;
}

base_code mina_payment_sign(const mina_payment *payment, mina_network network, const mina_secret_key *key,
                            mina_signature *ret, base_error *err)
{
    if (key->scalar.size != MINA_FIELD_SIZE || !mina_public_key_equal(&key->public_key, &payment->from))
        return base_fail(err, BASE_INVALID, "the private key does not belong to the sender of the payment");
    payment_input input = payment_input_of(payment);
    uint8_t k[MINA_FIELD_SIZE];
    derive_nonce(&input, network, key, k);
    base_code code = sign_with_nonce(&input, network, key, k, ret, err);
    base_wipe(k, sizeof(k));
    return code;
}

base_code mina_payment_verify(const mina_payment *payment, mina_network network, const mina_signature *signature,
                              base_error *err)
{
    if (!pallas_number_less(pallas_number_read(signature->field), PALLAS_P) ||
        !pallas_number_less(pallas_number_read(signature->scalar), PALLAS_Q))
        return base_fail(err, BASE_INVALID, "the signature's numbers are not below their moduli");
    curve_point public_point;
    base_code code = curve_decompress(&payment->from, &public_point, err);
    if (code != BASE_OK)
        return code;
    payment_input input = payment_input_of(payment);
    uint8_t e[MINA_FIELD_SIZE];
    challenge(&input, network, &public_point, signature->field, e);
    curve_point r;
    code = curve_combine(signature->scalar, e, &public_point, &r, err);
    if (code != BASE_OK)
        return code;
    if ((r.y[0] & 1) != 0 || memcmp(r.x, signature->field, MINA_FIELD_SIZE) != 0)
        return base_fail(err, BASE_INVALID, "the signature is not the sender's for this payment");
    return BASE_OK;
}

mina_signature_text mina_signature_format(const mina_signature *signature)
{
    mina_signature_text text = {{0}, {0}};
    decimal_format(pallas_number_read(signature->field), text.field);
    decimal_format(pallas_number_read(signature->scalar), text.scalar);
    return text;
}

base_code mina_signature_parse(const char *field, const char *scalar, mina_signature *ret, base_error *err)
{
    pallas_number r_x;
    pallas_number s;
    base_code code = decimal_parse("signature field", field, PALLAS_P, &r_x, err);
    if (code == BASE_OK)
        code = decimal_parse("signature scalar", scalar, PALLAS_Q, &s, err);
    if (code != BASE_OK)
        return code;
    pallas_number_write(r_x, ret->field);
    pallas_number_write(s, ret->scalar);
    return BASE_OK;
}
