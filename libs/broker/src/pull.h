#pragma once
/* One pull request: asks the server for a batch and waits for what it brings. */
#include "intake.h"
#include "link.h"

typedef struct broker_pull {
    const char *stream, *durable; /* borrowed */
    size_t batch;
    int64_t pull_ms; /* how long the request waits at the server */
    bool
        sparse; /* ask for one job and wait for it, whatever other instances ask for; else take what is there, or wait for the first */
} broker_pull;

/* Returns with jobs in the intake's queue, or none when the request ended without, the link changed or the consumer is stopped.
 * BASE_UNAVAILABLE when the server refuses it or says nothing, as it does when the durable is gone. *ret_contended: it ended at once because
 * of other instances' requests, or because the first job is too large for it: the next one had better be sparse. */
BASE_MUST_CHECK base_code broker_pull_run(broker_connection *connection, broker_intake *intake, const broker_pull *pull,
                                          bool *ret_contended, base_error *err);
