#include "journal_line.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "proofline-devnode-1"

BASE_CLEANUP_POINTER(json_t, json_decref);

base_code journal_line_header(mina_network network, base_buffer *ret, base_error *err)
{
    return base_buffer_printf(ret, err, "{\"format\":\"%s\",\"network\":\"%s\"}\n", FORMAT, mina_network_name(network));
}

base_code journal_line_check_header(const char *line, mina_network network, base_error *err)
{
    BASE_CLEANUP(json_decref) json_t *header = json_loads(line, 0, NULL);
    const char *format = NULL;
    const char *name = NULL;
    if (json_unpack(header, "{s:s, s:s}", "format", &format, "network", &name) != 0 || strcmp(format, FORMAT) != 0)
        return base_fail(err, BASE_INVALID, "this is not the state of a development node");
    if (strcmp(name, mina_network_name(network)) != 0)
        return base_fail(err, BASE_CONFLICT, "this state is of %.20s, not of %s", name, mina_network_name(network));
    return BASE_OK;
}

static base_code write_send(const chain_transaction *transaction, base_buffer *ret, base_error *err)
{
    const mina_payment *payment = &transaction->payment;
    mina_signature_text signature = mina_signature_format(&transaction->signature);
    return base_buffer_printf(ret, err,
                              "{\"send\":{\"from\":\"%s\",\"to\":\"%s\",\"amount\":\"%" PRIu64 "\",\"fee\":\"%" PRIu64
                              "\",\"nonce\":%" PRIu32 ",\"validUntil\":%" PRIu32
                              ",\"memo\":\"%s\",\"field\":\"%s\",\"scalar\":\"%s\"}}\n",
                              mina_public_key_format(&payment->from).text, mina_public_key_format(&payment->to).text,
                              payment->amount, payment->fee, payment->nonce, payment->valid_until,
                              mina_memo_format(&payment->memo).text, signature.field, signature.scalar);
}

base_code journal_line_write(const journal_entry *entry, base_buffer *ret, base_error *err)
{
    switch (entry->kind) {
    case JOURNAL_FUND:
        return base_buffer_printf(ret, err, "{\"fund\":{\"account\":\"%s\",\"amount\":\"%" PRIu64 "\"}}\n",
                                  mina_public_key_format(&entry->key).text, entry->amount);
    case JOURNAL_SEND:
        return write_send(&entry->transaction, ret, err);
    case JOURNAL_BLOCK:
        return base_buffer_printf(ret, err, "{\"block\":%" PRId64 "}\n", entry->time_ms);
    }
    return base_fail(err, BASE_INTERNAL, "unknown kind of journal entry");
}

/* A number as it is written: in digits, without leading zeros, within 64 bits. */
static bool read_number(const char *text, uint64_t *ret)
{
    char again[32];
    *ret = strtoull(text, NULL, 10);
    snprintf(again, sizeof(again), "%" PRIu64, *ret);
    return strcmp(text, again) == 0;
}

static base_code read_fund(const json_t *fund, journal_entry *ret, base_error *err)
{
    const char *account = NULL;
    const char *amount = NULL;
    if (json_unpack((json_t *)fund, "{s:s, s:s}", "account", &account, "amount", &amount) != 0)
        return base_fail(err, BASE_INVALID, "a funding lacks its account or amount");
    if (!read_number(amount, &ret->amount))
        return base_fail(err, BASE_INVALID, "a funding's amount is no number of nanomina");
    ret->kind = JOURNAL_FUND;
    return mina_public_key_parse(account, &ret->key, err);
}

static base_code read_send(const json_t *send, journal_entry *ret, base_error *err)
{
    const char *from = NULL;
    const char *to = NULL;
    const char *amount = NULL;
    const char *fee = NULL;
    const char *memo = NULL;
    const char *field = NULL;
    const char *scalar = NULL;
    json_int_t nonce = 0;
    json_int_t valid_until = 0;
    if (json_unpack((json_t *)send, "{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "from", &from, "to", &to, "amount",
                    &amount, "fee", &fee, "nonce", &nonce, "validUntil", &valid_until, "memo", &memo, "field", &field,
                    "scalar", &scalar) != 0)
        return base_fail(err, BASE_INVALID, "a payment lacks a field");
    ret->kind = JOURNAL_SEND;
    mina_payment *payment = &ret->transaction.payment;
    if (!read_number(amount, &payment->amount) || !read_number(fee, &payment->fee) || nonce < 0 || nonce > UINT32_MAX ||
        valid_until < 0 || valid_until > UINT32_MAX)
        return base_fail(err, BASE_INVALID, "a payment's number is out of its range");
    payment->nonce = (uint32_t)nonce;
    payment->valid_until = (uint32_t)valid_until;
    base_code code = mina_public_key_parse(from, &payment->from, err);
    if (code == BASE_OK)
        code = mina_public_key_parse(to, &payment->to, err);
    if (code == BASE_OK)
        code = mina_memo_parse(memo, &payment->memo, err);
    if (code == BASE_OK)
        code = mina_signature_parse(field, scalar, &ret->transaction.signature, err);
    if (code == BASE_OK)
        ret->transaction.hash = mina_payment_hash(payment);
    return code;
}

base_code journal_line_read(const char *line, journal_entry *ret, base_error *err)
{
    *ret = (journal_entry){0};
    BASE_CLEANUP(json_decref) json_t *entry = json_loads(line, 0, NULL);
    const json_t *fund = json_object_get(entry, "fund");
    const json_t *send = json_object_get(entry, "send");
    const json_t *block = json_object_get(entry, "block");
    if (fund != NULL)
        return read_fund(fund, ret, err);
    if (send != NULL)
        return read_send(send, ret, err);
    if (!json_is_integer(block))
        return base_fail(err, BASE_INVALID, "neither a funding nor a payment nor a block");
    ret->kind = JOURNAL_BLOCK;
    ret->time_ms = json_integer_value(block);
    return BASE_OK;
}
