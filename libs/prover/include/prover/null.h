#pragma once
/* The prover that proves nothing, for measuring all the rest; only in builds with PROOFLINE_BENCH. */
#include "prover/prover.h"

#ifdef PROOFLINE_BENCH

#define PROVER_NULL_FORMAT   "null-v1"
#define PROVER_NULL_BLOB_MIN 32 /* bytes */

/* Makes blobs of `blob_size` bytes (PROVER_NULL_BLOB_MIN..PROVER_BLOB_MAX; else BASE_INVALID): the hash, then the ChaCha20 keystream
 * (nonce zero) under the hash as key, so that a blob fits its own submission only and no database compresses it. The caller owns *ret. */
BASE_MUST_CHECK base_code prover_null_new(size_t blob_size, struct prover **ret, base_error *err);

/* What prover_verify does for PROVER_NULL_FORMAT: the blob is the one made for claim->hash. Says nothing about the key. */
BASE_MUST_CHECK base_code prover_null_verify(const prover_claim *claim, base_bytes blob, base_error *err);

#endif
