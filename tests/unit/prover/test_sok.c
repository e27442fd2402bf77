/* ecdsa-p256-sok-v1: known answers of another implementation, and every way in which a proof can be wrong. */
#include "base/hex.h"
#include "evidence/key.h"
#include "prover/sok.h"
#include "statements.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { AT_HASH = 4, AT_KEY = 36, AT_R = 69, AT_T = 102, AT_Z = 135, SIZE = PROVER_SOK_BLOB_SIZE };

static const char ORDER[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char G_X[] = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
static const char G_Y[] = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

typedef struct proven {
    prover_claim claim;
    uint8_t blob[SIZE];
} proven;

static base_code try_prove(const prover_statement *statement, base_buffer *blob, base_error *err)
{
    BASE_CLEANUP(prover_free) struct prover *prover = NULL;
    assert_int_equal(prover_native_new(&prover, NULL), BASE_OK);
    return prover_prove(prover, statement, blob, err);
}

static proven prove(const prover_statement *statement)
{
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
    assert_int_equal(try_prove(statement, &blob, NULL), BASE_OK);
    assert_int_equal(blob.size, SIZE);
    proven result = {.claim = prover_statement_claim(statement)};
    memcpy(result.blob, blob.data, SIZE);
    return result;
}

static base_code verify(const proven *proof)
{
    return prover_sok_verify(&proof->claim, base_bytes_of(proof->blob, SIZE), NULL);
}

static void refuses(const proven *proof, const char *reason)
{
    base_error err = {0};
    assert_int_equal(prover_sok_verify(&proof->claim, base_bytes_of(proof->blob, SIZE), &err), BASE_INVALID);
    assert_non_null(strstr(err.message, reason));
    assert_int_equal(ERR_peek_error(), 0);
}

static void put_hex(const char *hex, uint8_t *ret)
{
    assert_int_equal(base_hex_decode("number", hex, ret, 32, NULL), BASE_OK);
}

static void known_answers_verify_and_can_be_proven(void **state)
{
    (void)state;
    BASE_CLEANUP(free) known_answer *answers = NULL;
    size_t count = known_answers_load(&answers);
    for (size_t i = 0; i < count; i++) {
        proven known = {.claim = prover_statement_claim(&answers[i].statement)};
        memcpy(known.blob, answers[i].proof, SIZE);
        assert_int_equal(verify(&known), BASE_OK);
        proven own = prove(&answers[i].statement);
        assert_int_equal(verify(&own), BASE_OK);
        /* the same signature shows the same R, and all before it */
        assert_memory_equal(own.blob, known.blob, AT_T);
    }
}

static void random_submissions_prove_and_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        prover_statement statement = random_statement(i);
        proven proof = prove(&statement);
        assert_int_equal(verify(&proof), BASE_OK);
    }
}

static void both_forms_of_s_can_be_proven(void **state)
{
    (void)state;
    prover_statement statement = random_statement(99);
    proven first = prove(&statement);
    BIGNUM *n = NULL;
    BN_hex2bn(&n, ORDER);
    BIGNUM *s = BN_bin2bn(statement.signature.s, 32, NULL);
    assert_int_equal(BN_sub(s, n, s), 1);
    assert_int_equal(BN_bn2binpad(s, statement.signature.s, 32), 32);
    BN_free(s);
    BN_free(n);
    proven second = prove(&statement);
    assert_int_equal(verify(&second), BASE_OK);
    /* n - s belongs to -R: same x, other sign */
    assert_int_equal(first.blob[AT_R] ^ second.blob[AT_R], 1);
    assert_memory_equal(first.blob + AT_R + 1, second.blob + AT_R + 1, 32);
}

static void every_flipped_bit_of_a_proof_is_refused(void **state)
{
    (void)state;
    prover_statement statement = random_statement(1000);
    proven good = prove(&statement);
    for (size_t bit = 0; bit < SIZE * 8; bit++) {
        proven bad = good;
        bad.blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(verify(&bad), BASE_INVALID);
    }
}

static void another_hash_or_key_is_refused(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10), other = random_statement(11);
    proven hash = prove(&statement);
    proven key = hash;
    hash.claim.hash = other.hash;
    refuses(&hash, "another hash");
    key.claim.public_key = other.public_key;
    refuses(&key, "another public key");
    /* and when the blob is made to say so too, the equation fails */
    memcpy(hash.blob + AT_HASH, other.hash.bytes, 32);
    refuses(&hash, "does not hold");
    proven others = prove(&other);
    memcpy(key.blob + AT_KEY, others.blob + AT_KEY, 33);
    refuses(&key, "does not hold");
}

static void parts_of_two_proofs_do_not_mix(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10);
    proven first = prove(&statement), second = prove(&statement);
    proven mixed = first;
    memcpy(mixed.blob + AT_Z, second.blob + AT_Z, 32);
    refuses(&mixed, "does not hold");
    mixed = first;
    memcpy(mixed.blob + AT_T, second.blob + AT_T, 33);
    refuses(&mixed, "does not hold");
}

/* A nonce used twice would give s away: s = (z1 - z2) / (c1 - c2); so would z that is s itself. */
static void two_proofs_of_one_signature_share_neither_nonce_nor_response(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10);
    proven first = prove(&statement), second = prove(&statement);
    assert_memory_equal(first.blob, second.blob, AT_T);
    assert_memory_not_equal(first.blob + AT_T + 1, second.blob + AT_T + 1, 32);
    assert_memory_not_equal(first.blob + AT_Z, second.blob + AT_Z, 32);
    for (size_t at = 0; at + 32 <= SIZE; at++)
        assert_memory_not_equal(first.blob + at, statement.signature.s, 32);
}

static void every_other_length_is_refused(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10);
    proven good = prove(&statement);
    uint8_t longer[SIZE + 1] = {0};
    memcpy(longer, good.blob, SIZE);
    for (size_t size = 0; size <= sizeof(longer); size++) {
        if (size == SIZE)
            continue;
        BASE_CLEANUP(free) uint8_t *exact = malloc(size + (size == 0)); /* the sanitizer sees a read beyond it */
        memcpy(exact, longer, size);
        assert_int_equal(prover_sok_verify(&good.claim, base_bytes_of(exact, size), NULL), BASE_INVALID);
    }
    assert_int_equal(prover_sok_verify(&good.claim, base_bytes_of(NULL, 0), NULL), BASE_INVALID);
}

static void numbers_written_in_another_way_are_refused(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10);
    proven good = prove(&statement);
    proven bad = good;
    put_hex(ORDER, bad.blob + AT_Z);
    refuses(&bad, "z is zero or not below");
    memset(bad.blob + AT_Z, 0, 32);
    refuses(&bad, "z is zero or not below");
    for (unsigned first = 0; first < 256; first++) {
        if (first == 2 || first == 3)
            continue;
        bad = good;
        bad.blob[AT_T] = (uint8_t)first;
        refuses(&bad, "T is not a point");
        bad = good;
        bad.blob[AT_R] = (uint8_t)first;
        refuses(&bad, "R is not a point");
    }
    /* x = p + 5, where x = 5 is on the curve */
    bad = good;
    put_hex("ffffffff00000001000000000000000000000001000000000000000000000004", bad.blob + AT_T + 1);
    refuses(&bad, "T is not a point");
    memset(bad.blob + AT_T + 1, 0, 32);
    bad.blob[SIZE - 33] = 5;
    refuses(&bad, "does not hold");
}

/* With Q at infinity anybody could answer: T = z·R. Here P = R = T = G, z = 1 and h = n - x(G). */
static void a_statement_whose_q_is_infinity_is_refused(void **state)
{
    (void)state;
    proven forged = {.blob = {'P', 'S', 'K', 1}};
    put_hex(G_X, forged.claim.public_key.x);
    put_hex(G_Y, forged.claim.public_key.y);
    BIGNUM *n = NULL, *x = NULL;
    BN_hex2bn(&n, ORDER);
    BN_hex2bn(&x, G_X);
    assert_int_equal(BN_sub(x, n, x), 1);
    assert_int_equal(BN_bn2binpad(x, forged.claim.hash.bytes, 32), 32);
    BN_free(n);
    BN_free(x);
    memcpy(forged.blob + AT_HASH, forged.claim.hash.bytes, 32);
    for (size_t at = AT_KEY; at < AT_Z; at += 33) {
        forged.blob[at] = 3;
        put_hex(G_X, forged.blob + at + 1);
    }
    forged.blob[SIZE - 1] = 1;
    refuses(&forged, "infinity");

    prover_statement statement = {.hash = forged.claim.hash, .public_key = forged.claim.public_key};
    statement.witness = witness_ending_in(&statement.hash);
    put_hex(G_X, statement.signature.r);
    statement.signature.s[31] = 1;
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
    base_error err = {0};
    assert_int_equal(try_prove(&statement, &blob, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "infinity"));
}

static void an_r_of_zero_is_refused(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10);
    proven bad = prove(&statement);
    memset(bad.blob + AT_R + 1, 0, 32); /* x = 0 is on the curve */
    refuses(&bad, "x = 0");
}

static void random_blobs_are_refused(void **state)
{
    (void)state;
    prover_statement statement = random_statement(10);
    proven good = prove(&statement);
    for (size_t i = 0; i < 2000; i++) {
        proven bad = good;
        /* ever less of it is good, so that each check is reached */
        size_t keep = i % SIZE;
        assert_int_equal(RAND_bytes(bad.blob + keep, (int)(SIZE - keep)), 1);
        if (memcmp(bad.blob, good.blob, SIZE) != 0)
            assert_int_equal(verify(&bad), BASE_INVALID);
    }
}

static void a_wrong_signature_is_not_proven(void **state)
{
    (void)state;
    prover_statement good = random_statement(10);
    const char *const owner = "not made by the owner";
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
    base_error err = {0};
    prover_statement bad = good;
    bad.signature.r[31] ^= 1;
    assert_int_equal(try_prove(&bad, &blob, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, owner));
    bad = good;
    bad.signature.s[0] ^= 0x40;
    assert_int_equal(try_prove(&bad, &blob, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, owner));
    bad = good;
    memset(bad.signature.s, 0, 32);
    assert_int_equal(try_prove(&bad, &blob, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "s is zero"));
    bad = good;
    bad.public_key.y[31] ^= 1;
    assert_int_equal(try_prove(&bad, &blob, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "not a point"));
    bad = good;
    bad.witness.state[3] ^= 1;
    assert_int_equal(try_prove(&bad, &blob, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "witness"));
    assert_int_equal(blob.size, 0);
}

#ifdef PYTHON3
static int run_script(const proven *proof)
{
    char key[2 * 64 + 1], x[65], y[65], blob[2 * SIZE + 1];
    snprintf(key, sizeof(key), "%s", evidence_public_key_hex(&proof->claim.public_key).text);
    snprintf(x, sizeof(x), "%.64s", key);
    snprintf(y, sizeof(y), "%.64s", key + 64);
    base_hex_encode(base_bytes_of(proof->blob, SIZE), blob);
    base_hex32 hash = base_sha256_hex(&proof->claim.hash);
    char python[] = PYTHON3, script[] = SOK_SCRIPT, command[] = "verify";
    char *arguments[] = {python, script, command, hash.text, x, y, blob, NULL};
    pid_t child = 0;
    assert_int_equal(posix_spawn(&child, python, NULL, NULL, arguments, environ), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void another_implementation_agrees_on_our_proofs(void **state)
{
    (void)state;
    prover_statement statement = random_statement(500);
    proven proof = prove(&statement);
    assert_int_equal(run_script(&proof), 0);
    proof.blob[SIZE - 1] ^= 1;
    assert_int_equal(run_script(&proof), 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_verify_and_can_be_proven),
        cmocka_unit_test(random_submissions_prove_and_verify),
        cmocka_unit_test(both_forms_of_s_can_be_proven),
        cmocka_unit_test(every_flipped_bit_of_a_proof_is_refused),
        cmocka_unit_test(another_hash_or_key_is_refused),
        cmocka_unit_test(parts_of_two_proofs_do_not_mix),
        cmocka_unit_test(two_proofs_of_one_signature_share_neither_nonce_nor_response),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(numbers_written_in_another_way_are_refused),
        cmocka_unit_test(a_statement_whose_q_is_infinity_is_refused),
        cmocka_unit_test(an_r_of_zero_is_refused),
        cmocka_unit_test(random_blobs_are_refused),
        cmocka_unit_test(a_wrong_signature_is_not_proven),
#ifdef PYTHON3
        cmocka_unit_test(another_implementation_agrees_on_our_proofs),
#endif
    };
    return cmocka_run_group_tests_name("prover_sok", tests, NULL, NULL);
}
