#pragma once
/* Keys of image creators: making, reading and writing P-256 keys, and signing a hash with one. */
#include "base/secret.h"
#include "evidence/signature.h"

#define EVIDENCE_PEM_MAX 4096 /* bytes of one key in PEM */

/* A private key, held by libcrypto and wiped when freed. One thread at a time. */
typedef struct evidence_private_key evidence_private_key;

/* Makes a random key. The caller owns *ret. */
BASE_MUST_CHECK base_code evidence_private_key_generate(evidence_private_key **ret, base_error *err);

/* Reads PEM: unencrypted PKCS#8 (BEGIN PRIVATE KEY) or SEC 1 (BEGIN EC PRIVATE KEY), as `openssl genpkey` and
 * `openssl ecparam -genkey -noout` write. BASE_INVALID when it is no such key, is encrypted, or is not on P-256. The caller owns *ret
 * and wipes its own copy of `pem`. */
BASE_MUST_CHECK base_code evidence_private_key_from_pem(base_bytes pem, evidence_private_key **ret, base_error *err);

/* Writes unencrypted PKCS#8 PEM into locked memory; the caller releases *ret by base_secret_done. */
BASE_MUST_CHECK base_code evidence_private_key_to_pem(const evidence_private_key *key, base_secret *ret,
                                                      base_error *err);

/* The public half, borrowed from the key. */
const evidence_public_key *evidence_private_key_public(const evidence_private_key *key);

/* Signs the hash as it is, with a fresh nonce by libcrypto. */
BASE_MUST_CHECK base_code evidence_sign(const evidence_private_key *key, const base_sha256 *hash,
                                        evidence_signature *ret, base_error *err);

/* Wipes and releases; NULL is a no-op. */
void evidence_private_key_free(evidence_private_key *key);
BASE_CLEANUP_POINTER(evidence_private_key, evidence_private_key_free);

/* Reads a public key in hex: x ‖ y (128 characters), SEC 1 uncompressed (130, first 04) or compressed (66, first 02 or 03).
 * Either case, no spaces. BASE_INVALID also when it is no point of P-256. */
BASE_MUST_CHECK base_code evidence_public_key_from_hex(base_bytes text, evidence_public_key *ret, base_error *err);

/* Reads PEM (BEGIN PUBLIC KEY). BASE_INVALID as for private keys. */
BASE_MUST_CHECK base_code evidence_public_key_from_pem(base_bytes pem, evidence_public_key *ret, base_error *err);

/* Reads whichever of the two `text` is; white space around it is skipped. */
BASE_MUST_CHECK base_code evidence_public_key_parse(base_bytes text, evidence_public_key *ret, base_error *err);

/* Appends the key as PEM (SubjectPublicKeyInfo, BEGIN PUBLIC KEY). */
BASE_MUST_CHECK base_code evidence_public_key_to_pem(const evidence_public_key *key, base_buffer *ret, base_error *err);

typedef struct evidence_public_key_text {
    char text[2 * 2 * EVIDENCE_SCALAR_SIZE + 1];
} evidence_public_key_text;

/* x ‖ y in lower-case hex, by value. */
evidence_public_key_text evidence_public_key_hex(const evidence_public_key *key);
