#pragma once
/* The HTTP server of a development node: /graphql, /control/…, /healthz. */
#include "devnode/faults.h"
#include "devnode/node.h"
#include "devnode/stats.h"

#define HTTP_BODY_MAX        524288 /* bytes of a request */
#define HTTP_CONNECTIONS_MAX 512    /* each has a thread of its own */
#define HTTP_IDLE_S          120    /* after which a silent connection is closed */

typedef struct http_server http_server;

typedef struct http_options {
    const char *bind; /* an IPv4 address */
    uint16_t port;    /* 0: a free one */
    node *node;       /* borrowed, like the next two, until http_server_free */
    faults *faults;
    stats *stats;
} http_options;

/* Serves until it is freed. BASE_INVALID: no such address; BASE_UNAVAILABLE: the port is taken. The caller owns *ret. */
BASE_MUST_CHECK base_code http_server_new(const http_options *options, http_server **ret, base_error *err);
/* Takes no more connections, cuts delays short, and waits for the requests in hand. */
void http_server_free(http_server *server);
BASE_CLEANUP_POINTER(http_server, http_server_free);

uint16_t http_server_port(const http_server *server);
