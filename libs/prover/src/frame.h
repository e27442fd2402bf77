#pragma once
/* The values of one ecdsa-p256-sok-v1 proof while it is made or checked, and the steps that both sides share. */
#include "prover/sok.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

enum { SOK_POINT_SIZE = 33, SOK_SCALAR_SIZE = 32 };

BASE_CLEANUP_POINTER(BIGNUM, BN_clear_free);
BASE_CLEANUP_POINTER(EC_POINT, EC_POINT_free);

/* Names as in prover/sok.h. Owns all but the group, which is shared by all threads and never changed. */
typedef struct sok_frame {
    const EC_GROUP *group;
    BN_CTX *bn;
    EC_POINT *P, *R, *Q, *T;
    BIGNUM *h, *r, *c;
} sok_frame;

BASE_MUST_CHECK base_code sok_frame_init(sok_frame *frame, base_error *err);
void sok_frame_done(sok_frame *frame);
BASE_CLEANUP_VALUE(sok_frame, sok_frame_done);

/* Like base_fail, and empties libcrypto's error queue of this thread. BASE_NO_MEMORY when that is what libcrypto ran into: it
 * often tells something else, "not a point" say, so set errno to 0 before a call whose failure is to be a verdict on what was given. */
base_code sok_fail(base_error *err, base_code code, const char *message);

/* Sets P from the claim's key. */
BASE_MUST_CHECK base_code sok_frame_set_key(sok_frame *frame, const evidence_public_key *key, base_error *err);
/* Sets h from the hash, and Q from h, r and P. BASE_INVALID when Q is infinity. */
BASE_MUST_CHECK base_code sok_frame_set_q(sok_frame *frame, const base_sha256 *hash, base_error *err);
/* x(R) mod n. */
BASE_MUST_CHECK base_code sok_frame_x_of_r(const sok_frame *frame, BIGNUM *ret, base_error *err);
/* Sets c from everything else. BASE_INVALID when it is zero. */
BASE_MUST_CHECK base_code sok_frame_set_challenge(sok_frame *frame, const base_sha256 *hash, base_error *err);
/* Writes a point compressed. */
BASE_MUST_CHECK base_code sok_frame_encode(const sok_frame *frame, const EC_POINT *point, uint8_t ret[SOK_POINT_SIZE],
                                           base_error *err);
