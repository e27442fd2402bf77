#include "judge.h"

#include <string.h>

static evidence_witness witness_of(const wire_final_round *round)
{
    evidence_witness witness = {.message_word = round->message_word, .round_constant = round->round_constant};
    memcpy(witness.state, round->state, sizeof(witness.state));
    memcpy(witness.initial_state, round->initial_state, sizeof(witness.initial_state));
    return witness;
}

prover_statement judge_statement(const wire_generate_proof *message)
{
    prover_statement statement = {.hash = message->sha256};
    if (message->has_image) {
        base_sha256 computed; /* compared with the message's hash by judge_evidence: the witness ends in it */
        evidence_witness_of(message->image, &computed, &statement.witness);
    } else {
        statement.witness = witness_of(&message->final_round);
    }
    memcpy(statement.public_key.x, message->public_key_x, sizeof(statement.public_key.x));
    memcpy(statement.public_key.y, message->public_key_y, sizeof(statement.public_key.y));
    memcpy(statement.signature.r, message->signature_r, sizeof(statement.signature.r));
    memcpy(statement.signature.s, message->signature_s, sizeof(statement.signature.s));
    return statement;
}

base_code judge_without_image(const wire_generate_proof *message, const prover_statement *statement, base_buffer *ret,
                              base_error *err)
{
    const evidence_witness *witness = &statement->witness;
    wire_generate_proof small = *message;
    small.has_image = false;
    memcpy(small.final_round.state, witness->state, sizeof(witness->state));
    memcpy(small.final_round.initial_state, witness->initial_state, sizeof(witness->initial_state));
    small.final_round.message_word = witness->message_word;
    small.final_round.round_constant = witness->round_constant;
    return wire_generate_proof_encode(&small, ret, err);
}

base_code judge_evidence(const prover_statement *statement, const evidence_signers *signers, const char **ret_code,
                         base_error *err)
{
    *ret_code = "signer_not_allowed";
    base_code code = evidence_signers_allow(signers, &statement->public_key, err);
    if (code != BASE_OK)
        return code;
    *ret_code = "hash_mismatch";
    code = evidence_witness_check(&statement->witness, &statement->hash, err);
    if (code != BASE_OK)
        return code;
    *ret_code = "invalid_signature";
    return evidence_signature_verify(&statement->public_key, &statement->hash, &statement->signature, err);
}
