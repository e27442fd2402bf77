#pragma once
/* What a prover driver implements. For drivers and for tests that fake one; users of provers need prover.h only. */
#include "prover/prover.h"

#include <stdatomic.h>

typedef struct prover_driver {
    const char *format; /* static storage */
    /* The contract of prover_prove. The statement's witness ends in its hash; its signature is unchecked. */
    base_code (*prove)(struct prover *prover, const prover_statement *statement, base_buffer *ret_blob,
                       base_error *err);
    void (*cancel)(struct prover *prover); /* ends a long prove early, from another thread; NULL when prove is short */
    void (*free)(struct prover *prover);
} prover_driver;

/* First member of a driver's own struct; zero but for `driver`. */
struct prover {
    const prover_driver *driver;
    atomic_bool cancelled;
};
