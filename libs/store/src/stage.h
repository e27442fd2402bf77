#pragma once
/* What the two stages share: batches in lock order, and how failures are written. */
#include "messages.h"
#include "store/claim.h"

/* One submission of a batch. Sorted by hash, a batch locks its rows in an order that all batches share. */
typedef struct store_place {
    const base_sha256 *sha256;
    size_t index; /* in the caller's arrays */
} store_place;

/* BASE_LIMIT over STORE_BATCH_MAX, BASE_INVALID when a hash comes twice. */
BASE_MUST_CHECK base_code store_places_sort(store_place *places, size_t count, base_error *err);
/* One array parameter: the hashes in order. */
void store_places_params(const store_place *places, size_t count, store_params *params);
/* One array parameter: the caller's indices, by which written rows and their messages are matched. */
void store_places_owners(const store_place *places, size_t count, store_params *params);

/* Joins `o`, a list of (sha, epoch, …) whose rows are locked, with those submissions `f` whose attempt is still open under that
 * epoch; f.place is the row's ctid, fixed while we hold it. OFFSET 0 keeps the conditions out of the lookup: left to itself,
 * the planner takes the index of pending rows for the smaller one and reads all of it for each job of the batch. */
#define STORE_STILL_OURS(status)                                                                                       \
    "CROSS JOIN LATERAL (SELECT h.ctid AS place, h.epoch, h.attempt_open, h.status FROM submissions h "                \
    "WHERE h.sha256_hash = o.sha OFFSET 0) AS f "                                                                      \
    "WHERE f.epoch = o.epoch AND f.attempt_open AND f.status = '" status "' "

/* Milliseconds of a point in time (Unix) or of a span. */
#define STORE_MS(value) "(extract(epoch FROM " value ") * 1000)::bigint"

/* Reads a claim's columns from `column` on: answer, status, epoch, event_sequence, retries, crashes, accepted (Unix ms), age
 * (ms). */
BASE_MUST_CHECK base_code store_claim_read(const store_rows *rows, size_t row, int column, store_claim *ret,
                                           base_error *err);

/* One end of an attempt as both stages see it. */
typedef struct store_ending {
    store_command stage;
    store_outcome_kind kind;
    const base_sha256 *sha256;
    const char *correlation_id;
    const store_claim *claim;
    const store_job_identity *identity;
    const store_failure *failure;
    const char *transaction_hash; /* of a completion, else NULL */
} store_ending;

/* Appends what an ending tells the world: the event of a success or a rejection, and a rejection's dead letter. */
BASE_MUST_CHECK base_code store_add_ending(const store_session *session, store_outbox *outbox, size_t owner,
                                           const store_ending *ending, base_error *err);
/* Two text elements of a failure: cleaned, or null for a kind that has none. */
void store_add_reason_code(store_params *params, store_outcome_kind kind, const store_failure *failure);
void store_add_reason(store_params *params, store_outcome_kind kind, const store_failure *failure);

/* Takes what a commit returned: rows (id, owner), first the owners whose rows were written, with a null id, then the ids of
 * their outbox rows. Sets fenced[0..count). */
BASE_MUST_CHECK base_code store_commit_read(const store_rows *rows, size_t count, bool *fenced, store_outbox *outbox,
                                            size_t first, base_error *err);
