/* Blocks and their protocol state. */
#include "api_types.h"

static const chain_block *block_of(const void *object)
{
    return object;
}

static json_t *height(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(block_of(object)->height);
}

static json_t *slot(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(block_of(object)->slot);
}

static const schema_row CONSENSUS_ROWS[] = {
    {"blockHeight", NULL, height},
    {"slotSinceGenesis", NULL, slot},
    {"slot", NULL, slot},
};
static SCHEMA_TYPE(CONSENSUS, "ConsensusState", CONSENSUS_ROWS);

static json_t *date(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number((uint64_t)block_of(object)->time_ms);
}

static const schema_row BLOCKCHAIN_ROWS[] = {{"date", NULL, date}, {"utcDate", NULL, date}};
static SCHEMA_TYPE(BLOCKCHAIN, "BlockchainState", BLOCKCHAIN_ROWS);

static json_t *previous_hash(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return json_string(block_of(object)->previous_hash);
}

static json_t *consensus(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &CONSENSUS, field, object);
}

static json_t *blockchain(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &BLOCKCHAIN, field, object);
}

static const schema_row PROTOCOL_ROWS[] = {
    {"consensusState", &CONSENSUS, consensus},
    {"blockchainState", &BLOCKCHAIN, blockchain},
    {"previousStateHash", NULL, previous_hash},
};
static SCHEMA_TYPE(PROTOCOL, "ProtocolState", PROTOCOL_ROWS);

static json_t *user_commands(schema_call *call, const graphql_field *field, const void *object)
{
    const chain_block *block = block_of(object);
    json_t *list = json_array();
    for (size_t i = 0; i < block->count; i++)
        if (json_array_append_new(list, schema_select(call, &API_USER_COMMAND, field, &block->transactions[i])) != 0) {
            json_decref(list);
            return schema_fail(call, "no memory for the answer");
        }
    return list;
}

static json_t *zkapp_commands(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_array();
}

static const schema_row TRANSACTIONS_ROWS[] = {
    {"userCommands", &API_USER_COMMAND, user_commands},
    {"zkappCommands", &API_ZKAPP_COMMAND, zkapp_commands},
};
static SCHEMA_TYPE(TRANSACTIONS, "Transactions", TRANSACTIONS_ROWS);

static json_t *state_hash(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return json_string(block_of(object)->state_hash);
}

static json_t *transactions(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &TRANSACTIONS, field, object);
}

static json_t *protocol(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &PROTOCOL, field, object);
}

static const schema_row BLOCK_ROWS[] = {
    {"stateHash", NULL, state_hash},
    {"transactions", &TRANSACTIONS, transactions},
    {"protocolState", &PROTOCOL, protocol},
};
SCHEMA_TYPE(API_BLOCK, "Block", BLOCK_ROWS);
