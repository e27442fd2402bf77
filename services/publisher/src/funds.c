#include "funds.h"

#include "base/clock.h"
#include "stage/metrics.h"

#include <inttypes.h>
#include <stdio.h>

#define NANOMINA UINT64_C(1000000000)

enum { ASK_MS = 3000 }; /* between two questions for the balance while it does not suffice */

/* What is pooled is not taken from the balance yet; it is ours, and each of it costs about our fee. */
static uint64_t spendable_of(const publisher_lane *lane, const ledger_account *account)
{
    uint64_t pooled =
        account->inferred_nonce > account->nonce ? (uint64_t)(account->inferred_nonce - account->nonce) : 0;
    uint64_t bound = 0;
    if (__builtin_mul_overflow(pooled, (uint64_t)ledger_fee(lane->ledger), &bound) || bound > account->balance_nanomina)
        return 0;
    return account->balance_nanomina - bound;
}

void publisher_funds_note(publisher_lane *lane, const ledger_account *account)
{
    lane->spendable = spendable_of(lane, account);
    lane->balance = account->balance_nanomina;
    stage_metrics_balance((double)account->balance_nanomina / 1e9);
}

typedef struct amount {
    char text[32];
} amount;

/* In MINA, without needless zeros. */
static amount amount_of(uint64_t nanomina)
{
    amount made;
    int length =
        snprintf(made.text, sizeof(made.text), "%" PRIu64 ".%09" PRIu64, nanomina / NANOMINA, nanomina % NANOMINA);
    while (made.text[length - 1] == '0')
        made.text[--length] = '\0';
    if (made.text[length - 1] == '.')
        made.text[length - 1] = '\0';
    return made;
}

/* The message is short enough for /readyz. */
void publisher_funds_pause(publisher_lane *lane)
{
    lane->unfunded = true;
    lane->next_funds_ms = base_monotonic_ms() + ASK_MS;
    base_fail(&lane->funds_trouble, BASE_UNAVAILABLE,
              "fee payer %s can spend %s MINA of its %s and needs %s for the next transaction: send MINA to it, and "
              "publishing goes on",
              ledger_fee_payer(lane->ledger), amount_of(lane->spendable).text, amount_of(lane->balance).text,
              amount_of((uint64_t)ledger_fee(lane->ledger)).text);
}

static base_code ask(publisher_lane *lane, base_error *err)
{
    ledger_account account = {0};
    publisher_lane_keep(lane);
    base_code code = ledger_find_account(lane->ledger, &account, err);
    if (code == BASE_OK)
        publisher_funds_note(lane, &account);
    return code;
}

void publisher_funds_refused(publisher_lane *lane)
{
    base_error err = {0};
    if (ask(lane, &err) != BASE_OK) /* an old balance in the message is better than none */
        lane->next_check_ms = 0;
    publisher_funds_pause(lane);
}

size_t publisher_funds_cover(publisher_lane *lane, size_t wanted)
{
    uint64_t fee = (uint64_t)ledger_fee(lane->ledger);
    uint64_t needed = 0;
    if (__builtin_mul_overflow(fee, (uint64_t)wanted, &needed))
        needed = UINT64_MAX;
    base_error err = {0};
    if (lane->spendable < needed && ask(lane, &err) != BASE_OK)
        return wanted; /* the node is the judge */
    size_t covered = lane->spendable >= needed ? wanted : (size_t)(lane->spendable / fee);
    lane->spendable -= covered * fee;
    if (covered < wanted)
        publisher_funds_pause(lane);
    return covered;
}

base_code publisher_funds_check(publisher_lane *lane, base_error *err)
{
    if (!lane->unfunded)
        return BASE_OK;
    bool is_due = base_monotonic_ms() >= lane->next_funds_ms;
    if (is_due) {
        base_code code = ask(lane, err);
        if (code != BASE_OK)
            return code;
        lane->unfunded = lane->spendable < (uint64_t)ledger_fee(lane->ledger);
    }
    if (!lane->unfunded)
        return BASE_OK;
    if (is_due)
        publisher_funds_pause(lane);
    return base_fail(err, BASE_UNAVAILABLE, "%s", lane->funds_trouble.message);
}
