#pragma once
/* Makes, stores and sends the transactions of a batch, in the order of their nonces. */
#include "lane.h"
#include "store/publication.h"

/* One proof to publish; all borrowed. */
typedef struct publisher_task {
    const store_publish_work *work;
    const base_sha256 *sha256;
    const base_digest *digest; /* of the proof that the job is about */
    /* Results: */
    store_outcome_kind kind;
    const char *reason_code;
    base_error why;
    bool fenced;  /* a later claim owns the submission */
    bool abandon; /* its stored transaction is certainly not at the node */
    char hash[WIRE_TRANSACTION_MAX + 1];
} publisher_task;

/* Fills in the results. On trouble the lane is unsettled, and what was not sent is STORE_RELEASED. BASE_OK whenever every task has a
 * result; otherwise nothing was stored or sent, and the tasks are to be given back. */
BASE_MUST_CHECK base_code publisher_send(publisher_lane *lane, publisher_task *const *tasks, size_t count,
                                         base_error *err);
