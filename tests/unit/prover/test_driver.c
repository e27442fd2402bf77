/* What all provers share: dispatch by format, cancelling, threads; and the null prover of the bench. */
#include "prover/driver.h"
#include "prover/null.h"
#include "prover/sok.h"
#include "statements.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_native_prover_makes_the_format_that_verify_knows(void **state)
{
    (void)state;
    BASE_CLEANUP(prover_free) struct prover *prover = NULL;
    assert_int_equal(prover_native_new(&prover, NULL), BASE_OK);
    assert_string_equal(prover_format(prover), "ecdsa-p256-sok-v1");
    prover_statement statement = random_statement(5);
    prover_claim claim = prover_statement_claim(&statement);
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
    assert_int_equal(prover_prove(prover, &statement, &blob, NULL), BASE_OK);
    assert_int_equal(prover_verify(prover_format(prover), &claim, base_buffer_view(&blob), NULL), BASE_OK);
    blob.data[blob.size - 1] ^= 1;
    assert_int_equal(prover_verify(prover_format(prover), &claim, base_buffer_view(&blob), NULL), BASE_INVALID);
}

static void an_unknown_format_is_not_found(void **state)
{
    (void)state;
    prover_claim claim = {0};
    base_error err = {0};
    const char *const unknown[] = {"", "ecdsa-p256-sok-v2", "ecdsa-p256-sok-v1 "};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(prover_verify(unknown[i], &claim, base_bytes_of("x", 1), &err), BASE_NOT_FOUND);
        assert_non_null(strstr(err.message, unknown[i]));
    }
}

static void a_proof_is_appended_or_the_buffer_left_as_it_was(void **state)
{
    (void)state;
    BASE_CLEANUP(prover_free) struct prover *prover = NULL;
    assert_int_equal(prover_native_new(&prover, NULL), BASE_OK);
    prover_statement statement = random_statement(5);
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_SOK_BLOB_SIZE + 1};
    assert_int_equal(base_buffer_append(&blob, base_bytes_of("ab", 2), NULL), BASE_OK);
    assert_int_equal(prover_prove(prover, &statement, &blob, NULL), BASE_LIMIT);
    assert_int_equal(blob.size, 2);
}

/* A driver that records what it was asked. */
typedef struct fake {
    struct prover base;
    size_t proven, cancelled, freed;
} fake;

static base_code fake_prove(struct prover *prover, const prover_statement *statement, base_buffer *ret_blob,
                            base_error *err)
{
    ((fake *)prover)->proven++;
    return base_buffer_append(ret_blob, base_bytes_of(statement->hash.bytes, 4), err);
}

static void fake_cancel(struct prover *prover)
{
    ((fake *)prover)->cancelled++;
}

static void fake_free(struct prover *prover)
{
    ((fake *)prover)->freed++;
}

static const prover_driver fake_driver = {"fake-v1", fake_prove, fake_cancel, fake_free};

static void a_cancelled_prover_proves_no_more(void **state)
{
    (void)state;
    fake driver = {.base = {.driver = &fake_driver}};
    prover_statement statement = random_statement(5);
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = 100};
    assert_int_equal(prover_prove(&driver.base, &statement, &blob, NULL), BASE_OK);
    prover_cancel(&driver.base);
    assert_int_equal(driver.cancelled, 1);
    assert_int_equal(prover_prove(&driver.base, &statement, &blob, NULL), BASE_CANCELLED);
    assert_int_equal(driver.proven, 1);
    assert_int_equal(blob.size, 4);
    prover_free(&driver.base);
    assert_int_equal(driver.freed, 1);
    prover_free(NULL);
}

static void no_driver_is_asked_to_prove_a_witness_that_does_not_end_in_the_hash(void **state)
{
    (void)state;
    fake driver = {.base = {.driver = &fake_driver}};
    prover_statement statement = random_statement(5);
    statement.witness.message_word ^= 1;
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = 100};
    assert_int_equal(prover_prove(&driver.base, &statement, &blob, NULL), BASE_INVALID);
    assert_int_equal(driver.proven, 0);
}

static void *prove_many(void *failures)
{
    BASE_CLEANUP(prover_free) struct prover *prover = NULL;
    if (prover_native_new(&prover, NULL) != BASE_OK)
        ++*(size_t *)failures;
    for (size_t i = 0; i < 30; i++) {
        prover_statement statement = random_statement(i);
        prover_claim claim = prover_statement_claim(&statement);
        BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
        if (prover_prove(prover, &statement, &blob, NULL) != BASE_OK ||
            prover_verify(PROVER_SOK_FORMAT, &claim, base_buffer_view(&blob), NULL) != BASE_OK)
            ++*(size_t *)failures;
    }
    return NULL;
}

static void threads_prove_side_by_side_each_with_its_own_prover(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t failures[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, prove_many, &failures[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

#ifdef PROOFLINE_BENCH
static void a_null_proof_has_the_size_asked_for_and_fits_its_hash_only(void **state)
{
    (void)state;
    const size_t sizes[] = {PROVER_NULL_BLOB_MIN, 600, 33000, PROVER_BLOB_MAX};
    prover_statement statement = random_statement(5), other = random_statement(6);
    prover_claim claim = prover_statement_claim(&statement), others = prover_statement_claim(&other);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        BASE_CLEANUP(prover_free) struct prover *prover = NULL;
        assert_int_equal(prover_null_new(sizes[i], &prover, NULL), BASE_OK);
        assert_string_equal(prover_format(prover), "null-v1");
        BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
        assert_int_equal(prover_prove(prover, &statement, &blob, NULL), BASE_OK);
        assert_int_equal(blob.size, sizes[i]);
        assert_int_equal(prover_verify("null-v1", &claim, base_buffer_view(&blob), NULL), BASE_OK);
        assert_int_equal(prover_verify("null-v1", &others, base_buffer_view(&blob), NULL), BASE_INVALID);
        blob.data[blob.size - 1] ^= 0x80;
        assert_int_equal(prover_verify("null-v1", &claim, base_buffer_view(&blob), NULL), BASE_INVALID);
    }
}

static void a_null_proof_of_an_impossible_size_is_refused(void **state)
{
    (void)state;
    const size_t sizes[] = {0, PROVER_NULL_BLOB_MIN - 1, PROVER_BLOB_MAX + 1};
    for (size_t i = 0; i < 3; i++) {
        struct prover *prover = NULL;
        assert_int_equal(prover_null_new(sizes[i], &prover, NULL), BASE_INVALID);
        assert_null(prover);
    }
    prover_claim claim = {0};
    assert_int_equal(prover_verify("null-v1", &claim, base_bytes_of(NULL, 0), NULL), BASE_INVALID);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_native_prover_makes_the_format_that_verify_knows),
        cmocka_unit_test(an_unknown_format_is_not_found),
        cmocka_unit_test(a_proof_is_appended_or_the_buffer_left_as_it_was),
        cmocka_unit_test(a_cancelled_prover_proves_no_more),
        cmocka_unit_test(no_driver_is_asked_to_prove_a_witness_that_does_not_end_in_the_hash),
        cmocka_unit_test(threads_prove_side_by_side_each_with_its_own_prover),
#ifdef PROOFLINE_BENCH
        cmocka_unit_test(a_null_proof_has_the_size_asked_for_and_fits_its_hash_only),
        cmocka_unit_test(a_null_proof_of_an_impossible_size_is_refused),
#endif
    };
    return cmocka_run_group_tests_name("prover_driver", tests, NULL, NULL);
}
