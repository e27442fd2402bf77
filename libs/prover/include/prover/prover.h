#pragma once
/* Makes a proof of authenticity from a submission, by whichever driver was constructed, and checks such proofs by their format. */
#include "evidence/signature.h"
#include "evidence/witness.h"

#define PROVER_BLOB_MAX   1048576 /* bytes of one proof; the circuit's has 33 KB */
#define PROVER_FORMAT_MAX 64      /* characters of a format's name */

/* What everyone may know about a proof: it says that whoever made it held a signature over `hash` that verifies under `public_key`. */
typedef struct prover_claim {
    base_sha256 hash;
    evidence_public_key public_key;
} prover_claim;

/* What a proof is made from. Holds the signature, which the proof hides: do not log it, and drop it after proving. */
typedef struct prover_statement {
    base_sha256 hash;
    evidence_witness witness;
    evidence_public_key public_key;
    evidence_signature signature;
} prover_statement;

prover_claim prover_statement_claim(const prover_statement *statement);

/* One prover serves one worker thread; several may exist at once. Only prover_cancel may be called from other threads.
 * No typedef, so that a variable can be called prover. */
struct prover;

/* Name of the format that this prover makes, such as "ecdsa-p256-sok-v1"; static storage. */
const char *prover_format(const struct prover *prover);

/* Appends the proof of `statement` to *ret_blob (limit: PROVER_BLOB_MAX is always enough), which is unchanged on failure.
 * Blocks for as long as the driver needs: about 0.15 ms natively (as does checking), minutes for a circuit.
 * BASE_INVALID: no proof of this statement exists (permanent). BASE_TRANSIENT: the driver failed this time (counted).
 * BASE_CANCELLED: after prover_cancel. BASE_LIMIT, BASE_NO_MEMORY, BASE_INTERNAL. */
BASE_MUST_CHECK base_code prover_prove(struct prover *prover, const prover_statement *statement, base_buffer *ret_blob,
                                       base_error *err);

/* Makes the prove call under way, and every later one, end early with BASE_CANCELLED. Any thread, never blocks. A driver that is done
 * in milliseconds finishes the call under way instead. */
void prover_cancel(struct prover *prover);

/* After the last prove call has returned. NULL is a no-op. */
void prover_free(struct prover *prover);
BASE_CLEANUP_POINTER(struct prover, prover_free);

/* Checks `blob` against `claim`. Any thread; needs no prover. BASE_OK: it proves the claim. BASE_INVALID: it does not, and *err says
 * why. BASE_NOT_FOUND: nobody here knows `format`. Callers that act on a proof also decide which formats they accept. */
BASE_MUST_CHECK base_code prover_verify(const char *format, const prover_claim *claim, base_bytes blob,
                                        base_error *err);
