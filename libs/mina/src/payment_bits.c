#include "payment_bits.h"

enum { TOKEN_MINA = 1, LOCKED = 0, TAG_BITS = 3 };

void bits_append(uint8_t *bits, size_t *length, const uint8_t *number, size_t count)
{
    for (size_t i = 0; i < count; i++, (*length)++) {
        unsigned bit = number[i / 8] >> (i % 8) & 1;
        bits[*length / 8] |= (uint8_t)(bit << (*length % 8));
    }
}

pallas_number bits_chunk(const uint8_t *bits, size_t length, size_t from, size_t count)
{
    pallas_number chunk = {{0}};
    for (size_t i = 0; i < count && from + i < length; i++) {
        uint64_t bit = bits[(from + i) / 8] >> ((from + i) % 8) & 1;
        chunk.limb[i / 64] |= bit << (i % 64);
    }
    return chunk;
}

static void append_number(payment_input *input, size_t *length, uint64_t number, size_t count)
{
    uint8_t bytes[sizeof(number)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    bits_append(input->bits, length, bytes, count);
}

payment_input payment_input_of(const mina_payment *payment)
{
    pallas_number from = pallas_number_read(payment->from.x);
    payment_input input = {.fields = {from, from, pallas_number_read(payment->to.x)}};
    size_t length = 0;
    append_number(&input, &length, payment->fee, 64);
    append_number(&input, &length, TOKEN_MINA, 64); /* the fee's token */
    append_number(&input, &length, payment->from.is_odd, 1);
    append_number(&input, &length, payment->nonce, 32);
    append_number(&input, &length, payment->valid_until, 32);
    bits_append(input.bits, &length, payment->memo.bytes, 8 * (size_t)MINA_MEMO_SIZE);
    append_number(&input, &length, 0, TAG_BITS); /* a payment, not a delegation */
    append_number(&input, &length, payment->from.is_odd, 1);
    append_number(&input, &length, payment->to.is_odd, 1);
    append_number(&input, &length, TOKEN_MINA, 64); /* the amount's token */
    append_number(&input, &length, payment->amount, 64);
    append_number(&input, &length, LOCKED, 1);
    return input;
}
