#include "devnode/api.h"

#include "api_root.h"

#include <string.h>

static const schema_type *root_of(const graphql_document *document)
{
    return document->is_mutation ? &API_MUTATION : &API_QUERY;
}

base_code api_prepare(const json_t *request, graphql_document *ret, base_error *err)
{
    const char *query = json_string_value(json_object_get(request, "query"));
    if (query == NULL)
        return base_fail(err, BASE_INVALID, "the request needs a \"query\" (a string of GraphQL)");
    graphql_document document;
    base_code code = graphql_parse(query, json_object_get(request, "variables"), &document, err);
    if (code != BASE_OK)
        return code;
    code = schema_check(root_of(&document), &document.root, err);
    if (code == BASE_OK)
        *ret = document;
    else
        graphql_document_done(&document);
    return code;
}

bool api_is_lookup(const graphql_document *document)
{
    for (size_t i = 0; i < document->root.count; i++)
        if (strcmp(document->root.children[i].name, "pooledUserCommands") == 0)
            return true;
    return false;
}

json_t *api_execute(api *a, const graphql_document *document)
{
    schema_call call = {.ctx = a};
    json_t *data = schema_select(&call, root_of(document), &document->root, NULL);
    if (data != NULL)
        return json_pack("{s:o}", "data", data);
    /* As the daemon does it, the path names the first field: operations here have one that can fail. */
    return json_pack("{s:n, s:[{s:s, s:[s]}]}", "data", "errors", "message", call.message, "path",
                     document->root.children[0].key);
}

json_t *api_error(const char *message)
{
    return json_pack("{s:[{s:s}]}", "errors", "message", message);
}
