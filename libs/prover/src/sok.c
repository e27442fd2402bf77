#include "prover/sok.h"

#include "frame.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

const uint8_t sok_magic[SOK_MAGIC_SIZE] = {'P', 'S', 'K', 1};

/* Step 2 for one point. libcrypto refuses x ≥ p and an x without a point. */
static base_code decode_point(const sok_frame *frame, const uint8_t octets[SOK_POINT_SIZE], EC_POINT *ret,
                              const char *refusal, base_error *err)
{
    bool compressed = octets[0] == POINT_CONVERSION_COMPRESSED || octets[0] == (POINT_CONVERSION_COMPRESSED | 1);
    errno = 0;
    if (!compressed || EC_POINT_oct2point(frame->group, ret, octets, SOK_POINT_SIZE, frame->bn) != 1)
        return sok_fail(err, BASE_INVALID, refusal);
    return BASE_OK;
}

/* Step 1: the blob is of this format and about this claim. */
static base_code check_layout(const sok_frame *frame, const prover_claim *claim, base_bytes blob, base_error *err)
{
    if (blob.size != PROVER_SOK_BLOB_SIZE)
        return base_fail(err, BASE_INVALID, "the proof has %zu bytes, not %d", blob.size, PROVER_SOK_BLOB_SIZE);
    if (memcmp(blob.data, sok_magic, SOK_MAGIC_SIZE) != 0)
        return base_fail(err, BASE_INVALID, "the proof does not start with the mark of " PROVER_SOK_FORMAT);
    if (memcmp(blob.data + SOK_AT_HASH, claim->hash.bytes, BASE_SHA256_SIZE) != 0)
        return base_fail(err, BASE_INVALID, "the proof is about another hash");
    uint8_t key[SOK_POINT_SIZE];
    base_code code = sok_frame_encode(frame, frame->P, key, err);
    if (code == BASE_OK && memcmp(blob.data + SOK_AT_KEY, key, sizeof(key)) != 0)
        return base_fail(err, BASE_INVALID, "the proof is about another public key");
    return code;
}

/* Steps 2 to 4. */
static base_code read_points(sok_frame *frame, const prover_claim *claim, const uint8_t *blob, base_error *err)
{
    base_code code = decode_point(frame, blob + SOK_AT_R, frame->R, "the proof's R is not a point of P-256", err);
    if (code == BASE_OK)
        code = decode_point(frame, blob + SOK_AT_T, frame->T, "the proof's T is not a point of P-256", err);
    if (code == BASE_OK)
        code = sok_frame_x_of_r(frame, frame->r, err);
    if (code != BASE_OK)
        return code;
    if (BN_is_zero(frame->r))
        return base_fail(err, BASE_INVALID, "the proof's R has x = 0 mod n, which no signature has");
    code = sok_frame_set_q(frame, &claim->hash, err);
    return code == BASE_OK ? sok_frame_set_challenge(frame, &claim->hash, err) : code;
}

/* Step 5. */
static base_code check_equation(const sok_frame *frame, const uint8_t octets[SOK_SCALAR_SIZE], base_error *err)
{
    BASE_CLEANUP(BN_clear_free) BIGNUM *z = BN_bin2bn(octets, SOK_SCALAR_SIZE, NULL);
    BASE_CLEANUP(EC_POINT_free) EC_POINT *left = EC_POINT_new(frame->group);
    BASE_CLEANUP(EC_POINT_free) EC_POINT *right = EC_POINT_new(frame->group);
    if (z == NULL || left == NULL || right == NULL)
        return sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    if (BN_is_zero(z) || BN_cmp(z, EC_GROUP_get0_order(frame->group)) >= 0)
        return base_fail(err, BASE_INVALID, "the proof's z is zero or not below the order of P-256");
    int different = -1;
    if (EC_POINT_mul(frame->group, left, NULL, frame->R, z, frame->bn) == 1 &&
        EC_POINT_mul(frame->group, right, NULL, frame->Q, frame->c, frame->bn) == 1 &&
        EC_POINT_add(frame->group, right, right, frame->T, frame->bn) == 1)
        different = EC_POINT_cmp(frame->group, left, right, frame->bn);
    if (different < 0)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot check the proof's equation");
    if (different != 0)
        return base_fail(err, BASE_INVALID, "the proof does not hold: z·R is not T + c·Q");
    return BASE_OK;
}

base_code prover_sok_verify(const prover_claim *claim, base_bytes blob, base_error *err)
{
    BASE_CLEANUP(sok_frame_done) sok_frame frame = {0};
    base_code code = sok_frame_init(&frame, err);
    if (code == BASE_OK)
        code = sok_frame_set_key(&frame, &claim->public_key, err);
    if (code == BASE_OK)
        code = check_layout(&frame, claim, blob, err);
    if (code == BASE_OK)
        code = read_points(&frame, claim, blob.data, err);
    return code == BASE_OK ? check_equation(&frame, blob.data + SOK_AT_Z, err) : code;
}
