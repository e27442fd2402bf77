#include "check.h"

#include "harness/http.h"
#include "ledger/anchor.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

enum { REQUEST_MAX = 64 };

BASE_CLEANUP_POINTER(json_t, json_decref);

static uint32_t find_payer(const checker *c, const char *address)
{
    for (size_t i = 0; i < c->world.payers.count; i++)
        if (strcmp(c->world.payers.items[i].address, address) == 0)
            return (uint32_t)i;
    return CHECKER_NOBODY;
}

static void note_landed(checker *c, checker_transaction *transaction, uint32_t index)
{
    if (transaction->owner == CHECKER_NOBODY) {
        checker_say(c, CHECKER_TRANSACTION_OF_NOBODY,
                    "transaction %s with nonce %" PRId64 " is paid by our fee payer and anchors no proof of ours",
                    transaction->hash, transaction->nonce);
        return;
    }
    if (transaction->is_failed)
        return; /* its fee is gone, but it anchors nothing */
    checker_submission *owner = &c->world.submissions.items[transaction->owner];
    if (owner->landed++ == 0)
        owner->landed_first = index;
}

static bool anchors_stored_proof(const checker *c, uint32_t owner, const char *memo)
{
    if (owner == CHECKER_NOBODY || !c->world.submissions.items[owner].has_proof)
        return false;
    const checker_submission *submission = &c->world.submissions.items[owner];
    return strcmp(ledger_anchor_memo(&submission->sha256, &submission->proof_digest).text, memo) == 0;
}

/* Transactions of other accounts are none of our business. */
static base_code read_transaction(checker *c, const json_t *entry, int64_t height, base_error *err)
{
    const char *hash = NULL, *from = NULL, *memo = NULL;
    json_int_t nonce = 0;
    if (json_unpack((json_t *)entry, "{s:s, s:s, s:s, s:I}", "hash", &hash, "from", &from, "memoText", &memo, "nonce",
                    &nonce) != 0)
        return base_fail(err, BASE_INTERNAL, "the node shows a transaction without hash, from, memoText or nonce");
    uint32_t payer = find_payer(c, from);
    if (payer == CHECKER_NOBODY)
        return BASE_OK;
    uint32_t index;
    base_code code = checker_transaction_of(&c->world, hash, &index, err);
    if (code != BASE_OK)
        return code;
    c->report.transactions++;
    checker_spend *spend;
    CHECKER_APPEND(&c->world.spends, spend, err);
    *spend = (checker_spend){payer, index, nonce};
    checker_transaction *transaction = &c->world.transactions.items[index];
    transaction->on_chain = true;
    transaction->is_failed = json_is_string(json_object_get(entry, "failureReason"));
    transaction->nonce = nonce;
    transaction->height = height;
    transaction->owner = checker_memo_get(&c->world, memo);
    transaction->has_current_memo = anchors_stored_proof(c, transaction->owner, memo);
    note_landed(c, transaction, index);
    return BASE_OK;
}

static base_code read_transactions(checker *c, const json_t *list, int64_t height, base_error *err)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        base_code code = read_transaction(c, entry, height, err);
        if (code != BASE_OK)
            return code;
    }
    return BASE_OK;
}

static base_code read_page(checker *c, json_int_t from, json_t **ret, base_error *err)
{
    char request[REQUEST_MAX];
    snprintf(request, sizeof(request), "{\"from\":%" JSON_INTEGER_FORMAT "}", from);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply =
        harness_http_send("GET", c->options->node_port, "/control/chain", "application/json", request);
    if (reply.status != 200)
        return base_fail(err, BASE_UNAVAILABLE, "the node on port %u shows no chain: HTTP %d", c->options->node_port,
                         reply.status);
    json_error_t why;
    *ret = json_loads(reply.body, 0, &why);
    return *ret != NULL ? BASE_OK : base_fail(err, BASE_INTERNAL, "the node's chain is no JSON: %.120s", why.text);
}

base_code checker_read_chain(checker *c, base_error *err)
{
    for (json_int_t from = 1; from > 0;) {
        BASE_CLEANUP(json_decref) json_t *page = NULL;
        base_code code = read_page(c, from, &page, err);
        if (code != BASE_OK)
            return code;
        size_t i;
        const json_t *block;
        json_array_foreach(json_object_get(page, "blocks"), i, block)
        {
            json_int_t height = json_integer_value(json_object_get(block, "height"));
            if (from == 1 && i == 0)
                c->world.chain_is_whole = height == 1;
            code = read_transactions(c, json_object_get(block, "transactions"), height, err);
            if (code != BASE_OK)
                return code;
        }
        code = read_transactions(c, json_object_get(page, "pool"), 0, err);
        if (code != BASE_OK)
            return code;
        json_int_t next = json_integer_value(json_object_get(page, "next"));
        if (next != 0 && next <= from)
            return base_fail(err, BASE_INTERNAL, "the node's chain goes on before itself");
        from = next;
    }
    return BASE_OK;
}
