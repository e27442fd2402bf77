#include "evidence/key.h"

#include "base/hex.h"
#include "private_key.h"

#include <errno.h>
#include <openssl/ec.h>
#include <string.h>

enum { HEX_POINT = 2 * 2 * EVIDENCE_SCALAR_SIZE };

base_code evidence_private_key_wrap(EVP_PKEY **pkey, evidence_private_key **ret, base_error *err)
{
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = calloc(1, sizeof(*key));
    if (key == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a key");
    key->pkey = BASE_TAKE(*pkey);
    base_code code = evidence_pkey_to_point(key->pkey, &key->public_key, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (ctx == NULL || EVP_PKEY_check(ctx) != 1)
        return evidence_pkey_fail(err, BASE_INVALID, "the private key does not fit its public key");
    *ret = BASE_TAKE(key);
    return BASE_OK;
}

base_code evidence_private_key_generate(evidence_private_key **ret, base_error *err)
{
    errno = 0;
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = EVP_EC_gen("P-256");
    if (pkey == NULL)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto cannot make a key");
    return evidence_private_key_wrap(&pkey, ret, err);
}

const evidence_public_key *evidence_private_key_public(const evidence_private_key *key)
{
    return &key->public_key;
}

void evidence_private_key_free(evidence_private_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey); /* wipes the scalar */
    free(key);
}

static base_code decode_der(const uint8_t *der, size_t size, evidence_signature *ret, base_error *err)
{
    BASE_CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)size);
    evidence_signature signature;
    if (sig == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature.r, sizeof(signature.r)) != sizeof(signature.r) ||
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature.s, sizeof(signature.s)) != sizeof(signature.s))
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto made a signature that cannot be read");
    *ret = signature;
    return BASE_OK;
}

base_code evidence_sign(const evidence_private_key *key, const base_sha256 *hash, evidence_signature *ret,
                        base_error *err)
{
    BASE_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    uint8_t der[128]; /* a P-256 signature in DER has at most 72 bytes */
    size_t size = sizeof(der);
    if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
        EVP_PKEY_sign(ctx, der, &size, hash->bytes, sizeof(hash->bytes)) != 1)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto cannot sign");
    return decode_der(der, size, ret, err);
}

/* SEC 1 octets from hex in any of the three forms; *ret_size 0 when it is none of them. */
static void octets_from_hex(base_bytes text, uint8_t ret[PKEY_POINT_SIZE], size_t *ret_size)
{
    char copy[2 * PKEY_POINT_SIZE + 1] = "";
    size_t skip = text.size == HEX_POINT ? 1 : 0; /* x ‖ y comes without the leading 04 */
    size_t size = text.size / 2 + skip;
    *ret_size = 0;
    if (text.size % 2 != 0 || (size != PKEY_POINT_SIZE && size != PKEY_COMPRESSED_SIZE))
        return;
    memcpy(copy, text.data, text.size);
    ret[0] = POINT_CONVERSION_UNCOMPRESSED;
    if (base_hex_decode("the public key", copy, ret + skip, size - skip, NULL) != BASE_OK)
        return;
    bool known = size == PKEY_POINT_SIZE ? ret[0] == POINT_CONVERSION_UNCOMPRESSED : ret[0] == 2 || ret[0] == 3;
    *ret_size = known ? size : 0;
}

base_code evidence_public_key_from_hex(base_bytes text, evidence_public_key *ret, base_error *err)
{
    uint8_t octets[PKEY_POINT_SIZE];
    size_t size = 0;
    octets_from_hex(text, octets, &size);
    if (size == 0)
        return base_fail(err, BASE_INVALID,
                         "a public key in hex has 128 characters (x, y), 130 (04, x, y) or 66 (02 or 03, x)");
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
    base_code code = evidence_pkey_from_octets(octets, size, &pkey, err);
    return code == BASE_OK ? evidence_pkey_to_point(pkey, ret, err) : code;
}

evidence_public_key_text evidence_public_key_hex(const evidence_public_key *key)
{
    evidence_public_key_text hex = {""};
    base_hex_encode(base_bytes_of(key->x, sizeof(key->x)), hex.text);
    base_hex_encode(base_bytes_of(key->y, sizeof(key->y)), hex.text + 2 * sizeof(key->x));
    return hex;
}
