#pragma once
/* Publishes batches into JetStream and waits for all their acknowledgements together. */
#include "broker/connection.h"

#define BROKER_PUBLISH_BATCH_MAX 1000 /* messages of one call */
#define BROKER_HEADERS_MAX       16   /* headers of one message, the message id not counted */

typedef struct broker_header {
    const char *name;
    const char *value; /* no line breaks */
} broker_header;

/* Borrowed for the call. */
typedef struct broker_message {
    const char *subject;
    base_bytes payload;
    const char *message_id; /* Nats-Msg-Id; NULL: no deduplication */
    const broker_header *headers;
    size_t header_count;
} broker_message;

typedef struct broker_publish_result {
    base_code code;    /* BASE_OK: stored (or a duplicate, which is success) */
    bool duplicate;    /* the dedupe window knew the id */
    uint64_t sequence; /* in the stream */
} broker_publish_result;

/* Sends `count` messages in order and waits until each is acknowledged or timeout_ms has passed.
 * results[i] belongs to messages[i]. Returns BASE_OK when all are stored; else the first failure's code, with *err saying which
 * subject and why: BASE_UNAVAILABLE (no server; no stream takes the subject: names `proofctl topology apply`; disk full),
 * BASE_LIMIT (payload over the server's maximum), BASE_AMBIGUOUS (sent, no answer in time: repeat with the same message id).
 * Any thread; several may publish at once. */
BASE_MUST_CHECK base_code broker_publish(broker_connection *connection, const broker_message *messages, size_t count,
                                         int64_t timeout_ms, broker_publish_result *results, base_error *err);
