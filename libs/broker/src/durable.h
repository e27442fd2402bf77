#pragma once
/* What the server knows of a durable consumer. */
#include "api.h"
#include "broker/stream.h"

/* broker_durable_read_state, with its answer checked for use by a pulling consumer: BASE_UNPREPARED names the command to run,
 * BASE_INVALID when it is a push consumer or does not want explicit acks. */
BASE_MUST_CHECK base_code broker_durable_bind(broker_connection *connection, const char *stream, const char *durable,
                                              broker_durable_state *ret, base_error *err);

/* Reads the answer to CONSUMER.INFO; what it lacks is zero. */
void broker_durable_fill(const json_t *info, broker_durable_state *ret);
