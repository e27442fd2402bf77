#pragma once
/* The service's own HTTP server for probes and scrapes: /healthz, /readyz, /metrics. One thread, bounded connections. */
#include "telemetry/metrics.h"

#define TELEMETRY_HTTP_CONNECTIONS_MAX 32
#define TELEMETRY_HTTP_TIMEOUT_S       10 /* of an idle connection */
#define TELEMETRY_HTTP_BODY_MAX        4194304
#define TELEMETRY_READY_MAX            16384 /* bytes of what is not ready */

/* Collects what is not ready during one /readyz. */
typedef struct telemetry_readiness telemetry_readiness;
/* Says that `what` ("nats", "postgres") is not ready and why, in words for an operator. */
void telemetry_not_ready(telemetry_readiness *readiness, const char *what, const char *format, ...) BASE_PRINTF(3, 4);

/* Called on the server's thread for each /readyz; must not block. Ready is who calls telemetry_not_ready for nothing. */
typedef void telemetry_ready_check(void *ctx, telemetry_readiness *readiness);

typedef struct telemetry_http_options {
    const char *address; /* to bind, IPv4 or IPv6; NULL: 0.0.0.0 */
    uint16_t port;       /* 0: any free one */
    telemetry_metrics *metrics;
    telemetry_ready_check *ready; /* NULL: always ready */
    void *ctx;
} telemetry_http_options;

typedef struct telemetry_http telemetry_http;

/* Starts the server; borrows metrics and ctx until freed. GET and HEAD only, 405 for the rest, 404 for other paths.
 * /healthz is 200 while the process serves at all; /readyz is 200 {"ready":true} or 503 {"ready":false,"not_ready":{…}}.
 * The caller owns *ret. BASE_INVALID for an address that is none, BASE_UNAVAILABLE when it cannot be bound: the message
 * names it and the setting to change. */
BASE_MUST_CHECK base_code telemetry_http_new(const telemetry_http_options *options, telemetry_http **ret,
                                             base_error *err);
/* Closes all connections and joins the thread. NULL is a no-op. */
void telemetry_http_free(telemetry_http *server);
BASE_CLEANUP_POINTER(telemetry_http, telemetry_http_free);

/* The port that it listens on. */
uint16_t telemetry_http_port(const telemetry_http *server);
