#include "abandoned.h"

#include "base/hex.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

#include <stdlib.h>
#include <string.h>

enum { WATCH_S = 24 * 3600 }; /* well beyond the time that a node's pool and its blocks tell of */

static bool is_told(const publisher_lane *lane, const char *hash)
{
    for (size_t i = 0; i < lane->landed_count; i++)
        if (strcmp(lane->landed[i], hash) == 0)
            return true;
    return false;
}

/* Full, it tells once more what it cannot remember: too often rather than never. */
static void tell(publisher_lane *lane, const store_transaction *transaction, const ledger_sighting *sighting)
{
    bool is_pooled = sighting->place == LEDGER_POOLED;
    TELEMETRY_LOG(TELEMETRY_ERROR, "transaction_abandoned_landed", telemetry_text("transaction", transaction->hash),
                  telemetry_text("submission", base_sha256_hex(&transaction->submission).text),
                  telemetry_int("nonce", transaction->nonce), telemetry_text("place", is_pooled ? "pool" : "block"),
                  telemetry_int("block", sighting->block_height));
    stage_metrics_abandoned_landed();
    if (lane->landed_count < PUBLISHER_ABANDONED_MAX)
        memcpy(lane->landed[lane->landed_count++], transaction->hash, sizeof(transaction->hash));
}

base_code publisher_abandoned_look(publisher_lane *lane, base_error *err)
{
    BASE_CLEANUP(store_transaction_list_free) store_transaction_list *list = NULL;
    base_code code = store_transactions_find_abandoned(lane->stage->store, lane->lane.fee_payer, WATCH_S,
                                                       PUBLISHER_ABANDONED_MAX, &list, err);
    size_t count = code == BASE_OK ? store_transaction_list_count(list) : 0;
    if (count == 0)
        return code;
    BASE_CLEANUP(free) ledger_sighting *sightings = calloc(count, sizeof(*sightings));
    const char *hashes[PUBLISHER_ABANDONED_MAX];
    if (sightings == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to look up %zu transactions", count);
    for (size_t i = 0; i < count; i++)
        hashes[i] = store_transaction_list_at(list, i)->hash;
    publisher_lane_keep(lane);
    code = ledger_find(lane->ledger, hashes, count, LEDGER_BLOCKS_MAX, sightings, err);
    for (size_t i = 0; code == BASE_OK && i < count; i++)
        if ((sightings[i].place == LEDGER_POOLED || sightings[i].place == LEDGER_INCLUDED) && !is_told(lane, hashes[i]))
            tell(lane, store_transaction_list_at(list, i), &sightings[i]);
    return code;
}
