#pragma once
/* The group of Pallas, by libcrypto. Thread-safe; the group is built once. BASE_INTERNAL and BASE_NO_MEMORY come from libcrypto. */
#include "mina/keys.h"

/* An affine point, little-endian. */
typedef struct curve_point {
    uint8_t x[MINA_FIELD_SIZE];
    uint8_t y[MINA_FIELD_SIZE];
} curve_point;

/* scalar·G, in constant time; 0 < scalar < q. */
BASE_MUST_CHECK base_code curve_multiply_base(const uint8_t scalar[static MINA_FIELD_SIZE], curve_point *ret,
                                              base_error *err);

/* s·G − e·P, for public values. BASE_INVALID when that is the point at infinity. */
BASE_MUST_CHECK base_code curve_combine(const uint8_t s[static MINA_FIELD_SIZE],
                                        const uint8_t e[static MINA_FIELD_SIZE], const curve_point *p, curve_point *ret,
                                        base_error *err);

/* The whole point; BASE_INVALID when x is not on the curve. */
BASE_MUST_CHECK base_code curve_decompress(const mina_public_key *key, curve_point *ret, base_error *err);
mina_public_key curve_compress(const curve_point *point);

/* k + e·secret mod q, in constant time; negate_k takes −k instead. */
BASE_MUST_CHECK base_code curve_respond(const uint8_t k[static MINA_FIELD_SIZE], bool negate_k,
                                        const uint8_t e[static MINA_FIELD_SIZE],
                                        const uint8_t secret[static MINA_FIELD_SIZE],
                                        uint8_t ret[static MINA_FIELD_SIZE], base_error *err);
