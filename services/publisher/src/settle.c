/* Settling and confirming the transactions of a lane. */
#include "lane.h"

#include "abandoned.h"
#include "base/clock.h"
#include "base/fault.h"
#include "funds.h"
#include "stage/dead.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

#include <stdlib.h>

enum {
    OPEN_MAX = 500, /* transactions looked up at once */
    CONFIRM_EXTRA_BLOCKS = 20,
};

/* The open transactions of the lane with what the node knows of each. */
typedef struct open_set {
    store_transaction_list *list;
    size_t count;
    ledger_sighting *sightings;
    ledger_account account;
    store_transaction_mark *marks; /* what has been found out */
    size_t mark_count;
} open_set;

static void open_set_done(open_set *open)
{
    store_transaction_list_free(open->list);
    free(open->sightings);
    free(open->marks);
}
BASE_CLEANUP_VALUE(open_set, open_set_done);

/* Looks up a page of them, from a nonce on. */
static base_code look_up(publisher_lane *lane, int64_t from_nonce, int64_t blocks, open_set *open, base_error *err)
{
    base_code code =
        store_transactions_find_open(lane->stage->store, lane->lane.fee_payer, from_nonce, OPEN_MAX, &open->list, err);
    if (code != BASE_OK)
        return code;
    open->count = store_transaction_list_count(open->list);
    code = ledger_find_account(lane->ledger, &open->account, err);
    publisher_lane_keep(lane);
    if (code != BASE_OK)
        return code;
    publisher_missing_note_height(&lane->missing, open->account.height);
    publisher_funds_note(lane, &open->account);
    if (open->count == 0)
        return BASE_OK;
    open->sightings = calloc(open->count, sizeof(*open->sightings));
    open->marks = calloc(open->count, sizeof(*open->marks));
    BASE_CLEANUP(free) const char **hashes = calloc(open->count, sizeof(*hashes));
    if (open->sightings == NULL || open->marks == NULL || hashes == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to look up %zu transactions", open->count);
    for (size_t i = 0; i < open->count; i++)
        hashes[i] = store_transaction_list_at(open->list, i)->hash;
    code = ledger_find(lane->ledger, hashes, open->count, blocks, open->sightings, err);
    for (size_t i = 0; code == BASE_OK && i < open->count; i++)
        publisher_missing_note(&lane->missing, hashes[i], &open->sightings[i]);
    return code == BASE_OK ? BASE_FAULT("lane.looked_up", err) : code;
}

/* The nonce at which the next page begins; −1: this was the last one. */
static int64_t next_page(const open_set *open)
{
    return open->count < OPEN_MAX ? -1 : store_transaction_list_at(open->list, open->count - 1)->nonce + 1;
}

static void mark(open_set *open, const store_transaction *transaction, store_transaction_state state, int64_t height)
{
    open->marks[open->mark_count++] = (store_transaction_mark){transaction->hash, state, height};
}

static void tell(telemetry_level level, const char *event, const store_transaction *transaction, const char *reason)
{
    TELEMETRY_LOG(level, event, telemetry_text("transaction", transaction->hash),
                  telemetry_int("nonce", transaction->nonce), telemetry_text("reason", reason));
}

/* A transaction that the node had accepted is gone, or failed in its block: its submission does not stay complete in silence. */
static base_code lose(publisher_lane *lane, const store_transaction *transaction, store_transaction_state state,
                      int64_t height, const char *reason, base_error *err)
{
    bool failed = state == STORE_TX_FAILED, rejected = false;
    const store_loss loss = {.mark = {transaction->hash, state, height},
                             .reason_code = failed ? "transaction_failed" : "transaction_lost",
                             .reason = reason};
    tell(TELEMETRY_ERROR, failed ? "transaction_failed" : "accepted_transaction_lost", transaction, reason);
    base_code code = BASE_FAULT("lane.losing", err);
    if (code == BASE_OK)
        code = store_transaction_lose(lane->stage->store, &lane->lane, transaction, &loss, lane->stage->pending,
                                      &rejected, err);
    if (code == BASE_OK)
        code = BASE_FAULT("lane.lost", err);
    if (code == BASE_CONFLICT)
        lane->held = false;
    if (code != BASE_OK)
        return code;
    if (rejected)
        stage_metrics_job(STAGE_PUBLISH, "rejected");
    stage_worker_relay(lane->stage);
    return BASE_OK;
}

/* It can never land: frees its nonce. `sighting` is the latest look at it; without a second one that agrees this is not done. */
static base_code abandon(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                         const ledger_sighting *sighting, const char *reason, base_error *err)
{
    base_code code = publisher_missing_judge(&lane->missing, transaction->hash, sighting, err);
    if (code != BASE_OK)
        return code;
    publisher_missing_forget(&lane->missing, transaction->hash);
    if (transaction->state == STORE_TX_ACCEPTED)
        return lose(lane, transaction, STORE_TX_ABANDONED, 0, reason, err);
    tell(TELEMETRY_WARN, "transaction_abandoned", transaction, reason);
    mark(open, transaction, STORE_TX_ABANDONED, 0);
    return BASE_OK;
}

/* A block deep enough is final: a reorganisation no longer brings the transaction back into the pool. */
static base_code note_final(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                            const ledger_sighting *sighting, base_error *err)
{
    if (lane->height - sighting->block_height + 1 < lane->confirmations)
        return BASE_OK;
    if (sighting->place == LEDGER_FAILED)
        return lose(lane, transaction, STORE_TX_FAILED, sighting->block_height, sighting->reason, err);
    if (sighting->place == LEDGER_INCLUDED) {
        tell(TELEMETRY_INFO, "transaction_final", transaction, "");
        mark(open, transaction, STORE_TX_INCLUDED, sighting->block_height);
    }
    return BASE_OK;
}

/* The node shows it, in its pool or in a block. After an outage it may lie deeper than publisher_lane_confirm looks. */
static base_code note_found(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                            const ledger_sighting *sighting, base_error *err)
{
    if (transaction->state != STORE_TX_COMMITTED)
        return note_final(lane, open, transaction, sighting, err);
    if (sighting->place == LEDGER_FAILED)
        mark(open, transaction, STORE_TX_FAILED, sighting->block_height);
    else
        mark(open, transaction, STORE_TX_ACCEPTED, lane->height);
    return BASE_OK;
}

/* The chain is past its nonce, and no block that the node shows holds it. One that was stored or accepted before the oldest block shown
 * is taken to be in an older one: a second transaction would be worse than a completion that nobody can look up any more. */
static base_code note_passed(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                             const ledger_sighting *sighting, base_error *err)
{
    bool all_shown = transaction->block_height > 0 && lane->height - transaction->block_height < LEDGER_BLOCKS_MAX;
    if (all_shown)
        return abandon(lane, open, transaction, sighting, "its nonce was used by another transaction", err);
    tell(TELEMETRY_WARN, "transaction_assumed_final", transaction,
         "stored or accepted longer ago than the node's blocks reach");
    mark(open, transaction, STORE_TX_INCLUDED, 0);
    return BASE_OK;
}

/* The node refuses the nonce of what it did not show a moment ago. It may have taken it since, from a request that was still under
 * way: abandoning it unseen would publish the submission twice. Nor is a gap a reason while an earlier nonce is in our books: then
 * the node lags behind. */
static base_code resolve_nonce(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                               const char *refusal, base_error *err)
{
    ledger_account account = {0};
    ledger_sighting sighting = {0};
    const char *hash = transaction->hash;
    bool earlier_is_ours = true;
    publisher_lane_keep(lane);
    base_code code = ledger_find_account(lane->ledger, &account, err);
    publisher_lane_keep(lane);
    if (code == BASE_OK)
        code = ledger_find(lane->ledger, &hash, 1, LEDGER_BLOCKS_MAX, &sighting, err);
    if (code == BASE_OK) {
        publisher_missing_note_height(&lane->missing, account.height);
        publisher_missing_note(&lane->missing, hash, &sighting);
    }
    if (code == BASE_OK && transaction->nonce > account.inferred_nonce)
        code = store_lane_holds_nonce(lane->stage->store, &lane->lane, account.inferred_nonce, &earlier_is_ours, err);
    if (code != BASE_OK)
        return code;
    if (sighting.place != LEDGER_NOWHERE)
        return note_found(lane, open, transaction, &sighting, err);
    if (transaction->nonce < account.nonce)
        return note_passed(lane, open, transaction, &sighting, err);
    if (!earlier_is_ours)
        return abandon(lane, open, transaction, &sighting, "an earlier nonce is free: it would leave a gap", err);
    return base_fail(err, BASE_UNAVAILABLE,
                     "nonce %lld is refused: the node lags, or another transaction of the fee payer must land "
                     "first: %s",
                     (long long)transaction->nonce, refusal);
}

/* The node refuses, for no reason that tells whether it can ever land, what nobody knows to be accepted. Its job counts such an answer to
 * a first send; here, where nothing would ever count, the whole lane must not wait for this one: it is made anew when it is certainly
 * nowhere. */
static base_code resolve_refused(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                                 const char *refusal, base_error *err)
{
    ledger_sighting sighting = {0};
    const char *hash = transaction->hash;
    publisher_lane_keep(lane);
    base_code code = ledger_find(lane->ledger, &hash, 1, LEDGER_BLOCKS_MAX, &sighting, err);
    if (code != BASE_OK)
        return code;
    publisher_missing_note(&lane->missing, hash, &sighting);
    if (sighting.place != LEDGER_NOWHERE)
        return note_found(lane, open, transaction, &sighting, err);
    return abandon(lane, open, transaction, &sighting, refusal, err);
}

/* A transaction that the node does not show: sends its bytes again if it can still land. */
static base_code mend_missing(publisher_lane *lane, open_set *open, const store_transaction *transaction,
                              const ledger_sighting *sighting, base_error *err)
{
    if (transaction->nonce < open->account.nonce)
        return note_passed(lane, open, transaction, sighting, err);
    base_code guarded = publisher_lane_guard(lane, err);
    if (guarded != BASE_OK)
        return guarded;
    base_error reason = {0};
    ledger_answer answer = publisher_lane_send(lane, transaction->payload, BASE_FAULT_NAME("lane.resending"),
                                               BASE_FAULT_NAME("lane.resent"), &reason);
    switch (answer) {
    case LEDGER_ACCEPTED:
        tell(TELEMETRY_INFO, "transaction_sent_again", transaction, "the node did not have it");
        publisher_missing_forget(&lane->missing, transaction->hash);
        mark(open, transaction, STORE_TX_ACCEPTED, lane->height);
        return BASE_OK;
    case LEDGER_UNFUNDED:
        publisher_funds_refused(lane);
        lane->next_settle_ms = lane->next_funds_ms;
        return base_fail(err, BASE_UNAVAILABLE, "%s", lane->funds_trouble.message);
    case LEDGER_RETRY:
        if (transaction->state == STORE_TX_COMMITTED)
            return resolve_refused(lane, open, transaction, reason.message, err);
        __attribute__((fallthrough));
    case LEDGER_UNAVAILABLE:
    case LEDGER_UNKNOWN:
        lane->node_failed = true;
        return base_fail(err, BASE_UNAVAILABLE, "nonce %lld: %s", (long long)transaction->nonce, reason.message);
    case LEDGER_NONCE:
    case LEDGER_REPLACED:
        return resolve_nonce(lane, open, transaction, reason.message, err);
    case LEDGER_EXPIRED:
    case LEDGER_REJECTED:
        return abandon(lane, open, transaction, sighting, reason.message, err);
    }
    return base_fail(err, BASE_INTERNAL, "unknown answer of the ledger");
}

static base_code store_marks(publisher_lane *lane, const open_set *open, base_error *err)
{
    if (open->mark_count == 0)
        return BASE_OK;
    base_code code = BASE_FAULT("lane.marking", err);
    if (code == BASE_OK)
        code = store_transactions_mark(lane->stage->store, &lane->lane, open->marks, open->mark_count, err);
    if (code == BASE_OK)
        code = BASE_FAULT("lane.marked", err);
    if (code == BASE_CONFLICT)
        lane->held = false;
    return code;
}

/* An account that does not exist yet holds nothing. A node that lags knows of too few nonces: those that other users of the key took
 * meanwhile would look free. */
static base_code read_account(publisher_lane *lane, ledger_account *ret, base_error *err)
{
    base_code code = ledger_find_account(lane->ledger, ret, err);
    if (code != BASE_OK)
        return code;
    publisher_missing_note_height(&lane->missing, ret->height);
    publisher_funds_note(lane, ret);
    if (ret->height > 0 && ret->height < lane->missing.highest)
        return base_fail(err, BASE_UNAVAILABLE,
                         "the node lags: its best block is %lld, another answer told of block %lld",
                         (long long)ret->height, (long long)lane->missing.highest);
    return BASE_OK;
}

/* What is pooled counts into the inferred nonce; what is stored but not pooled was just sent again. A nonce between them that an
 * abandoned transaction left free is the next one: nothing behind it can land before. */
static base_code learn_next_nonce(publisher_lane *lane, base_error *err)
{
    ledger_account account = {0};
    base_code code = publisher_lane_guard(lane, err);
    if (code == BASE_OK)
        code = read_account(lane, &account, err);
    if (code == BASE_OK)
        code = store_lane_next_nonce(lane->stage->store, &lane->lane, account.inferred_nonce, &lane->next_nonce,
                                     &lane->nonce_end, err);
    if (code == BASE_OK && !account.exists) { /* or the node does not know it yet: its nonce 0 is no answer */
        publisher_funds_pause(lane);
        lane->next_settle_ms = lane->next_funds_ms;
        code = base_fail(err, BASE_UNAVAILABLE, "%s", lane->funds_trouble.message);
    }
    if (code != BASE_OK)
        return code;
    if (lane->spendable < (uint64_t)ledger_fee(lane->ledger))
        publisher_funds_pause(lane);
    lane->settled = true;
    TELEMETRY_LOG(TELEMETRY_INFO, "lane_settled", telemetry_int("next_nonce", lane->next_nonce),
                  telemetry_int("chain_nonce", account.nonce));
    stage_metrics_lane(true, lane->next_nonce);
    return BASE_OK;
}

/* Settles one page; *nonce is where it begins, and then where the next one does. */
static base_code settle_page(publisher_lane *lane, int64_t *nonce, base_error *err)
{
    BASE_CLEANUP(open_set_done) open_set open = {0};
    base_code code = look_up(lane, *nonce, LEDGER_BLOCKS_MAX, &open, err);
    for (size_t i = 0; code == BASE_OK && i < open.count; i++) {
        const store_transaction *transaction = store_transaction_list_at(open.list, i);
        if (open.sightings[i].place == LEDGER_NOWHERE)
            code = mend_missing(lane, &open, transaction, &open.sightings[i], err);
        else
            code = note_found(lane, &open, transaction, &open.sightings[i], err);
    }
    base_error second = {0};
    base_code stored = store_marks(lane, &open, &second); /* also what was found out before a failure */
    if (code == BASE_OK && stored != BASE_OK)
        code = base_fail(err, stored, "%s", second.message);
    if (code == BASE_OK)
        *nonce = next_page(&open);
    return code;
}

base_code publisher_lane_settle(publisher_lane *lane, base_error *err)
{
    base_code code = BASE_OK;
    for (int64_t nonce = 0; code == BASE_OK && nonce >= 0;)
        code = settle_page(lane, &nonce, err);
    return code == BASE_OK ? learn_next_nonce(lane, err) : code;
}

static base_code judge(publisher_lane *lane, open_set *open, size_t index, base_error *err)
{
    const ledger_sighting *sighting = &open->sightings[index];
    if (sighting->place != LEDGER_NOWHERE)
        return note_final(lane, open, store_transaction_list_at(open->list, index), sighting, err);
    publisher_lane_unsettle(lane);
    return BASE_OK;
}

static base_code confirm_page(publisher_lane *lane, int64_t *nonce, base_error *err)
{
    BASE_CLEANUP(open_set_done) open_set open = {0};
    base_code code = look_up(lane, *nonce, lane->confirmations + CONFIRM_EXTRA_BLOCKS, &open, err);
    if (code != BASE_OK)
        return code;
    for (size_t i = 0; code == BASE_OK && i < open.count; i++)
        code = judge(lane, &open, i, err);
    *nonce = next_page(&open);
    return code == BASE_OK ? store_marks(lane, &open, err) : code;
}

base_code publisher_lane_confirm(publisher_lane *lane, base_error *err)
{
    base_code code = ledger_check(lane->ledger, &lane->height, err);
    if (code == BASE_OK)
        publisher_missing_note_height(&lane->missing, lane->height);
    for (int64_t nonce = 0; code == BASE_OK && nonce >= 0;)
        code = confirm_page(lane, &nonce, err);
    return code == BASE_OK ? publisher_abandoned_look(lane, err) : code;
}
