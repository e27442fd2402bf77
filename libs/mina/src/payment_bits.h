#pragma once
/* What a payment signature covers: field elements, and a run of bits whose order Mina's protocol fixes. */
#include "field.h"

#include "mina/payment.h"

enum {
    PAYMENT_FIELDS = 3,
    PAYMENT_BITS_SIZE = 75, /* bytes that hold PAYMENT_BITS */
    PAYMENT_BITS = 599,
};

typedef struct payment_input {
    pallas_number fields[PAYMENT_FIELDS];
    uint8_t bits[PAYMENT_BITS_SIZE]; /* least significant first */
} payment_input;

payment_input payment_input_of(const mina_payment *payment);

/* Appends the lowest `count` bits of a little-endian number to a run of bits, least significant first. `bits` is zeroed by the
 * caller and large enough; *length counts bits. */
void bits_append(uint8_t *bits, size_t *length, const uint8_t *number, size_t count);

/* The number in bits [from, from + count) of a run of `length` bits; bits beyond its end are zero. count ≤ 254. */
pallas_number bits_chunk(const uint8_t *bits, size_t length, size_t from, size_t count);
