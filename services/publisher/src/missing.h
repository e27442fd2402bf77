#pragma once
/* Transactions that the node did not show: nothing that cannot be taken back is done about one before a second look agrees.
 *
 * Several nodes may stand behind one address, and one of them lag behind the others: it answers "nowhere" of a transaction that
 * has landed. So a transaction counts as missing only after two looks, wait_ms apart, at nodes that know of every block that any
 * answer has told of. To send the same bytes again needs no such certainty, and waits for none. */
#include "ledger/ledger.h"

#define PUBLISHER_MISSING_MAX                                                                                          \
    500 /* watched at once; beyond that the one that was not looked for for the longest time gives way */

/* A height that no answer repeats for that long was of another chain, or of one that was reset: a chain that is alive goes beyond it. */
#define PUBLISHER_HEIGHT_MAX_MS (30 * 60 * 1000)

typedef struct publisher_missing_entry {
    char hash[LEDGER_HASH_MAX + 1];
    int64_t since_ms, looked_ms; /* monotonic: the first and the last look that did not find it */
} publisher_missing_entry;

typedef struct publisher_missing {
    int64_t wait_ms;
    int64_t highest; /* block that any answer has told of in the last PUBLISHER_HEIGHT_MAX_MS */
    int64_t highest_ms;
    size_t count;
    publisher_missing_entry entries[PUBLISHER_MISSING_MAX];
} publisher_missing;

void publisher_missing_clear(publisher_missing *missing);
/* Some answer told of a block of this height. */
void publisher_missing_note_height(publisher_missing *missing, int64_t height);
/* Takes note of one look at one transaction. */
void publisher_missing_note(publisher_missing *missing, const char *hash, const ledger_sighting *sighting);
/* It was taken by a node after all, or its end is decided. */
void publisher_missing_forget(publisher_missing *missing, const char *hash);
/* May be acted upon that this latest look, noted before, did not find it? BASE_UNAVAILABLE: not yet, and what is waited for. */
BASE_MUST_CHECK base_code publisher_missing_judge(const publisher_missing *missing, const char *hash,
                                                  const ledger_sighting *sighting, base_error *err);
