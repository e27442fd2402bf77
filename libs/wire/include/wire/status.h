#pragma once
/* The states of a submission: awaiting_review -> proof_generation -> proof_publishing -> complete, rejected from any of them. */
#include "base/error.h"

typedef enum wire_status {
    WIRE_STATUS_NONE,
    WIRE_STATUS_AWAITING_REVIEW,
    WIRE_STATUS_PROOF_GENERATION,
    WIRE_STATUS_PROOF_PUBLISHING,
    WIRE_STATUS_COMPLETE,
    WIRE_STATUS_REJECTED,
} wire_status;

/* The name used in Postgres, in subjects and in JSON: "proof_generation"; "none" for WIRE_STATUS_NONE. Static storage. */
const char *wire_status_name(wire_status status);
/* BASE_INVALID for an unknown name. */
BASE_MUST_CHECK base_code wire_status_parse(const char *name, wire_status *ret, base_error *err);
