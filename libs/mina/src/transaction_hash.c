#include "mina/base58.h"
#include "mina/payment.h"

#include <sodium.h>
#include <string.h>

enum { HASH_SIZE = 32, LENGTH_PREFIX = 0x20, KEY_SIZE = MINA_FIELD_SIZE + 1, ENCODED_MAX = 256 };

/* A payment in OCaml's bin_prot encoding (github.com/janestreet/bin_prot), which is what Mina's nodes hash. */
typedef struct encoding {
    uint8_t bytes[ENCODED_MAX];
    size_t size;
} encoding;

static void put(encoding *out, const uint8_t *data, size_t size)
{
    memcpy(out->bytes + out->size, data, size);
    out->size += size;
}

static void put_little_endian(encoding *out, uint8_t tag, uint64_t number, size_t size)
{
    out->bytes[out->size++] = tag;
    for (size_t i = 0; i < size; i++)
        out->bytes[out->size++] = (uint8_t)(number >> (8 * i));
}

/* The shortest form of a signed integer; unsigned ones with the top bit set go as the negative number of the same bits. */
static void put_integer(encoding *out, int64_t number)
{
    if (number >= 0 && number < 0x80)
        out->bytes[out->size++] = (uint8_t)number;
    else if (number >= INT8_MIN && number < 0)
        put_little_endian(out, 0xff, (uint64_t)number, 1);
    else if (number >= INT16_MIN && number <= INT16_MAX)
        put_little_endian(out, 0xfe, (uint64_t)number, 2);
    else if (number >= INT32_MIN && number <= INT32_MAX)
        put_little_endian(out, 0xfd, (uint64_t)number, 4);
    else
        put_little_endian(out, 0xfc, (uint64_t)number, 8);
}

static void put_key(encoding *out, const mina_public_key *key)
{
    put(out, key->x, MINA_FIELD_SIZE);
    out->bytes[out->size++] = key->is_odd;
}

static encoding encode(const mina_payment *payment)
{
    static const uint8_t since_genesis[] = {0}; /* the only kind of valid-until */
    static const uint8_t payment_body[] = {0};
    static const uint8_t memo_length[] = {MINA_MEMO_SIZE};
    static const uint8_t one[MINA_FIELD_SIZE] = {1}; /* stands for both halves of the signature, which is not hashed */
    encoding out = {.size = 0};
    put_integer(&out, (int64_t)payment->fee);
    put_key(&out, &payment->from);
    put_integer(&out, (int32_t)payment->nonce);
    put(&out, since_genesis, sizeof(since_genesis));
    put_integer(&out, (int32_t)payment->valid_until);
    put(&out, memo_length, sizeof(memo_length));
    put(&out, payment->memo.bytes, MINA_MEMO_SIZE);
    put(&out, payment_body, sizeof(payment_body));
    put_key(&out, &payment->to);
    put_integer(&out, (int64_t)payment->amount);
    put_key(&out, &payment->from);
    put(&out, one, sizeof(one));
    put(&out, one, sizeof(one));
    return out;
}

mina_transaction_hash mina_payment_hash(const mina_payment *payment)
{
    encoding encoded = encode(payment);
    uint8_t payload[1 + HASH_SIZE] = {LENGTH_PREFIX};
    crypto_generichash(payload + 1, HASH_SIZE, encoded.bytes, encoded.size, NULL, 0);
    mina_transaction_hash hash = {{0}};
    /* The version byte and the payload's size fix the text's length, so this cannot fail. */
    base_code code = mina_base58_encode(MINA_BASE58_TRANSACTION_HASH, base_bytes_of(payload, sizeof(payload)),
                                        hash.text, sizeof(hash.text), NULL);
    (void)code;
    return hash;
}

bool mina_is_transaction_hash(const char *text)
{
    uint8_t payload[1 + HASH_SIZE];
    return text != NULL &&
           mina_base58_decode("transaction hash", MINA_BASE58_TRANSACTION_HASH, text, payload, sizeof(payload), NULL) ==
               BASE_OK &&
           payload[0] == LENGTH_PREFIX;
}
