#include "proven.h"

#include "base/hex.h"
#include "harness/wait.h"

#include <string.h>

static base_code prove(proven *made, base_bytes image, base_error *err)
{
    prover_statement *statement = &made->statement;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    BASE_CLEANUP(prover_free) struct prover *prover = NULL;
    evidence_witness_of(image, &statement->hash, &statement->witness);
    base_code code = evidence_private_key_generate(&key, err);
    if (code != BASE_OK)
        return code;
    statement->public_key = *evidence_private_key_public(key);
    code = evidence_sign(key, &statement->hash, &statement->signature, err);
    if (code == BASE_OK)
        code = prover_native_new(&prover, err);
    return code == BASE_OK ? prover_prove(prover, statement, &made->blob, err) : code;
}

proven proven_new(const harness_path *folder, const char *image)
{
    proven made = {.blob = {.limit = PROVER_BLOB_MAX}};
    base_bytes content = base_bytes_of(image, strlen(image));
    base_error err = {0};
    if (prove(&made, content, &err) != BASE_OK)
        harness_fail("%s", err.message);
    base_hex_encode(base_bytes_of(made.statement.hash.bytes, BASE_SHA256_SIZE), made.hash);
    made.public_key = evidence_public_key_hex(&made.statement.public_key);
    made.image = run_file(folder, made.hash, content);
    char name[16];
    snprintf(name, sizeof(name), "%.8s.psk", made.hash);
    made.proof = run_file(folder, name, base_buffer_view(&made.blob));
    return made;
}

void proven_done(proven *made)
{
    base_buffer_done(&made->blob);
}
