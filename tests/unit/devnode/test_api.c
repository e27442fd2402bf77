/* The GraphQL interface as clients see it, on a node in memory. */
#include "devnode/api.h"
#include "keys.h"
#include "suites.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_MAX = 20 };

static node *the_node;
static bool lags; /* answers come as from a node one block behind */
static stats counted;

static int begin(void **state)
{
    (void)state;
    const node_options options = {MINA_DEVNET, CHAIN_MINIMUM_FEE, POOL_MAX, 0, NULL, false};
    memset(&counted, 0, sizeof(counted));
    return node_new(&options, &the_node, NULL) == BASE_OK &&
                   node_fund(the_node, &keys[ALICE].public_key, 10 * MINA_NANOMINA, true, NULL) == BASE_OK
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    node_free(the_node);
    the_node = NULL;
    lags = false;
    return 0;
}

/* Takes `variables` over; a new reference to the whole answer. */
static json_t *ask(const char *query, json_t *variables)
{
    json_t *question = json_pack("{s:s*, s:o*}", "query", query, "variables", variables);
    graphql_document document;
    base_error err = {0};
    base_code code = api_prepare(question, &document, &err);
    json_decref(question);
    if (code != BASE_OK)
        return api_error(err.message);
    api a = {.node = the_node, .stats = &counted, .lags = lags, .lagging_blocks = 1};
    json_t *answer = api_execute(&a, &document);
    graphql_document_done(&document);
    return answer;
}

static json_t *send(const mina_payment *payment, int signer)
{
    const chain_transaction transaction = transaction_of(payment, signer);
    const mina_signature_text signature = mina_signature_format(&transaction.signature);
    char amount[24];
    char fee[24];
    char nonce[16];
    char valid_until[16];
    snprintf(amount, sizeof(amount), "%" PRIu64, payment->amount);
    snprintf(fee, sizeof(fee), "%" PRIu64, payment->fee);
    snprintf(nonce, sizeof(nonce), "%" PRIu32, payment->nonce);
    snprintf(valid_until, sizeof(valid_until), "%" PRIu32, payment->valid_until);
    base_bytes memo = mina_memo_content(&payment->memo);
    return ask("mutation ($i: SendPaymentInput!, $s: SignatureInput) {"
               " sendPayment(input: $i, signature: $s) { payment { id hash nonce } } }",
               json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s%}, s:{s:s, s:s}}", "i", "from",
                         mina_public_key_format(&payment->from).text, "to", mina_public_key_format(&payment->to).text,
                         "amount", amount, "fee", fee, "nonce", nonce, "validUntil", valid_until, "memo", memo.data,
                         memo.size, "s", "field", signature.field, "scalar", signature.scalar));
}

/* Releases `answer`, which must be an error that ends in `expected`. */
static void fails_with(json_t *answer, const char *expected)
{
    const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);
    const char *message = json_string_value(json_object_get(error, "message"));
    size_t length = message == NULL ? 0 : strlen(message);
    size_t wanted = strlen(expected);
    bool ends = message != NULL && length >= wanted && strcmp(message + length - wanted, expected) == 0;
    if (!ends)
        fail_msg("\"%s\" does not end in \"%s\"", message, expected);
    json_decref(answer);
}

/* Releases `answer`, whose data must equal `expected`. */
static void answers(json_t *answer, const char *expected)
{
    json_t *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(json_object_get(answer, "data"), wanted)) {
        char *text = json_dumps(answer, JSON_COMPACT);
        fail_msg("%s is not %s", text, expected);
    }
    json_decref(wanted);
    json_decref(answer);
}

static void an_accepted_payment_answers_its_hash_and_waits_in_the_pool(void **state)
{
    (void)state;
    const mina_payment payment = payment_of(ALICE, BOB, 0);
    const mina_transaction_hash hash = mina_payment_hash(&payment);
    char expected[256];
    snprintf(expected, sizeof(expected), "{\"sendPayment\":{\"payment\":{\"id\":\"%s\",\"hash\":\"%s\",\"nonce\":0}}}",
             hash.text, hash.text);
    answers(send(&payment, ALICE), expected);
    snprintf(expected, sizeof(expected), "{\"pooledUserCommands\":[{\"hash\":\"%s\"}]}", hash.text);
    answers(ask("query ($h: [String!]) { pooledUserCommands(hashes: $h) { hash } }",
                json_pack("{s:[s, s]}", "h", "5Jother", hash.text)),
            expected);
    answers(ask("query ($k: PublicKey) { pooledUserCommands(publicKey: $k) { hash } }",
                json_pack("{s:s}", "k", mina_public_key_format(&keys[ALICE].public_key).text)),
            expected);
    answers(ask("query ($k: PublicKey) { pooledUserCommands(publicKey: $k) { hash } }",
                json_pack("{s:s}", "k", mina_public_key_format(&keys[BOB].public_key).text)),
            "{\"pooledUserCommands\":[]}");
    answers(ask("{ pooledUserCommands(hashes: []) { hash } }", NULL), "{\"pooledUserCommands\":[]}");
    assert_int_equal(atomic_load(&counted.accepted), 1);
}

static void an_included_payment_stands_in_the_best_chain(void **state)
{
    (void)state;
    const mina_payment payment = payment_of(ALICE, BOB, 0);
    json_decref(send(&payment, ALICE));
    assert_int_equal(node_make_block(the_node, NULL), BASE_OK);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "{\"bestChain\":[{\"transactions\":{\"userCommands\":[{\"hash\":\"%s\",\"failureReason\":null,\"memo\":\"%"
             "s\"}],"
             "\"zkappCommands\":[]},\"protocolState\":{\"consensusState\":{\"blockHeight\":\"2\","
             "\"slotSinceGenesis\":\"2\"}}}]}",
             mina_payment_hash(&payment).text, mina_memo_format(&payment.memo).text);
    answers(ask("{ bestChain(maxLength: 1) { transactions { userCommands { hash failureReason memo }"
                " zkappCommands { hash failureReason { failures index } } }"
                " protocolState { consensusState { blockHeight slotSinceGenesis } } } }",
                NULL),
            expected);
    answers(ask("{ bestChain(maxLength: 9) { protocolState { consensusState { blockHeight } } } }", NULL),
            "{\"bestChain\":[{\"protocolState\":{\"consensusState\":{\"blockHeight\":\"1\"}}},"
            "{\"protocolState\":{\"consensusState\":{\"blockHeight\":\"2\"}}}]}");
}

static void an_account_shows_what_is_on_chain_and_what_is_pooled(void **state)
{
    (void)state;
    const mina_payment payment = payment_of(ALICE, BOB, 0);
    json_decref(send(&payment, ALICE));
    const char *query = "query ($k: PublicKey!) { account(publicKey: $k) { nonce inferredNonce balance { total } } }";
    answers(ask(query, json_pack("{s:s}", "k", mina_public_key_format(&keys[ALICE].public_key).text)),
            "{\"account\":{\"nonce\":\"0\",\"inferredNonce\":\"1\",\"balance\":{\"total\":\"10000000000\"}}}");
    answers(ask(query, json_pack("{s:s}", "k", mina_public_key_format(&keys[CAROL].public_key).text)),
            "{\"account\":null}");
    json_t *answer = ask(query, json_pack("{s:s}", "k", "B62nobody"));
    assert_non_null(json_object_get(answer, "errors"));
    json_decref(answer);
}

static void a_wrong_signature_is_refused_in_the_daemons_words(void **state)
{
    (void)state;
    mina_payment payment = payment_of(BOB, ALICE, 0);
    chain_transaction signed_by_bob = transaction_of(&payment, BOB);
    payment.from = keys[ALICE].public_key;
    const mina_signature_text text = mina_signature_format(&signed_by_bob.signature);
    json_t *input = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "from", mina_public_key_format(&payment.from).text,
                              "to", mina_public_key_format(&payment.to).text, "amount", "1000000000", "fee", "10000000",
                              "nonce", "0", "memo", "hello");
    fails_with(ask("mutation ($i: I!, $s: S) { sendPayment(input: $i, signature: $s) { payment { hash } } }",
                   json_pack("{s:o, s:{s:s, s:s}}", "i", input, "s", "field", text.field, "scalar", text.scalar)),
               "Error: Invalid_signature");
    assert_int_equal(atomic_load(&counted.rejected), 1);
}

static void refusals_speak_the_daemons_words(void **state)
{
    (void)state;
    mina_payment payment = payment_of(ALICE, BOB, 1);
    fails_with(send(&payment, ALICE),
               "Error: Input nonce 1 either different from inferred nonce 0 or below minimum_nonce 0");
    payment.nonce = 0;
    json_decref(send(&payment, ALICE));
    fails_with(send(&payment, ALICE), "Couldn't send user command: [\"Duplicate\"]");
    payment.amount++;
    fails_with(send(&payment, ALICE), "Couldn't send user command: [\"Insufficient_replace_fee\"]");
    payment = payment_of(ALICE, BOB, 1);
    payment.amount = 10 * MINA_NANOMINA;
    fails_with(send(&payment, ALICE), "Couldn't send user command: [\"Insufficient_funds\"]");
    payment.fee = 999999;
    fails_with(send(&payment, ALICE), "Invalid user command. Fee 0.000999999 is less than the minimum fee, 0.001.");
    payment = payment_of(ALICE, BOB, 1);
    payment.valid_until = 0;
    fails_with(send(&payment, ALICE), "Couldn't send user command: [\"Expired\"]");
    payment = payment_of(CAROL, BOB, 0);
    fails_with(send(&payment, CAROL), "Couldn't send user command: [\"Fee_payer_account_not_found\"]");
    payment = payment_of(ALICE, BOB, 1);
    payment.amount = UINT64_MAX;
    fails_with(send(&payment, ALICE), "Couldn't send user command: [\"Overflow\"]");
    assert_int_equal(atomic_load(&counted.duplicates), 1);
    assert_int_equal(atomic_load(&counted.sends), 9);
}

static void a_payment_without_a_signature_wants_a_wallet(void **state)
{
    (void)state;
    const mina_address alice = mina_public_key_format(&keys[ALICE].public_key);
    char query[512];
    snprintf(query, sizeof(query),
             "mutation { sendPayment(input: {from: \"%s\", to: \"%s\", amount: \"1\", fee: 10000000, nonce: 0}) "
             "{ payment { hash } } }",
             alice.text, alice.text);
    fails_with(ask(query, NULL), "Did you unlock the account you're making a transaction from?");
}

static void input_that_no_payment_has_is_refused_by_field(void **state)
{
    (void)state;
    const mina_address alice = mina_public_key_format(&keys[ALICE].public_key);
    static const char *const bad[][2] = {
        {"amount: \"-1\", fee: \"1\", nonce: \"0\"", "`amount` provided."},
        {"amount: \"18446744073709551616\", fee: \"1\", nonce: \"0\"", "`amount` provided."},
        {"amount: 1, fee: \"1e9\", nonce: \"0\"", "`fee` provided."},
        {"amount: 1, fee: 1, nonce: \"4294967296\"", "`nonce` provided."},
        {"amount: 1, fee: 1", "`nonce` provided."},
        {"amount: 1, fee: 1, nonce: 0, validUntil: \"x\"", "`validUntil` provided."},
        {"amount: 1, fee: 1, nonce: 0, memo: \"123456789012345678901234567890123\"", "`memo` provided."},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char query[512];
        snprintf(query, sizeof(query),
                 "mutation { sendPayment(input: {from: \"%s\", to: \"%s\", %s}) { payment { hash } } }", alice.text,
                 alice.text, bad[i][0]);
        fails_with(ask(query, NULL), bad[i][1]);
    }
}

static void an_unknown_field_stops_a_mutation_before_it_does_anything(void **state)
{
    (void)state;
    fails_with(ask("mutation { sendPayment(input: {}) { payment { hash color } } }", NULL),
               "Field 'color' is not defined on type 'UserCommand'");
    assert_int_equal(atomic_load(&counted.sends), 0);
    fails_with(ask("{ account(publicKey: \"x\") }", NULL),
               "Field 'account' of type 'query' needs a selection of its fields");
    fails_with(ask("{ networkID { x } }", NULL), "Field 'networkID' of type 'query' is a scalar: it has no fields");
    fails_with(ask("{ sendPayment { payment { hash } } }", NULL), "Field 'sendPayment' is not defined on type 'query'");
}

static void the_node_says_what_it_is(void **state)
{
    (void)state;
    answers(ask("{ networkID s: syncStatus daemonStatus { consensusConfiguration { slotDuration } __typename }"
                " pooledZkappCommands { hash failureReason { failures } } }",
                NULL),
            "{\"networkID\":\"mina:devnet\",\"s\":\"SYNCED\",\"daemonStatus\":{\"consensusConfiguration\":"
            "{\"slotDuration\":180000},\"__typename\":\"DaemonStatus\"},\"pooledZkappCommands\":[]}");
    fails_with(ask("mutation { sendZkapp(input: {zkappCommand: {}}) { zkapp { hash } } }", NULL), "payments only");
}

/* Everything that clients may select of a payment, its block and its account, with the values that belong together. */
static void every_field_of_payment_block_and_account_can_be_asked_for(void **state)
{
    (void)state;
    const mina_payment payment = payment_of(ALICE, BOB, 0);
    const mina_address alice = mina_public_key_format(&keys[ALICE].public_key);
    const mina_address bob = mina_public_key_format(&keys[BOB].public_key);
    json_decref(send(&payment, ALICE));
    char expected[1024];
    snprintf(expected, sizeof(expected),
             "{\"pooledUserCommands\":[{\"kind\":\"PAYMENT\",\"from\":\"%s\",\"to\":\"%s\",\"amount\":\"1000000000\","
             "\"fee\":\"10000000\",\"validUntil\":\"4294967295\",\"isDelegation\":false,\"source\":{\"publicKey\":"
             "\"%s\"},\"receiver\":{\"publicKey\":\"%s\"},\"feePayer\":{\"publicKey\":\"%s\"},\"feeToken\":"
             "\"wSHV2S4qX9jFsLjQo8r1BsMLH2ZRKsZx6EJd1sbozGPieEC4Jf\"}]}",
             alice.text, bob.text, alice.text, bob.text, alice.text);
    answers(ask("{ pooledUserCommands { kind from to amount fee validUntil isDelegation source { publicKey }"
                " receiver { publicKey } feePayer { publicKey } feeToken } }",
                NULL),
            expected);
    assert_int_equal(node_make_block(the_node, NULL), BASE_OK);
    const chain_block tip = *chain_tip(node_lock(the_node));
    node_unlock(the_node);
    snprintf(
        expected, sizeof(expected),
        "{\"bestChain\":[{\"stateHash\":\"%s\",\"protocolState\":{\"previousStateHash\":\"%s\",\"blockchainState\":"
        "{\"date\":\"%" PRId64
        "\"}}}],\"daemonStatus\":{\"blockchainLength\":2,\"consensusConfiguration\":{\"k\":290}},"
        "\"version\":\"proofline-devnode\"}",
        tip.state_hash, tip.previous_hash, tip.time_ms);
    answers(ask("{ bestChain(maxLength: 1) { stateHash protocolState { previousStateHash blockchainState { date } } }"
                " daemonStatus { blockchainLength consensusConfiguration { k } } version }",
                NULL),
            expected);
    snprintf(expected, sizeof(expected),
             "{\"account\":{\"publicKey\":\"%s\",\"delegate\":\"%s\",\"zkappState\":null,\"balance\":{\"liquid\":"
             "\"8990000000\",\"blockHeight\":\"2\",\"stateHash\":\"%s\"}}}",
             alice.text, alice.text, tip.state_hash);
    answers(ask("query ($k: PublicKey!) { account(publicKey: $k) { publicKey delegate zkappState"
                " balance { liquid blockHeight stateHash } } }",
                json_pack("{s:s}", "k", alice.text)),
            expected);
}

static void arguments_that_make_no_sense_are_named(void **state)
{
    (void)state;
    fails_with(ask(NULL, NULL), "the request needs a \"query\" (a string of GraphQL)");
    fails_with(ask("{ account { nonce } }", NULL),
               "Argument 'publicKey' of type 'PublicKey!' is required on field 'account'");
    fails_with(ask("{ bestChain(maxLength: 0) { stateHash } }", NULL),
               "Argument 'maxLength' of type 'Int' must be a positive number");
    fails_with(ask("{ pooledUserCommands(publicKey: \"B62nobody\") { hash } }", NULL), "the text has the wrong length");
    fails_with(ask("mutation { sendPayment(input: {}) { payment { hash } } }", NULL),
               "Invalid payment `from` provided: it is missing");
    const mina_address alice = mina_public_key_format(&keys[ALICE].public_key);
    char query[512];
    snprintf(query, sizeof(query),
             "mutation { sendPayment(input: {from: \"%s\", to: \"%s\", amount: 1, fee: 1, nonce: 0}, signature: "
             "{field: \"1\"}) { payment { hash } } }",
             alice.text, alice.text);
    fails_with(ask(query, NULL), "Invalid signature: `field` and `scalar` are wanted");
}

/* As Mina does: the pool is full, but the daemon only says that something went wrong. */
static void a_full_pool_is_an_internal_error_to_the_sender(void **state)
{
    (void)state;
    for (uint32_t nonce = 0; nonce <= POOL_MAX; nonce++) {
        mina_payment payment = payment_of(ALICE, ALICE, nonce);
        payment.amount = 0;
        if (nonce < POOL_MAX)
            json_decref(send(&payment, ALICE));
        else
            fails_with(send(&payment, ALICE), "Internal error while scheduling a user command");
    }
    assert_int_equal(atomic_load(&counted.accepted), POOL_MAX);
    assert_int_equal(atomic_load(&counted.rejected), 1);
}

static void a_lagging_node_knows_neither_the_pool_nor_the_newest_block(void **state)
{
    (void)state;
    static const char QUERY[] = "query ($k: PublicKey!) { account(publicKey: $k) { nonce inferredNonce balance { total "
                                "blockHeight } } bestChain { transactions { userCommands { nonce } } } "
                                "pooledUserCommands { nonce } }";
    const mina_address alice = mina_public_key_format(&keys[ALICE].public_key);
    for (uint32_t nonce = 0; nonce < 2; nonce++) {
        mina_payment payment = payment_of(ALICE, ALICE, nonce);
        json_decref(send(&payment, ALICE));
        if (nonce == 0)
            assert_int_equal(node_make_block(the_node, NULL), BASE_OK);
    }
    lags = true;
    answers(ask(QUERY, json_pack("{s:s}", "k", alice.text)),
            "{\"account\":{\"nonce\":\"0\",\"inferredNonce\":\"0\",\"balance\":{\"total\":\"10000000000\","
            "\"blockHeight\":\"1\"}},\"bestChain\":[{\"transactions\":{\"userCommands\":[]}}],"
            "\"pooledUserCommands\":[]}");
}

int run_api_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_accepted_payment_answers_its_hash_and_waits_in_the_pool, begin, end),
        cmocka_unit_test_setup_teardown(an_included_payment_stands_in_the_best_chain, begin, end),
        cmocka_unit_test_setup_teardown(an_account_shows_what_is_on_chain_and_what_is_pooled, begin, end),
        cmocka_unit_test_setup_teardown(a_wrong_signature_is_refused_in_the_daemons_words, begin, end),
        cmocka_unit_test_setup_teardown(refusals_speak_the_daemons_words, begin, end),
        cmocka_unit_test_setup_teardown(a_payment_without_a_signature_wants_a_wallet, begin, end),
        cmocka_unit_test_setup_teardown(input_that_no_payment_has_is_refused_by_field, begin, end),
        cmocka_unit_test_setup_teardown(an_unknown_field_stops_a_mutation_before_it_does_anything, begin, end),
        cmocka_unit_test_setup_teardown(the_node_says_what_it_is, begin, end),
        cmocka_unit_test_setup_teardown(every_field_of_payment_block_and_account_can_be_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(arguments_that_make_no_sense_are_named, begin, end),
        cmocka_unit_test_setup_teardown(a_full_pool_is_an_internal_error_to_the_sender, begin, end),
        cmocka_unit_test_setup_teardown(a_lagging_node_knows_neither_the_pool_nor_the_newest_block, begin, end),
    };
    return cmocka_run_group_tests_name("node API", tests, NULL, NULL);
}
