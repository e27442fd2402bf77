#pragma once
/* Publishes outbox rows and deletes those that the server has stored. */
#include "broker/connection.h"
#include "store/outbox.h"

#define STAGE_PUBLISH_TIMEOUT_MS 5000  /* wait for the acknowledgements of one batch */
#define STAGE_RELAY_AGE_MAX_MS   60000 /* half the streams' dedupe window: see stage_relay */

/* Publishes all rows of `outbox` in order, deletes the stored ones, and empties the list. On failure rows stay in the table: the
 * sweeper publishes them later under the same message ids, so that nothing is lost and readers see no double. BASE_LIMIT,
 * BASE_INVALID: the server will never take one of them (it stays, for an operator to see); those behind it were published.
 * A list older than STAGE_RELAY_AGE_MAX_MS is not published: the process was frozen, and a sweeper has published its rows so long
 * ago that the server may not know them for repetitions any more. */
BASE_MUST_CHECK base_code stage_relay(broker_connection *broker, store_session *store, store_outbox *outbox,
                                      base_error *err);
