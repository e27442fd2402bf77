/* The witness of SHA-256's last round, against authenticity-zkapp's vectors and libcrypto's SHA-256. */
#include "evidence/witness.h"
#include "vectors.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void equals_all_vectors(void **state)
{
    (void)state;
    BASE_CLEANUP(free) vector *vectors = NULL;
    size_t count = vectors_load(&vectors);
    for (size_t i = 0; i < count; i++) {
        BASE_CLEANUP(free) uint8_t *image = vector_image(vectors[i].length);
        base_sha256 hash;
        evidence_witness witness;
        evidence_witness_of(base_bytes_of(image, vectors[i].length), &hash, &witness);
        assert_memory_equal(hash.bytes, vectors[i].hash.bytes, sizeof(hash.bytes));
        assert_memory_equal(&witness, &vectors[i].witness, sizeof(witness));
        assert_int_equal(evidence_witness_check(&vectors[i].witness, &vectors[i].hash, NULL), BASE_OK);
    }
}

static void equals_libcrypto_however_the_bytes_are_cut(void **state)
{
    (void)state;
    enum { ROUNDS = 400, LONGEST = 2000 };
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t image[LONGEST];
        uint16_t cuts[2];
        assert_int_equal(RAND_bytes(image, sizeof(image)), 1);
        assert_int_equal(RAND_bytes((uint8_t *)cuts, sizeof(cuts)), 1);
        size_t size = round < 200 ? round : cuts[0] % LONGEST;
        evidence_hasher hasher;
        evidence_hasher_init(&hasher);
        for (size_t at = 0; at < size;) {
            size_t part = 1 + (at * 31 + cuts[1]) % 150;
            if (part > size - at)
                part = size - at;
            evidence_hasher_update(&hasher, base_bytes_of(image + at, part));
            evidence_hasher_update(&hasher, base_bytes_of(NULL, 0));
            at += part;
        }
        base_sha256 hash;
        evidence_witness witness;
        evidence_hasher_finish(&hasher, &hash, &witness);
        uint8_t expected[32];
        assert_int_equal(EVP_Digest(image, size, expected, NULL, EVP_sha256(), NULL), 1);
        assert_memory_equal(hash.bytes, expected, sizeof(expected));
        assert_int_equal(evidence_witness_check(&witness, &hash, NULL), BASE_OK);
    }
}

static void a_file_of_many_chunks_is_hashed_whole(void **state)
{
    (void)state;
    enum { SIZE = 3 * 1000 * 1000 + 17 };
    BASE_CLEANUP(free) uint8_t *image = vector_image(SIZE);
    char path[] = "/tmp/proofline-witness-XXXXXX";
    BASE_CLEANUP(base_close) int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, image, SIZE), SIZE);
    base_sha256 hash, expected;
    evidence_witness witness, in_memory;
    base_error err = {0};
    base_code code = evidence_witness_file(path, &hash, &witness, &err);
    unlink(path);
    assert_int_equal(code, BASE_OK);
    evidence_witness_of(base_bytes_of(image, SIZE), &expected, &in_memory);
    assert_memory_equal(&hash, &expected, sizeof(hash));
    assert_memory_equal(&witness, &in_memory, sizeof(witness));
    assert_int_equal(EVP_Digest(image, SIZE, expected.bytes, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(&hash, &expected, sizeof(hash));
}

static void a_pipe_that_yields_few_bytes_at_a_time_is_hashed_whole(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    char path[32];
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    base_sha256 hash, expected;
    evidence_witness witness;
    assert_int_equal(evidence_witness_file(path, &hash, &witness, NULL), BASE_OK);
    close(ends[0]);
    assert_int_equal(EVP_Digest("abc", 3, expected.bytes, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(&hash, &expected, sizeof(hash));
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    base_sha256 hash;
    evidence_witness witness;
    base_error err = {0};
    assert_int_equal(evidence_witness_file("/nonexistent/image.jpg", &hash, &witness, &err), BASE_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/image.jpg"));
    assert_int_equal(evidence_witness_file("/", &hash, &witness, &err), BASE_INTERNAL);
}

static void every_flipped_bit_of_a_witness_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(free) vector *vectors = NULL;
    assert_true(vectors_load(&vectors) > 0);
    for (size_t bit = 0; bit < EVIDENCE_WITNESS_SIZE * 8; bit++) {
        evidence_witness witness = vectors[0].witness;
        ((uint8_t *)&witness)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        base_error err = {0};
        assert_int_equal(evidence_witness_check(&witness, &vectors[0].hash, &err), BASE_INVALID);
        bool constant = witness.round_constant != vectors[0].witness.round_constant;
        assert_non_null(strstr(err.message, constant ? "round constant" : "does not end in the hash"));
    }
}

static void every_flipped_bit_of_the_hash_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(free) vector *vectors = NULL;
    assert_true(vectors_load(&vectors) > 3);
    for (size_t bit = 0; bit < sizeof(base_sha256) * 8; bit++) {
        base_sha256 hash = vectors[3].hash;
        hash.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(evidence_witness_check(&vectors[3].witness, &hash, NULL), BASE_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_all_vectors),
        cmocka_unit_test(equals_libcrypto_however_the_bytes_are_cut),
        cmocka_unit_test(a_file_of_many_chunks_is_hashed_whole),
        cmocka_unit_test(a_pipe_that_yields_few_bytes_at_a_time_is_hashed_whole),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(every_flipped_bit_of_a_witness_is_refused),
        cmocka_unit_test(every_flipped_bit_of_the_hash_is_refused),
    };
    return cmocka_run_group_tests_name("evidence_witness", tests, NULL, NULL);
}
