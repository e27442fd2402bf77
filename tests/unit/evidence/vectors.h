#pragma once
/* The vectors of tests/fixtures/witness/witness.json, made by authenticity-zkapp. */
#include "evidence/signature.h"
#include "evidence/witness.h"

typedef struct vector {
    size_t length; /* of the image */
    base_sha256 hash;
    evidence_witness witness;
    evidence_public_key public_key;
    evidence_signature signature;
} vector;

/* Reads them all or fails the test. The caller frees *ret. */
size_t vectors_load(vector **ret);

/* The image of a vector: byte i is (131 i + 7 n + 17 (i >> 8)) mod 256. The caller frees it; one byte more than `length` is allocated. */
uint8_t *vector_image(size_t length);
