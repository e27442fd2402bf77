#pragma once
/* What the sources that use libcrypto's EVP share: owned locals, points to keys and back, one way to fail. */
#include "evidence/signature.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

BASE_CLEANUP_POINTER(EVP_PKEY, EVP_PKEY_free);
BASE_CLEANUP_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
BASE_CLEANUP_POINTER(ECDSA_SIG, ECDSA_SIG_free);
BASE_CLEANUP_POINTER(BIGNUM, BN_clear_free);
BASE_CLEANUP_POINTER(BIO, BIO_free_all);

enum { PKEY_POINT_SIZE = 1 + 2 * EVIDENCE_SCALAR_SIZE, PKEY_COMPRESSED_SIZE = 1 + EVIDENCE_SCALAR_SIZE };

/* Like base_fail, and empties libcrypto's error queue of this thread: a TLS library in the same thread would take what is left there for
 * its own failure. BASE_NO_MEMORY instead of `code` when that is what libcrypto ran into: it often tells something else,
 * "not a point" say, so set errno to 0 before a call whose failure is to be a verdict on what was given. */
base_code evidence_pkey_fail(base_error *err, base_code code, const char *message);

/* A public EVP key from SEC 1 octets, 65 uncompressed or 33 compressed. BASE_INVALID when it is no point of P-256. */
BASE_MUST_CHECK base_code evidence_pkey_from_octets(const uint8_t *octets, size_t size, EVP_PKEY **ret,
                                                    base_error *err);
BASE_MUST_CHECK base_code evidence_pkey_from_point(const evidence_public_key *key, EVP_PKEY **ret, base_error *err);

/* The public point of an EC key. BASE_INVALID when the key is not on P-256. */
BASE_MUST_CHECK base_code evidence_pkey_to_point(const EVP_PKEY *pkey, evidence_public_key *ret, base_error *err);
