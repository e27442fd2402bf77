#include "sha256.h"

#include <string.h>

enum { ROUNDS = 64 };

const uint32_t evidence_sha256_initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* FIPS 180-4, 4.2.2. */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, SHA256_LAST_CONSTANT};

static inline uint32_t rotate_right(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static inline uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void one_round(uint32_t v[8], uint32_t message_word, uint32_t round_constant)
{
    uint32_t a = v[0], e = v[4];
    uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    uint32_t choice = (e & v[5]) ^ (~e & v[6]);
    uint32_t t1 = v[7] + sum1 + choice + round_constant + message_word;
    uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
    uint32_t d = v[3];
    v[7] = v[6];
    v[6] = v[5];
    v[5] = e;
    v[4] = d + t1;
    v[3] = v[2];
    v[2] = v[1];
    v[1] = a;
    v[0] = t1 + sum0 + majority;
}

void evidence_sha256_round(uint32_t state[8], uint32_t message_word, uint32_t round_constant)
{
    one_round(state, message_word, round_constant);
}

static void expand(const uint8_t block[64], uint32_t schedule[ROUNDS])
{
    for (size_t i = 0; i < 16; i++)
        schedule[i] = load_be32(block + 4 * i);
    for (size_t i = 16; i < ROUNDS; i++) {
        uint32_t x = schedule[i - 15], y = schedule[i - 2];
        uint32_t sigma0 = rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
        uint32_t sigma1 = rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10;
        schedule[i] = sigma1 + schedule[i - 7] + sigma0 + schedule[i - 16];
    }
}

void evidence_sha256_compress(uint32_t chain[8], const uint8_t block[64], evidence_witness *last)
{
    uint32_t schedule[ROUNDS];
    expand(block, schedule);
    uint32_t v[8];
    memcpy(v, chain, sizeof(v));
    for (size_t i = 0; i < ROUNDS - 1; i++)
        one_round(v, schedule[i], constants[i]);
    memcpy(last->state, v, sizeof(v));
    memcpy(last->initial_state, chain, sizeof(v));
    last->message_word = schedule[ROUNDS - 1];
    last->round_constant = SHA256_LAST_CONSTANT;
    one_round(v, last->message_word, last->round_constant);
    for (size_t i = 0; i < 8; i++)
        chain[i] += v[i];
}
