#pragma once
/* The part of GraphQL that clients of a Mina node use: one operation with variables, nested selections, arguments and aliases.
 * Fragments, directives and block strings are refused by name. */
#include "base/error.h"
#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>

#define GRAPHQL_NAME_MAX     64  /* bytes of a name */
#define GRAPHQL_DEPTH_MAX    16  /* nested selections or values */
#define GRAPHQL_FIELDS_MAX   512 /* in one document */
#define GRAPHQL_CHILDREN_MAX 128 /* fields in one selection */

/* One selected field. `key` is its alias, or its name. */
typedef struct graphql_field {
    char name[GRAPHQL_NAME_MAX + 1];
    char key[GRAPHQL_NAME_MAX + 1];
    json_t *arguments; /* owned object with the variables put in; NULL when there are none */
    struct graphql_field *children;
    size_t count;
} graphql_field;

typedef struct graphql_document {
    bool is_mutation;
    graphql_field root; /* its children are the operation's fields */
} graphql_document;

/* Parses a query. `variables` may be NULL or JSON null. BASE_INVALID says what is wrong at which line; BASE_LIMIT, BASE_NO_MEMORY. The
 * caller owns *ret. */
BASE_MUST_CHECK base_code graphql_parse(const char *query, const json_t *variables, graphql_document *ret,
                                        base_error *err);
void graphql_document_done(graphql_document *document);
BASE_CLEANUP_VALUE(graphql_document, graphql_document_done);
