#pragma once
/* The append-only file from which a development node comes back: one JSON object a line, on disk before it counts. */
#include "devnode/chain.h"

#define JOURNAL_LINE_MAX 2048               /* bytes */
#define JOURNAL_SIZE_MAX (INT64_C(1) << 30) /* bytes of the file; beyond that nothing is accepted */

typedef enum journal_kind { JOURNAL_FUND, JOURNAL_SEND, JOURNAL_BLOCK } journal_kind;

typedef struct journal_entry {
    journal_kind kind;
    mina_public_key key;           /* JOURNAL_FUND */
    uint64_t amount;               /* JOURNAL_FUND: nanomina */
    chain_transaction transaction; /* JOURNAL_SEND: payment and signature; the hash is not stored */
    int64_t time_ms;               /* JOURNAL_BLOCK */
} journal_entry;

/* Takes one entry of the past. Anything but BASE_OK ends the replay. */
typedef base_code journal_replay(void *ctx, const journal_entry *entry, base_error *err);

typedef struct journal journal;

/* Opens or makes the file, keeps others out, and replays it. A last line that a crash cut short is removed; any other damage is
 * BASE_INVALID. BASE_CONFLICT: another process uses the file, or it is of another network. The caller owns *ret. */
BASE_MUST_CHECK base_code journal_open(const char *path, mina_network network, journal_replay *replay, void *ctx,
                                       journal **ret, base_error *err);
void journal_free(journal *j);
BASE_CLEANUP_POINTER(journal, journal_free);

/* Returns once the entry is on disk. On failure nothing was added. */
BASE_MUST_CHECK base_code journal_append(journal *j, const journal_entry *entry, base_error *err);
