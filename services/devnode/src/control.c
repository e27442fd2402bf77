#include "control.h"

#include "amount.h"
#include "chain_json.h"

#include <string.h>

enum { OK = 200, BAD_REQUEST = 400, NOT_FOUND = 404, CONFLICT = 409, FAILED = 500 };

BASE_CLEANUP_POINTER(json_t, json_decref);

typedef unsigned control_handler(const control *c, const json_t *request, json_t **ret);

static unsigned failed(const base_error *err, json_t **ret)
{
    *ret = json_pack("{s:s}", "error", err->message);
    if (err->code == BASE_INVALID)
        return BAD_REQUEST;
    return err->code == BASE_LIMIT ? CONFLICT : FAILED;
}

static unsigned show_chain(const control *c, const json_t *request, json_t **ret)
{
    const json_t *from = json_object_get(request, "from");
    base_error err = {0};
    if (from != NULL && json_integer_value(from) < 1) {
        (void)base_fail(&err, BASE_INVALID, "\"from\" is the height of a block");
        return failed(&err, ret);
    }
    const chain *held = node_lock(c->node);
    *ret = from == NULL ? chain_json(node_network(c->node), held)
                        : chain_page_json(node_network(c->node), held, (uint64_t)json_integer_value(from));
    node_unlock(c->node);
    return OK;
}

static unsigned show_stats(const control *c, const json_t *request, json_t **ret)
{
    (void)request;
    const chain *held = node_lock(c->node);
    json_int_t pool = (json_int_t)chain_pool_count(held);
    json_int_t height = (json_int_t)chain_tip(held)->height;
    node_unlock(c->node);
    stats *s = c->stats;
    *ret = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "requests", (json_int_t)atomic_load(&s->requests),
                     "sends", (json_int_t)atomic_load(&s->sends), "accepted", (json_int_t)atomic_load(&s->accepted),
                     "duplicates", (json_int_t)atomic_load(&s->duplicates), "rejected",
                     (json_int_t)atomic_load(&s->rejected), "faults", (json_int_t)atomic_load(&s->faults), "pool", pool,
                     "height", height);
    return OK;
}

static unsigned make_blocks(const control *c, const json_t *request, json_t **ret)
{
    const json_t *wanted = json_object_get(request, "count");
    json_int_t count = wanted == NULL ? 1 : json_integer_value(wanted);
    base_error err = {0};
    if (count < 1 || count > CONTROL_BLOCKS_MAX) {
        (void)base_fail(&err, BASE_INVALID, "\"count\" lies between 1 and %d", CONTROL_BLOCKS_MAX);
        return failed(&err, ret);
    }
    for (json_int_t i = 0; i < count; i++)
        if (node_make_block(c->node, &err) != BASE_OK)
            return failed(&err, ret);
    json_int_t height = (json_int_t)chain_tip(node_lock(c->node))->height;
    node_unlock(c->node);
    *ret = json_pack("{s:I}", "height", height);
    return OK;
}

static unsigned fund(const control *c, const json_t *request, json_t **ret)
{
    const char *address = NULL;
    const char *mina = NULL;
    json_error_t why;
    base_error err = {0};
    mina_public_key key;
    uint64_t amount = 0;
    base_code code = BASE_OK;
    if (json_unpack_ex((json_t *)request, &why, JSON_STRICT, "{s:s, s:s}", "address", &address, "mina", &mina) != 0)
        code = base_fail(&err, BASE_INVALID, "wanted: {\"address\": \"B62…\", \"mina\": \"12.5\"}: %.100s", why.text);
    if (code == BASE_OK)
        code = mina_public_key_parse(address, &key, &err);
    if (code == BASE_OK)
        code = amount_parse(mina, &amount, &err);
    if (code == BASE_OK)
        code = node_fund(c->node, &key, amount, false, &err);
    if (code != BASE_OK)
        return failed(&err, ret);
    uint64_t balance = chain_find_account(node_lock(c->node), &key)->balance;
    node_unlock(c->node);
    *ret = json_pack("{s:s, s:s}", "address", address, "mina", amount_format(balance).text);
    return OK;
}

static unsigned list_faults(const control *c, const json_t *request, json_t **ret)
{
    (void)request;
    *ret = json_pack("{s:o}", "faults", faults_list(c->faults));
    return OK;
}

static unsigned add_fault(const control *c, const json_t *request, json_t **ret)
{
    base_error err = {0};
    if (faults_add(c->faults, request, &err) != BASE_OK)
        return failed(&err, ret);
    return list_faults(c, request, ret);
}

static unsigned clear_faults(const control *c, const json_t *request, json_t **ret)
{
    faults_clear(c->faults);
    return list_faults(c, request, ret);
}

typedef struct control_route {
    const char *method;
    const char *path;
    control_handler *handle;
} control_route;

static const control_route ROUTES[] = {
    {"GET", "/control/chain", show_chain},       {"GET", "/control/stats", show_stats},
    {"POST", "/control/block", make_blocks},     {"POST", "/control/fund", fund},
    {"GET", "/control/faults", list_faults},     {"POST", "/control/faults", add_fault},
    {"DELETE", "/control/faults", clear_faults},
};

unsigned control_answer(const control *c, const char *method, const char *path, base_bytes body, json_t **ret)
{
    json_error_t why;
    BASE_CLEANUP(json_decref)
    json_t *request = body.size == 0 ? json_object() : json_loadb((const char *)body.data, body.size, 0, &why);
    if (request == NULL) {
        *ret = json_pack("{s:s}", "error", "the body is not JSON");
        return BAD_REQUEST;
    }
    for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++)
        if (strcmp(ROUTES[i].method, method) == 0 && strcmp(ROUTES[i].path, path) == 0)
            return ROUTES[i].handle(c, request, ret);
    *ret = json_pack("{s:s}", "error", "no such control");
    return NOT_FOUND;
}
