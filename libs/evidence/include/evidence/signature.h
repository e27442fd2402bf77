#pragma once
/* ECDSA on P-256 over the SHA-256 of an image (FIPS 186-5, 6.4; SEC 1, 4.1), computed by libcrypto. */
#include "base/bytes.h"

#define EVIDENCE_SCALAR_SIZE 32

/* Affine coordinates, big-endian. */
typedef struct evidence_public_key {
    uint8_t x[EVIDENCE_SCALAR_SIZE];
    uint8_t y[EVIDENCE_SCALAR_SIZE];
} evidence_public_key;

/* Big-endian. Both s and n - s are valid for the same r, and both are accepted: the predecessor's signers make either, and a
 * submission is named by its hash, so a second form of its signature makes no second submission. */
typedef struct evidence_signature {
    uint8_t r[EVIDENCE_SCALAR_SIZE];
    uint8_t s[EVIDENCE_SCALAR_SIZE];
} evidence_signature;

/* All functions: any thread, no I/O, under 0.1 ms. BASE_INVALID means that the input is bad for ever, and *err says in which
 * way; BASE_INTERNAL and BASE_NO_MEMORY come from libcrypto and say nothing about the input. */

/* r and s are in [1, n - 1], n the order of P-256. */
BASE_MUST_CHECK base_code evidence_signature_check(const evidence_signature *signature, base_error *err);

/* Checks the signature as above, and that the key is a point of P-256 with both coordinates below p (the point at infinity has no such
 * form), then verifies. `hash` is what was signed: it is not hashed again. */
BASE_MUST_CHECK base_code evidence_signature_verify(const evidence_public_key *key, const base_sha256 *hash,
                                                    const evidence_signature *signature, base_error *err);
