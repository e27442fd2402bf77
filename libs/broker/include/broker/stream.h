#pragma once
/* Reads what streams hold: single messages, a live feed from a position, and how far a durable has come. */
#include "broker/publish.h"

/* A stored message, owned: release with broker_stored_done. */
typedef struct broker_stored {
    uint64_t sequence;
    int64_t stored_unix_ns;
    char *subject;
    base_buffer payload;
    broker_header *headers; /* names and values owned */
    size_t header_count;
} broker_stored;
void broker_stored_done(broker_stored *message);
BASE_CLEANUP_VALUE(broker_stored, broker_stored_done);
/* Value of the first header of that name, or NULL; borrowed from `message`. */
const char *broker_stored_header(const broker_stored *message, const char *name);

/* BASE_NOT_FOUND: no such sequence (any more). BASE_UNPREPARED, here and below: no such stream or durable. */
BASE_MUST_CHECK base_code broker_stream_get(broker_connection *connection, const char *stream, uint64_t sequence,
                                            broker_stored *ret, base_error *err);
/* The first message on `subject` (wildcards allowed) at or after `sequence`. */
BASE_MUST_CHECK base_code broker_stream_next(broker_connection *connection, const char *stream, uint64_t sequence,
                                             const char *subject, broker_stored *ret, base_error *err);

typedef struct broker_stream_state {
    uint64_t messages, bytes, first_sequence, last_sequence;
} broker_stream_state;
BASE_MUST_CHECK base_code broker_stream_read_state(broker_connection *connection, const char *stream,
                                                   broker_stream_state *ret, base_error *err);

typedef struct broker_durable_state {
    uint64_t pending;            /* not delivered yet */
    uint64_t ack_pending;        /* delivered, not settled */
    uint64_t ack_floor_sequence; /* everything up to here is settled */
    uint64_t delivered_sequence;
    uint64_t deliveries; /* in all, with every redelivery */
    int64_t ack_wait_ms;
} broker_durable_state;
BASE_MUST_CHECK base_code broker_durable_read_state(broker_connection *connection, const char *stream,
                                                    const char *durable, broker_durable_state *ret, base_error *err);

/* A live feed of one stream without acknowledgements (an ordered ephemeral consumer of the server's), gaps refetched. */
typedef struct broker_feed broker_feed;
/* From the first message on `subject` at or after start_sequence (0: only what is stored from now on). The caller owns *ret. */
BASE_MUST_CHECK base_code broker_feed_open(broker_connection *connection, const char *stream, const char *subject,
                                           uint64_t start_sequence, broker_feed **ret, base_error *err);
/* Waits up to timeout_ms for the next message. BASE_TIMEOUT when none came; BASE_UNAVAILABLE when the server was away (the feed goes
 * on by itself: just call again); BASE_UNPREPARED when the stream is gone. One thread at a time. */
BASE_MUST_CHECK base_code broker_feed_next(broker_feed *feed, int64_t timeout_ms, broker_stored *ret, base_error *err);
void broker_feed_free(broker_feed *feed);
BASE_CLEANUP_POINTER(broker_feed, broker_feed_free);
