#pragma once
/* Tells JetStream the verdicts on a batch and awaits its confirmations together. */
#include "intake.h"
#include "link.h"

typedef struct broker_settle_counts {
    uint64_t acked, retried, dead, left, failures;
} broker_settle_counts;

/* Adds to *counts. A verdict without a confirmation in time counts as a failure: the ack wait brings the job again. */
void broker_settle(broker_connection *connection, broker_delivery *const *batch, size_t count,
                   const broker_settlement *settlements, broker_settle_counts *counts);
