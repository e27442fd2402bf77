#pragma once
/* Whether a transaction on the chain anchors a given proof. */
#include "base/bytes.h"
#include "checks.h"

/* All texts borrowed. */
typedef struct ctl_anchor {
    const char *node;    /* URL */
    const char *network; /* that it must be on */
    const char *transaction;
    base_sha256 image;
    base_digest proof;
    int64_t timeout_ms; /* how long a transaction in the pool, or not seen yet, is waited for */
} ctl_anchor;

/* Adds the checks "network", "transaction" and, once that was seen, "memo". Fails only when the node gives no answer. */
BASE_MUST_CHECK base_code ctl_chain_check(const ctl_anchor *anchor, ctl_checks *checks, base_error *err);
