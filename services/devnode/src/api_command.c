/* User commands and zkApp commands. */
#include "api_types.h"

#include <inttypes.h>
#include <stdio.h>

json_t *api_number(uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return json_string(text);
}

json_t *api_key(const mina_public_key *key)
{
    return json_string(mina_public_key_format(key).text);
}

static const mina_payment *payment_of(const void *object)
{
    return &((const chain_transaction *)object)->payment;
}

static json_t *key_text(schema_call *call, const graphql_field *field, const void *key)
{
    (void)call, (void)field;
    return api_key(key);
}

static const schema_row KEY_ROWS[] = {{"publicKey", NULL, key_text}};
static SCHEMA_TYPE(KEY, "Account", KEY_ROWS);

static json_t *command_hash(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return json_string(((const chain_transaction *)object)->hash.text);
}

static json_t *command_kind(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_string("PAYMENT");
}

static json_t *command_nonce(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return json_integer(payment_of(object)->nonce);
}

static json_t *command_sender(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &KEY, field, &payment_of(object)->from);
}

static json_t *command_receiver(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &KEY, field, &payment_of(object)->to);
}

static json_t *command_from(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_key(&payment_of(object)->from);
}

static json_t *command_to(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_key(&payment_of(object)->to);
}

static json_t *command_amount(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(payment_of(object)->amount);
}

static json_t *command_fee(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(payment_of(object)->fee);
}

static json_t *command_valid_until(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return api_number(payment_of(object)->valid_until);
}

static json_t *command_memo(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    return json_string(mina_memo_format(&payment_of(object)->memo).text);
}

static json_t *command_is_delegation(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_false();
}

static json_t *command_failure(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field;
    const char *failure = ((const chain_transaction *)object)->failure;
    return failure == NULL ? json_null() : json_string(failure);
}

static json_t *command_token(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_string("wSHV2S4qX9jFsLjQo8r1BsMLH2ZRKsZx6EJd1sbozGPieEC4Jf"); /* the default token, MINA */
}

static const schema_row USER_COMMAND_ROWS[] = {
    {"id", NULL, command_hash},
    {"hash", NULL, command_hash},
    {"kind", NULL, command_kind},
    {"nonce", NULL, command_nonce},
    {"source", &KEY, command_sender},
    {"receiver", &KEY, command_receiver},
    {"feePayer", &KEY, command_sender},
    {"from", NULL, command_from},
    {"to", NULL, command_to},
    {"amount", NULL, command_amount},
    {"fee", NULL, command_fee},
    {"validUntil", NULL, command_valid_until},
    {"memo", NULL, command_memo},
    {"isDelegation", NULL, command_is_delegation},
    {"failureReason", NULL, command_failure},
    {"token", NULL, command_token},
    {"feeToken", NULL, command_token},
};
SCHEMA_TYPE(API_USER_COMMAND, "UserCommand", USER_COMMAND_ROWS);

/* Never called: lists of zkApp commands are always empty here. */
static json_t *nothing(schema_call *call, const graphql_field *field, const void *object)
{
    (void)call, (void)field, (void)object;
    return json_null();
}

static const schema_row ZKAPP_FAILURE_ROWS[] = {{"failures", NULL, nothing}, {"index", NULL, nothing}};
static SCHEMA_TYPE(ZKAPP_FAILURE, "ZkappCommandFailureReason", ZKAPP_FAILURE_ROWS);
static const schema_row ZKAPP_FEE_PAYER_BODY_ROWS[] = {
    {"publicKey", NULL, nothing}, {"nonce", NULL, nothing}, {"fee", NULL, nothing}, {"validUntil", NULL, nothing}};
static SCHEMA_TYPE(ZKAPP_FEE_PAYER_BODY, "FeePayerBody", ZKAPP_FEE_PAYER_BODY_ROWS);
static const schema_row ZKAPP_FEE_PAYER_ROWS[] = {{"body", &ZKAPP_FEE_PAYER_BODY, nothing}};
static SCHEMA_TYPE(ZKAPP_FEE_PAYER, "ZkappFeePayer", ZKAPP_FEE_PAYER_ROWS);
static const schema_row ZKAPP_BODY_ROWS[] = {{"memo", NULL, nothing}, {"feePayer", &ZKAPP_FEE_PAYER, nothing}};
static SCHEMA_TYPE(ZKAPP_BODY, "ZkappCommand", ZKAPP_BODY_ROWS);
static const schema_row ZKAPP_COMMAND_ROWS[] = {
    {"id", NULL, nothing},
    {"hash", NULL, nothing},
    {"failureReason", &ZKAPP_FAILURE, nothing},
    {"zkappCommand", &ZKAPP_BODY, nothing},
};
SCHEMA_TYPE(API_ZKAPP_COMMAND, "ZkappCommandResult", ZKAPP_COMMAND_ROWS);
