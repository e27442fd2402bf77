#pragma once
/* The base field of Pallas in Montgomery form, for hashing. Constant time. Curve arithmetic is libcrypto's, in curve.h. */
#include "mina/keys.h"

/* A 256-bit number as limbs, least significant first. */
typedef struct pallas_number {
    uint64_t limb[4];
} pallas_number;

/* An element in Montgomery form (times 2^256), always reduced. Zero is zero in both forms. */
typedef struct pallas_field {
    pallas_number montgomery;
} pallas_field;

/* `number` must be below 2^256 and is reduced. */
pallas_field pallas_field_of(pallas_number number);
pallas_number pallas_field_value(pallas_field element);
pallas_field pallas_field_add(pallas_field a, pallas_field b);
pallas_field pallas_field_multiply(pallas_field a, pallas_field b);

pallas_number pallas_number_read(const uint8_t bytes[static MINA_FIELD_SIZE]);
void pallas_number_write(pallas_number number, uint8_t ret[static MINA_FIELD_SIZE]);
bool pallas_number_less(pallas_number a, pallas_number b);

/* p, the modulus of this field, and q, the order of the group. */
extern const pallas_number PALLAS_P;
extern const pallas_number PALLAS_Q;
