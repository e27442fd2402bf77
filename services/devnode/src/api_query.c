/* What may be asked. */
#include "api_root.h"
#include "api_types.h"
#include "devnode/api.h"

#include <string.h>

#define BEST_CHAIN_MAX 290 /* blocks that a node can show: beyond that they are final, and it forgets them */

static node *node_of(const schema_call *call)
{
    return ((api *)call->ctx)->node;
}

/* Blocks that this call sees: all but the newest when it is to lag, and always the first. */
static size_t blocks_seen(const schema_call *call, const chain *c)
{
    const api *a = call->ctx;
    size_t count = chain_block_count(c);
    uint64_t hidden = a->lags ? a->lagging_blocks : 0;
    return hidden < count ? count - (size_t)hidden : 1;
}

/* Undoes what a block did to an account. Failed payments cost their fee, too. */
static void undo_block(const chain_block *block, chain_account *account)
{
    for (size_t i = block->count; i-- > 0;) {
        const chain_transaction *done = &block->transactions[i];
        bool has_moved = done->failure == NULL;
        if (has_moved && mina_public_key_equal(&done->payment.to, &account->key))
            account->balance -= done->payment.amount;
        if (!mina_public_key_equal(&done->payment.from, &account->key))
            continue;
        account->nonce--;
        account->balance += done->payment.fee + (has_moved ? done->payment.amount : 0);
    }
}

/* The account as this call sees it. */
static chain_account account_seen(const schema_call *call, const chain *c, const chain_account *now)
{
    chain_account seen = *now;
    if (((const api *)call->ctx)->lags)
        seen.pooled = 0;
    for (size_t i = chain_block_count(c); i-- > blocks_seen(call, c);)
        undo_block(chain_block_at(c, i), &seen);
    return seen;
}

static json_t *find_account(schema_call *call, const graphql_field *field, const void *object)
{
    (void)object;
    mina_public_key key;
    base_error err = {0};
    const char *text = json_string_value(json_object_get(field->arguments, "publicKey"));
    if (text == NULL)
        return schema_fail(call, "Argument 'publicKey' of type 'PublicKey!' is required on field 'account'");
    if (mina_public_key_parse(text, &key, &err) != BASE_OK)
        return schema_fail(call, "Argument 'publicKey': %s", err.message);
    const chain *c = node_lock(node_of(call));
    const chain_account *now = chain_find_account(c, &key);
    json_t *result = NULL;
    if (now == NULL) {
        result = json_null();
    } else {
        const chain_account seen = account_seen(call, c, now);
        const api_account found = {&seen, chain_block_at(c, blocks_seen(call, c) - 1)};
        result = schema_select(call, &API_ACCOUNT, field, &found);
    }
    node_unlock(node_of(call));
    return result;
}

static json_t *select_blocks(schema_call *call, const graphql_field *field, const chain *c, size_t wanted)
{
    size_t count = blocks_seen(call, c);
    json_t *list = json_array();
    for (size_t i = wanted < count ? count - wanted : 0; i < count; i++)
        if (json_array_append_new(list, schema_select(call, &API_BLOCK, field, chain_block_at(c, i))) != 0) {
            json_decref(list);
            return schema_fail(call, "no memory for the answer");
        }
    return list;
}

/* Oldest first, as the daemon does. */
static json_t *best_chain(schema_call *call, const graphql_field *field, const void *object)
{
    (void)object;
    const json_t *given = json_object_get(field->arguments, "maxLength");
    if (given != NULL && !json_is_null(given) && (!json_is_integer(given) || json_integer_value(given) < 1))
        return schema_fail(call, "Argument 'maxLength' of type 'Int' must be a positive number");
    size_t wanted = json_is_integer(given) ? (size_t)json_integer_value(given) : BEST_CHAIN_MAX;
    const chain *c = node_lock(node_of(call));
    json_t *result = select_blocks(call, field, c, wanted < BEST_CHAIN_MAX ? wanted : BEST_CHAIN_MAX);
    node_unlock(node_of(call));
    return result;
}

/* What a query for pooled payments wants; NULL means all. */
typedef struct pool_filter {
    const mina_public_key *sender;
    const json_t *hashes;
} pool_filter;

static bool is_wanted(const pool_filter *filter, const chain_transaction *transaction)
{
    if (filter->sender != NULL && !mina_public_key_equal(filter->sender, &transaction->payment.from))
        return false;
    size_t count = json_array_size(filter->hashes);
    for (size_t i = 0; i < count; i++) {
        const char *hash = json_string_value(json_array_get(filter->hashes, i));
        if (hash != NULL && strcmp(hash, transaction->hash.text) == 0)
            return true;
    }
    return filter->hashes == NULL;
}

static json_t *select_pooled(schema_call *call, const graphql_field *field, const chain *c, const pool_filter *filter)
{
    json_t *list = json_array();
    size_t count = ((const api *)call->ctx)->lags ? 0 : chain_pool_count(c);
    for (size_t i = 0; i < count; i++) {
        const chain_transaction *transaction = chain_pool_at(c, i);
        if (is_wanted(filter, transaction) &&
            json_array_append_new(list, schema_select(call, &API_USER_COMMAND, field, transaction)) != 0) {
            json_decref(list);
            return schema_fail(call, "no memory for the answer");
        }
    }
    return list;
}

static json_t *pooled_user_commands(schema_call *call, const graphql_field *field, const void *object)
{
    (void)object;
    const json_t *sender = json_object_get(field->arguments, "publicKey");
    const json_t *hashes = json_object_get(field->arguments, "hashes");
    pool_filter filter = {.hashes = json_is_array(hashes) ? hashes : NULL};
    mina_public_key key;
    base_error err = {0};
    if (json_is_string(sender)) {
        if (mina_public_key_parse(json_string_value(sender), &key, &err) != BASE_OK)
            return schema_fail(call, "Argument 'publicKey': %s", err.message);
        filter.sender = &key;
    }
    const chain *c = node_lock(node_of(call));
    json_t *result = select_pooled(call, field, c, &filter);
    node_unlock(node_of(call));
    return result;
}

static json_t *pooled_zkapp_commands(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_array();
}

static json_t *network_id(schema_call *call, const graphql_field *field, const void *object)
{
    (void)field, (void)object;
    return json_sprintf("mina:%s", mina_network_name(node_network(node_of(call))));
}

static json_t *sync_status(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_string("SYNCED");
}

static json_t *version(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_string("proofline-devnode");
}

/* Berkeley's slots, as the chain id of this format says; blocks here come as fast as they are told to. */
static json_t *slot_duration(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_integer(180000);
}

static json_t *finality(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_integer(BEST_CHAIN_MAX);
}

static const schema_row CONFIGURATION_ROWS[] = {{"slotDuration", NULL, slot_duration}, {"k", NULL, finality}};
static SCHEMA_TYPE(CONFIGURATION, "ConsensusConfiguration", CONFIGURATION_ROWS);

static json_t *configuration(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &CONFIGURATION, field, object);
}

static json_t *chain_length(schema_call *call, const graphql_field *field, const void *object)
{
    (void)field, (void)object;
    const chain *c = node_lock(node_of(call));
    uint64_t height = chain_block_at(c, blocks_seen(call, c) - 1)->height;
    node_unlock(node_of(call));
    return json_integer((json_int_t)height);
}

static const schema_row STATUS_ROWS[] = {
    {"consensusConfiguration", &CONFIGURATION, configuration},
    {"syncStatus", NULL, sync_status},
    {"blockchainLength", NULL, chain_length},
};
static SCHEMA_TYPE(STATUS, "DaemonStatus", STATUS_ROWS);

static json_t *daemon_status(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &STATUS, field, object);
}

static const schema_row QUERY_ROWS[] = {
    {"account", &API_ACCOUNT, find_account},
    {"bestChain", &API_BLOCK, best_chain},
    {"pooledUserCommands", &API_USER_COMMAND, pooled_user_commands},
    {"pooledZkappCommands", &API_ZKAPP_COMMAND, pooled_zkapp_commands},
    {"networkID", NULL, network_id},
    {"syncStatus", NULL, sync_status},
    {"daemonStatus", &STATUS, daemon_status},
    {"version", NULL, version},
};
SCHEMA_TYPE(API_QUERY, "query", QUERY_ROWS);
