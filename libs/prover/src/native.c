#include "prover/driver.h"
#include "prover/sok.h"

#include "layout.h"

#include <assert.h>
#include <string.h>

static_assert(SOK_END == PROVER_SOK_BLOB_SIZE, "the layout is the one in prover/sok.h");

/* Sets r, Q and R = s⁻¹·Q, of all points with r = x mod n the one that this signature proves. BASE_INVALID when x(R) mod n is not r:
 * that is ECDSA's own check, so the signature is wrong. */
static base_code recover_r(sok_frame *frame, const prover_statement *statement, const BIGNUM *s, base_error *err)
{
    if (BN_bin2bn(statement->signature.r, EVIDENCE_SCALAR_SIZE, frame->r) == NULL)
        return sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    base_code code = sok_frame_set_q(frame, &statement->hash, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(BN_clear_free) BIGNUM *inverse = BN_secure_new();
    BASE_CLEANUP(BN_clear_free) BIGNUM *x = BN_new();
    if (inverse == NULL || x == NULL)
        return sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    BN_set_flags(inverse, BN_FLG_CONSTTIME);
    if (BN_mod_inverse(inverse, s, EC_GROUP_get0_order(frame->group), frame->bn) == NULL ||
        EC_POINT_mul(frame->group, frame->R, NULL, frame->Q, inverse, frame->bn) != 1)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot recover the point R");
    code = sok_frame_x_of_r(frame, x, err);
    if (code == BASE_OK && BN_cmp(x, frame->r) != 0)
        return base_fail(err, BASE_INVALID, "the signature over the hash was not made by the owner of the public key");
    return code;
}

/* Sets k to a fresh nonce and T to k·R. */
static base_code commit(sok_frame *frame, const uint8_t *blob, const BIGNUM *s, BIGNUM *k, base_error *err)
{
    /* The nonce is hashed from s, the head of the blob (h, P, R) and fresh random bytes: a bad random generator alone does
     * not give s away. */
    const BIGNUM *n = EC_GROUP_get0_order(frame->group);
    if (BN_generate_dsa_nonce(k, n, s, blob, SOK_AT_T, frame->bn) != 1)
        return sok_fail(err, BASE_TRANSIENT, "libcrypto has no random bytes");
    BN_set_flags(k, BN_FLG_CONSTTIME);
    if (BN_is_zero(k))
        return base_fail(err, BASE_TRANSIENT, "the nonce is zero");
    if (EC_POINT_mul(frame->group, frame->T, NULL, frame->R, k, frame->bn) != 1)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot compute k·R");
    return BASE_OK;
}

/* Writes z = k + c·s mod n. In Montgomery form, as BN_mod_mul divides in a time that depends on its operands. */
static base_code respond(const sok_frame *frame, const BIGNUM *s, const BIGNUM *k, uint8_t ret[SOK_SCALAR_SIZE],
                         base_error *err)
{
    const BIGNUM *n = EC_GROUP_get0_order(frame->group);
    BN_MONT_CTX *mont = EC_GROUP_get_mont_data(frame->group);
    BASE_CLEANUP(BN_clear_free) BIGNUM *z = BN_secure_new();
    if (z == NULL)
        return sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    if (mont == NULL || BN_to_montgomery(z, frame->c, mont, frame->bn) != 1 ||
        BN_mod_mul_montgomery(z, z, s, mont, frame->bn) != 1 || BN_mod_add_quick(z, z, k, n) != 1 ||
        BN_bn2binpad(z, ret, SOK_SCALAR_SIZE) != SOK_SCALAR_SIZE)
        return sok_fail(err, BASE_INTERNAL, "libcrypto cannot compute k + c·s");
    if (BN_is_zero(z))
        return base_fail(err, BASE_TRANSIENT, "the response is zero");
    return BASE_OK;
}

/* Everything after R is known. */
static base_code write_proof(sok_frame *frame, const base_sha256 *hash, const BIGNUM *s,
                             uint8_t blob[PROVER_SOK_BLOB_SIZE], base_error *err)
{
    memcpy(blob, sok_magic, SOK_MAGIC_SIZE);
    memcpy(blob + SOK_AT_HASH, hash->bytes, sizeof(hash->bytes));
    BASE_CLEANUP(BN_clear_free) BIGNUM *k = BN_secure_new();
    base_code code = k != NULL ? BASE_OK : sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    if (code == BASE_OK)
        code = sok_frame_encode(frame, frame->P, blob + SOK_AT_KEY, err);
    if (code == BASE_OK)
        code = sok_frame_encode(frame, frame->R, blob + SOK_AT_R, err);
    if (code == BASE_OK)
        code = commit(frame, blob, s, k, err);
    if (code == BASE_OK)
        code = sok_frame_encode(frame, frame->T, blob + SOK_AT_T, err);
    if (code == BASE_OK)
        code = sok_frame_set_challenge(frame, hash, err);
    return code == BASE_OK ? respond(frame, s, k, blob + SOK_AT_Z, err) : code;
}

static base_code prove(struct prover *prover, const prover_statement *statement, base_buffer *ret_blob, base_error *err)
{
    (void)prover;
    base_code code = evidence_signature_check(&statement->signature, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(sok_frame_done) sok_frame frame = {0};
    code = sok_frame_init(&frame, err);
    if (code == BASE_OK)
        code = sok_frame_set_key(&frame, &statement->public_key, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(BN_clear_free) BIGNUM *s = BN_secure_new();
    if (s == NULL || BN_bin2bn(statement->signature.s, EVIDENCE_SCALAR_SIZE, s) == NULL)
        return sok_fail(err, BASE_NO_MEMORY, "no memory for a proof");
    BN_set_flags(s, BN_FLG_CONSTTIME);
    code = recover_r(&frame, statement, s, err);
    uint8_t blob[PROVER_SOK_BLOB_SIZE];
    if (code == BASE_OK)
        code = write_proof(&frame, &statement->hash, s, blob, err);
    return code == BASE_OK ? base_buffer_append(ret_blob, base_bytes_of(blob, sizeof(blob)), err) : code;
}

static void release(struct prover *prover)
{
    free(prover);
}

static const prover_driver driver = {.format = PROVER_SOK_FORMAT, .prove = prove, .free = release};

base_code prover_native_new(struct prover **ret, base_error *err)
{
    struct prover *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a prover");
    made->driver = &driver;
    *ret = made;
    return BASE_OK;
}
