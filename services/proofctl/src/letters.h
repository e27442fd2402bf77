#pragma once
/* Dead letters: choosing them by stage and reason, and reading what their headers say. */
#include "broker/stream.h"
#include "broker/topology.h"

#define CTL_LETTERS_MAX 1000000 /* that one command handles */

typedef struct ctl_letter_filter {
    const char *stage;       /* NULL: any */
    const char *reason_code; /* NULL: any */
} ctl_letter_filter;

/* Called for each letter that passes, oldest first; `letter` is borrowed for the call. Any code but BASE_OK ends the walk. */
typedef base_code ctl_letter_visit(void *ctx, const broker_stored *letter, base_error *err);

/* Visits what the stream holds now; what arrives meanwhile is left for another walk. */
BASE_MUST_CHECK base_code ctl_letters_walk(broker_connection *connection, const broker_names *names,
                                           const ctl_letter_filter *filter, ctl_letter_visit *visit, void *ctx,
                                           base_error *err);

/* A header's value or "". */
const char *ctl_letter_text(const broker_stored *letter, const char *header);
