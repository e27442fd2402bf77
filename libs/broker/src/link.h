#pragma once
/* What the other files of this library need of a connection. */
#include "broker/connection.h"
#include "replies.h"

#include <nats/nats.h>

#define BROKER_FLUSH_MS 2000 /* longest wait for the server to answer a flush */

/* A call to nats.c failed with `code`. When it has given up for good meanwhile, on refused credentials, its last word says more than that
 * failure, and is returned and noted instead. */
BASE_MUST_CHECK base_code broker_link_failure(broker_connection *connection, base_code code, base_error *err);

/* Told of every change of the link, on a thread of nats.c; must not block. */
typedef struct broker_listener {
    void (*on_link)(void *ctx, bool connected);
    void *ctx;
    struct broker_listener *next;
} broker_listener;

/* Tells the listener at once how the link is now. It is borrowed until removed; no call is under way once unlisten has returned. */
void broker_link_listen(broker_connection *connection, broker_listener *listener);
void broker_link_unlisten(broker_connection *connection, broker_listener *listener);

/* Borrowed; lives as long as the connection. */
natsConnection *broker_link_nats(broker_connection *connection);
broker_replies *broker_link_replies(broker_connection *connection);

/* Sends what nats.c has buffered at once instead of a millisecond later. Failure is seen by whoever awaits an answer. */
void broker_link_flush(broker_connection *connection);

/* What the server last complained of outside any request (a permission, for one), "" for nothing. */
broker_server_text broker_link_complaint(broker_connection *connection);
