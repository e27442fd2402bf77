/* Evidence is judged before any proving. */
#include "evidence/key.h"
#include "judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char IMAGE[] = "not a photograph, but bytes all the same";

/* A message whose evidence holds, signed by a fresh key. */
static wire_generate_proof signed_message(bool inline_image)
{
    base_error err = {0};
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    assert_int_equal(evidence_private_key_generate(&key, &err), BASE_OK);
    wire_generate_proof message = {.has_image = inline_image, .image = base_bytes_of(IMAGE, sizeof(IMAGE))};
    evidence_witness witness;
    evidence_witness_of(message.image, &message.sha256, &witness);
    memcpy(message.final_round.state, witness.state, sizeof(witness.state));
    memcpy(message.final_round.initial_state, witness.initial_state, sizeof(witness.initial_state));
    message.final_round.message_word = witness.message_word;
    message.final_round.round_constant = witness.round_constant;
    evidence_signature signature;
    assert_int_equal(evidence_sign(key, &message.sha256, &signature, &err), BASE_OK);
    memcpy(message.signature_r, signature.r, sizeof(signature.r));
    memcpy(message.signature_s, signature.s, sizeof(signature.s));
    memcpy(message.public_key_x, evidence_private_key_public(key)->x, sizeof(message.public_key_x));
    memcpy(message.public_key_y, evidence_private_key_public(key)->y, sizeof(message.public_key_y));
    return message;
}

static base_code judge(const wire_generate_proof *message, const evidence_signers *signers, const char **ret_code)
{
    base_error err = {0};
    prover_statement statement = judge_statement(message);
    return judge_evidence(&statement, signers, ret_code, &err);
}

static void sound_evidence_passes_with_witness_or_image(void **state)
{
    (void)state;
    const char *code = NULL;
    wire_generate_proof with_witness = signed_message(false);
    wire_generate_proof with_image = signed_message(true);
    assert_int_equal(judge(&with_witness, NULL, &code), BASE_OK);
    assert_int_equal(judge(&with_image, NULL, &code), BASE_OK);
}

static void a_wrong_signature_is_named(void **state)
{
    (void)state;
    const char *code = NULL;
    wire_generate_proof message = signed_message(false);
    message.signature_s[31] ^= 1;
    assert_int_equal(judge(&message, NULL, &code), BASE_INVALID);
    assert_string_equal(code, "invalid_signature");
}

static void a_witness_or_image_of_another_hash_is_named(void **state)
{
    (void)state;
    const char *code = NULL;
    wire_generate_proof message = signed_message(false);
    message.final_round.state[3] ^= 1;
    assert_int_equal(judge(&message, NULL, &code), BASE_INVALID);
    assert_string_equal(code, "hash_mismatch");

    message = signed_message(true);
    message.image = base_bytes_of("other", 5);
    assert_int_equal(judge(&message, NULL, &code), BASE_INVALID);
    assert_string_equal(code, "hash_mismatch");
}

static void a_signer_who_is_not_listed_is_named(void **state)
{
    (void)state;
    const char *code = NULL;
    wire_generate_proof message = signed_message(false), other = signed_message(false);
    prover_statement statement = judge_statement(&other);
    evidence_signers signers = {.keys = &statement.public_key, .count = 1};
    assert_int_equal(judge(&message, &signers, &code), BASE_INVALID);
    assert_string_equal(code, "signer_not_allowed");
    assert_int_equal(judge(&other, &signers, &code), BASE_OK);
}

/* What is kept to send a job again has no image in it, and proves the same. */
static void a_job_with_its_image_is_kept_without_it(void **state)
{
    (void)state;
    const char *code = NULL;
    base_error err = {0};
    const wire_generate_proof message = signed_message(true);
    const prover_statement statement = judge_statement(&message);
    BASE_CLEANUP(base_buffer_done) base_buffer kept = {.limit = WIRE_MESSAGE_MAX};
    assert_int_equal(judge_without_image(&message, &statement, &kept, &err), BASE_OK);
    assert_null(memmem(kept.data, kept.size, IMAGE, sizeof(IMAGE)));
    wire_generate_proof again;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    assert_int_equal(wire_generate_proof_decode(base_buffer_view(&kept), &again, &owner, &err), BASE_OK);
    assert_false(again.has_image);
    assert_null(owner);
    assert_memory_equal(again.sha256.bytes, message.sha256.bytes, BASE_SHA256_SIZE);
    assert_int_equal(judge(&again, NULL, &code), BASE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_evidence_passes_with_witness_or_image),
        cmocka_unit_test(a_wrong_signature_is_named),
        cmocka_unit_test(a_witness_or_image_of_another_hash_is_named),
        cmocka_unit_test(a_signer_who_is_not_listed_is_named),
        cmocka_unit_test(a_job_with_its_image_is_kept_without_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
