#include "send_text.h"

#include "amount.h"
#include "mina/base58.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_TEXT_MAX = 700, SIGNATURE_SIZE = 1 + 2 * MINA_FIELD_SIZE };

typedef struct command_text {
    char text[COMMAND_TEXT_MAX];
} command_text;

/* The signed payment in the daemon's JSON, which it puts before some reasons. */
static command_text quote(const chain_transaction *transaction)
{
    const mina_payment *payment = &transaction->payment;
    uint8_t bytes[SIGNATURE_SIZE] = {1};
    memcpy(bytes + 1, transaction->signature.field, MINA_FIELD_SIZE);
    memcpy(bytes + 1 + MINA_FIELD_SIZE, transaction->signature.scalar, MINA_FIELD_SIZE);
    char signature[MINA_BASE58_TEXT_MAX] = "";
    base_code code = mina_base58_encode(MINA_BASE58_SIGNATURE, base_bytes_of(bytes, sizeof(bytes)), signature,
                                        sizeof(signature), NULL);
    (void)code; /* the size is fixed and fits */
    command_text quoted;
    const mina_address from = mina_public_key_format(&payment->from);
    snprintf(quoted.text, sizeof(quoted.text),
             "{\"payload\":{\"common\":{\"fee\":\"%s\",\"fee_payer_pk\":\"%s\",\"nonce\":\"%" PRIu32
             "\",\"valid_until\":\"%" PRIu32 "\",\"memo\":\"%s\"},\"body\":[\"Payment\",{\"receiver_pk\":\"%s\","
             "\"amount\":\"%" PRIu64 "\"}]},\"signer\":\"%s\",\"signature\":[\"Signature\",\"%s\"]}",
             amount_format(payment->fee).text, from.text, payment->nonce, payment->valid_until,
             mina_memo_format(&payment->memo).text, mina_public_key_format(&payment->to).text, payment->amount,
             from.text, signature);
    return quoted;
}

json_t *send_text_wrong_signature(schema_call *call, const chain_transaction *transaction)
{
    return schema_fail(call, "Couldn't send user command: Error creating user command: %s Error: Invalid_signature",
                       quote(transaction).text);
}

static json_t *refused(schema_call *call, const char *reason)
{
    return schema_fail(call, "Couldn't send user command: [\"%s\"]", reason);
}

json_t *send_text_refused(schema_call *call, const chain_transaction *transaction, const node_receipt *receipt,
                          uint64_t minimum_fee)
{
    switch (receipt->answer) {
    case CHAIN_NO_ACCOUNT:
        return refused(call, "Fee_payer_account_not_found");
    case CHAIN_BAD_NONCE:
        return schema_fail(call,
                           "Couldn't send user command: Error creating user command: %s Error: Input nonce %" PRIu32
                           " either different from inferred nonce %" PRIu32 " or below minimum_nonce %" PRIu32,
                           quote(transaction).text, transaction->payment.nonce, receipt->inferred_nonce,
                           receipt->account_nonce);
    case CHAIN_LOW_FEE:
        return schema_fail(call, "Invalid user command. Fee %s is less than the minimum fee, %s.",
                           amount_format(transaction->payment.fee).text, amount_format(minimum_fee).text);
    case CHAIN_EXPIRED:
        return refused(call, "Expired");
    case CHAIN_DUPLICATE:
        return refused(call, "Duplicate");
    case CHAIN_LOW_REPLACEMENT:
        return refused(call, "Insufficient_replace_fee");
    case CHAIN_OVERFLOW:
        return refused(call, "Overflow");
    case CHAIN_INSUFFICIENT_FUNDS:
        return refused(call, "Insufficient_funds");
    case CHAIN_ACCEPTED:
    case CHAIN_POOL_FULL:
        break;
    }
    return schema_fail(call, "Couldn't send user command: Internal error while scheduling a user command");
}
