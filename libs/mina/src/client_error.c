#include "mina/answer.h"

#include <string.h>

/* Specific texts stand before general ones. The spellings with underscores are the constructors that the daemon prints
 * ("[\"Duplicate\"]"), the sentences are what other paths of the same daemon say. */
static const mina_error_row TABLE[] = {
    {"Daemon is bootstrapping", MINA_ERROR_UNAVAILABLE},
    {"transition frontier", MINA_ERROR_UNAVAILABLE},
    {"Overloaded", MINA_ERROR_UNAVAILABLE},
    {"diff containing this transaction was too large", MINA_ERROR_UNAVAILABLE},
    {"After_slot_tx_end", MINA_ERROR_UNAVAILABLE}, /* the network is closed for transactions ahead of a fork */
    {"Internal error while scheduling", MINA_ERROR_TRANSIENT},
    {"Insufficient_funds", MINA_ERROR_UNFUNDED},
    {"not enough funds", MINA_ERROR_UNFUNDED},
    {"Fee_payer_account_not_found", MINA_ERROR_UNFUNDED},
    {"Fee payer account was not found", MINA_ERROR_UNFUNDED},
    {"infer nonce for transaction from specified", MINA_ERROR_UNFUNDED}, /* the sender is not in the ledger */
    {"Invalid_nonce", MINA_ERROR_NONCE},
    {"had an invalid nonce", MINA_ERROR_NONCE},
    {"different from inferred nonce", MINA_ERROR_NONCE},
    {"Insufficient_replace_fee", MINA_ERROR_REPLACED},
    {"would have replaced an existing transaction", MINA_ERROR_REPLACED},
    {"Duplicate", MINA_ERROR_DUPLICATE},
    {"Expired", MINA_ERROR_EXPIRED},
    {"Invalid_signature", MINA_ERROR_PERMANENT},
    {"Verification_failed", MINA_ERROR_PERMANENT},
    {"Stale verification key", MINA_ERROR_PERMANENT},
    {"well-formedness", MINA_ERROR_PERMANENT},
    {"less than the minimum fee", MINA_ERROR_PERMANENT},
    {"Overflow", MINA_ERROR_PERMANENT},
    {"Bad_token", MINA_ERROR_PERMANENT},
    {"Unwanted_fee_token", MINA_ERROR_PERMANENT},
    {"Fee_payer_not_permitted_to_send", MINA_ERROR_PERMANENT},
};

const mina_error_row *mina_error_table(size_t *ret_count)
{
    *ret_count = sizeof(TABLE) / sizeof(TABLE[0]);
    return TABLE;
}

mina_error_class mina_error_classify(const char *message)
{
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
        if (strcasestr(message, TABLE[i].text) != NULL)
            return TABLE[i].class;
    return MINA_ERROR_OTHER;
}
