#include "chain_json.h"

#include "api_types.h"

enum { PAGE_BLOCKS = 2000, PAGE_TRANSACTIONS = 2000 }; /* a block may carry it past the second */

static json_t *transaction_json(const chain_transaction *transaction)
{
    const mina_payment *payment = &transaction->payment;
    base_bytes memo = mina_memo_content(&payment->memo);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:s, s:s%, s:s?}", "hash", transaction->hash.text, "from",
                     api_key(&payment->from), "to", api_key(&payment->to), "amount", api_number(payment->amount), "fee",
                     api_number(payment->fee), "nonce", (json_int_t)payment->nonce, "validUntil",
                     (json_int_t)payment->valid_until, "memo", mina_memo_format(&payment->memo).text, "memoText",
                     memo.data, memo.size, "failureReason", transaction->failure);
}

static json_t *block_json(const chain_block *block)
{
    json_t *transactions = json_array();
    for (size_t i = 0; i < block->count; i++)
        json_array_append_new(transactions, transaction_json(&block->transactions[i]));
    return json_pack("{s:I, s:I, s:s, s:I, s:o}", "height", (json_int_t)block->height, "slot", (json_int_t)block->slot,
                     "stateHash", block->state_hash, "time", (json_int_t)block->time_ms, "transactions", transactions);
}

static void add_account(void *ctx, const chain_account *account)
{
    json_array_append_new(ctx, json_pack("{s:o, s:I, s:o}", "publicKey", api_key(&account->key), "nonce",
                                         (json_int_t)account->nonce, "balance", api_number(account->balance)));
}

/* The parts that one look at the tip must show together: what leaves the pool stands in a block. */
static json_t *whole(mina_network network, const chain *c, json_t *blocks)
{
    json_t *accounts = json_array();
    chain_each_account(c, add_account, accounts);
    json_t *pool = json_array();
    for (size_t i = 0; i < chain_pool_count(c); i++)
        json_array_append_new(pool, transaction_json(chain_pool_at(c, i)));
    return json_pack("{s:s, s:I, s:o, s:o, s:o}", "network", mina_network_name(network), "height",
                     (json_int_t)chain_tip(c)->height, "blocks", blocks, "accounts", accounts, "pool", pool);
}

json_t *chain_json(mina_network network, const chain *c)
{
    json_t *blocks = json_array();
    for (size_t i = 0; i < chain_block_count(c); i++)
        json_array_append_new(blocks, block_json(chain_block_at(c, i)));
    return whole(network, c, blocks);
}

json_t *chain_page_json(mina_network network, const chain *c, uint64_t from)
{
    json_t *blocks = json_array();
    uint64_t first = chain_block_at(c, 0)->height; /* heights rise by one */
    size_t transactions = 0;
    for (size_t i = from > first ? (size_t)(from - first) : 0; i < chain_block_count(c); i++) {
        const chain_block *block = chain_block_at(c, i);
        if (json_array_size(blocks) >= PAGE_BLOCKS || transactions >= PAGE_TRANSACTIONS)
            return json_pack("{s:s, s:I, s:I, s:o}", "network", mina_network_name(network), "height",
                             (json_int_t)chain_tip(c)->height, "next", (json_int_t)block->height, "blocks", blocks);
        json_array_append_new(blocks, block_json(block));
        transactions += block->count;
    }
    return whole(network, c, blocks);
}
