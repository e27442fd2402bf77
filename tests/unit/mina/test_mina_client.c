/* Requests to a Mina node and the reading of its answers: pure functions, no network. */
#include "mina/client.h"
#include "mina/request.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH_A  "5JuHashA"
#define HASH_B  "5JuHashB"
#define ADDRESS "B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y"

static base_bytes bytes(const char *text)
{
    return base_bytes_of(text, strlen(text));
}

/* The table of what the daemon says, row by row as its sources have it. */
static void every_error_text_of_the_daemon_has_its_class(void **state)
{
    (void)state;
    static const mina_error_row EXPECTED[] = {
        {"Daemon is bootstrapping", MINA_ERROR_UNAVAILABLE},
        {"Could not obtain the transition frontier", MINA_ERROR_UNAVAILABLE},
        {"Couldn't send user command: [\"Overloaded\"]", MINA_ERROR_UNAVAILABLE},
        {"Internal error while scheduling a user command", MINA_ERROR_TRANSIENT},
        {"Couldn't send user command: [\"Insufficient_funds\"]", MINA_ERROR_UNFUNDED},
        {"Couldn't send user command: [\"Fee_payer_account_not_found\"]", MINA_ERROR_UNFUNDED},
        {"Couldn't infer nonce for transaction from specified `sender` since `sender` is not in the ledger",
         MINA_ERROR_UNFUNDED},
        {"Couldn't send user command: [\"Invalid_nonce\"]", MINA_ERROR_NONCE},
        {"Input nonce 9 either different from inferred nonce 918 or below minimum_nonce 918", MINA_ERROR_NONCE},
        {"Couldn't send user command: [\"Duplicate\"]", MINA_ERROR_DUPLICATE},
        {"This transaction is a duplicate of one already in the pool", MINA_ERROR_DUPLICATE},
        {"Couldn't send user command: [\"Insufficient_replace_fee\"]", MINA_ERROR_REPLACED},
        {"Couldn't send user command: [\"Expired\"]", MINA_ERROR_EXPIRED},
        {"Couldn't send user command: Error: Invalid_signature", MINA_ERROR_PERMANENT},
        {"Couldn't send user command: [\"Verification_failed\"]", MINA_ERROR_PERMANENT},
        {"Stale verification key detected", MINA_ERROR_PERMANENT},
        {"Some command has well-formedness errors", MINA_ERROR_PERMANENT},
        {"Invalid user command. Fee 0.0001 is less than the minimum fee, 0.001.", MINA_ERROR_PERMANENT},
        {"Couldn't send user command: [\"Overflow\"]", MINA_ERROR_PERMANENT},
        {"Couldn't send user command: [\"Bad_token\"]", MINA_ERROR_PERMANENT},
        {"Something that no daemon said before", MINA_ERROR_OTHER},
        {"", MINA_ERROR_OTHER},
    };
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++)
        if (mina_error_classify(EXPECTED[i].text) != EXPECTED[i].class)
            fail_msg("\"%s\" is class %d", EXPECTED[i].text, mina_error_classify(EXPECTED[i].text));
}

static void no_row_of_the_table_hides_a_later_one(void **state)
{
    (void)state;
    size_t count;
    const mina_error_row *table = mina_error_table(&count);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mina_error_classify(table[i].text), table[i].class);
}

static void the_payment_of_an_answer_is_taken(void **state)
{
    (void)state;
    mina_receipt receipt = mina_answer_payment(
        200, bytes("{\"data\":{\"sendPayment\":{\"payment\":{\"id\":\"x\",\"hash\":\"5Ju\",\"nonce\":3}}}}"));
    assert_int_equal(receipt.delivery, MINA_DELIVERY_TAKEN);
}

static void the_reason_is_what_follows_the_repeated_command(void **state)
{
    (void)state;
    /* The memo inside the echo says Duplicate: only what follows it counts. */
    mina_receipt receipt = mina_answer_payment(
        200, bytes("{\"data\":{\"sendPayment\":null},\"errors\":[{\"message\":\"Couldn't send user command: Error "
                   "creating user command: {\\\"memo\\\":\\\"Duplicate\\\"} Error: Input nonce 9 either different "
                   "from inferred nonce 5 or below minimum_nonce 4\\u001b[2J\"}]}"));
    assert_int_equal(receipt.delivery, MINA_DELIVERY_REFUSED);
    assert_int_equal(receipt.error_class, MINA_ERROR_NONCE);
    assert_string_equal(receipt.reason.message,
                        "Input nonce 9 either different from inferred nonce 5 or below minimum_nonce 4 [2J");
}

static void what_cannot_be_read_after_sending_is_unknown(void **state)
{
    (void)state;
    static const char *const BODIES[] = {
        "",
        "{",
        "nonsense",
        "[]",
        "null",
        "7",
        "{}",
        "{\"data\":null}",
        "{\"data\":{}}",
        "{\"data\":[1]}",
        "{\"errors\":[]}",
        "{\"errors\":{}}",
        "{\"data\":{\"sendPayment\":null}}",
        "{\"data\":{\"sendPayment\":{\"payment\":{\"hash\":7}}}}",
        "{\"data\":{\"sendPayment\":{\"payment\":\"hash\"}}}",
        "{\"data\":{\"sendPayment\":{\"payment\":{\"hash\":\"5J\"}}}",
        "{\"data\":{\"sendPayment\":{\"payment\":{\"hash\":\"\xff\xfe\"}}}}",
        "{\"data\":1,\"data\":{\"sendPayment\":{\"payment\":{\"hash\":\"5J\"}}}}",
        "<html>Bad gateway</html>",
    };
    for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++) {
        mina_receipt receipt = mina_answer_payment(200, bytes(BODIES[i]));
        if (receipt.delivery != MINA_DELIVERY_UNKNOWN || receipt.reason.code != BASE_AMBIGUOUS)
            fail_msg("body %zu is delivery %d: %s", i, receipt.delivery, receipt.reason.message);
    }
}

static void the_http_status_decides_when_graphql_did_not_answer(void **state)
{
    (void)state;
    static const struct {
        long status;
        mina_delivery delivery;
    } EXPECTED[] = {
        {429, MINA_DELIVERY_TURNED_AWAY}, {404, MINA_DELIVERY_TURNED_AWAY}, {401, MINA_DELIVERY_TURNED_AWAY},
        {400, MINA_DELIVERY_TURNED_AWAY}, {302, MINA_DELIVERY_TURNED_AWAY}, {408, MINA_DELIVERY_UNKNOWN},
        {500, MINA_DELIVERY_UNKNOWN},     {502, MINA_DELIVERY_UNKNOWN},     {503, MINA_DELIVERY_UNKNOWN},
        {504, MINA_DELIVERY_UNKNOWN},     {0, MINA_DELIVERY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++)
        if (mina_answer_payment(EXPECTED[i].status, bytes("<html>")).delivery != EXPECTED[i].delivery)
            fail_msg("HTTP %ld", EXPECTED[i].status);
    /* GraphQL of the daemon answers 400 for requests that it cannot execute, with errors as usual. */
    mina_receipt receipt = mina_answer_payment(400, bytes("{\"errors\":[{\"message\":\"Error: Invalid_signature\"}]}"));
    assert_int_equal(receipt.delivery, MINA_DELIVERY_REFUSED);
    assert_int_equal(receipt.error_class, MINA_ERROR_PERMANENT);
}

static void an_answer_cut_anywhere_is_never_a_success(void **state)
{
    (void)state;
    static const char WHOLE[] = "{\"data\":{\"sendPayment\":{\"payment\":{\"id\":\"x\",\"hash\":\"5Ju\"}}}}";
    for (size_t size = 0; size < sizeof(WHOLE) - 1; size++) {
        /* Exactly as many bytes as there are: the sanitizer sees a read beyond them. */
        char *part = malloc(size > 0 ? size : 1);
        assert_non_null(part);
        memcpy(part, WHOLE, size);
        assert_int_equal(mina_answer_payment(200, base_bytes_of(part, size)).delivery, MINA_DELIVERY_UNKNOWN);
        free(part);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *deep = malloc(DEPTH);
    assert_non_null(deep);
    memset(deep, '[', DEPTH);
    assert_int_equal(mina_answer_payment(200, base_bytes_of(deep, DEPTH)).delivery, MINA_DELIVERY_UNKNOWN);
    mina_node_status status;
    base_error err = {0};
    assert_int_equal(mina_answer_status(base_bytes_of(deep, DEPTH), &status, &err), BASE_UNAVAILABLE);
    free(deep);
}

static void a_long_error_is_cut_between_characters(void **state)
{
    (void)state;
    char body[4096];
    char words[2048];
    for (size_t i = 0; i + 2 < sizeof(words); i += 2)
        memcpy(words + i, "\xc3\xa4", 3); /* ä */
    words[sizeof(words) - 1] = words[sizeof(words) - 2] = '\0';
    for (int shift = 0; shift < 2; shift++) {
        snprintf(body, sizeof(body), "{\"errors\":[{\"message\":\"%s%s\"}]}", shift == 0 ? "" : "x", words);
        mina_receipt receipt = mina_answer_payment(200, bytes(body));
        assert_int_equal(receipt.delivery, MINA_DELIVERY_REFUSED);
        size_t length = strlen(receipt.reason.message);
        assert_in_range(length, 190, 199);
        assert_int_equal(receipt.reason.message[length - 1], (char)0xa4);
    }
}

static void an_account_is_read_from_strings_and_numbers(void **state)
{
    (void)state;
    mina_account_state account;
    assert_int_equal(mina_answer_account(bytes("{\"data\":{\"account\":{\"nonce\":\"7\",\"inferredNonce\":9,"
                                               "\"balance\":{\"total\":\"18446744073709551615\"}}}}"),
                                         &account, NULL),
                     BASE_OK);
    assert_true(account.exists);
    assert_int_equal(account.nonce, 7);
    assert_int_equal(account.inferred_nonce, 9);
    assert_true(account.balance == UINT64_MAX);
    assert_int_equal(account.height, 0);
    assert_int_equal(mina_answer_account(bytes("{\"data\":{\"account\":{\"nonce\":\"7\",\"inferredNonce\":9,"
                                               "\"balance\":{\"total\":\"5\",\"blockHeight\":\"41\"}}}}"),
                                         &account, NULL),
                     BASE_OK);
    assert_int_equal(account.height, 41);
    assert_int_equal(mina_answer_account(bytes("{\"data\":{\"account\":{\"nonce\":\"7\",\"inferredNonce\":null,"
                                               "\"balance\":{\"total\":\"0\"}}}}"),
                                         &account, NULL),
                     BASE_OK);
    assert_int_equal(account.inferred_nonce, 7);
    assert_int_equal(mina_answer_account(bytes("{\"data\":{\"account\":null}}"), &account, NULL), BASE_OK);
    assert_false(account.exists);
}

static void an_ill_typed_account_is_no_account(void **state)
{
    (void)state;
    static const char *const NONCES[] = {
        "\"\"", "\"-1\"", "-1", "\"4294967296\"", "4294967296", "1.5",    "true",
        "null", "[]",     "{}", "\"0x7\"",        "\" 7\"",     "\"7 \"", "\"99999999999999999999999\""};
    for (size_t i = 0; i < sizeof(NONCES) / sizeof(NONCES[0]); i++) {
        char body[256];
        snprintf(body, sizeof(body), "{\"data\":{\"account\":{\"nonce\":%s,\"balance\":{\"total\":\"1\"}}}}",
                 NONCES[i]);
        mina_account_state account = {.nonce = 77};
        base_error err = {0};
        if (mina_answer_account(bytes(body), &account, &err) != BASE_UNAVAILABLE)
            fail_msg("nonce %s was taken", NONCES[i]);
        assert_int_equal(account.nonce, 77);
    }
    mina_account_state account;
    base_error err = {0};
    /* An error beside a null account is no "does not exist". */
    assert_int_equal(mina_answer_account(bytes("{\"data\":{\"account\":null},\"errors\":[{\"message\":\"later\"}]}"),
                                         &account, &err),
                     BASE_UNAVAILABLE);
    assert_string_equal(err.message, "the node says: later");
}

static void a_node_that_is_bootstrapping_still_says_so(void **state)
{
    (void)state;
    mina_node_status status;
    assert_int_equal(mina_answer_status(bytes("{\"data\":{\"networkID\":\"mina:devnet\",\"syncStatus\":\"BOOTSTRAP\","
                                              "\"bestChain\":null},\"errors\":[{\"message\":\"Could not obtain best "
                                              "chain\"}]}"),
                                        &status, NULL),
                     BASE_OK);
    assert_false(status.is_synced);
    assert_string_equal(status.sync_status, "BOOTSTRAP");
    assert_int_equal(status.height, 0);
}

static void a_synced_node_shows_its_height(void **state)
{
    (void)state;
    mina_node_status status;
    base_error err = {0};
    assert_int_equal(
        mina_answer_status(bytes("{\"data\":{\"networkID\":\"mina:devnet\",\"syncStatus\":\"SYNCED\",\"bestChain\":"
                                 "[{\"protocolState\":{\"consensusState\":{\"blockHeight\":\"42\"}}}]}}"),
                           &status, NULL),
        BASE_OK);
    assert_true(status.is_synced);
    assert_int_equal(status.height, 42);
    assert_int_equal(mina_answer_status(bytes("{\"data\":{\"networkID\":\"mina:devnet\",\"syncStatus\":\"SYNCED\"}}"),
                                        &status, &err),
                     BASE_UNAVAILABLE);
}

static void an_answer_without_what_was_asked_for_names_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *body, *error;
    } STATUS[] = {
        {"{\"data\":{\"syncStatus\":\"SYNCED\"}}", "the node's answer lacks a usable `networkID`"},
        {"{\"data\":{\"networkID\":7,\"syncStatus\":\"SYNCED\"}}", "the node's answer lacks a usable `networkID`"},
        {"{\"data\":{\"networkID\":\"mina:devnet\"}}", "the node's answer lacks a usable `syncStatus`"},
        {"{\"data\":{\"networkID\":\"mina:devnet\",\"syncStatus\":"
         "\"a status that is far longer than any that a daemon of Mina would ever give to us\"}}",
         "the node's answer lacks a usable `syncStatus`"},
    };
    static const struct {
        const char *body, *error;
    } ACCOUNT[] = {
        {"{\"data\":{\"account\":{\"nonce\":\"1\",\"inferredNonce\":\"x\",\"balance\":{\"total\":\"1\"}}}}",
         "the node's answer lacks a usable `account.inferredNonce`"},
        {"{\"data\":{\"account\":{\"nonce\":\"1\",\"inferredNonce\":null,\"balance\":{\"total\":\"-1\"}}}}",
         "the node's answer lacks a usable `account.balance`"},
        {"{\"data\":{\"account\":{\"nonce\":\"1\"}}", "the node's answer is no JSON: '}' expected near end of file"},
    };
    for (size_t i = 0; i < sizeof(STATUS) / sizeof(STATUS[0]); i++) {
        mina_node_status status;
        base_error err = {0};
        assert_int_equal(mina_answer_status(bytes(STATUS[i].body), &status, &err), BASE_UNAVAILABLE);
        assert_string_equal(err.message, STATUS[i].error);
    }
    for (size_t i = 0; i < sizeof(ACCOUNT) / sizeof(ACCOUNT[0]); i++) {
        mina_account_state account;
        base_error err = {0};
        assert_int_equal(mina_answer_account(bytes(ACCOUNT[i].body), &account, &err), BASE_UNAVAILABLE);
        if (strstr(err.message, ACCOUNT[i].error) == NULL)
            fail_msg("%s", err.message);
    }
}

#define BLOCK(height, commands)                                                                                        \
    "{\"transactions\":{\"userCommands\":[" commands                                                                   \
    "]},\"protocolState\":{\"consensusState\":{\"blockHeight\":\"" height "\"}}}"

static base_code sight(const char *pool, const char *blocks, mina_sighting *sightings)
{
    static const char *const HASHES[] = {HASH_A, HASH_B};
    char body[2048];
    snprintf(body, sizeof(body), "{\"data\":{\"pooledUserCommands\":%s,\"bestChain\":%s}}", pool, blocks);
    base_error err = {0};
    return mina_answer_sightings(bytes(body), HASHES, 2, sightings, &err);
}

static void a_transaction_is_found_in_the_pool_or_in_its_block(void **state)
{
    (void)state;
    mina_sighting seen[2];
    memset(seen, 0xff, sizeof(seen));
    assert_int_equal(sight("[{\"hash\":\"" HASH_B "\"},{\"hash\":\"other\"}]",
                           "[" BLOCK("8", "") "," BLOCK("9", "{\"hash\":\"" HASH_A
                                                             "\",\"memo\":\"E4Y\",\"failureReason\":null}") "]",
                           seen),
                     BASE_OK);
    assert_int_equal(seen[0].block_height, 9);
    assert_false(seen[0].has_failed);
    assert_string_equal(seen[0].memo, "E4Y");
    assert_true(seen[1].is_pooled);
    assert_int_equal(seen[1].block_height, 0);
    assert_int_equal(seen[0].tip_height, 9);
    assert_int_equal(seen[1].tip_height, 9); /* of the answer, not of what is found */
}

static void many_transactions_are_told_apart_and_one_asked_for_twice_is_seen_twice(void **state)
{
    (void)state;
    enum { COUNT = MINA_HASHES_MAX };
    char text[COUNT][16];
    const char *hashes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof(text[i]), "h%d", (i * 7919) % (COUNT - 1)); /* the last is the first again */
        hashes[i] = text[i];
    }
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = 1 << 20};
    assert_int_equal(base_buffer_printf(&body, NULL, "{\"data\":{\"pooledUserCommands\":[],\"bestChain\":["), BASE_OK);
    for (int i = 0; i < COUNT - 1; i += 2) /* only the even ones, each at a height of its own */
        assert_int_equal(base_buffer_printf(&body, NULL, "%s" BLOCK("%d", "{\"hash\":\"h%d\",\"failureReason\":null}"),
                                            i == 0 ? "" : ",", i, i + 1),
                         BASE_OK);
    assert_int_equal(base_buffer_printf(&body, NULL, "]}}"), BASE_OK);
    mina_sighting seen[COUNT];
    base_error err = {0};
    if (mina_answer_sightings(base_buffer_view(&body), hashes, COUNT, seen, &err) != BASE_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < COUNT; i++) {
        int number = (i * 7919) % (COUNT - 1);
        assert_int_equal(seen[i].block_height, number % 2 == 0 ? number + 1 : 0);
    }
    assert_string_equal(hashes[0], hashes[COUNT - 1]);
}

static void included_is_not_successful(void **state)
{
    (void)state;
    mina_sighting seen[2];
    assert_int_equal(
        sight("[]", "[" BLOCK("9", "{\"hash\":\"" HASH_A "\",\"failureReason\":\"Amount_\\ninsufficient\"}") "]", seen),
        BASE_OK);
    assert_true(seen[0].has_failed);
    assert_string_equal(seen[0].reason, "Amount_ insufficient");
    assert_false(seen[1].is_pooled);
}

static void a_chain_that_cannot_be_read_in_full_is_no_answer(void **state)
{
    (void)state;
    mina_sighting seen[2];
    assert_int_equal(sight("null", "[" BLOCK("9", "") "]", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "null", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[]", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[{}]", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[" BLOCK("x", "") "]", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[" BLOCK("0", "") "]", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[" BLOCK("9", "{\"hash\":7}") "]", seen), BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[" BLOCK("9", "{\"hash\":\"" HASH_A "\",\"failureReason\":{}}") "]", seen),
                     BASE_UNAVAILABLE);
    assert_int_equal(sight("[]", "[{\"protocolState\":{\"consensusState\":{\"blockHeight\":\"9\"}}}]", seen),
                     BASE_UNAVAILABLE);
}

static void a_command_without_a_hash_is_overlooked_in_the_pool_only(void **state)
{
    (void)state;
    mina_sighting seen[2];
    assert_int_equal(sight("[{\"hash\":7},{\"hash\":\"" HASH_A "\"}]", "[" BLOCK("9", "") "]", seen), BASE_OK);
    assert_true(seen[0].is_pooled);
    const char *hashes[MINA_HASHES_MAX + 1] = {NULL};
    base_error err = {0};
    assert_int_equal(mina_answer_sightings(bytes("{}"), hashes, MINA_HASHES_MAX + 1, seen, &err), BASE_INVALID);
    assert_int_equal(mina_answer_sightings(bytes("<html>"), hashes, 0, seen, &err), BASE_UNAVAILABLE);
}

static void the_questions_keep_to_their_bounds(void **state)
{
    (void)state;
    const char *hashes[MINA_HASHES_MAX + 1];
    for (size_t i = 0; i <= MINA_HASHES_MAX; i++)
        hashes[i] = "5JuG4imE2tEAEPTx2xLCfvMkaQ48eQxYpp58gMy2x1twVoCuapUv";
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    assert_int_equal(mina_request_sightings(hashes, MINA_HASHES_MAX, MINA_BLOCKS_MAX, &body, NULL), BASE_OK);
    base_error err = {0};
    assert_int_equal(mina_request_sightings(hashes, MINA_HASHES_MAX + 1, 1, &body, &err), BASE_INVALID);
    assert_int_equal(mina_request_sightings(hashes, 0, 1, &body, &err), BASE_INVALID);
    assert_int_equal(mina_request_sightings(hashes, 1, MINA_BLOCKS_MAX + 1, &body, &err), BASE_INVALID);
    assert_int_equal(mina_request_sightings(hashes, 1, 0, &body, &err), BASE_INVALID);
    const char *const not_utf8[] = {"5J\xff"};
    assert_int_equal(mina_request_sightings(not_utf8, 1, 1, &body, &err), BASE_INVALID);
    assert_int_equal(mina_request_account("B62qno", &body, &err), BASE_INVALID);
}

static mina_payment example_payment(const char *memo)
{
    mina_payment payment = {.amount = UINT64_MAX, .fee = 1, .nonce = 7, .valid_until = UINT32_MAX};
    assert_int_equal(mina_public_key_parse(ADDRESS, &payment.from, NULL), BASE_OK);
    payment.to = payment.from;
    assert_int_equal(mina_memo_of(bytes(memo), &payment.memo, NULL), BASE_OK);
    return payment;
}

static void a_payment_body_is_the_same_bytes_every_time(void **state)
{
    (void)state;
    mina_payment payment = example_payment("a \"memo\"");
    mina_signature signature = {.field = {1}, .scalar = {2}};
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    assert_int_equal(mina_request_payment(&payment, &signature, &body, NULL), BASE_OK);
    assert_string_equal(
        (const char *)body.data,
        "{\"query\":\"mutation($input:SendPaymentInput!,$signature:SignatureInput){sendPayment(input:$input,signature:"
        "$signature){payment{id hash nonce}}}\",\"variables\":{\"input\":{\"from\":\"" ADDRESS "\",\"to\":\"" ADDRESS
        "\",\"amount\":\"18446744073709551615\",\"fee\":\"1\",\"memo\":\"a \\\"memo\\\"\",\"nonce\":\"7\","
        "\"validUntil\":\"4294967295\"},\"signature\":{\"field\":\"1\",\"scalar\":\"2\"}}}");
}

static void a_memo_that_is_no_text_cannot_be_sent(void **state)
{
    (void)state;
    mina_payment payment = example_payment("\xff\xfe");
    mina_signature signature = {.field = {1}, .scalar = {2}};
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_error err = {0};
    assert_int_equal(mina_request_payment(&payment, &signature, &body, &err), BASE_INVALID);
}

static void only_http_urls_make_a_client_and_none_is_shown_with_its_secrets(void **state)
{
    (void)state;
    static const char *const BAD[] = {NULL, "", "nonsense://x", "ftp://x/graphql", "file:///etc/passwd", "http://"};
    base_error err = {0};
    mina_client *client = NULL;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        mina_client_options options = {.url = BAD[i]};
        assert_int_equal(mina_client_new(&options, &client, &err), BASE_INVALID);
        assert_null(client);
    }
    mina_client_options options = {.url = "https://user:word@node.example/graphql?apikey=s3cret"};
    assert_int_equal(mina_client_new(&options, &client, &err), BASE_OK);
    assert_string_equal(mina_client_place(client), "node.example:443");
    mina_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_text_of_the_daemon_has_its_class),
        cmocka_unit_test(no_row_of_the_table_hides_a_later_one),
        cmocka_unit_test(the_payment_of_an_answer_is_taken),
        cmocka_unit_test(the_reason_is_what_follows_the_repeated_command),
        cmocka_unit_test(what_cannot_be_read_after_sending_is_unknown),
        cmocka_unit_test(the_http_status_decides_when_graphql_did_not_answer),
        cmocka_unit_test(an_answer_cut_anywhere_is_never_a_success),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_long_error_is_cut_between_characters),
        cmocka_unit_test(an_account_is_read_from_strings_and_numbers),
        cmocka_unit_test(an_ill_typed_account_is_no_account),
        cmocka_unit_test(a_node_that_is_bootstrapping_still_says_so),
        cmocka_unit_test(a_synced_node_shows_its_height),
        cmocka_unit_test(an_answer_without_what_was_asked_for_names_what_is_missing),
        cmocka_unit_test(a_command_without_a_hash_is_overlooked_in_the_pool_only),
        cmocka_unit_test(a_transaction_is_found_in_the_pool_or_in_its_block),
        cmocka_unit_test(many_transactions_are_told_apart_and_one_asked_for_twice_is_seen_twice),
        cmocka_unit_test(included_is_not_successful),
        cmocka_unit_test(a_chain_that_cannot_be_read_in_full_is_no_answer),
        cmocka_unit_test(the_questions_keep_to_their_bounds),
        cmocka_unit_test(a_payment_body_is_the_same_bytes_every_time),
        cmocka_unit_test(a_memo_that_is_no_text_cannot_be_sent),
        cmocka_unit_test(only_http_urls_make_a_client_and_none_is_shown_with_its_secrets),
    };
    return cmocka_run_group_tests_name("mina client", tests, NULL, NULL);
}
