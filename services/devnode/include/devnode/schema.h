#pragma once
/* A schema as tables, and the walk that answers a parsed query by them. */
#include "devnode/graphql.h"

typedef struct schema_type schema_type;

#define SCHEMA_MESSAGE_MAX 1024 /* bytes of an error message; a daemon's quote the whole payment */

/* What the resolvers of one request share. */
typedef struct schema_call {
    void *ctx; /* the program's */
    bool failed;
    char message[SCHEMA_MESSAGE_MAX];
} schema_call;

/* Notes the reason and returns NULL, so that a failing resolver ends in one line. The first reason stays. */
json_t *schema_fail(schema_call *call, const char *format, ...) BASE_PRINTF(2, 3);

/* Answers one field of `object`; a new reference, NULL after schema_fail. */
typedef json_t *schema_resolver(schema_call *call, const graphql_field *field, const void *object);

typedef struct schema_row {
    const char *name;
    const schema_type *type; /* NULL: a scalar */
    schema_resolver *resolve;
} schema_row;

struct schema_type {
    const char *name;
    const schema_row *rows;
    size_t count;
};

#define SCHEMA_TYPE(variable, text, table)                                                                             \
    const schema_type variable = {(text), (table), sizeof(table) / sizeof((table)[0])}

/* Whether the selection fits the type, all the way down. BASE_INVALID names the unknown field. */
BASE_MUST_CHECK base_code schema_check(const schema_type *type, const graphql_field *selection, base_error *err);

/* The selected fields of one object; NULL on failure. The selection has been checked. */
json_t *schema_select(schema_call *call, const schema_type *type, const graphql_field *selection, const void *object);
