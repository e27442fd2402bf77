#include "pkey.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

enum { GROUP_NAME_MAX = 64 };

base_code evidence_pkey_fail(base_error *err, base_code code, const char *message)
{
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (errno == ENOMEM || ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE)
        return base_fail(err, BASE_NO_MEMORY, "no memory for libcrypto");
    return base_fail(err, code, "%s", message);
}

base_code evidence_pkey_from_octets(const uint8_t *octets, size_t size, EVP_PKEY **ret, base_error *err)
{
    errno = 0;
    BASE_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto offers no elliptic curves");
    /* Copies, as the parameters want pointers to non-const. */
    char group[] = "prime256v1";
    uint8_t point[PKEY_POINT_SIZE];
    memcpy(point, octets, size);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, size),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(pkey);
        return evidence_pkey_fail(err, BASE_INVALID, "the public key is not a point of P-256");
    }
    *ret = pkey;
    return BASE_OK;
}

base_code evidence_pkey_from_point(const evidence_public_key *key, EVP_PKEY **ret, base_error *err)
{
    uint8_t octets[PKEY_POINT_SIZE] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(octets + 1, key->x, sizeof(key->x));
    memcpy(octets + 1 + sizeof(key->x), key->y, sizeof(key->y));
    return evidence_pkey_from_octets(octets, sizeof(octets), ret, err);
}

base_code evidence_pkey_to_point(const EVP_PKEY *pkey, evidence_public_key *ret, base_error *err)
{
    char group[GROUP_NAME_MAX] = "";
    if (EVP_PKEY_is_a(pkey, "EC") != 1 || EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
        strcmp(group, "prime256v1") != 0)
        return evidence_pkey_fail(err, BASE_INVALID, "the key is not on the curve P-256 (prime256v1, secp256r1)");
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    evidence_public_key key;
    bool read = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
                BN_bn2binpad(x, key.x, sizeof(key.x)) == sizeof(key.x) &&
                BN_bn2binpad(y, key.y, sizeof(key.y)) == sizeof(key.y);
    BN_free(x);
    BN_free(y);
    if (!read)
        return evidence_pkey_fail(err, BASE_INVALID, "the key has no public point");
    *ret = key;
    return BASE_OK;
}
