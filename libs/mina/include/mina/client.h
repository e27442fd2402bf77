#pragma once
/* A GraphQL client of one Mina node, over one kept-alive HTTP connection. */
#include "mina/answer.h"

#define MINA_CLIENT_CONNECT_TIMEOUT_MS 5000
#define MINA_CLIENT_TIMEOUT_MS         30000
#define MINA_CLIENT_ANSWER_MAX         33554432 /* bytes: 290 full blocks of Mina's networks are about 6 MB */
#define MINA_CLIENT_PLACE_MAX          256      /* bytes with terminator */

typedef struct mina_client_options {
    const char *url;            /* http(s)://host[:port]/graphql; borrowed for the call */
    int64_t connect_timeout_ms; /* name, connection and TLS; 0: MINA_CLIENT_CONNECT_TIMEOUT_MS */
    int64_t timeout_ms;         /* of a whole exchange; 0: MINA_CLIENT_TIMEOUT_MS */
    const char *tls_ca_file;    /* PEM; NULL: the system's */
} mina_client_options;

/* Belongs to one thread at a time. Certificates are checked; redirects, proxies (those of the environment too), cookies and
 * .netrc are not used; no signal is raised or handled. */
typedef struct mina_client mina_client;

/* Does not talk to the node. BASE_INVALID: no http(s) URL. The caller owns *ret. */
BASE_MUST_CHECK base_code mina_client_new(const mina_client_options *options, mina_client **ret, base_error *err);
void mina_client_free(mina_client *client); /* NULL is a no-op */
BASE_CLEANUP_POINTER(mina_client, mina_client_free);

/* For a program that stops: a request under way, or begun later, ends after_ms from now at the latest. Any thread. */
void mina_client_end(mina_client *client, int64_t after_ms);

/* "host:port", for messages: never what else the URL holds. Borrowed. */
const char *mina_client_place(const mina_client *client);

/* Questions without effects. Each is one request, blocks at most timeout_ms, and gives BASE_UNAVAILABLE whenever no usable
 * answer came: the message says how (connection, time, HTTP status, the node's own error text, an answer over
 * MINA_CLIENT_ANSWER_MAX or not as the schema has it). BASE_NO_MEMORY. */
BASE_MUST_CHECK base_code mina_client_status(mina_client *client, mina_node_status *ret, base_error *err);
BASE_MUST_CHECK base_code mina_client_account(mina_client *client, const char *address, mina_account_state *ret,
                                              base_error *err);
/* Looks for `count` payments (1..MINA_HASHES_MAX) in the pool and in the last `blocks` blocks (1..MINA_BLOCKS_MAX; BASE_INVALID
 * outside); sightings[i] belongs to hashes[i] and is unspecified on failure. */
BASE_MUST_CHECK base_code mina_client_find(mina_client *client, const char *const *hashes, size_t count, int64_t blocks,
                                           mina_sighting *sightings, base_error *err);

/* Sends a body made by mina_request_payment, these very bytes, at most once: a connection that breaks after the first byte of
 * the body is reported, never silently tried again. Blocks at most timeout_ms. */
mina_receipt mina_client_send(mina_client *client, base_bytes body);
