/* mina keygen, mina sign-payment: the fee payer's key. */
#include "arguments.h"
#include "files.h"
#include "mina/payment.h"
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

typedef struct keygen_options {
    const char *out;
    bool json;
} keygen_options;

static const ctl_option KEYGEN_OPTIONS[] = {
    {.name = "out",
     .kind = CTL_OPTION_TEXT,
     .offset = offsetof(keygen_options, out),
     .argument = "FILE",
     .help = "new file for the private key, readable by its owner only"},
    CTL_JSON_OPTION(keygen_options),
};

typedef struct sign_options {
    const char *network, *to, *amount, *fee, *nonce, *valid_until, *memo;
} sign_options;

#define TEXT(field_name, dashed, argument_name, is_required, text)                                                     \
    {                                                                                                                  \
        .name = (dashed), .kind = CTL_OPTION_TEXT, .offset = offsetof(sign_options, field_name),                       \
        .argument = (argument_name), .required = (is_required), .help = (text)                                         \
    }
static const ctl_option SIGN_OPTIONS[] = {
    TEXT(network, "network", "NAME", false, "mainnet, devnet or testnet [MINA_NETWORK]"),
    TEXT(to, "to", "ADDRESS", true, "receiver, B62…"),
    TEXT(amount, "amount", "NANOMINA", true, "what it receives"),
    TEXT(fee, "fee", "NANOMINA", true, "what the block's maker receives"),
    TEXT(nonce, "nonce", "N", true, "of the fee payer's account"),
    TEXT(valid_until, "valid-until", "SLOT", false, "last global slot in which it may be included [4294967295]"),
    TEXT(memo, "memo", "TEXT", false, "at most 32 bytes"),
};

static ctl_exit run_keygen(const ctl_call *call)
{
    const keygen_options *options = call->options;
    base_error err = {0};
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    base_code code = mina_secret_key_generate(&key, &err);
    if (code == BASE_OK)
        code = mina_secret_key_format(&key, &text, &err);
    if (code == BASE_OK && options->out != NULL)
        code = ctl_file_create_private(options->out, base_bytes_of(text.data, text.size), &err);
    if (code != BASE_OK)
        return ctl_fail(&err);
    const char *shown = options->out == NULL ? text.data : NULL;
    mina_address address = mina_public_key_format(&key.public_key);
    if (options->json)
        return ctl_json_line(
            json_pack("{s:s, s:s*, s:s*}", "publicKey", address.text, "privateKey", shown, "file", options->out));
    printf("public key:  %s\n", address.text);
    if (shown != NULL)
        printf("private key: %s\n", shown);
    return CTL_EXIT_OK;
}

static base_code parse_number(const char *option, const char *text, uint64_t max, uint64_t *ret, base_error *err)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || number > max)
        return base_fail(err, BASE_INVALID, "--%s: \"%.64s\" is not a whole number from 0 to %" PRIu64, option, text,
                         max);
    *ret = number;
    return BASE_OK;
}

static base_code fill_payment(const sign_options *options, mina_payment *ret, base_error *err)
{
    uint64_t nonce = 0;
    uint64_t valid_until = UINT32_MAX;
    base_code code = mina_public_key_parse(options->to, &ret->to, err);
    if (code != BASE_OK)
        return base_fail_within(err, "--to");
    code = parse_number("amount", options->amount, UINT64_MAX, &ret->amount, err);
    if (code == BASE_OK)
        code = parse_number("fee", options->fee, UINT64_MAX, &ret->fee, err);
    if (code == BASE_OK)
        code = parse_number("nonce", options->nonce, UINT32_MAX, &nonce, err);
    if (code == BASE_OK && options->valid_until != NULL)
        code = parse_number("valid-until", options->valid_until, UINT32_MAX, &valid_until, err);
    ret->nonce = (uint32_t)nonce;
    ret->valid_until = (uint32_t)valid_until;
    if (code != BASE_OK)
        return code;
    const char *memo = options->memo == NULL ? "" : options->memo;
    code = mina_memo_of(base_bytes_of(memo, strlen(memo)), &ret->memo, err);
    return code == BASE_OK ? code : base_fail_within(err, "--memo");
}

static ctl_exit sign(const mina_secret_key *key, mina_payment *payment, mina_network network)
{
    base_error err = {0};
    mina_signature signature;
    payment->from = key->public_key;
    if (mina_payment_sign(payment, network, key, &signature, &err) != BASE_OK)
        return ctl_fail(&err);
    mina_signature_text text = mina_signature_format(&signature);
    return ctl_json_line(json_pack("{s:s, s:{s:s, s:s}, s:s}", "publicKey", mina_public_key_format(&payment->from).text,
                                   "signature", "field", text.field, "scalar", text.scalar, "hash",
                                   mina_payment_hash(payment).text));
}

static ctl_exit run_sign_payment(const ctl_call *call)
{
    const sign_options *options = call->options;
    ctl_settings *settings = call->settings;
    base_error err = {0};
    mina_payment payment = {0};
    if (fill_payment(options, &payment, &err) != BASE_OK)
        return ctl_usage(call->command, "%s", err.message);
    if (ctl_settings_need(settings, CTL_USES_FEE_PAYER | CTL_USES_NODE) != BASE_OK)
        return CTL_EXIT_USAGE;
    mina_network network;
    if (mina_network_parse(options->network != NULL ? options->network : settings->network, &network, &err) != BASE_OK)
        return ctl_usage(call->command, "--network: %s", err.message);
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    if (mina_secret_key_parse(settings->fee_payer_private_key.data, &key, &err) != BASE_OK) {
        fprintf(stderr, "proofctl: FEE_PAYER_PRIVATE_KEY: %s\n", err.message);
        return CTL_EXIT_USAGE;
    }
    return sign(&key, &payment, network);
}

const ctl_command ctl_mina_keygen = {
    .path = "mina keygen",
    .operands = "",
    .summary = "Make a Mina key for a fee payer",
    CTL_OPTIONS(KEYGEN_OPTIONS),
    .run = run_keygen,
};
const ctl_command ctl_mina_sign_payment = {
    .path = "mina sign-payment",
    .operands = "",
    .summary = "Sign a payment of the fee payer's and print it as JSON",
    CTL_OPTIONS(SIGN_OPTIONS),
    .uses = CTL_USES_FEE_PAYER | CTL_USES_NODE,
    .run = run_sign_payment,
};
