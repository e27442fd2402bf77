/* The ledger against a running development node: real signatures, nonces, a pool and blocks. */
#include "harness/http.h"
#include "harness/process.h"
#include "harness/wait.h"
#include "ledger/anchor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET_KEY "EKEiSTLcuVbi6xj86GKwzJLikrECqezZLVKqyvTX2p52rCDGbRvx"
#define ADDRESS    "B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y"

enum { FEE = 10000000, LOOK_BACK = 290 };

/* A node without blocks but on demand, and a ledger that talks to it. */
typedef struct bench {
    harness_process *node;
    uint16_t port;
    ledger *anchor;
} bench;

static void bench_done(bench *b)
{
    ledger_free(b->anchor);
    harness_process_stop(b->node, HARNESS_START_MS);
}
BASE_CLEANUP_VALUE(bench, bench_done);

static uint16_t start_node(bench *b, const char *fund)
{
    const char *const argv[] = {
        BINARY_DIR "/proofline-devnode", "--port", "0", "--block-ms", "0", "--fund", fund, NULL};
    b->node = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(b->node, "listening on ", HARNESS_START_MS);
    unsigned port = 0;
    if (line == NULL || sscanf(line, "listening on 127.0.0.1:%u", &port) != 1)
        harness_fail("the development node did not start: %s", line != NULL ? line : "no line");
    return (uint16_t)port;
}

static bench bench_new(const char *fund, const char *network)
{
    bench b = {0};
    b.port = start_node(&b, fund);
    BASE_CLEANUP(base_secret_done) base_secret key = {0};
    assert_int_equal(base_secret_copy(base_bytes_of(SECRET_KEY, strlen(SECRET_KEY)), &key, NULL), BASE_OK);
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql", b.port);
    const ledger_anchor_options options = {
        .node_url = url, .network = network, .private_key = &key, .fee_nanomina = FEE};
    base_error err = {0};
    if (ledger_anchor_new(&options, &b.anchor, &err) != BASE_OK)
        harness_fail("%s", err.message);
    return b;
}

static void control(const bench *b, const char *path, const char *body)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", b->port, path, "application/json", body);
    if (reply.status != 200)
        fail_msg("%s answered %d: %s", path, reply.status, reply.body != NULL ? reply.body : "");
}

static ledger_transaction make(const bench *b, uint8_t image, int64_t nonce)
{
    const ledger_statement statement = {.image = {{image}}, .proof = {{2}}, .format = "ecdsa-p256-sok-v1"};
    ledger_transaction made = {0};
    base_error err = {0};
    if (ledger_make(b->anchor, &statement, nonce, &made, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return made;
}

static void sends(const bench *b, const ledger_transaction *transaction, ledger_answer expected)
{
    base_error reason = {0};
    ledger_answer answer = ledger_send(b->anchor, base_buffer_view(&transaction->payload), &reason);
    if (answer != expected)
        fail_msg("%s instead of %s: %s", ledger_answer_name(answer), ledger_answer_name(expected), reason.message);
}

static ledger_sighting find(const bench *b, const ledger_transaction *transaction)
{
    const char *hash = transaction->hash;
    ledger_sighting seen = {0};
    base_error err = {0};
    if (ledger_find(b->anchor, &hash, 1, LOOK_BACK, &seen, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return seen;
}

static ledger_account account(const bench *b)
{
    ledger_account found = {0};
    base_error err = {0};
    if (ledger_find_account(b->anchor, &found, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return found;
}

static void a_transaction_goes_from_nowhere_to_the_pool_to_a_block(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new(ADDRESS "=100", "devnet");
    int64_t height = 0;
    assert_int_equal(ledger_check(b.anchor, &height, NULL), BASE_OK);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = make(&b, 1, 0);
    assert_int_equal(find(&b, &made).place, LEDGER_NOWHERE);

    sends(&b, &made, LEDGER_ACCEPTED);
    assert_int_equal(find(&b, &made).place, LEDGER_POOLED);
    assert_int_equal(account(&b).nonce, 0);
    assert_int_equal(account(&b).inferred_nonce, 1);

    control(&b, "/control/block", "{}");
    ledger_sighting seen = find(&b, &made);
    assert_int_equal(seen.place, LEDGER_INCLUDED);
    assert_int_equal(seen.block_height, height + 1);
    assert_int_equal(account(&b).nonce, 1);
    assert_true(account(&b).balance_nanomina == UINT64_C(100000000000) - FEE);
    assert_int_equal(ledger_check(b.anchor, &height, NULL), BASE_OK);
    assert_int_equal(height, seen.block_height);
}

static void the_same_bytes_are_welcome_until_they_are_in_a_block(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new(ADDRESS "=100", "devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = make(&b, 1, 0);
    sends(&b, &made, LEDGER_ACCEPTED);
    sends(&b, &made, LEDGER_ACCEPTED);
    assert_int_equal(account(&b).inferred_nonce, 1);
    control(&b, "/control/block", "{}");
    sends(&b, &made, LEDGER_NONCE);
    assert_int_equal(find(&b, &made).place, LEDGER_INCLUDED);
}

static void a_gap_in_the_nonces_is_refused_and_a_held_nonce_not_replaced(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new(ADDRESS "=100", "devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction ahead = make(&b, 1, 1);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction first = make(&b, 2, 0);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction rival = make(&b, 3, 0);
    sends(&b, &ahead, LEDGER_NONCE);
    assert_int_equal(find(&b, &ahead).place, LEDGER_NOWHERE);
    sends(&b, &first, LEDGER_ACCEPTED);
    sends(&b, &rival, LEDGER_REPLACED);
    sends(&b, &ahead, LEDGER_ACCEPTED);
    assert_int_equal(account(&b).inferred_nonce, 2);
}

static void a_payer_without_money_is_told_so(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench poor = bench_new(ADDRESS "=0.001", "devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = make(&poor, 1, 0);
    sends(&poor, &made, LEDGER_UNFUNDED);
    control(&poor, "/control/fund", "{\"address\":\"" ADDRESS "\",\"mina\":\"1\"}");
    sends(&poor, &made, LEDGER_ACCEPTED);
}

static void a_payer_that_does_not_exist_is_told_so(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new("B62qp2WUUASi9vdHqptCQyM3FJQUAWzjkJTeveesrxBsrNc9rEMQaNy=1", "devnet");
    assert_false(account(&b).exists);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = make(&b, 1, 0);
    sends(&b, &made, LEDGER_UNFUNDED);
}

static void a_lost_reply_is_unknown_until_it_is_looked_up(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new(ADDRESS "=100", "devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction first = make(&b, 1, 0);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction second = make(&b, 2, 1);
    sends(&b, &first, LEDGER_ACCEPTED); /* so that the reply is lost on a kept connection */
    control(&b, "/control/faults", "{\"kind\":\"drop_reply\",\"next\":1}");
    sends(&b, &second, LEDGER_UNKNOWN);
    assert_int_equal(find(&b, &second).place, LEDGER_POOLED);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply stats = harness_http_get(b.port, "/control/stats");
    assert_non_null(strstr(stats.body, "\"sends\":2"));
}

static void faults_of_the_node_are_no_fault_of_the_transaction(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new(ADDRESS "=100", "devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = make(&b, 1, 0);
    control(&b, "/control/faults", "{\"kind\":\"http_503\",\"next\":1}");
    control(&b, "/control/faults", "{\"kind\":\"http_429\",\"next\":1}");
    control(&b, "/control/faults", "{\"kind\":\"error\",\"text\":\"Daemon is bootstrapping\",\"next\":1}");
    sends(&b, &made, LEDGER_UNKNOWN);
    sends(&b, &made, LEDGER_UNAVAILABLE);
    sends(&b, &made, LEDGER_UNAVAILABLE);
    assert_int_equal(find(&b, &made).place, LEDGER_NOWHERE);
    sends(&b, &made, LEDGER_ACCEPTED);
}

static void a_signature_for_another_network_is_rejected(void **state)
{
    (void)state;
    BASE_CLEANUP(bench_done) bench b = bench_new(ADDRESS "=100", "mainnet");
    base_error err = {0};
    assert_int_equal(ledger_check(b.anchor, NULL, &err), BASE_CONFLICT);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = make(&b, 1, 0);
    sends(&b, &made, LEDGER_REJECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_goes_from_nowhere_to_the_pool_to_a_block),
        cmocka_unit_test(the_same_bytes_are_welcome_until_they_are_in_a_block),
        cmocka_unit_test(a_gap_in_the_nonces_is_refused_and_a_held_nonce_not_replaced),
        cmocka_unit_test(a_payer_without_money_is_told_so),
        cmocka_unit_test(a_payer_that_does_not_exist_is_told_so),
        cmocka_unit_test(a_lost_reply_is_unknown_until_it_is_looked_up),
        cmocka_unit_test(faults_of_the_node_are_no_fault_of_the_transaction),
        cmocka_unit_test(a_signature_for_another_network_is_rejected),
    };
    return cmocka_run_group_tests_name("ledger and devnode", tests, NULL, NULL);
}
