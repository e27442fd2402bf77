/* ECDSA verification: authenticity-zkapp's vectors and every kind of bad input with its reason. */
#include "evidence/signature.h"
#include "vectors.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char ORDER[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char PRIME[] = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

static void set_number(const char *hex, int64_t add, uint8_t ret[32])
{
    BIGNUM *number = NULL;
    assert_int_equal(BN_hex2bn(&number, hex), 64);
    assert_int_equal(add < 0 ? BN_sub_word(number, (BN_ULONG)-add) : BN_add_word(number, (BN_ULONG)add), 1);
    assert_int_equal(BN_bn2binpad(number, ret, 32), 32);
    BN_free(number);
}

static void refuses(const vector *v, const char *reason)
{
    base_error err = {0};
    assert_int_equal(evidence_signature_verify(&v->public_key, &v->hash, &v->signature, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, reason));
    /* nothing left for a TLS library in this thread to trip over */
    assert_int_equal(ERR_peek_error(), 0);
}

static vector first_vector(void)
{
    BASE_CLEANUP(free) vector *vectors = NULL;
    assert_true(vectors_load(&vectors) > 0);
    return vectors[0];
}

static void all_vectors_verify(void **state)
{
    (void)state;
    BASE_CLEANUP(free) vector *vectors = NULL;
    size_t count = vectors_load(&vectors);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            evidence_signature_verify(&vectors[i].public_key, &vectors[i].hash, &vectors[i].signature, NULL), BASE_OK);
}

static void both_forms_of_s_verify(void **state)
{
    (void)state;
    vector v = first_vector();
    BIGNUM *n = NULL;
    BN_hex2bn(&n, ORDER);
    BIGNUM *s = BN_bin2bn(v.signature.s, 32, NULL);
    assert_int_equal(BN_sub(s, n, s), 1);
    assert_int_equal(BN_bn2binpad(s, v.signature.s, 32), 32);
    BN_free(s);
    BN_free(n);
    assert_int_equal(evidence_signature_verify(&v.public_key, &v.hash, &v.signature, NULL), BASE_OK);
}

static void another_hash_key_or_signature_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(free) vector *vectors = NULL;
    size_t count = vectors_load(&vectors);
    for (size_t i = 1; i < count; i++) {
        vector hash = vectors[0], key = vectors[0], signature = vectors[0];
        hash.hash = vectors[i].hash;
        refuses(&hash, "was not made by the owner");
        key.public_key = vectors[i].public_key;
        refuses(&key, "was not made by the owner");
        signature.signature = vectors[i].signature;
        refuses(&signature, "was not made by the owner");
    }
}

static void every_flipped_bit_of_a_signature_is_refused(void **state)
{
    (void)state;
    vector good = first_vector();
    for (size_t bit = 0; bit < sizeof(evidence_signature) * 8; bit++) {
        vector v = good;
        ((uint8_t *)&v.signature)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(evidence_signature_verify(&v.public_key, &v.hash, &v.signature, NULL), BASE_INVALID);
    }
}

static void scalars_outside_one_to_n_minus_one_are_refused(void **state)
{
    (void)state;
    vector good = first_vector();
    vector v = good;
    memset(v.signature.r, 0, 32);
    refuses(&v, "r is zero");
    v = good;
    memset(v.signature.s, 0, 32);
    refuses(&v, "s is zero");
    v = good;
    set_number(ORDER, 0, v.signature.r);
    refuses(&v, "r is not below the order");
    v = good;
    memset(v.signature.s, 0xff, 32);
    refuses(&v, "s is not below the order");
    set_number(ORDER, -1, v.signature.s);
    assert_int_equal(evidence_signature_check(&v.signature, NULL), BASE_OK);
}

static void keys_that_are_no_points_are_refused(void **state)
{
    (void)state;
    vector good = first_vector();
    vector v = good;
    v.public_key.y[31] ^= 1;
    refuses(&v, "not a point of P-256");
    memset(&v.public_key, 0, sizeof(v.public_key));
    refuses(&v, "not a point of P-256");
    v = good;
    memset(v.public_key.x, 0xff, 32);
    refuses(&v, "not a point of P-256");
}

static void coordinates_above_the_prime_are_refused(void **state)
{
    (void)state;
    /* x = 5 is on the curve; x = p + 5 names the same point in another way and must not */
    vector v = first_vector();
    set_number("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc", 0, v.public_key.y);
    memset(v.public_key.x, 0, 32);
    v.public_key.x[31] = 5;
    refuses(&v, "was not made by the owner");
    set_number(PRIME, 5, v.public_key.x);
    refuses(&v, "not a point of P-256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_vectors_verify),
        cmocka_unit_test(both_forms_of_s_verify),
        cmocka_unit_test(another_hash_key_or_signature_is_refused),
        cmocka_unit_test(every_flipped_bit_of_a_signature_is_refused),
        cmocka_unit_test(scalars_outside_one_to_n_minus_one_are_refused),
        cmocka_unit_test(keys_that_are_no_points_are_refused),
        cmocka_unit_test(coordinates_above_the_prime_are_refused),
    };
    return cmocka_run_group_tests_name("evidence_signature", tests, NULL, NULL);
}
