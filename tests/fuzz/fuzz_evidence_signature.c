/* Bytes as key, hash and signature: ECDSA's own check and the making of a proof, which recovers the point R instead, take the same ones,
 * and what is proven verifies. Also a good signature with one bit changed. */
#include "evidence/key.h"
#include "fuzz.h"
#include "prover/driver.h"
#include "prover/sok.h"

/* Made for this test; it signs nothing else. */
static const char KEY[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6aINT7wkZc20FkVP\n"
                          "NUCAgPMaB1o3h8H70Jx+jzG0LfShRANCAAQNmjTLYrvTemLzjowcElLs9mqLXN4g\n"
                          "Zv07USGxPoEj+Ie7oh6KTCzqxRcuVbOBgznU8I87Bb5tWpLG4bdUTvPL\n"
                          "-----END PRIVATE KEY-----\n";

static struct prover *prover;
static evidence_private_key *key;

/* Both live as long as the process. */
__attribute__((constructor)) static void make_keys(void)
{
    FUZZ_CHECK(prover_native_new(&prover, NULL) == BASE_OK);
    FUZZ_CHECK(evidence_private_key_from_pem(base_bytes_of(KEY, sizeof(KEY) - 1), &key, NULL) == BASE_OK);
}

/* Both ways; true when the signature is good. The witness is checked elsewhere, so the driver is asked directly. */
static bool check_both(const prover_statement *statement)
{
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
    base_error err = {0};
    base_code verified =
        evidence_signature_verify(&statement->public_key, &statement->hash, &statement->signature, &err);
    FUZZ_CHECK_ANSWER(verified, err);
    base_code proven = prover->driver->prove(prover, statement, &blob, &err);
    FUZZ_CHECK_ANSWER(proven, err);
    FUZZ_CHECK(verified == proven);
    if (proven != BASE_OK) {
        FUZZ_CHECK(blob.size == 0);
        return false;
    }
    prover_claim claim = prover_statement_claim(statement);
    FUZZ_CHECK(blob.size == PROVER_SOK_BLOB_SIZE);
    FUZZ_CHECK(prover_verify(PROVER_SOK_FORMAT, &claim, base_buffer_view(&blob), &err) == BASE_OK);
    FUZZ_CHECK(memmem(blob.data, blob.size, statement->signature.s, EVIDENCE_SCALAR_SIZE) == NULL);
    return true;
}

/* The last 72 bytes as a witness: the one of an image is good for its hash, any other only by its last round. */
static void check_witness(base_bytes image)
{
    prover_statement statement = {0};
    base_error err = {0};
    evidence_witness_of(image, &statement.hash, &statement.witness);
    FUZZ_CHECK(evidence_witness_check(&statement.witness, &statement.hash, &err) == BASE_OK);
    evidence_witness changed = statement.witness;
    uint8_t *bytes = (uint8_t *)&changed;
    bytes[image.size % sizeof(changed)] ^= (uint8_t)(1U << (image.size % 8));
    base_code code = evidence_witness_check(&changed, &statement.hash, &err);
    FUZZ_CHECK(code == BASE_INVALID);
    FUZZ_CHECK_WHY(code, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    prover_statement statement = {0};
    fuzz_fill(&input, &statement.public_key, sizeof(statement.public_key));
    fuzz_fill(&input, &statement.hash, sizeof(statement.hash));
    fuzz_fill(&input, &statement.signature, sizeof(statement.signature));
    (void)check_both(&statement);

    statement.public_key = *evidence_private_key_public(key);
    FUZZ_CHECK(evidence_sign(key, &statement.hash, &statement.signature, NULL) == BASE_OK);
    FUZZ_CHECK(check_both(&statement));
    uint8_t *signature = (uint8_t *)&statement.signature;
    uint64_t bit = fuzz_number(&input, 2) % (8 * sizeof(statement.signature));
    signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
    FUZZ_CHECK(!check_both(&statement));
    check_witness(base_bytes_of(data, size));
    return 0;
}
