#pragma once
/* Submits signed images at a steady rate through all that happens, and remembers what was accepted. Now and then one is forged, one is
 * sent twice, and one is no message at all. */
#include "broker/topology.h"

#include <stdbool.h>

typedef struct load load;

/* A submission whose publication was acknowledged. */
typedef struct load_item {
    base_sha256 sha256;
    bool forged; /* must be rejected; all others must be complete */
} load_item;

typedef struct load_totals {
    size_t submissions, forged, duplicates, garbage; /* messages; forged are submissions too */
} load_totals;

/* Starts to submit from a thread of its own. Borrows broker and names. The caller owns the result. */
load *load_new(broker_connection *broker, const broker_names *names, uint64_t seed, double per_second);
/* Makes no more, and waits until all that was made is acknowledged: NATS must be up. */
void load_stop(load *l);
/* After load_stop: sorted by hash; borrowed. */
const load_item *load_items(const load *l, size_t *ret_count);
load_totals load_read_totals(const load *l);
void load_free(load *l); /* NULL is a no-op */
BASE_CLEANUP_POINTER(load, load_free);
