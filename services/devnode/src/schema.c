#include "devnode/schema.h"

#include <stdio.h>
#include <string.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

json_t *schema_fail(schema_call *call, const char *format, ...)
{
    if (call->failed)
        return NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(call->message, sizeof(call->message), format, args);
    va_end(args);
    call->failed = true;
    return NULL;
}

static const schema_row *row_of(const schema_type *type, const char *name)
{
    for (size_t i = 0; i < type->count; i++)
        if (strcmp(type->rows[i].name, name) == 0)
            return &type->rows[i];
    return NULL;
}

static bool is_type_name(const graphql_field *field)
{
    return strcmp(field->name, "__typename") == 0;
}

static base_code check_field(const schema_type *type, const graphql_field *field, base_error *err)
{
    if (is_type_name(field))
        return BASE_OK;
    const schema_row *row = row_of(type, field->name);
    if (row == NULL)
        return base_fail(err, BASE_INVALID, "Field '%s' is not defined on type '%s'", field->name, type->name);
    if (row->type == NULL && field->count > 0)
        return base_fail(err, BASE_INVALID, "Field '%s' of type '%s' is a scalar: it has no fields", field->name,
                         type->name);
    if (row->type != NULL && field->count == 0)
        return base_fail(err, BASE_INVALID, "Field '%s' of type '%s' needs a selection of its fields", field->name,
                         type->name);
    return row->type == NULL ? BASE_OK : schema_check(row->type, field, err);
}

base_code schema_check(const schema_type *type, const graphql_field *selection, base_error *err)
{
    base_code code = BASE_OK;
    for (size_t i = 0; i < selection->count && code == BASE_OK; i++)
        code = check_field(type, &selection->children[i], err);
    return code;
}

json_t *schema_select(schema_call *call, const schema_type *type, const graphql_field *selection, const void *object)
{
    BASE_CLEANUP(json_decref) json_t *result = json_object();
    for (size_t i = 0; i < selection->count; i++) {
        const graphql_field *field = &selection->children[i];
        json_t *value =
            is_type_name(field) ? json_string(type->name) : row_of(type, field->name)->resolve(call, field, object);
        if (json_object_set_new(result, field->key, value) == 0)
            continue;
        return schema_fail(call, "no memory for the answer");
    }
    return BASE_TAKE(result);
}
