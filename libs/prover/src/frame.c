#include "frame.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

static const char domain[] = "proofline/ecdsa-p256-sok-v1";
enum { DOMAIN_SIZE = sizeof(domain) - 1, CHALLENGE_INPUT = DOMAIN_SIZE + BASE_SHA256_SIZE + 4 * SOK_POINT_SIZE };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EC_GROUP *p256; /* lives as long as the process */

static void make_group(void)
{
    p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
}

base_code sok_fail(base_error *err, base_code code, const char *message)
{
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (errno == ENOMEM || ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE)
        return base_fail(err, BASE_NO_MEMORY, "no memory for libcrypto");
    return base_fail(err, code, "%s", message);
}

base_code sok_frame_init(sok_frame *frame, base_error *err)
{
    *frame = (sok_frame){0};
    pthread_once(&once, make_group);
    if (p256 == NULL)
        return sok_fail(err, BASE_INTERNAL, "libcrypto does not offer the curve P-256");
    frame->group = p256;
    frame->bn = BN_CTX_secure_new();
    frame->P = EC_POINT_new(p256);
    frame->R = EC_POINT_new(p256);
    frame->Q = EC_POINT_new(p256);
    frame->T = EC_POINT_new(p256);
    frame->h = BN_new();
    frame->r = BN_new();
    frame->c = BN_new();
    if (frame->bn == NULL || frame->P == NULL || frame->R == NULL || frame->Q == NULL || frame->T == NULL ||
        frame->h == NULL || frame->r == NULL || frame->c == NULL) {
        sok_frame_done(frame);
        return sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    }
    return BASE_OK;
}

void sok_frame_done(sok_frame *frame)
{
    EC_POINT_free(frame->P);
    EC_POINT_free(frame->R);
    EC_POINT_free(frame->Q);
    EC_POINT_free(frame->T);
    BN_free(frame->h);
    BN_free(frame->r);
    BN_free(frame->c);
    BN_CTX_free(frame->bn);
    *frame = (sok_frame){0};
}

base_code sok_frame_set_key(sok_frame *frame, const evidence_public_key *key, base_error *err)
{
    uint8_t octets[1 + sizeof(*key)] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(octets + 1, key->x, sizeof(key->x));
    memcpy(octets + 1 + sizeof(key->x), key->y, sizeof(key->y));
    errno = 0;
    if (EC_POINT_oct2point(frame->group, frame->P, octets, sizeof(octets), frame->bn) != 1)
        return sok_fail(err, BASE_INVALID, "the public key is not a point of P-256");
    return BASE_OK;
}

base_code sok_frame_set_q(sok_frame *frame, const base_sha256 *hash, base_error *err)
{
    const BIGNUM *n = EC_GROUP_get0_order(frame->group);
    if (BN_bin2bn(hash->bytes, sizeof(hash->bytes), frame->h) == NULL ||
        BN_nnmod(frame->h, frame->h, n, frame->bn) != 1 ||
        EC_POINT_mul(frame->group, frame->Q, frame->h, frame->P, frame->r, frame->bn) != 1)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot compute h·G + r·P");
    if (EC_POINT_is_at_infinity(frame->group, frame->Q))
        return base_fail(err, BASE_INVALID, "h·G + r·P is the point at infinity: no signature leads there");
    return BASE_OK;
}

base_code sok_frame_x_of_r(const sok_frame *frame, BIGNUM *ret, base_error *err)
{
    if (EC_POINT_get_affine_coordinates(frame->group, frame->R, ret, NULL, frame->bn) != 1 ||
        BN_nnmod(ret, ret, EC_GROUP_get0_order(frame->group), frame->bn) != 1)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot read the point R");
    return BASE_OK;
}

base_code sok_frame_encode(const sok_frame *frame, const EC_POINT *point, uint8_t ret[SOK_POINT_SIZE], base_error *err)
{
    if (EC_POINT_point2oct(frame->group, point, POINT_CONVERSION_COMPRESSED, ret, SOK_POINT_SIZE, frame->bn) !=
        SOK_POINT_SIZE)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot write a point");
    return BASE_OK;
}

base_code sok_frame_set_challenge(sok_frame *frame, const base_sha256 *hash, base_error *err)
{
    uint8_t input[CHALLENGE_INPUT];
    memcpy(input, domain, DOMAIN_SIZE);
    memcpy(input + DOMAIN_SIZE, hash->bytes, sizeof(hash->bytes));
    uint8_t *at = input + DOMAIN_SIZE + sizeof(hash->bytes);
    const EC_POINT *const points[] = {frame->P, frame->R, frame->Q, frame->T};
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++, at += SOK_POINT_SIZE) {
        base_code code = sok_frame_encode(frame, points[i], at, err);
        if (code != BASE_OK)
            return code;
    }
    uint8_t digest[BASE_SHA256_SIZE];
    if (EVP_Digest(input, sizeof(input), digest, NULL, EVP_sha256(), NULL) != 1 ||
        BN_bin2bn(digest, sizeof(digest), frame->c) == NULL ||
        BN_nnmod(frame->c, frame->c, EC_GROUP_get0_order(frame->group), frame->bn) != 1)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot compute the challenge");
    if (BN_is_zero(frame->c))
        return base_fail(err, BASE_INVALID, "the challenge is zero");
    return BASE_OK;
}
