#pragma once
/* The SHA-256 compression function in the open (FIPS 180-4, 6.2), as libcrypto does not show the state before the last round. */
#include "evidence/witness.h"

#define SHA256_LAST_CONSTANT 0xc67178f2U /* K[63] */

/* FIPS 180-4, 5.3.3. */
extern const uint32_t evidence_sha256_initial[8];

/* One round on the working variables a..h. */
void evidence_sha256_round(uint32_t state[8], uint32_t message_word, uint32_t round_constant);

/* Compresses one block into `chain` and leaves the inputs of its last round in *last. */
void evidence_sha256_compress(uint32_t chain[8], const uint8_t block[64], evidence_witness *last);
