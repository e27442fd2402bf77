#include "ledger/anchor.h"

#include "driver.h"
#include "network.h"

#include "mina/client.h"
#include "mina/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(MINA_TRANSACTION_HASH_CHARS <= LEDGER_HASH_MAX, "a Mina hash fits");
_Static_assert(LEDGER_FIND_MAX == MINA_HASHES_MAX && LEDGER_BLOCKS_MAX == MINA_BLOCKS_MAX, "one request does it");
_Static_assert(MINA_REASON_MAX <= sizeof(((ledger_sighting *)NULL)->reason), "a failure reason fits");

typedef struct anchor {
    ledger base;
    mina_client *client;
    mina_secret_key key;
    mina_address fee_payer;
    mina_network network;
    char network_name[16]; /* as configured: devnet and testnet sign alike, but messages should name the setting */
    uint64_t fee;
} anchor;

static void free_anchor(ledger *self)
{
    anchor *a = (anchor *)self;
    mina_client_free(a->client);
    mina_secret_key_done(&a->key);
    free(a);
}

static const char *fee_payer(const ledger *self)
{
    return ((const anchor *)self)->fee_payer.text;
}

static int64_t fee(const ledger *self)
{
    return (int64_t)((const anchor *)self)->fee;
}

static base_code check(ledger *self, int64_t *ret_height, base_error *err)
{
    anchor *a = (anchor *)self;
    mina_node_status status;
    base_code code = mina_client_status(a->client, &status, err);
    if (code != BASE_OK)
        return code;
    const char *place = mina_client_place(a->client);
    if (!network_accepts(a->network_name, status.network_id))
        return base_fail(err, BASE_CONFLICT, "node %s is on network \"%s\", not on %s: check MINA_NETWORK and the node",
                         place, status.network_id, a->network_name);
    if (!status.is_synced)
        return base_fail(err, BASE_UNAVAILABLE, "node %s is not in sync with its network: %s", place,
                         status.sync_status);
    if (ret_height != NULL)
        *ret_height = status.height;
    return BASE_OK;
}

static base_code find_account(ledger *self, ledger_account *ret, base_error *err)
{
    anchor *a = (anchor *)self;
    mina_account_state state;
    base_code code = mina_client_account(a->client, a->fee_payer.text, &state, err);
    if (code == BASE_OK)
        *ret = (ledger_account){state.exists, state.nonce, state.inferred_nonce, state.balance, state.height};
    return code;
}

static base_code make(ledger *self, const ledger_statement *statement, int64_t nonce, ledger_transaction *ret,
                      base_error *err)
{
    anchor *a = (anchor *)self;
    if (nonce < 0 || nonce >= UINT32_MAX)
        return base_fail(err, BASE_INVALID, "%" PRId64 " is no nonce of a Mina account", nonce);
    /* Valid for ever: what was sent under a nonce is looked up and sent again, never replaced because of its age. */
    mina_payment payment = {.from = a->key.public_key,
                            .to = a->key.public_key,
                            .fee = a->fee,
                            .nonce = (uint32_t)nonce,
                            .valid_until = UINT32_MAX};
    ledger_memo memo = ledger_anchor_memo(&statement->image, &statement->proof);
    base_code code = mina_memo_of(base_bytes_of(memo.text, strlen(memo.text)), &payment.memo, err);
    mina_signature signature;
    if (code == BASE_OK)
        code = mina_payment_sign(&payment, a->network, &a->key, &signature, err);
    if (code != BASE_OK)
        return code;

    BASE_CLEANUP(ledger_transaction_done)
    ledger_transaction made = {.nonce = nonce, .fee_nanomina = (int64_t)a->fee, .payload = {.limit = MINA_REQUEST_MAX}};
    code = mina_request_payment(&payment, &signature, &made.payload, err);
    if (code != BASE_OK)
        return code;
    snprintf(made.hash, sizeof(made.hash), "%s", mina_payment_hash(&payment).text);
    *ret = made;
    made = (ledger_transaction){0};
    return BASE_OK;
}

/* The body is compact JSON of our own making, and a memo of base64url needs no escapes: so its text stands in it as it is. */
static bool publishes(const ledger *self, base_bytes payload, const ledger_statement *statement)
{
    (void)self;
    char field[sizeof("\"memo\":\"\"") + sizeof(ledger_memo)];
    ledger_memo memo = ledger_anchor_memo(&statement->image, &statement->proof);
    int length = snprintf(field, sizeof(field), "\"memo\":\"%s\"", memo.text);
    return memmem(payload.data, payload.size, field, (size_t)length) != NULL;
}

/* An error text that nobody knows counts as an attempt: the node did answer, so it is not the network's fault, and what is
 * not counted would hold up the lane for as long as the job lives. */
static ledger_answer answer_of(mina_error_class class)
{
    switch (class) {
    case MINA_ERROR_DUPLICATE:
        return LEDGER_ACCEPTED;
    case MINA_ERROR_UNAVAILABLE:
        return LEDGER_UNAVAILABLE;
    case MINA_ERROR_UNFUNDED:
        return LEDGER_UNFUNDED;
    case MINA_ERROR_NONCE:
        return LEDGER_NONCE;
    case MINA_ERROR_REPLACED:
        return LEDGER_REPLACED;
    case MINA_ERROR_EXPIRED:
        return LEDGER_EXPIRED;
    case MINA_ERROR_PERMANENT:
        return LEDGER_REJECTED;
    case MINA_ERROR_TRANSIENT:
    case MINA_ERROR_OTHER:
        break;
    }
    return LEDGER_RETRY;
}

/* The code that goes with an answer in a reason. */
static base_code code_of(ledger_answer answer)
{
    switch (answer) {
    case LEDGER_ACCEPTED:
        return BASE_OK;
    case LEDGER_UNAVAILABLE:
        return BASE_UNAVAILABLE;
    case LEDGER_UNKNOWN:
    case LEDGER_NONCE:
        return BASE_AMBIGUOUS;
    case LEDGER_REPLACED:
        return BASE_CONFLICT;
    case LEDGER_REJECTED:
        return BASE_INVALID;
    case LEDGER_UNFUNDED:
    case LEDGER_RETRY:
    case LEDGER_EXPIRED:
        break;
    }
    return BASE_TRANSIENT;
}

static ledger_answer answer_to(const mina_receipt *receipt)
{
    switch (receipt->delivery) {
    case MINA_DELIVERY_TAKEN:
        return LEDGER_ACCEPTED;
    case MINA_DELIVERY_REFUSED:
        return answer_of(receipt->error_class);
    case MINA_DELIVERY_TURNED_AWAY:
    case MINA_DELIVERY_NOT_SENT:
        return LEDGER_UNAVAILABLE;
    case MINA_DELIVERY_UNKNOWN:
        break;
    }
    return LEDGER_UNKNOWN;
}

static ledger_answer send_payload(ledger *self, base_bytes payload, base_error *ret_reason)
{
    anchor *a = (anchor *)self;
    mina_receipt receipt = mina_client_send(a->client, payload);
    ledger_answer answer = answer_to(&receipt);
    if (answer != LEDGER_ACCEPTED && ret_reason != NULL) {
        *ret_reason = receipt.reason;
        ret_reason->code = code_of(answer);
    }
    return answer;
}

static ledger_sighting sighting_of(const mina_sighting *seen)
{
    ledger_sighting sighting = {.place = seen->is_pooled ? LEDGER_POOLED : LEDGER_NOWHERE,
                                .tip_height = seen->tip_height};
    if (seen->block_height > 0) {
        sighting.place = seen->has_failed ? LEDGER_FAILED : LEDGER_INCLUDED;
        sighting.block_height = seen->block_height;
        memcpy(sighting.reason, seen->reason, sizeof(seen->reason));
    }
    return sighting;
}

static base_code find(ledger *self, const char *const *hashes, size_t count, int64_t blocks, ledger_sighting *sightings,
                      base_error *err)
{
    anchor *a = (anchor *)self;
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(free) mina_sighting *seen = calloc(count, sizeof(*seen));
    if (seen == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to look up %zu transactions", count);
    base_code code = mina_client_find(a->client, hashes, count, blocks, seen, err);
    for (size_t i = 0; code == BASE_OK && i < count; i++)
        sightings[i] = sighting_of(&seen[i]);
    return code;
}

static void end(ledger *self, int64_t after_ms)
{
    mina_client_end(((anchor *)self)->client, after_ms);
}

static const ledger_driver ANCHOR = {fee_payer, fee,          check, find_account, make,
                                     publishes, send_payload, find,  end,          free_anchor};

/* Everything of the options but the node. */
static base_code read_options(const ledger_anchor_options *options, anchor *a, base_error *err)
{
    base_code code = mina_network_parse(options->network, &a->network, err);
    if (code != BASE_OK)
        return code;
    snprintf(a->network_name, sizeof(a->network_name), "%s", options->network);
    if (options->fee_nanomina <= 0)
        return base_fail(err, BASE_INVALID, "a transaction fee of %" PRId64 " nanomina: it must be above zero",
                         options->fee_nanomina);
    a->fee = (uint64_t)options->fee_nanomina;
    if (options->private_key == NULL || options->private_key->data == NULL)
        return base_fail(err, BASE_INVALID, "the fee payer's private key is missing");
    code = mina_secret_key_parse(options->private_key->data, &a->key, err);
    if (code != BASE_OK)
        return base_fail_within(err, "the fee payer's private key");
    a->fee_payer = mina_public_key_format(&a->key.public_key);
    return BASE_OK;
}

base_code ledger_anchor_check_key(const base_secret *private_key, base_error *err)
{
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    return mina_secret_key_parse(private_key->data, &key, err);
}

base_code ledger_anchor_new(const ledger_anchor_options *options, ledger **ret, base_error *err)
{
    anchor *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a ledger");
    a->base.driver = &ANCHOR;
    BASE_CLEANUP(ledger_free) ledger *made = &a->base;
    base_code code = read_options(options, a, err);
    if (code != BASE_OK)
        return code;
    const mina_client_options node = {
        .url = options->node_url, .timeout_ms = options->timeout_ms, .tls_ca_file = options->tls_ca_file};
    code = mina_client_new(&node, &a->client, err);
    if (code != BASE_OK)
        return code;
    *ret = BASE_TAKE(made);
    return BASE_OK;
}
