#pragma once
/* A TCP proxy on the loopback interface that fails on command: between a service and a server it plays the network.
 *
 * It has one thread of its own. A command holds when its call returns, and from any thread. */
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HARNESS_PROXY_CONNECTIONS 128 /* at once; further ones wait in the backlog */
#define HARNESS_PROXY_BUFFER      262144 /* bytes under way in one direction of one connection; then nothing more is read */

#define HARNESS_PROXY_WATCHED 64 /* bytes of what harness_proxy_swallow watches for */

typedef struct harness_proxy harness_proxy;

typedef enum harness_proxy_direction {
    HARNESS_PROXY_TO_SERVER = 1,
    HARNESS_PROXY_TO_CLIENT = 2,
    HARNESS_PROXY_BOTH = 3,
} harness_proxy_direction;

typedef enum harness_proxy_cut_mode { HARNESS_PROXY_FIN, HARNESS_PROXY_RST } harness_proxy_cut_mode;

typedef struct harness_proxy_counts {
    uint64_t accepted, cut, swallowed, bytes_to_server, bytes_to_client;
} harness_proxy_counts;

/* Forwards connections to 127.0.0.1:port, which nobody needs to listen on yet: a connection without a server is reset. */
harness_proxy *harness_proxy_new(uint16_t port);
/* Resets what is connected. NULL is a no-op. */
void harness_proxy_free(harness_proxy *proxy);
BASE_CLEANUP_POINTER(harness_proxy, harness_proxy_free);

/* Where clients connect; the same for life. */
uint16_t harness_proxy_port(const harness_proxy *proxy);

/* Ends all connections, to both sides; what is under way is lost. New ones are accepted. Returns how many there were. */
size_t harness_proxy_cut(harness_proxy *proxy, harness_proxy_cut_mode mode);
/* Half open: accepts and keeps connections, but moves neither bytes nor ends in these directions. */
void harness_proxy_stall(harness_proxy *proxy, harness_proxy_direction directions);
/* Each byte arrives latency_ms late, and at most bytes_per_second of them in each direction of each connection (0: no bound). */
void harness_proxy_slow(harness_proxy *proxy, int64_t latency_ms, int64_t bytes_per_second);
/* New connections are refused, as if nobody listened; those that are there stay. */
void harness_proxy_refuse(harness_proxy *proxy);
/* Loses one answer: as soon as `request` has passed to the server in full, on whichever connection it comes first, no answer comes
 * through on that connection any more, and when what the server sends ends with `answer_end` the client's side is reset. The request
 * reaches the server. Once; counted as swallowed when it is done. Both are copied. */
void harness_proxy_swallow(harness_proxy *proxy, base_bytes request, base_bytes answer_end);
/* Ends stall, slowness and refusal. What a stall held back goes on. */
void harness_proxy_heal(harness_proxy *proxy);

harness_proxy_counts harness_proxy_read_counts(harness_proxy *proxy);
