#include "blocks.h"

#include "mina/base58.h"

#include <sodium.h>
#include <string.h>

enum { GENESIS_HEIGHT = 1, STATE_HASH_SIZE = 32, FORGOTTEN_AT_ONCE = CHAIN_BLOCKS_MAX / 16 };

/* Over the previous hash, height, and the hashes of the transactions: two different histories never share one. */
static void set_state_hash(chain_block *block)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, STATE_HASH_SIZE);
    crypto_generichash_update(&state, (const uint8_t *)block->previous_hash, sizeof(block->previous_hash));
    uint8_t height[sizeof(block->height)];
    for (size_t i = 0; i < sizeof(height); i++)
        height[i] = (uint8_t)(block->height >> (8 * i));
    crypto_generichash_update(&state, height, sizeof(height));
    for (size_t i = 0; i < block->count; i++)
        crypto_generichash_update(&state, (const uint8_t *)block->transactions[i].hash.text,
                                  MINA_TRANSACTION_HASH_CHARS);
    uint8_t payload[1 + STATE_HASH_SIZE] = {1};
    crypto_generichash_final(&state, payload + 1, STATE_HASH_SIZE);
    /* The size fixes the text's length, so this cannot fail. */
    base_code code = mina_base58_encode(MINA_BASE58_STATE_HASH, base_bytes_of(payload, sizeof(payload)),
                                        block->state_hash, sizeof(block->state_hash), NULL);
    (void)code;
}

base_code blocks_init(blocks *b, base_error *err)
{
    *b = (blocks){.list = calloc(CHAIN_BLOCKS_MAX, sizeof(chain_block))};
    if (b->list == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the blocks");
    blocks_append(b, 0, NULL, 0);
    return BASE_OK;
}

void blocks_done(blocks *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->list[i].transactions);
    free(b->list);
    *b = (blocks){0};
}

static void forget_oldest(blocks *b)
{
    size_t forgotten = 0;
    while (forgotten < FORGOTTEN_AT_ONCE && forgotten + 1 < b->count) {
        b->transactions -= b->list[forgotten].count;
        free(b->list[forgotten++].transactions);
    }
    b->count -= forgotten;
    memmove(b->list, b->list + forgotten, b->count * sizeof(*b->list));
}

void blocks_append(blocks *b, int64_t time_ms, chain_transaction *transactions, size_t count)
{
    if (b->count == CHAIN_BLOCKS_MAX || b->transactions + count > CHAIN_TRANSACTIONS_MAX)
        forget_oldest(b);
    chain_block block = {.height = GENESIS_HEIGHT, .time_ms = time_ms, .transactions = transactions, .count = count};
    if (b->count > 0) {
        const chain_block *tip = &b->list[b->count - 1];
        block.height = tip->height + 1;
        memcpy(block.previous_hash, tip->state_hash, sizeof(block.previous_hash));
    }
    block.slot = block.height;
    set_state_hash(&block);
    b->list[b->count++] = block;
    b->transactions += count;
}
