#include "devnode/chain.h"

#include "accounts.h"
#include "blocks.h"

#include <string.h>

struct chain {
    accounts accounts;
    blocks blocks;
    chain_transaction *pool; /* room for pool_max; per sender in the order of nonces */
    size_t pooled;
    size_t pool_max;
    uint64_t minimum_fee;
    chain_transaction *next; /* room for the next block's payments; NULL until reserved */
};

base_code chain_new(uint64_t minimum_fee, size_t pool_max, chain **ret, base_error *err)
{
    BASE_CLEANUP(chain_free) chain *c = calloc(1, sizeof(*c));
    if (c == NULL || pool_max > CHAIN_POOL_MAX)
        return base_fail(err, c == NULL ? BASE_NO_MEMORY : BASE_LIMIT, "the pool may hold at most %d payments",
                         CHAIN_POOL_MAX);
    c->minimum_fee = minimum_fee;
    c->pool_max = pool_max;
    c->pool = calloc(pool_max, sizeof(*c->pool));
    if (c->pool == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the pool");
    base_code code = accounts_init(&c->accounts, err);
    if (code == BASE_OK)
        code = blocks_init(&c->blocks, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(c);
    return code;
}

void chain_free(chain *c)
{
    if (c == NULL)
        return;
    accounts_done(&c->accounts);
    blocks_done(&c->blocks);
    free(c->pool);
    free(c->next);
    free(c);
}

const chain_account *chain_find_account(const chain *c, const mina_public_key *key)
{
    return accounts_find(&c->accounts, key);
}

base_code chain_fund(chain *c, const mina_public_key *key, uint64_t amount, base_error *err)
{
    const chain_account *known = accounts_find(&c->accounts, key);
    if (known != NULL && known->balance > UINT64_MAX - amount)
        return base_fail(err, BASE_LIMIT, "an account cannot hold that much");
    chain_account *account = accounts_make(&c->accounts, key);
    if (account == NULL)
        return base_fail(err, BASE_LIMIT, "there are %d accounts already", CHAIN_ACCOUNTS_MAX);
    account->balance += amount;
    return BASE_OK;
}

static uint64_t cost_of(const mina_payment *payment)
{
    return payment->amount + payment->fee;
}

static bool is_expired(const chain *c, const mina_payment *payment)
{
    return payment->valid_until < chain_tip(c)->slot + 1; /* the slot of the next block */
}

/* The pooled payment of this sender and nonce. Only asked when there is one. */
static chain_transaction *find_pooled(const chain *c, const mina_payment *payment)
{
    for (size_t i = 0; i < c->pooled; i++)
        if (c->pool[i].payment.nonce == payment->nonce &&
            mina_public_key_equal(&c->pool[i].payment.from, &payment->from))
            return &c->pool[i];
    return NULL;
}

static bool is_same_payment(const mina_payment *a, const mina_payment *b)
{
    return a->amount == b->amount && a->fee == b->fee && a->valid_until == b->valid_until && a->nonce == b->nonce &&
           mina_public_key_equal(&a->from, &b->from) && mina_public_key_equal(&a->to, &b->to) &&
           memcmp(&a->memo, &b->memo, sizeof(a->memo)) == 0;
}

static chain_answer judge_funds(const chain *c, const chain_account *account, const mina_payment *payment,
                                const chain_transaction *replaced)
{
    if (payment->amount > UINT64_MAX - payment->fee)
        return CHAIN_OVERFLOW;
    uint64_t others = account->pooled_cost - (replaced == NULL ? 0 : cost_of(&replaced->payment));
    if (cost_of(payment) > account->balance || others > account->balance - cost_of(payment))
        return CHAIN_INSUFFICIENT_FUNDS;
    return replaced == NULL && c->pooled == c->pool_max ? CHAIN_POOL_FULL : CHAIN_ACCEPTED;
}

chain_answer chain_judge(const chain *c, const mina_payment *payment)
{
    const chain_account *account = chain_find_account(c, &payment->from);
    if (account == NULL)
        return CHAIN_NO_ACCOUNT;
    uint64_t inferred = (uint64_t)account->nonce + account->pooled;
    if (payment->nonce < account->nonce || payment->nonce > inferred)
        return CHAIN_BAD_NONCE;
    if (payment->fee < c->minimum_fee)
        return CHAIN_LOW_FEE;
    if (is_expired(c, payment))
        return CHAIN_EXPIRED;
    const chain_transaction *pooled = payment->nonce < inferred ? find_pooled(c, payment) : NULL;
    if (pooled != NULL && is_same_payment(&pooled->payment, payment))
        return CHAIN_DUPLICATE;
    if (pooled != NULL && payment->fee <= pooled->payment.fee)
        return CHAIN_LOW_REPLACEMENT;
    return judge_funds(c, account, payment, pooled);
}

void chain_add(chain *c, const chain_transaction *transaction)
{
    const mina_payment *payment = &transaction->payment;
    chain_account *account = accounts_find(&c->accounts, &payment->from);
    account->pooled_cost += cost_of(payment);
    if (payment->nonce < account->nonce + account->pooled) {
        chain_transaction *replaced = find_pooled(c, payment);
        account->pooled_cost -= cost_of(&replaced->payment);
        *replaced = *transaction;
        return;
    }
    account->pooled++;
    c->pool[c->pooled++] = *transaction;
}

base_code chain_reserve_block(chain *c, base_error *err)
{
    if (c->next == NULL)
        c->next = malloc(CHAIN_BLOCK_MAX * sizeof(*c->next));
    return c->next == NULL ? base_fail(err, BASE_NO_MEMORY, "no memory for a block") : BASE_OK;
}

/* Moves the money; the reason when it cannot be moved. Names are Mina's. */
static const char *transfer(chain *c, chain_account *from, const mina_payment *payment)
{
    if (payment->amount > from->balance)
        return "Source_insufficient_balance";
    chain_account *to = accounts_find(&c->accounts, &payment->to);
    uint64_t arrives = payment->amount;
    if (to == NULL) {
        if (payment->amount < CHAIN_ACCOUNT_CREATION)
            return "Amount_insufficient_to_create_account";
        arrives -= CHAIN_ACCOUNT_CREATION;
        to = accounts_make(&c->accounts, &payment->to);
    }
    if (to == NULL || (to != from && to->balance > UINT64_MAX - arrives))
        return "Overflow";
    from->balance -= payment->amount;
    to->balance += arrives;
    return NULL;
}

/* Takes a payment out of its sender's books; false when it can no longer be included: it has expired, or an earlier one of this
 * sender was dropped by this very block, so that it has a gap before it. */
static bool withdraw(chain *c, chain_account *account, const mina_payment *payment)
{
    uint64_t height = chain_tip(c)->height + 1;
    account->pooled--;
    account->pooled_cost -= cost_of(payment);
    bool fits = account->dropped_at != height && !is_expired(c, payment) && payment->fee <= account->balance;
    if (!fits)
        account->dropped_at = height;
    return fits;
}

/* Drops what now has a gap before it from the part of the pool that the block had no room for. */
static void drop_gapped(chain *c)
{
    uint64_t height = chain_tip(c)->height + 1;
    size_t kept = 0;
    for (size_t i = 0; i < c->pooled; i++) {
        const mina_payment *payment = &c->pool[i].payment;
        chain_account *account = accounts_find(&c->accounts, &payment->from);
        if (account->dropped_at == height)
            (void)withdraw(c, account, payment);
        else
            c->pool[kept++] = c->pool[i];
    }
    c->pooled = kept;
}

/* Includes the first payments of the pool; returns how many went into c->next. */
static size_t include_pooled(chain *c)
{
    size_t taken = c->pooled < CHAIN_BLOCK_MAX ? c->pooled : CHAIN_BLOCK_MAX;
    size_t count = 0;
    for (size_t i = 0; i < taken; i++) {
        chain_transaction *transaction = &c->pool[i];
        chain_account *account = accounts_find(&c->accounts, &transaction->payment.from);
        if (!withdraw(c, account, &transaction->payment))
            continue;
        account->nonce++;
        account->balance -= transaction->payment.fee;
        transaction->failure = transfer(c, account, &transaction->payment);
        c->next[count++] = *transaction;
    }
    c->pooled -= taken;
    memmove(c->pool, c->pool + taken, c->pooled * sizeof(*c->pool));
    drop_gapped(c);
    return count;
}

void chain_make_block(chain *c, int64_t time_ms)
{
    size_t count = include_pooled(c);
    chain_transaction *transactions = NULL;
    if (count > 0) {
        transactions = realloc(c->next, count * sizeof(*c->next));
        if (transactions == NULL)
            transactions = c->next; /* it could not shrink, so it stays as it is */
        c->next = NULL;
    }
    blocks_append(&c->blocks, time_ms, transactions, count);
}

size_t chain_block_count(const chain *c)
{
    return c->blocks.count;
}

const chain_block *chain_block_at(const chain *c, size_t index)
{
    return &c->blocks.list[index];
}

const chain_block *chain_tip(const chain *c)
{
    return &c->blocks.list[c->blocks.count - 1];
}

size_t chain_pool_count(const chain *c)
{
    return c->pooled;
}

const chain_transaction *chain_pool_at(const chain *c, size_t index)
{
    return &c->pool[index];
}

void chain_each_account(const chain *c, chain_account_visitor *visit, void *ctx)
{
    for (size_t i = 0; i < (size_t)CHAIN_ACCOUNTS_MAX * 2; i++)
        if (c->accounts.slots[i].exists)
            visit(ctx, &c->accounts.slots[i]);
}

uint64_t chain_minimum_fee(const chain *c)
{
    return c->minimum_fee;
}
