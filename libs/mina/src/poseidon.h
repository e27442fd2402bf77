#pragma once
/* Mina's legacy Poseidon sponge (the hash under its payment signatures): width 3, rate 2, x⁵, 63 full rounds. For public data. */
#include "field.h"

#include "mina/payment.h"

enum { POSEIDON_WIDTH = 3, POSEIDON_RATE = 2, POSEIDON_ROUNDS = 63 };

/* Hashes `count` field elements for a signature on `network`: its prefix is absorbed first, as one padded block. */
pallas_number poseidon_hash(mina_network network, const pallas_number *elements, size_t count);

extern const pallas_number POSEIDON_MDS[POSEIDON_WIDTH][POSEIDON_WIDTH];
extern const pallas_number POSEIDON_ROUND_CONSTANTS[POSEIDON_ROUNDS + 1][POSEIDON_WIDTH];
