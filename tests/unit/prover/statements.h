#pragma once
/* Submissions to prove: the known answers of tests/fixtures/prover and random ones. */
#include "prover/prover.h"
#include "prover/sok.h"

typedef struct known_answer {
    prover_statement statement;
    uint8_t proof[PROVER_SOK_BLOB_SIZE]; /* made by tests/interop/sok.py */
} known_answer;

/* Reads them all or fails the test. The caller frees *ret. */
size_t known_answers_load(known_answer **ret);

/* A random image of `size` bytes signed by a new key. */
prover_statement random_statement(size_t size);

/* A witness that ends in `hash`, whatever it is. */
evidence_witness witness_ending_in(const base_sha256 *hash);
