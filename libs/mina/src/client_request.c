#include "mina/request.h"

#include "base/memory.h"
#include "mina/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

static const char SEND_PAYMENT[] = "mutation($input:SendPaymentInput!,$signature:SignatureInput)"
                                   "{sendPayment(input:$input,signature:$signature){payment{id hash nonce}}}";
static const char STATUS[] = "query{networkID syncStatus"
                             " bestChain(maxLength:1){protocolState{consensusState{blockHeight}}}}";
static const char ACCOUNT[] = "query($publicKey:PublicKey!)"
                              "{account(publicKey:$publicKey){nonce inferredNonce balance{total blockHeight}}}";
static const char SIGHTINGS[] = "query($hashes:[String!],$blocks:Int){pooledUserCommands(hashes:$hashes){hash memo}"
                                " bestChain(maxLength:$blocks){transactions{userCommands{hash memo failureReason}}"
                                "protocolState{consensusState{blockHeight}}}}";

/* A number as text: GraphQL's Int has 32 bits, so Mina takes amounts and nonces as strings. */
typedef struct decimal {
    char text[21];
} decimal;

static decimal decimal_of(uint64_t number)
{
    decimal result;
    snprintf(result.text, sizeof(result.text), "%" PRIu64, number);
    return result;
}

/* Appends {"query":…,"variables":…}; takes `variables` over, NULL is what json_pack gave when it ran out of memory. */
static base_code append_body(const char *query, json_t *variables, base_buffer *ret, base_error *err)
{
    BASE_CLEANUP(json_decref) json_t *body = json_pack("{s:s,s:o}", "query", query, "variables", variables);
    base_memory_forget();
    BASE_CLEANUP(free) char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text == NULL || base_memory_lacked())
        return base_fail(err, BASE_NO_MEMORY, "no memory for a request to the node");
    return base_buffer_append(ret, base_bytes_of(text, strlen(text)), err);
}

/* A text of others; `what` names it. */
static base_code pack_text(const char *what, base_bytes text, json_t **ret, base_error *err)
{
    errno = 0; /* jansson does not say whether it lacked memory */
    *ret = json_stringn((const char *)text.data, text.size);
    if (*ret == NULL && errno == ENOMEM)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a request to the node");
    if (*ret == NULL)
        return base_fail(err, BASE_INVALID, "%s is not UTF-8: GraphQL cannot carry it", what);
    return BASE_OK;
}

base_code mina_request_payment(const mina_payment *payment, const mina_signature *signature, base_buffer *ret,
                               base_error *err)
{
    BASE_CLEANUP(json_decref) json_t *memo_text = NULL;
    base_code code = pack_text("the memo", mina_memo_content(&payment->memo), &memo_text, err);
    if (code != BASE_OK)
        return code;
    mina_signature_text text = mina_signature_format(signature);
    json_t *variables =
        json_pack("{s:{s:s,s:s,s:s,s:s,s:O,s:s,s:s},s:{s:s,s:s}}", "input", /* */
                  "from", mina_public_key_format(&payment->from).text, "to", mina_public_key_format(&payment->to).text,
                  "amount", decimal_of(payment->amount).text, "fee", decimal_of(payment->fee).text, "memo", memo_text,
                  "nonce", decimal_of(payment->nonce).text, "validUntil", decimal_of(payment->valid_until).text, /* */
                  "signature", "field", text.field, "scalar", text.scalar);
    return append_body(SEND_PAYMENT, variables, ret, err);
}

base_code mina_request_status(base_buffer *ret, base_error *err)
{
    return append_body(STATUS, json_object(), ret, err);
}

base_code mina_request_account(const char *address, base_buffer *ret, base_error *err)
{
    if (!mina_is_address(address))
        return base_fail(err, BASE_INVALID, "no Mina address");
    return append_body(ACCOUNT, json_pack("{s:s}", "publicKey", address), ret, err);
}

base_code mina_request_sightings(const char *const *hashes, size_t count, int64_t blocks, base_buffer *ret,
                                 base_error *err)
{
    if (count < 1 || count > MINA_HASHES_MAX)
        return base_fail(err, BASE_INVALID, "a node is asked for 1 to %d transactions at once, not %zu",
                         MINA_HASHES_MAX, count);
    if (blocks < 1 || blocks > MINA_BLOCKS_MAX)
        return base_fail(err, BASE_INVALID, "a node shows 1 to %d blocks, not %" PRId64, MINA_BLOCKS_MAX, blocks);
    BASE_CLEANUP(json_decref) json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *hash = NULL;
        base_code code =
            pack_text("the hash of a transaction", base_bytes_of(hashes[i], strlen(hashes[i])), &hash, err);
        if (code != BASE_OK)
            return code;
        if (json_array_append_new(list, hash) != 0)
            return base_fail(err, BASE_NO_MEMORY, "no memory for a request to the node");
    }
    return append_body(SIGHTINGS, json_pack("{s:O,s:I}", "hashes", list, "blocks", (json_int_t)blocks), ret, err);
}
