#pragma once
/* Decides before any proving whether a submission's evidence holds. */
#include "evidence/signers.h"
#include "prover/prover.h"
#include "wire/messages.h"

/* The statement to prove, from a decoded message; an inline image is hashed here. */
prover_statement judge_statement(const wire_generate_proof *message);

/* Encodes the message again with the statement's witness in place of its inline image: what the sweeper may publish again must
 * be small. */
BASE_MUST_CHECK base_code judge_without_image(const wire_generate_proof *message, const prover_statement *statement,
                                              base_buffer *ret, base_error *err);

/* BASE_OK: the witness ends in the hash, the signature is the key's, and the signer is allowed. BASE_INVALID: no retry can mend it; *ret_code is the
 * reason's stable name (static storage). Any thread. */
BASE_MUST_CHECK base_code judge_evidence(const prover_statement *statement, const evidence_signers *signers,
                                         const char **ret_code, base_error *err);
