/* What may be done. */
#include "api_root.h"
#include "api_types.h"
#include "devnode/api.h"
#include "send_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* UInt64 and UInt32 come as text, or as a number where that is enough. */
static bool read_number(const json_t *value, uint64_t limit, uint64_t *ret)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret = (uint64_t)json_integer_value(value);
        return *ret <= limit;
    }
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    *ret = strtoull(text, NULL, 10);
    return errno == 0 && *ret <= limit;
}

/* False after saying which field of the input is missing or wrong. */
static bool input_number(schema_call *call, const json_t *input, const char *name, uint64_t limit, uint64_t *ret)
{
    if (read_number(json_object_get(input, name), limit, ret))
        return true;
    schema_fail(call, "Invalid payment `%s` provided.", name);
    return false;
}

static bool input_key(schema_call *call, const json_t *input, const char *name, mina_public_key *ret)
{
    const char *text = json_string_value(json_object_get(input, name));
    base_error err = {0};
    if (text != NULL && mina_public_key_parse(text, ret, &err) == BASE_OK)
        return true;
    schema_fail(call, "Invalid payment `%s` provided: %s", name, text == NULL ? "it is missing" : err.message);
    return false;
}

static bool input_memo(schema_call *call, const json_t *input, mina_memo *ret)
{
    const json_t *memo = json_object_get(input, "memo");
    const base_bytes text = base_bytes_of(json_string_value(memo), json_string_length(memo));
    if (mina_memo_of(text, ret, NULL) == BASE_OK)
        return true;
    schema_fail(call, "Invalid `memo` provided.");
    return false;
}

static bool read_payment(schema_call *call, const json_t *input, mina_payment *ret)
{
    uint64_t nonce = 0;
    uint64_t valid_until = UINT32_MAX;
    const json_t *until = json_object_get(input, "validUntil");
    bool good =
        input_key(call, input, "from", &ret->from) && input_key(call, input, "to", &ret->to) &&
        input_number(call, input, "amount", UINT64_MAX, &ret->amount) &&
        input_number(call, input, "fee", UINT64_MAX, &ret->fee) &&
        input_number(call, input, "nonce", UINT32_MAX, &nonce) &&
        (until == NULL || json_is_null(until) || input_number(call, input, "validUntil", UINT32_MAX, &valid_until)) &&
        input_memo(call, input, &ret->memo);
    ret->nonce = (uint32_t)nonce;
    ret->valid_until = (uint32_t)valid_until;
    return good;
}

static bool read_signature(schema_call *call, const json_t *signature, mina_signature *ret)
{
    const char *field = json_string_value(json_object_get(signature, "field"));
    const char *scalar = json_string_value(json_object_get(signature, "scalar"));
    base_error err = {0};
    if (field != NULL && scalar != NULL && mina_signature_parse(field, scalar, ret, &err) == BASE_OK)
        return true;
    if (signature == NULL || json_is_null(signature))
        schema_fail(call, "Couldn't find an unlocked key for specified `sender`. Did you unlock the account you're "
                          "making a transaction from?");
    else
        schema_fail(call, "Invalid signature: %s",
                    field == NULL || scalar == NULL ? "`field` and `scalar` are wanted" : err.message);
    return false;
}

static void count(api *a, chain_answer answer)
{
    if (answer == CHAIN_ACCEPTED)
        atomic_fetch_add(&a->stats->accepted, 1);
    else if (answer == CHAIN_DUPLICATE)
        atomic_fetch_add(&a->stats->duplicates, 1);
    else
        atomic_fetch_add(&a->stats->rejected, 1);
}

static uint64_t minimum_fee(node *n)
{
    uint64_t fee = chain_minimum_fee(node_lock(n));
    node_unlock(n);
    return fee;
}

static json_t *command(schema_call *call, const graphql_field *field, const void *object)
{
    return schema_select(call, &API_USER_COMMAND, field, object);
}

static const schema_row SEND_PAYMENT_ROWS[] = {{"payment", &API_USER_COMMAND, command}};
static SCHEMA_TYPE(SEND_PAYMENT, "SendPaymentPayload", SEND_PAYMENT_ROWS);

static json_t *submit(schema_call *call, const graphql_field *field, const chain_transaction *transaction)
{
    api *a = call->ctx;
    node_receipt receipt;
    base_error err = {0};
    if (node_submit(a->node, transaction, &receipt, &err) != BASE_OK) {
        fprintf(stderr, "payment not kept: %s\n", err.message);
        atomic_fetch_add(&a->stats->rejected, 1);
        return schema_fail(call, "Couldn't send user command: [\"Overloaded\"]");
    }
    count(a, receipt.answer);
    if (receipt.answer != CHAIN_ACCEPTED)
        return send_text_refused(call, transaction, &receipt, minimum_fee(a->node));
    return schema_select(call, &SEND_PAYMENT, field, transaction);
}

static json_t *send_payment(schema_call *call, const graphql_field *field, const void *object)
{
    (void)object;
    api *a = call->ctx;
    atomic_fetch_add(&a->stats->sends, 1);
    chain_transaction transaction = {0};
    bool good = read_payment(call, json_object_get(field->arguments, "input"), &transaction.payment) &&
                read_signature(call, json_object_get(field->arguments, "signature"), &transaction.signature);
    if (good &&
        mina_payment_verify(&transaction.payment, node_network(a->node), &transaction.signature, NULL) != BASE_OK) {
        send_text_wrong_signature(call, &transaction);
        good = false;
    }
    if (!good) {
        atomic_fetch_add(&a->stats->rejected, 1);
        return NULL;
    }
    transaction.hash = mina_payment_hash(&transaction.payment);
    return submit(call, field, &transaction);
}

static json_t *send_zkapp(schema_call *call, const graphql_field *field, const void *object)
{
    (void)field, (void)object;
    return schema_fail(call, "Couldn't send zkApp command: this development node takes payments only");
}

static const schema_row SEND_ZKAPP_ROWS[] = {{"zkapp", &API_ZKAPP_COMMAND, send_zkapp}};
static SCHEMA_TYPE(SEND_ZKAPP, "SendZkappPayload", SEND_ZKAPP_ROWS);

static const schema_row MUTATION_ROWS[] = {
    {"sendPayment", &SEND_PAYMENT, send_payment},
    {"sendZkapp", &SEND_ZKAPP, send_zkapp},
};
SCHEMA_TYPE(API_MUTATION, "mutation", MUTATION_ROWS);
