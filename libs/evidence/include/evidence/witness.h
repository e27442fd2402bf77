#pragma once
/* SHA-256 of an image together with what went into its last round, so that a circuit need not see the image. */
#include "base/bytes.h"

/* The inputs of the last (64th) round of the compression of the last block: working variables a..h before that round, chaining
 * value before that block, schedule word W[63], and K[63], which is always 0xc67178f2. The hash follows from these (FIPS 180-4,
 * 6.2.2, steps 3 and 4). 72 bytes. */
#define EVIDENCE_WITNESS_SIZE 72
typedef struct evidence_witness {
    uint32_t state[8];
    uint32_t initial_state[8];
    uint32_t message_word;
    uint32_t round_constant;
} evidence_witness;

/* A SHA-256 under way; plain value, nothing to release. Takes up to 2^61 - 1 bytes, which no file exceeds. */
typedef struct evidence_hasher {
    uint32_t chain[8];
    uint64_t size; /* bytes taken so far */
    uint8_t block[64];
    evidence_witness last;
} evidence_hasher;

void evidence_hasher_init(evidence_hasher *hasher);
void evidence_hasher_update(evidence_hasher *hasher, base_bytes data);
/* Ends the hash; the hasher must be initialised before it is used again. */
void evidence_hasher_finish(evidence_hasher *hasher, base_sha256 *ret_hash, evidence_witness *ret_witness);

/* All three in one for bytes in memory. */
void evidence_witness_of(base_bytes image, base_sha256 *ret_hash, evidence_witness *ret_witness);
/* The same for a file or pipe of any size, read in pieces; blocks on it. BASE_NOT_FOUND, BASE_DENIED and BASE_INTERNAL name the path. */
BASE_MUST_CHECK base_code evidence_witness_file(const char *path, base_sha256 *ret_hash, evidence_witness *ret_witness,
                                                base_error *err);

/* Does the last round again and compares. BASE_INVALID with a reason of constant wording: the round constant is not K[63], or the
 * round does not end in `hash`. Checks this one round only: that the states came from a real image rests on the signature
 * over `hash`. Any thread. */
BASE_MUST_CHECK base_code evidence_witness_check(const evidence_witness *witness, const base_sha256 *hash,
                                                 base_error *err);
