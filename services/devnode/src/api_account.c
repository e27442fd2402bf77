/* Accounts and their balances. */
#include "api_types.h"

static const chain_account *account_of(const void *object)
{
    return ((const api_account *)object)->account;
}

static json_t *balance_total(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(account_of(object)->balance);
}

static json_t *balance_height(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(((const api_account *)object)->tip->height);
}

static json_t *balance_state(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return json_string(((const api_account *)object)->tip->state_hash);
}

static const schema_row BALANCE_ROWS[] = {
    {"total", NULL, balance_total},
    {"liquid", NULL, balance_total}, /* no account here is timed */
    {"blockHeight", NULL, balance_height},
    {"stateHash", NULL, balance_state},
};
static SCHEMA_TYPE(BALANCE, "AnnotatedBalance", BALANCE_ROWS);

static json_t *account_key(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_key(&account_of(object)->key);
}

static json_t *account_nonce(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(account_of(object)->nonce);
}

static json_t *account_inferred_nonce(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number((uint64_t)account_of(object)->nonce + account_of(object)->pooled);
}

static json_t *account_balance(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &BALANCE, field, object);
}

/* No account here is a zkApp. */
static json_t *account_zkapp_state(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_null();
}

static const schema_row ACCOUNT_ROWS[] = {
    {"publicKey", NULL, account_key},
    {"nonce", NULL, account_nonce},
    {"inferredNonce", NULL, account_inferred_nonce},
    {"balance", &BALANCE, account_balance},
    {"zkappState", NULL, account_zkapp_state},
    {"delegate", NULL, account_key},
};
SCHEMA_TYPE(API_ACCOUNT, "Account", ACCOUNT_ROWS);
