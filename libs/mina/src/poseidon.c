#include "poseidon.h"

#include <pthread.h>
#include <string.h>

typedef struct sponge {
    pallas_field state[POSEIDON_WIDTH];
} sponge;

/* The tables in Montgomery form, and the sponges that have absorbed each network's prefix. Written once. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pallas_field mds[POSEIDON_WIDTH][POSEIDON_WIDTH];
static pallas_field round_constants[POSEIDON_ROUNDS + 1][POSEIDON_WIDTH];
static sponge prefixed[2];

static const char *const PREFIXES[] = {
    [MINA_MAINNET] = "MinaSignatureMainnet",
    [MINA_DEVNET] = "CodaSignature*******",
};

static pallas_field fifth_power(pallas_field x)
{
    pallas_field square = pallas_field_multiply(x, x);
    return pallas_field_multiply(pallas_field_multiply(square, square), x);
}

static void add_constants(sponge *s, int round)
{
    for (int i = 0; i < POSEIDON_WIDTH; i++)
        s->state[i] = pallas_field_add(s->state[i], round_constants[round][i]);
}

static void mix(sponge *s)
{
    sponge mixed;
    for (int i = 0; i < POSEIDON_WIDTH; i++) {
        mixed.state[i] = pallas_field_multiply(mds[i][0], s->state[0]);
        for (int j = 1; j < POSEIDON_WIDTH; j++)
            mixed.state[i] = pallas_field_add(mixed.state[i], pallas_field_multiply(mds[i][j], s->state[j]));
    }
    *s = mixed;
}

static void permute(sponge *s)
{
    add_constants(s, 0);
    for (int round = 1; round <= POSEIDON_ROUNDS; round++) {
        for (int i = 0; i < POSEIDON_WIDTH; i++)
            s->state[i] = fifth_power(s->state[i]);
        mix(s);
        add_constants(s, round);
    }
}

static void absorb(sponge *s, const pallas_number *elements, size_t count)
{
    for (size_t i = 0; i < count; i += POSEIDON_RATE) {
        for (size_t j = 0; j < POSEIDON_RATE && i + j < count; j++)
            s->state[j] = pallas_field_add(s->state[j], pallas_field_of(elements[i + j]));
        permute(s);
    }
}

static void prepare(void)
{
    for (int i = 0; i < POSEIDON_WIDTH; i++) {
        for (int j = 0; j < POSEIDON_WIDTH; j++)
            mds[i][j] = pallas_field_of(POSEIDON_MDS[i][j]);
        for (int round = 0; round <= POSEIDON_ROUNDS; round++)
            round_constants[round][i] = pallas_field_of(POSEIDON_ROUND_CONSTANTS[round][i]);
    }
    for (size_t network = 0; network < 2; network++) {
        uint8_t bytes[MINA_FIELD_SIZE] = {0};
        memcpy(bytes, PREFIXES[network], strlen(PREFIXES[network]));
        pallas_number prefix = pallas_number_read(bytes);
        absorb(&prefixed[network], &prefix, 1);
    }
}

pallas_number poseidon_hash(mina_network network, const pallas_number *elements, size_t count)
{
    pthread_once(&once, prepare);
    sponge s = prefixed[network];
    absorb(&s, elements, count);
    return pallas_field_value(s.state[0]);
}
