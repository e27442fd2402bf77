/* The checker against chains that broke the rules: told by a scripted node, and by payments with the fee payer's key from outside. */
#include "base/hex.h"
#include "harness/http.h"
#include "harness/wait.h"
#include "ledger/anchor.h"
#include "scene.h"
#include "script_server.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { FEE = 100000000, PROGRAM_MS = 60000 };

BASE_CLEANUP_POINTER(json_t, json_decref);

/* The chain as the node tells it, to be changed. The caller owns it. */
static json_t *read_chain(const scene *s)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_get(s->pipeline.node_port, "/control/chain");
    assert_int_equal(reply.status, 200);
    json_t *chain = json_loads(reply.body, 0, NULL);
    assert_non_null(chain);
    return chain;
}

/* Half of the scene's transactions stand in the second block, half in the pool. */
static json_t *block_of(const json_t *chain)
{
    json_t *block = json_array_get(json_object_get(chain, "blocks"), 1);
    json_t *transactions = json_object_get(block, "transactions");
    assert_int_equal(json_array_size(transactions), SCENE_GOOD / 2);
    return transactions;
}

static const char *text_of(const json_t *transaction, const char *field)
{
    const char *text = json_string_value(json_object_get(transaction, field));
    assert_non_null(text);
    return text;
}

/* Hash of the submission to which Postgres says that the transaction belongs. */
static char *submission_of(const scene *s, const json_t *transaction)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT submission FROM transactions WHERE hash = '%s'", text_of(transaction, "hash"));
    return harness_database_query(&s->pipeline.database, sql);
}

static void expect_of_chain(const scene *s, const json_t *chain, const scene_violation *expected, size_t count)
{
    BASE_CLEANUP(free) char *body = json_dumps(chain, JSON_COMPACT);
    const script_step step = {SCRIPT_ANSWER_THEN_CLOSE, 200, body};
    BASE_CLEANUP(script_server_free) script_server *node = script_server_new(&step, 1);
    checker_options options = scene_options(s);
    options.node_port = script_server_port(node);
    scene_expect_report(scene_check(s, &options), expected, count);
}

static void a_chain_told_as_it_is_pleases_the_checker(void **state)
{
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(*state);
    expect_of_chain(*state, chain, NULL, 0);
}

static void a_complete_submission_whose_transaction_is_gone_is_reported(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(s);
    json_t *pool = json_object_get(chain, "pool");
    size_t last = json_array_size(pool) - 1; /* so that no gap is left */
    BASE_CLEANUP(json_decref) json_t *gone = json_incref(json_array_get(pool, last));
    json_array_remove(pool, last);
    BASE_CLEANUP(free) char *submission = submission_of(s, gone);
    const scene_violation expected[] = {
        {CHECKER_NOT_LANDED, submission, text_of(gone, "hash")},
        {CHECKER_TRANSACTION_ROW_WRONG, submission, "accepted by its row, and it is not on the chain"}};
    expect_of_chain(s, chain, expected, 2);
}

static void a_gap_in_the_nonces_is_reported(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(s);
    json_t *transactions = block_of(chain);
    BASE_CLEANUP(json_decref) json_t *gone = json_incref(json_array_get(transactions, 4));
    json_array_remove(transactions, 4);
    BASE_CLEANUP(free) char *submission = submission_of(s, gone);
    const scene_violation expected[] = {{CHECKER_NONCE_GAP, s->pipeline.address, "no transaction with nonce 4"},
                                        {CHECKER_NOT_LANDED, submission, text_of(gone, "hash")},
                                        {CHECKER_TRANSACTION_ROW_WRONG, submission, "it is not on the chain"}};
    expect_of_chain(s, chain, expected, 3);
}

static void a_nonce_used_twice_is_reported(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(s);
    json_t *pool = json_object_get(chain, "pool");
    json_t *last = json_array_get(pool, json_array_size(pool) - 1);
    json_object_set_new(last, "nonce", json_integer(SCENE_GOOD - 2));
    BASE_CLEANUP(free) char *submission = submission_of(s, last);
    const scene_violation expected[] = {
        {CHECKER_NONCE_REUSED, text_of(last, "hash"), "nonce 38 of fee payer"},
        {CHECKER_TRANSACTION_ROW_WRONG, submission, "has nonce 38 on the chain, and by its row it has nonce 39"}};
    expect_of_chain(s, chain, expected, 2);
}

static void a_transaction_that_failed_in_its_block_has_anchored_nothing(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(s);
    json_t *failed = json_array_get(block_of(chain), 7);
    json_object_set_new(failed, "failureReason", json_string("Amount_insufficient_to_create_account"));
    BASE_CLEANUP(free) char *submission = submission_of(s, failed);
    const scene_violation expected[] = {
        {CHECKER_NOT_LANDED, submission, text_of(failed, "hash")},
        {CHECKER_TRANSACTION_ROW_WRONG, submission, "has failed on the chain, and its row says accepted"}};
    expect_of_chain(s, chain, expected, 2);
}

static void a_transaction_under_another_hash_than_the_row_names_is_reported(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(s);
    json_t *changed = json_array_get(block_of(chain), 2);
    BASE_CLEANUP(free) char *submission = submission_of(s, changed);
    BASE_CLEANUP(free) char *hash = strdup(text_of(changed, "hash"));
    json_object_set_new(changed, "hash", json_string("5JuAnotherOne"));
    const scene_violation expected[] = {
        {CHECKER_ANCHORS_OTHER_PROOF, submission, "5JuAnotherOne is on the chain for it"},
        {CHECKER_TRANSACTION_ROW_WRONG, submission, "Postgres has no row of it"},
        {CHECKER_TRANSACTION_ROW_WRONG, hash, "it is not on the chain"}};
    expect_of_chain(s, chain, expected, 3);
}

static void payments_of_other_accounts_are_none_of_its_business(void **state)
{
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(*state);
    BASE_CLEANUP(json_decref) json_t *other = json_deep_copy(json_array_get(block_of(chain), 0));
    json_object_set_new(other, "from", json_string("B62someoneElse"));
    json_object_set_new(other, "hash", json_string("5JuOfSomeoneElse"));
    json_array_append(block_of(chain), other);
    expect_of_chain(*state, chain, NULL, 0);
}

static void a_chain_in_parts_is_read_whole(void **state)
{
    BASE_CLEANUP(json_decref) json_t *chain = read_chain(*state);
    BASE_CLEANUP(json_decref) json_t *first = json_deep_copy(chain);
    json_object_del(first, "pool");
    json_t *blocks = json_object_get(first, "blocks");
    while (json_array_size(blocks) > 1)
        json_array_remove(blocks, 1);
    json_object_set_new(first, "next", json_integer(2));
    json_array_remove(json_object_get(chain, "blocks"), 0);
    BASE_CLEANUP(free) char *one = json_dumps(first, JSON_COMPACT);
    BASE_CLEANUP(free) char *two = json_dumps(chain, JSON_COMPACT);
    const script_step steps[] = {{SCRIPT_ANSWER_THEN_CLOSE, 200, one}, {SCRIPT_ANSWER_THEN_CLOSE, 200, two}};
    BASE_CLEANUP(script_server_free) script_server *node = script_server_new(steps, 2);
    checker_options options = scene_options(*state);
    options.node_port = script_server_port(node);
    scene_expect_report(scene_check(*state, &options), NULL, 0);
    BASE_CLEANUP(free) char *request = script_server_last(node);
    assert_non_null(strstr(request, "{\"from\":2}"));
}

static void what_cannot_be_read_is_an_error_and_no_verdict(void **state)
{
    const script_step step = {SCRIPT_CLOSE, 0, NULL};
    BASE_CLEANUP(script_server_free) script_server *node = script_server_new(&step, 1);
    checker_options options = scene_options(*state);
    options.node_port = script_server_port(node);
    checker_report report = {0};
    base_error err = {0};
    assert_int_equal(checker_run(&options, &report, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "shows no chain"));
}

/* Runs proofline-check; returns its exit code. The caller frees *ret_output. */
static int run_program(const scene *s, const char *more, char **ret_output)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", s->pipeline.node_port);
    const char *const argv[] = {BINARY_DIR "/proofline-check",
                                "--database-url",
                                s->pipeline.database.url,
                                "--nats-url",
                                harness_nats_url(s->pipeline.nats),
                                "--node-port",
                                port,
                                more,
                                NULL};
    return harness_run(argv, NULL, PROGRAM_MS, ret_output, NULL);
}

static void the_program_prints_what_is_wrong_and_exits_1(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(free) char *content = NULL;
    assert_int_equal(run_program(s, NULL, &content), 0);
    assert_non_null(strstr(content, "checked 44 submissions (40 complete, 4 rejected, 0 pending)"));
    assert_non_null(strstr(content, ": 0 violations"));
    base_hex32 id = base_sha256_hex(&s->good[0]);
    scene_sql(s, &s->good[0], "UPDATE submissions SET proofs_generated = 3 WHERE sha256_hash = '%s'");
    BASE_CLEANUP(free) char *lines = NULL;
    assert_int_equal(run_program(s, NULL, &lines), 1);
    assert_int_equal(strncmp(lines, "proved_more_than_once: submission ", 34), 0);
    assert_non_null(strstr(lines, id.text));
    assert_non_null(strstr(lines, ": 1 violations"));
    BASE_CLEANUP(free) char *output = NULL;
    assert_int_equal(run_program(s, "--json", &output), 1);
    BASE_CLEANUP(json_decref) json_t *report = json_loads(output, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(report, "violation_count")), 1);
    const json_t *violation = json_array_get(json_object_get(report, "violations"), 0);
    assert_string_equal(json_string_value(json_object_get(violation, "kind")), "proved_more_than_once");
    scene_restore_tables(s);
}

/* Of the real node, too: what was in the pool moves into the first of the new blocks. */
static void a_chain_of_thousands_of_blocks_is_read_in_parts(void **state)
{
    const scene *s = *state;
    for (int i = 0; i < 3; i++) {
        BASE_CLEANUP(harness_http_reply_done)
        harness_http_reply reply =
            harness_http_send("POST", s->pipeline.node_port, "/control/block", "application/json", "{\"count\":1000}");
        assert_int_equal(reply.status, 200);
    }
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply page =
        harness_http_send("GET", s->pipeline.node_port, "/control/chain", "application/json", "{\"from\":3}");
    BASE_CLEANUP(json_decref) json_t *part = json_loads(page.body, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(part, "next")), 2003);
    assert_null(json_object_get(part, "pool"));
    checker_options options = scene_options(s);
    checker_report report = scene_check(s, &options);
    assert_int_equal(report.transactions, SCENE_GOOD);
    assert_int_equal(report.violation_count, 0);
    checker_report_done(&report);
}

/* Sends a transaction for a statement as the publisher would. The caller owns *ret. */
static void pay_from_outside(const scene *s, const base_sha256 *image, ledger_transaction *ret)
{
    base_error err = {0};
    char url[64];
    const char *text = strchr(s->pipeline.fee_payer_key, '=') + 1;
    BASE_CLEANUP(base_secret_done) base_secret key = {0};
    BASE_CLEANUP(ledger_free) ledger *payer = NULL;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql", s->pipeline.node_port);
    assert_int_equal(base_secret_copy(base_bytes_of(text, strlen(text)), &key, &err), BASE_OK);
    const ledger_anchor_options options = {
        .node_url = url, .network = "devnet", .private_key = &key, .fee_nanomina = FEE};
    assert_int_equal(ledger_anchor_new(&options, &payer, &err), BASE_OK);
    BASE_CLEANUP(store_proof_done) store_proof proof = {.blob = {.limit = WIRE_MESSAGE_MAX}};
    assert_int_equal(store_proof_load(s->pipeline.store, &s->good[0], &proof, &err), BASE_OK);
    ledger_account account = {0};
    assert_int_equal(ledger_find_account(payer, &account, &err), BASE_OK);
    const ledger_statement statement = {*image, proof.digest, proof.format};
    assert_int_equal(ledger_make(payer, &statement, account.inferred_nonce, ret, &err), BASE_OK);
    assert_int_equal(ledger_send(payer, base_buffer_view(&ret->payload), &err), LEDGER_ACCEPTED);
}

/* The last test: what is on the chain stays there. */
static void payments_with_the_fee_payers_key_from_outside_are_reported(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction stray = {0};
    pay_from_outside(s, &s->forged[0], &stray); /* that one has no proof: the memo means nothing */
    scene_expect(s, CHECKER_TRANSACTION_OF_NOBODY, stray.hash, "nonce 40");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction second = {0};
    pay_from_outside(s, &s->good[0], &second);
    SCENE_EXPECT_ALL(s, {CHECKER_TRANSACTION_OF_NOBODY, stray.hash, ""},
                     {CHECKER_LANDED_TWICE, base_sha256_hex(&s->good[0]).text, "2 transactions"},
                     {CHECKER_TRANSACTION_ROW_WRONG, second.hash, "Postgres has no row of it"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_told_as_it_is_pleases_the_checker),
        cmocka_unit_test(a_complete_submission_whose_transaction_is_gone_is_reported),
        cmocka_unit_test(a_gap_in_the_nonces_is_reported),
        cmocka_unit_test(a_nonce_used_twice_is_reported),
        cmocka_unit_test(a_transaction_that_failed_in_its_block_has_anchored_nothing),
        cmocka_unit_test(a_transaction_under_another_hash_than_the_row_names_is_reported),
        cmocka_unit_test(payments_of_other_accounts_are_none_of_its_business),
        cmocka_unit_test(a_chain_in_parts_is_read_whole),
        cmocka_unit_test(what_cannot_be_read_is_an_error_and_no_verdict),
        cmocka_unit_test(the_program_prints_what_is_wrong_and_exits_1),
        cmocka_unit_test(a_chain_of_thousands_of_blocks_is_read_in_parts),
        cmocka_unit_test(payments_with_the_fee_payers_key_from_outside_are_reported),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
