#include "statements.h"

#include "base/hex.h"
#include "evidence/key.h"

#include <jansson.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { IMAGE_MAX = 4096 };

static void read_hex(const json_t *object, const char *name, uint8_t *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    assert_int_equal(base_hex_decode(name, text, ret, size, NULL), BASE_OK);
}

static void read_answer(const json_t *json, known_answer *ret)
{
    prover_statement *statement = &ret->statement;
    read_hex(json, "sha256", statement->hash.bytes, sizeof(statement->hash.bytes));
    const json_t *key = json_object_get(json, "public_key");
    read_hex(key, "x", statement->public_key.x, sizeof(statement->public_key.x));
    read_hex(key, "y", statement->public_key.y, sizeof(statement->public_key.y));
    const json_t *signature = json_object_get(json, "signature");
    read_hex(signature, "r", statement->signature.r, sizeof(statement->signature.r));
    read_hex(signature, "s", statement->signature.s, sizeof(statement->signature.s));
    statement->witness = witness_ending_in(&statement->hash);
    read_hex(json, "proof", ret->proof, sizeof(ret->proof));
}

size_t known_answers_load(known_answer **ret)
{
    json_error_t problem;
    json_t *file = json_load_file(FIXTURES_DIR "/prover/ecdsa-p256-sok-v1.json", 0, &problem);
    assert_non_null(file);
    assert_string_equal(json_string_value(json_object_get(file, "format")), PROVER_SOK_FORMAT);
    const json_t *list = json_object_get(file, "vectors");
    size_t count = json_array_size(list);
    assert_int_equal(count, 6);
    *ret = calloc(count, sizeof(**ret));
    assert_non_null(*ret);
    for (size_t i = 0; i < count; i++)
        read_answer(json_array_get(list, i), &(*ret)[i]);
    json_decref(file);
    return count;
}

prover_statement random_statement(size_t size)
{
    uint8_t image[IMAGE_MAX];
    assert_true(size <= sizeof(image));
    assert_int_equal(RAND_bytes(image, sizeof(image)), 1);
    prover_statement statement;
    evidence_witness_of(base_bytes_of(image, size), &statement.hash, &statement.witness);
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    assert_int_equal(evidence_private_key_generate(&key, NULL), BASE_OK);
    assert_int_equal(evidence_sign(key, &statement.hash, &statement.signature, NULL), BASE_OK);
    statement.public_key = *evidence_private_key_public(key);
    return statement;
}

static uint32_t word_at(const base_sha256 *hash, size_t i)
{
    const uint8_t *b = hash->bytes + 4 * i;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

evidence_witness witness_ending_in(const base_sha256 *hash)
{
    base_sha256 other;
    evidence_witness witness;
    evidence_witness_of(base_bytes_of("abc", 3), &other, &witness);
    for (size_t i = 0; i < 8; i++)
        witness.initial_state[i] += word_at(hash, i) - word_at(&other, i);
    return witness;
}
