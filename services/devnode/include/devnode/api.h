#pragma once
/* The GraphQL interface of a Mina node, as far as this one goes. */
#include "devnode/graphql.h"
#include "devnode/node.h"
#include "devnode/stats.h"

typedef struct api {
    node *node;
    stats *stats;
    bool lags; /* answers as a node that lacks the pool and the newest blocks */
    uint64_t lagging_blocks;
} api;

/* Reads {"query", "variables"} and checks it against the schema, without doing anything. The caller owns *ret. */
BASE_MUST_CHECK base_code api_prepare(const json_t *request, graphql_document *ret, base_error *err);

/* Whether it asks for pooled payments. */
bool api_is_lookup(const graphql_document *document);

/* Carries it out. A new reference to {"data"} or {"data": null, "errors"}; NULL when memory is short. */
json_t *api_execute(api *a, const graphql_document *document);

/* A new reference to {"errors": [{"message"}]}. */
json_t *api_error(const char *message);
