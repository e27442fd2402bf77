#pragma once
/* One connection to a NATS cluster that reconnects for ever and says where it stands. */
#include "base/secret.h"

#include <stdint.h>

typedef struct broker_connection broker_connection;

/* All texts are borrowed for the call of broker_connection_open only. NULL or zero means "not used". */
typedef struct broker_connection_options {
    const char *url;              /* one or more, separated by commas: nats://host:4222,tls://other:4222 */
    const char *name;             /* shown by the server in its connection list */
    const char *credentials_file; /* .creds with JWT and seed */
    const char *user;
    const base_secret *password;
    const base_secret *token;
    const char *tls_ca_file; /* any of the three turns TLS on, as does a tls:// URL */
    const char *tls_certificate_file;
    const char *tls_key_file;
    bool wait_for_server; /* true: a server that is down is not an error, the connection is made in the background */
    /* Called on a thread of the library whenever the link changes; must not block. May be NULL. */
    void (*on_change)(void *ctx, bool connected, const char *detail);
    void *on_change_ctx;
} broker_connection_options;

/* The caller owns *ret. BASE_UNAVAILABLE names the servers tried; BASE_DENIED; BASE_INVALID for a bad option or file. */
BASE_MUST_CHECK base_code broker_connection_open(const broker_connection_options *options, broker_connection **ret,
                                                 base_error *err);
/* Flushes what it can within a second, then closes. All consumers of it must be freed before. */
void broker_connection_free(broker_connection *connection);
BASE_CLEANUP_POINTER(broker_connection, broker_connection_free);

/* BASE_OK while connected; else BASE_UNAVAILABLE with the reason, or BASE_DENIED when the server refuses the credentials: twice in a
 * row after a connection was up, and nats.c gives up for good, so open a new one (or exit). Never blocks; any thread. */
BASE_MUST_CHECK base_code broker_connection_check(broker_connection *connection, base_error *err);

typedef struct broker_server_text {
    char text[256];
} broker_server_text;
/* URL of the server in use without credentials, "" while disconnected. */
broker_server_text broker_connection_server(broker_connection *connection);
/* Largest payload that the server accepts, in bytes; 0 while never connected. */
int64_t broker_connection_max_payload(broker_connection *connection);
