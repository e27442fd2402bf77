#pragma once
/* An image with its proof, made as the generator makes one. */
#include "run.h"

#include "evidence/key.h"
#include "prover/sok.h"

typedef struct proven {
    harness_path image, proof; /* files */
    prover_statement statement;
    base_buffer blob; /* owned: proven_done */
    char hash[2 * BASE_SHA256_SIZE + 1];
    evidence_public_key_text public_key;
} proven;

/* Under a key of its own. */
proven proven_new(const harness_path *folder, const char *image);
void proven_done(proven *made);
BASE_CLEANUP_VALUE(proven, proven_done);
