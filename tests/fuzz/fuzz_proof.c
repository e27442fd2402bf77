/* Bytes as claim and proof: none is accepted but those of tests/fixtures/prover. Whoever gets another one past the verifier has forged a
 * proof, or found a second form of one. */
#include "evidence/key.h"
#include "fuzz.h"
#include "prover/sok.h"

#include "base/hex.h"

#include <jansson.h>

enum { ANSWERS_MAX = 16 };

typedef struct answer {
    prover_claim claim;
    uint8_t proof[PROVER_SOK_BLOB_SIZE];
} answer;

static answer answers[ANSWERS_MAX];
static size_t answer_count;

static void read_hex(const json_t *object, const char *key, uint8_t *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    FUZZ_CHECK(text != NULL && base_hex_decode(key, text, ret, size, NULL) == BASE_OK);
}

__attribute__((constructor)) static void load_answers(void)
{
    json_t *root = json_load_file(FIXTURES_DIR "/prover/ecdsa-p256-sok-v1.json", 0, NULL);
    const json_t *vectors = json_object_get(root, "vectors");
    answer_count = json_array_size(vectors);
    FUZZ_CHECK(answer_count > 0 && answer_count <= ANSWERS_MAX);
    for (size_t i = 0; i < answer_count; i++) {
        const json_t *vector = json_array_get(vectors, i);
        const json_t *key = json_object_get(vector, "public_key");
        read_hex(vector, "sha256", answers[i].claim.hash.bytes, BASE_SHA256_SIZE);
        read_hex(vector, "proof", answers[i].proof, PROVER_SOK_BLOB_SIZE);
        read_hex(key, "x", answers[i].claim.public_key.x, EVIDENCE_SCALAR_SIZE);
        read_hex(key, "y", answers[i].claim.public_key.y, EVIDENCE_SCALAR_SIZE);
    }
    json_decref(root);
}

static bool is_known(const prover_claim *claim, base_bytes proof)
{
    for (size_t i = 0; i < answer_count; i++)
        if (memcmp(claim, &answers[i].claim, sizeof(*claim)) == 0 &&
            base_bytes_equal(proof, base_bytes_of(answers[i].proof, PROVER_SOK_BLOB_SIZE)))
            return true;
    return false;
}

static void check(const prover_claim *claim, base_bytes proof)
{
    base_error err = {0};
    base_code code = prover_verify(PROVER_SOK_FORMAT, claim, proof, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK((code == BASE_OK) == is_known(claim, proof));
}

/* A good proof with one bit changed, or under the claim of another. */
static void check_changed(base_bytes input)
{
    size_t at = fuzz_number(&input, 1) % answer_count;
    uint64_t bit = fuzz_number(&input, 2) % (8 * PROVER_SOK_BLOB_SIZE);
    uint8_t proof[PROVER_SOK_BLOB_SIZE];
    memcpy(proof, answers[at].proof, sizeof(proof));
    check(&answers[(at + 1) % answer_count].claim, base_bytes_of(proof, sizeof(proof)));
    check(&answers[at].claim, base_bytes_of(proof, sizeof(proof) - 1));
    proof[bit / 8] ^= (uint8_t)(1U << bit % 8);
    check(&answers[at].claim, base_bytes_of(proof, sizeof(proof)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    BASE_CLEANUP(free) char *format = fuzz_text(input);
    base_error err = {0};
    if (strcmp(format, PROVER_SOK_FORMAT) != 0) {
        base_code code = prover_verify(format, &answers[0].claim, input, &err);
        FUZZ_CHECK(code == BASE_NOT_FOUND);
        FUZZ_CHECK_WHY(code, err);
    }
    check_changed(input);
    prover_claim claim;
    fuzz_fill(&input, &claim, sizeof(claim));
    check(&claim, input);
    for (size_t i = 0; i < answer_count; i++) /* the proof that was changed may have been about any of them */
        check(&answers[i].claim, input);
    return 0;
}
