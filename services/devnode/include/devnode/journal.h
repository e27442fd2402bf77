#pragma once
/* The append-only file from which a development node comes back: one JSON object a line. Thread-safe. */
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

/* Adds the entry, in the order of the calls. It survives this process at once, a power loss after journal_sync(*ret_position). On
 * failure nothing was added. */
BASE_MUST_CHECK base_code journal_append(journal *j, const journal_entry *entry, int64_t *ret_position,
                                         base_error *err);

#define JOURNAL_ALL INT64_C(-1) /* as a position: all that was added so far */

/* Returns once all entries up to the position are on disk. Callers that wait together share one write to the disk. After a
 * failure the file takes nothing more until the node is started again. */
BASE_MUST_CHECK base_code journal_sync(journal *j, int64_t position, base_error *err);
