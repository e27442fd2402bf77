#include "missing.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

void publisher_missing_clear(publisher_missing *missing)
{
    missing->count = 0;
}

void publisher_missing_note_height(publisher_missing *missing, int64_t height)
{
    int64_t now_ms = base_monotonic_ms();
    bool is_old = height > 0 && now_ms - missing->highest_ms > PUBLISHER_HEIGHT_MAX_MS;
    if (height < missing->highest && !is_old)
        return;
    missing->highest = height;
    missing->highest_ms = now_ms;
}

/* Its place among the entries; their number when it has none. */
static size_t place_of(const publisher_missing *missing, const char *hash)
{
    size_t at = 0;
    while (at < missing->count && strcmp(missing->entries[at].hash, hash) != 0)
        at++;
    return at;
}

void publisher_missing_forget(publisher_missing *missing, const char *hash)
{
    size_t at = place_of(missing, hash);
    if (at < missing->count)
        missing->entries[at] = missing->entries[--missing->count];
}

static publisher_missing_entry *make_room(publisher_missing *missing)
{
    if (missing->count < PUBLISHER_MISSING_MAX)
        return &missing->entries[missing->count++];
    publisher_missing_entry *oldest = missing->entries;
    for (size_t i = 1; i < missing->count; i++)
        if (missing->entries[i].looked_ms < oldest->looked_ms)
            oldest = &missing->entries[i];
    return oldest;
}

void publisher_missing_note(publisher_missing *missing, const char *hash, const ledger_sighting *sighting)
{
    publisher_missing_note_height(missing, sighting->tip_height);
    if (sighting->place != LEDGER_NOWHERE)
        publisher_missing_forget(missing, hash);
    if (sighting->place != LEDGER_NOWHERE || sighting->tip_height < missing->highest)
        return;
    int64_t now_ms = base_monotonic_ms();
    size_t at = place_of(missing, hash);
    if (at < missing->count) {
        missing->entries[at].looked_ms = now_ms;
        return;
    }
    publisher_missing_entry *added = make_room(missing);
    snprintf(added->hash, sizeof(added->hash), "%s", hash);
    added->since_ms = now_ms;
    added->looked_ms = now_ms;
}

base_code publisher_missing_judge(const publisher_missing *missing, const char *hash, const ledger_sighting *sighting,
                                  base_error *err)
{
    size_t at = place_of(missing, hash);
    if (sighting->tip_height < missing->highest)
        return base_fail(err, BASE_UNAVAILABLE,
                         "transaction %s is not at a node that lags: its best block is %lld, another answer told of "
                         "block %lld",
                         hash, (long long)sighting->tip_height, (long long)missing->highest);
    if (at == missing->count || base_monotonic_ms() - missing->entries[at].since_ms < missing->wait_ms)
        return base_fail(err, BASE_UNAVAILABLE, "transaction %s is not at the node: looked for again before it counts",
                         hash);
    return BASE_OK;
}
