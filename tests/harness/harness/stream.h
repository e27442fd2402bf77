#pragma once
/* What tests do to streams of JetStream, and no program of ours does. */
#include "broker/connection.h"

#include <stdbool.h>

/* Deletes one message, as an operator might. False: the stream has no such message (any more); whatever else fails, fails the test. */
bool harness_stream_delete(broker_connection *connection, const char *stream, uint64_t sequence);
