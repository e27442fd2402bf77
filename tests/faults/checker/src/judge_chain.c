#include "check.h"

#include <inttypes.h>
#include <string.h>

static const char *owner_text(const checker *c, uint32_t submission, base_hex32 *room)
{
    if (submission == CHECKER_NOBODY)
        return "nobody";
    *room = checker_id(&c->world.submissions.items[submission]);
    return room->text;
}

static void judge_on_chain(checker *c, const checker_transaction *transaction)
{
    base_hex32 room;
    const char *owner = owner_text(c, transaction->owner, &room);
    const char *state = transaction->state;
    if (state[0] == '\0')
        checker_say(c, CHECKER_TRANSACTION_ROW_WRONG,
                    "transaction %s of submission %s is on the chain, and Postgres has no row of it", transaction->hash,
                    owner);
    else if (strcmp(state, "abandoned") == 0 || (strcmp(state, "failed") == 0) != transaction->is_failed)
        checker_say(c, CHECKER_TRANSACTION_ROW_WRONG,
                    "transaction %s of submission %s %s on the chain, and its row says %s", transaction->hash, owner,
                    transaction->is_failed ? "has failed" : "stands", state);
    else if (transaction->row_submission != transaction->owner || transaction->row_nonce != transaction->nonce)
        checker_say(c, CHECKER_TRANSACTION_ROW_WRONG,
                    "transaction %s of submission %s has nonce %" PRId64
                    " on the chain, and by its row it has nonce %" PRId64 " and is of submission %s",
                    transaction->hash, owner, transaction->nonce, transaction->row_nonce,
                    owner_text(c, transaction->row_submission, &(base_hex32){0}));
}

static void judge_absent(checker *c, const checker_transaction *transaction)
{
    base_hex32 room;
    const char *owner = owner_text(c, transaction->row_submission, &room);
    bool is_rejected = transaction->row_submission != CHECKER_NOBODY &&
                       c->world.submissions.items[transaction->row_submission].status == WIRE_STATUS_REJECTED;
    if (strcmp(transaction->state, "accepted") == 0 || strcmp(transaction->state, "included") == 0)
        checker_say(c, CHECKER_TRANSACTION_ROW_WRONG,
                    "transaction %s of submission %s is %s by its row, and it is not on the chain", transaction->hash,
                    owner, transaction->state);
    else if (strcmp(transaction->state, "committed") == 0 && is_rejected)
        checker_say(c, CHECKER_TRANSACTION_ROW_WRONG,
                    "transaction %s can still be sent, and its submission %s is rejected", transaction->hash, owner);
}

void checker_judge_transactions(checker *c)
{
    for (size_t i = 0; i < c->world.transactions.count; i++) {
        const checker_transaction *transaction = &c->world.transactions.items[i];
        if (transaction->on_chain && (transaction->owner != CHECKER_NOBODY || transaction->state[0] != '\0'))
            judge_on_chain(c, transaction);
        else if (!transaction->on_chain && c->world.chain_is_whole)
            judge_absent(c, transaction);
    }
}

static int by_nonce(const void *a, const void *b)
{
    const checker_spend *x = a, *y = b;
    if (x->payer != y->payer)
        return x->payer < y->payer ? -1 : 1;
    return (x->nonce > y->nonce) - (x->nonce < y->nonce);
}

void checker_judge_nonces(checker *c)
{
    checker_spend *spends = c->world.spends.items;
    if (c->world.spends.count > 0)
        qsort(spends, c->world.spends.count, sizeof(*spends), by_nonce);
    for (size_t i = 0; i < c->world.spends.count; i++) {
        bool is_first = i == 0 || spends[i].payer != spends[i - 1].payer;
        const char *payer = c->world.payers.items[spends[i].payer].address;
        const char *hash = c->world.transactions.items[spends[i].transaction].hash;
        int64_t expected = !is_first ? spends[i - 1].nonce + 1 : c->world.chain_is_whole ? 0 : spends[i].nonce;
        if (spends[i].nonce < expected)
            checker_say(c, CHECKER_NONCE_REUSED, "nonce %" PRId64 " of fee payer %s is used by transactions %s and %s",
                        spends[i].nonce, payer, c->world.transactions.items[spends[i - 1].transaction].hash, hash);
        else if (spends[i].nonce > expected)
            checker_say(c, CHECKER_NONCE_GAP,
                        "fee payer %s has no transaction with nonce %" PRId64 ", and transaction %s has nonce %" PRId64,
                        payer, expected, hash, spends[i].nonce);
    }
}
