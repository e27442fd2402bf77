#pragma once
/* How to reach the servers: the list of URLs and the settings of nats.c, from the connection's options. */
#include "broker/connection.h"

#include <nats/nats.h>

#define BROKER_SERVERS_MAX 16
#define BROKER_URL_MAX     512 /* bytes of one URL with its terminator */

typedef struct broker_servers {
    char urls[BROKER_SERVERS_MAX][BROKER_URL_MAX];
    size_t count;
    bool tls; /* one of them says tls:// */
} broker_servers;

/* Splits "nats://a:4222, tls://b:4222". BASE_INVALID: empty, too many, too long, an unknown scheme, a space inside. */
BASE_MUST_CHECK base_code broker_servers_parse(const char *list, broker_servers *ret, base_error *err);

/* The URL without user, password or token, cut at the size of the result. */
broker_server_text broker_url_public(const char *url);
/* All of them without credentials, separated by ", ". */
broker_server_text broker_servers_public(const broker_servers *servers);

/* The caller owns *ret (natsOptions_Destroy). The callbacks are set by the connection. BASE_INVALID for a bad option or file. */
BASE_MUST_CHECK base_code broker_dial_options(const broker_connection_options *options, const broker_servers *servers,
                                              natsOptions **ret, base_error *err);
