#include "chain.h"

#include "base/clock.h"
#include "ledger/anchor.h"
#include "mina/client.h"

#include <inttypes.h>
#include <string.h>

enum { ASK_AGAIN_MS = 500 };

/* "mina:devnet" is devnet; testnet is the name of the same kind of network. */
static bool is_network(const char *network_id, const char *wanted)
{
    const char *colon = strchr(network_id, ':');
    const char *name = colon == NULL ? network_id : colon + 1;
    return strcmp(name, wanted) == 0 || (strcmp(name, "mainnet") != 0 && strcmp(wanted, "testnet") == 0);
}

/* A node only tells of a change when asked. */
static base_code find(mina_client *client, const ctl_anchor *anchor, mina_sighting *ret, base_error *err)
{
    BASE_CLEANUP(ctl_progress_end) ctl_progress progress = ctl_progress_begin("waiting for the transaction's block");
    int64_t deadline_ms = base_monotonic_ms() + anchor->timeout_ms;
    for (;;) {
        *ret = (mina_sighting){0};
        base_code code = mina_client_find(client, &anchor->transaction, 1, MINA_BLOCKS_MAX, ret, err);
        int64_t left = deadline_ms - base_monotonic_ms();
        if (left <= 0 || (code != BASE_OK && code != BASE_UNAVAILABLE) || (code == BASE_OK && ret->block_height != 0))
            return code;
        ctl_progress_show(&progress);
        base_sleep_ms(left < ASK_AGAIN_MS ? left : ASK_AGAIN_MS);
    }
}

static void judge_place(const ctl_anchor *anchor, const mina_sighting *seen, ctl_checks *checks)
{
    if (seen->block_height != 0 && seen->has_failed)
        ctl_checks_add(checks, "transaction", false, "%s failed in block %" PRId64 ": %s", anchor->transaction,
                       seen->block_height, seen->reason);
    else if (seen->block_height != 0)
        ctl_checks_add(checks, "transaction", true, "%s is in block %" PRId64, anchor->transaction, seen->block_height);
    else if (seen->is_pooled)
        ctl_checks_add(checks, "transaction", false, "%s is in the pool, in no block yet (--timeout waits for it)",
                       anchor->transaction);
    else
        ctl_checks_add(checks, "transaction", false, "%s is neither in the pool nor in the last %d blocks",
                       anchor->transaction, MINA_BLOCKS_MAX);
}

static void judge_memo(const ctl_anchor *anchor, const mina_sighting *seen, ctl_checks *checks)
{
    ledger_memo wanted = ledger_anchor_memo(&anchor->image, &anchor->proof);
    mina_memo memo;
    base_error err = {0};
    if (mina_memo_parse(seen->memo, &memo, &err) != BASE_OK) {
        ctl_checks_add(checks, "memo", false, "cannot be read: %s", err.message);
        return;
    }
    base_bytes text = mina_memo_content(&memo);
    bool is_equal = base_bytes_equal(text, base_bytes_of(wanted.text, strlen(wanted.text)));
    if (is_equal)
        ctl_checks_add(checks, "memo", true, "%s names this image and this proof", wanted.text);
    else
        ctl_checks_add(checks, "memo", false, "is \"%.*s\", not %s", (int)text.size,
                       text.size == 0 ? "" : (const char *)text.data, wanted.text);
}

base_code ctl_chain_check(const ctl_anchor *anchor, ctl_checks *checks, base_error *err)
{
    BASE_CLEANUP(mina_client_free) mina_client *client = NULL;
    mina_client_options options = {.url = anchor->node};
    base_code code = mina_client_new(&options, &client, err);
    mina_node_status status;
    if (code == BASE_OK)
        code = mina_client_status(client, &status, err);
    mina_sighting seen;
    if (code == BASE_OK)
        code = find(client, anchor, &seen, err);
    if (code != BASE_OK)
        return code;
    ctl_checks_add(checks, "network", is_network(status.network_id, anchor->network), "%s is on %s, MINA_NETWORK is %s",
                   mina_client_place(client), status.network_id, anchor->network);
    judge_place(anchor, &seen, checks);
    if (seen.is_pooled || seen.block_height != 0)
        judge_memo(anchor, &seen, checks);
    return BASE_OK;
}
