/* Bytes as the body of each request to the development node, and as the text of a GraphQL query: each has an answer that is JSON. */
#include "control.h"
#include "devnode/api.h"
#include "fuzz.h"

enum { POOL = 8, BLOCKS_MAX = 20 };

BASE_CLEANUP_POINTER(json_t, json_decref);

/* The members of one answer, which can be written down as they are. */
static void check_answer(const json_t *answer)
{
    BASE_CLEANUP(free) char *text = json_dumps(answer, JSON_COMPACT);
    FUZZ_CHECK(json_is_object(answer) && text != NULL);
}

static size_t check_field(const graphql_field *field, int depth)
{
    size_t count = 1;
    FUZZ_CHECK(depth <= GRAPHQL_DEPTH_MAX && field->count <= GRAPHQL_CHILDREN_MAX);
    FUZZ_CHECK(fuzz_is_line(field->name, sizeof(field->name)) && fuzz_is_line(field->key, sizeof(field->key)));
    FUZZ_CHECK(field->arguments == NULL || json_is_object(field->arguments));
    for (size_t i = 0; i < field->count; i++)
        count += check_field(&field->children[i], depth + 1);
    return count;
}

static void check_refusal(base_code code, const base_error *err)
{
    FUZZ_CHECK(code == BASE_INVALID || code == BASE_LIMIT);
    FUZZ_CHECK_WHY(code, *err);
    BASE_CLEANUP(json_decref) json_t *answer = api_error(err->message);
    check_answer(answer);
}

static void parse(const char *query)
{
    BASE_CLEANUP(graphql_document_done) graphql_document document = {0};
    base_error err = {0};
    base_code code = graphql_parse(query, NULL, &document, &err);
    if (code != BASE_OK)
        check_refusal(code, &err);
    else
        FUZZ_CHECK(check_field(&document.root, 0) <= GRAPHQL_FIELDS_MAX + 1);
}

static void graphql(api *a, const graphql_document *document)
{
    BASE_CLEANUP(json_decref) json_t *answer = api_execute(a, document);
    check_answer(answer);
    const json_t *errors = json_object_get(answer, "errors");
    FUZZ_CHECK(json_is_object(json_object_get(answer, "data")) == (errors == NULL));
    FUZZ_CHECK(errors == NULL || json_string_length(json_object_get(json_array_get(errors, 0), "message")) > 0);
}

static void controls(const control *c, base_bytes body, const json_t *request)
{
    static const struct {
        const char *method, *path;
    } ROUTES[] = {{"POST", "/control/fund"},  {"POST", "/control/faults"},   {"GET", "/control/chain"},
                  {"POST", "/control/block"}, {"DELETE", "/control/faults"}, {"GET", "/control/other"}};
    bool makes_many = json_integer_value(json_object_get(request, "count")) > BLOCKS_MAX; /* slow, and nothing new */
    bool shows_all = json_object_get(request, "from") == NULL; /* slow: it visits the room of every possible account */
    for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++) {
        if (makes_many && strcmp(ROUTES[i].path, "/control/block") == 0)
            continue;
        if (shows_all && body.size % 16 != 0 && strcmp(ROUTES[i].path, "/control/chain") == 0)
            continue;
        BASE_CLEANUP(json_decref) json_t *answer = NULL;
        unsigned status = control_answer(c, ROUTES[i].method, ROUTES[i].path, body, &answer);
        FUZZ_CHECK(status == 200 || status == 400 || status == 404 || status == 409);
        check_answer(answer);
        FUZZ_CHECK((status == 200) == (json_object_get(answer, "error") == NULL));
    }
}

/* A node takes milliseconds to make, so only a request that may reach it gets one. */
static bool is_for_node(const json_t *request)
{
    return json_object_get(request, "address") != NULL || json_object_get(request, "count") != NULL ||
           json_object_get(request, "from") != NULL || json_object_get(request, "kind") != NULL;
}

static void serve(base_bytes body, const json_t *request, const graphql_document *document)
{
    const node_options options = {.network = MINA_DEVNET, .minimum_fee = CHAIN_MINIMUM_FEE, .pool_max = POOL};
    BASE_CLEANUP(node_free) node *n = NULL;
    BASE_CLEANUP(faults_free) faults *f = faults_new();
    FUZZ_CHECK(f != NULL && node_new(&options, &n, NULL) == BASE_OK);
    stats counts = {0};
    api a = {.node = n, .stats = &counts, .lags = body.size % 8 == 0};
    const control c = {n, &counts, f};
    controls(&c, body, request); /* before the payment, so that there is money for it */
    if (document != NULL)
        graphql(&a, document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes body = base_bytes_of(data, size);
    BASE_CLEANUP(free) char *text = fuzz_text(body);
    parse(text);
    BASE_CLEANUP(json_decref) json_t *request = json_loadb((const char *)data, size, 0, NULL);
    BASE_CLEANUP(graphql_document_done) graphql_document document = {0};
    base_error err = {0};
    base_code code = api_prepare(request, &document, &err);
    if (code != BASE_OK)
        check_refusal(code, &err);
    if (code == BASE_OK || is_for_node(request))
        serve(body, request, code == BASE_OK ? &document : NULL);
    return 0;
}
