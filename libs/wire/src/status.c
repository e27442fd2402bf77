#include "wire/status.h"

#include <string.h>

static const char *const NAMES[] = {
    [WIRE_STATUS_NONE] = "none",
    [WIRE_STATUS_AWAITING_REVIEW] = "awaiting_review",
    [WIRE_STATUS_PROOF_GENERATION] = "proof_generation",
    [WIRE_STATUS_PROOF_PUBLISHING] = "proof_publishing",
    [WIRE_STATUS_COMPLETE] = "complete",
    [WIRE_STATUS_REJECTED] = "rejected",
};
enum { STATUSES = sizeof(NAMES) / sizeof(NAMES[0]) };

const char *wire_status_name(wire_status status)
{
    return (size_t)status < STATUSES ? NAMES[status] : "unknown";
}

base_code wire_status_parse(const char *name, wire_status *ret, base_error *err)
{
    for (size_t i = 0; i < STATUSES; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *ret = (wire_status)i;
            return BASE_OK;
        }
    }
    return base_fail(err, BASE_INVALID, "\"%.32s\" is not the name of a status", name);
}
