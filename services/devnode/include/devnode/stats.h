#pragma once
/* What a development node has been asked so far. */
#include <stdatomic.h>
#include <stdint.h>

typedef struct stats {
    atomic_uint_fast64_t requests; /* to /graphql */
    atomic_uint_fast64_t sends;    /* payments in them, read and judged */
    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t duplicates; /* of payments in the pool */
    atomic_uint_fast64_t rejected;   /* all others */
    atomic_uint_fast64_t faults;     /* that struck */
} stats;
