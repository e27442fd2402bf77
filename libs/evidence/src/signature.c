#include "evidence/signature.h"

#include "pkey.h"

#include <errno.h>
#include <string.h>

/* n, the order of P-256 (SEC 2, 2.4.2), big-endian. */
static const uint8_t order[EVIDENCE_SCALAR_SIZE] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                                    0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static base_code check_scalar(const char *name, const uint8_t scalar[EVIDENCE_SCALAR_SIZE], base_error *err)
{
    static const uint8_t zero[EVIDENCE_SCALAR_SIZE];
    if (memcmp(scalar, zero, sizeof(zero)) == 0)
        return base_fail(err, BASE_INVALID, "the signature's %s is zero", name);
    if (memcmp(scalar, order, sizeof(order)) >= 0)
        return base_fail(err, BASE_INVALID, "the signature's %s is not below the order of P-256", name);
    return BASE_OK;
}

base_code evidence_signature_check(const evidence_signature *signature, base_error *err)
{
    base_code code = check_scalar("r", signature->r, err);
    return code == BASE_OK ? check_scalar("s", signature->s, err) : code;
}

/* EVP takes signatures in DER. The caller frees *ret by OPENSSL_free. */
static base_code encode_der(const evidence_signature *signature, uint8_t **ret, size_t *ret_size, base_error *err)
{
    BASE_CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = ECDSA_SIG_new();
    BASE_CLEANUP(BN_clear_free) BIGNUM *r = BN_bin2bn(signature->r, EVIDENCE_SCALAR_SIZE, NULL);
    BASE_CLEANUP(BN_clear_free) BIGNUM *s = BN_bin2bn(signature->s, EVIDENCE_SCALAR_SIZE, NULL);
    if (sig == NULL || r == NULL || s == NULL)
        return evidence_pkey_fail(err, BASE_NO_MEMORY, "no memory for a signature");
    if (ECDSA_SIG_set0(sig, r, s) != 1)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto refuses a signature");
    r = s = NULL; /* now the signature's */
    int size = i2d_ECDSA_SIG(sig, ret);
    if (size <= 0)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto cannot encode a signature");
    *ret_size = (size_t)size;
    return BASE_OK;
}

base_code evidence_signature_verify(const evidence_public_key *key, const base_sha256 *hash,
                                    const evidence_signature *signature, base_error *err)
{
    base_code code = evidence_signature_check(signature, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
    code = evidence_pkey_from_point(key, &pkey, err);
    if (code != BASE_OK)
        return code;
    uint8_t *der = NULL;
    size_t der_size = 0;
    code = encode_der(signature, &der, &der_size, err);
    if (code != BASE_OK)
        return code;
    errno = 0;
    BASE_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    int verdict = -1;
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1)
        verdict = EVP_PKEY_verify(ctx, der, der_size, hash->bytes, sizeof(hash->bytes));
    OPENSSL_free(der);
    if (verdict < 0)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto cannot verify a signature");
    if (verdict == 0)
        return evidence_pkey_fail(err, BASE_INVALID,
                                  "the signature over the hash was not made by the owner of the public key");
    return BASE_OK;
}
