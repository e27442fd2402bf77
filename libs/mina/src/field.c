#include "field.h"

typedef unsigned __int128 wide;

const pallas_number PALLAS_P = {{0x992d30ed00000001, 0x224698fc094cf91b, 0, 0x4000000000000000}};
const pallas_number PALLAS_Q = {{0x8c46eb2100000001, 0x224698fc0994a8dd, 0, 0x4000000000000000}};

#define NEGATIVE_INVERSE 0x992d30ecffffffff /* −1/p mod 2^64 */
static const pallas_number R_SQUARED = {
    {0x8c78ecb30000000f, 0xd7d30dbd8b0de0e7, 0x7797a99bc3c95d18, 0x096d41af7b9cb714}}; /* 2^512 mod p */

/* a − b; *borrow is 1 when that is negative. */
static pallas_number subtract(pallas_number a, pallas_number b, uint64_t *borrow)
{
    pallas_number difference;
    *borrow = 0;
    for (int i = 0; i < 4; i++) {
        wide step = (wide)a.limb[i] - b.limb[i] - *borrow;
        difference.limb[i] = (uint64_t)step;
        *borrow = (uint64_t)(step >> 64) & 1;
    }
    return difference;
}

/* a below 2p becomes a mod p, without a branch. */
static pallas_number reduce_once(pallas_number a)
{
    uint64_t borrow;
    pallas_number difference = subtract(a, PALLAS_P, &borrow);
    uint64_t keep = 0 - borrow;
    for (int i = 0; i < 4; i++)
        a.limb[i] = (a.limb[i] & keep) | (difference.limb[i] & ~keep);
    return a;
}

/* a·b / 2^256 mod p, one limb of b at a time (coarsely integrated operand scanning; Koç, Acar, Kaliski 1996). The top of p is
 * 2^62, so the running sum never outgrows five limbs and ends below 2p for a·b < p·2^256. */
static pallas_number multiply(pallas_number a, pallas_number b)
{
    uint64_t sum[6] = {0};
    for (int i = 0; i < 4; i++) {
        wide carry = 0;
        for (int j = 0; j < 4; j++) {
            carry += (wide)a.limb[j] * b.limb[i] + sum[j];
            sum[j] = (uint64_t)carry;
            carry >>= 64;
        }
        carry += sum[4];
        sum[4] = (uint64_t)carry;
        sum[5] = (uint64_t)(carry >> 64);

        uint64_t factor = sum[0] * NEGATIVE_INVERSE;
        carry = ((wide)factor * PALLAS_P.limb[0] + sum[0]) >> 64;
        for (int j = 1; j < 4; j++) {
            carry += (wide)factor * PALLAS_P.limb[j] + sum[j];
            sum[j - 1] = (uint64_t)carry;
            carry >>= 64;
        }
        carry += sum[4];
        sum[3] = (uint64_t)carry;
        sum[4] = sum[5] + (uint64_t)(carry >> 64);
    }
    return reduce_once((pallas_number){{sum[0], sum[1], sum[2], sum[3]}});
}

pallas_field pallas_field_of(pallas_number number)
{
    return (pallas_field){multiply(number, R_SQUARED)};
}

pallas_number pallas_field_value(pallas_field element)
{
    return multiply(element.montgomery, (pallas_number){{1, 0, 0, 0}});
}

pallas_field pallas_field_add(pallas_field a, pallas_field b)
{
    pallas_number sum;
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        wide step = (wide)a.montgomery.limb[i] + b.montgomery.limb[i] + carry;
        sum.limb[i] = (uint64_t)step;
        carry = (uint64_t)(step >> 64);
    }
    return (pallas_field){reduce_once(sum)};
}

pallas_field pallas_field_multiply(pallas_field a, pallas_field b)
{
    return (pallas_field){multiply(a.montgomery, b.montgomery)};
}

pallas_number pallas_number_read(const uint8_t bytes[static MINA_FIELD_SIZE])
{
    pallas_number number = {{0}};
    for (int i = 0; i < MINA_FIELD_SIZE; i++)
        number.limb[i / 8] |= (uint64_t)bytes[i] << (8 * (i % 8));
    return number;
}

void pallas_number_write(pallas_number number, uint8_t ret[static MINA_FIELD_SIZE])
{
    for (int i = 0; i < MINA_FIELD_SIZE; i++)
        ret[i] = (uint8_t)(number.limb[i / 8] >> (8 * (i % 8)));
}

bool pallas_number_less(pallas_number a, pallas_number b)
{
    uint64_t borrow;
    subtract(a, b, &borrow);
    return borrow == 1;
}
