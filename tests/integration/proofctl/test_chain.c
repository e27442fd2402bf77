/* proofctl verify against a development node: is the proof anchored on the chain? */
#include "proven.h"

#include "harness/http.h"
#include "harness/process.h"
#include "harness/wait.h"
#include "ledger/anchor.h"
#include "mina/client.h"
#include "mina/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A node of its own whose blocks are made on request, and a funded payer. */
typedef struct chain {
    harness_process *node; /* owned */
    uint16_t port;
    char url[64];
    ledger *payer; /* owned */
} chain;

static void chain_done(chain *item)
{
    ledger_free(item->payer);
    harness_process_stop(item->node, HARNESS_START_MS);
}
BASE_CLEANUP_VALUE(chain, chain_done);

static void start_node(chain *item, const char *address)
{
    char fund[128];
    snprintf(fund, sizeof(fund), "%s=10", address);
    static const char DEVNODE[] = BINARY_DIR "/proofline-devnode";
    const char *argv[] = {DEVNODE, "--port", "0", "--block-ms", "0", "--fund", fund, NULL};
    item->node = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(item->node, "listening on", RUN_DEADLINE_MS);
    const char *colon = line == NULL ? NULL : strrchr(line, ':');
    if (colon == NULL)
        harness_fail("the node does not say where it listens");
    item->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    snprintf(item->url, sizeof(item->url), "http://127.0.0.1:%d/graphql", item->port);
}

static void chain_init(chain *item)
{
    *item = (chain){0};
    base_error err = {0};
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    if (mina_secret_key_generate(&key, &err) != BASE_OK || mina_secret_key_format(&key, &text, &err) != BASE_OK)
        harness_fail("%s", err.message);
    start_node(item, mina_public_key_format(&key.public_key).text);
    const ledger_anchor_options options = {
        .node_url = item->url, .network = "devnet", .private_key = &text, .fee_nanomina = 100000000};
    if (ledger_anchor_new(&options, &item->payer, &err) != BASE_OK)
        harness_fail("%s", err.message);
}

static void make_block(const chain *item)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", item->port, "/control/block", "application/json", "{}");
    assert_int_equal(reply.status, 200);
}

static void fund(const chain *item, const mina_public_key *key, const char *mina)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"address\":\"%s\",\"mina\":\"%s\"}", mina_public_key_format(key).text, mina);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", item->port, "/control/fund", "application/json", body);
    assert_int_equal(reply.status, 200);
}

/* Puts a payment that is no anchor into the node's pool. */
static mina_transaction_hash pay(const chain *item, const mina_payment *payment, const mina_secret_key *key)
{
    BASE_CLEANUP(mina_client_free) mina_client *client = NULL;
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    mina_signature signature;
    base_error err = {0};
    if (mina_payment_sign(payment, MINA_DEVNET, key, &signature, &err) != BASE_OK ||
        mina_request_payment(payment, &signature, &body, &err) != BASE_OK ||
        mina_client_new(&(mina_client_options){.url = item->url}, &client, &err) != BASE_OK)
        harness_fail("%s", err.message);
    mina_receipt receipt = mina_client_send(client, base_buffer_view(&body));
    if (receipt.delivery != MINA_DELIVERY_TAKEN)
        harness_fail("%s", receipt.reason.message);
    return mina_payment_hash(payment);
}

/* Puts the proof's anchor into the node's pool. */
static void anchor(chain *item, const proven *made, ledger_transaction *ret)
{
    const ledger_statement statement = {.image = made->statement.hash,
                                        .proof = base_digest_of(base_buffer_view(&made->blob)),
                                        .format = PROVER_SOK_FORMAT};
    base_error err = {0};
    if (ledger_make(item->payer, &statement, 0, ret, &err) != BASE_OK ||
        ledger_send(item->payer, base_buffer_view(&ret->payload), &err) != LEDGER_ACCEPTED)
        harness_fail("%s", err.message);
}

static run_result verify(const proven *made, const char *node, const char *transaction, const char *network)
{
    char variable[32];
    snprintf(variable, sizeof(variable), "MINA_NETWORK=%s", network);
    const char *environment[] = {variable, "MINA_NODE_ENDPOINT", "DATABASE_URL", NULL};
    return RUN(environment, NULL, "verify", made->image.text, "--public-key", made->public_key.text, "--proof",
               made->proof.text, "--node", node, "--transaction", transaction);
}

static void an_anchored_proof_is_verified_once_it_is_in_a_block(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("chain");
    BASE_CLEANUP(chain_done) chain item;
    chain_init(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image whose proof is anchored");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction sent = {0};
    anchor(&item, &made, &sent);
    BASE_CLEANUP(run_result_done) run_result pooled = verify(&made, item.url, sent.hash, "devnet");
    run_expect(&pooled, 1);
    expect_part(pooled.out, "is in the pool, in no block yet");
    make_block(&item);
    BASE_CLEANUP(run_result_done) run_result yes = verify(&made, item.url, sent.hash, "devnet");
    run_expect(&yes, 0);
    expect_part(yes.out, "names this image and this proof");
    BASE_CLEANUP(run_result_done) run_result elsewhere = verify(&made, item.url, sent.hash, "mainnet");
    run_expect(&elsewhere, 1);
    expect_part(elsewhere.out, "MINA_NETWORK is mainnet");
}

static void a_transaction_for_another_proof_or_none_says_no(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("chain");
    BASE_CLEANUP(chain_done) chain item;
    chain_init(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image whose proof is anchored");
    BASE_CLEANUP(proven_done) proven other = proven_new(&folder, "an image whose proof is not");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction sent = {0};
    anchor(&item, &made, &sent);
    make_block(&item);
    BASE_CLEANUP(run_result_done) run_result no = verify(&other, item.url, sent.hash, "devnet");
    run_expect(&no, 1);
    expect_part(no.out, "memo           no");
    BASE_CLEANUP(run_result_done)
    run_result unknown = verify(&made, item.url, "5Ju4imE2tEAEPTx2xLCfvMkaQ48eQxYpp58gMy2x1twVoCuapUvo", "devnet");
    run_expect(&unknown, 1);
    expect_part(unknown.out, "neither in the pool nor in");
    harness_process_signal(item.node, 9);
    (void)harness_process_wait(item.node, RUN_DEADLINE_MS);
    BASE_CLEANUP(run_result_done) run_result away = verify(&made, item.url, sent.hash, "devnet");
    run_expect(&away, 5);
}

static bool says_that_it_waits(void *ctx)
{
    BASE_CLEANUP(free) char *output = harness_process_output(ctx);
    return strstr(output, "waiting for the transaction's block, ") != NULL;
}

static void verify_waits_for_the_block_as_long_as_it_is_told(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("chain");
    BASE_CLEANUP(chain_done) chain item;
    chain_init(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image whose proof is on its way");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction sent = {0};
    anchor(&item, &made, &sent);
    char line[1024];
    snprintf(line, sizeof(line),
             "%s verify %s --public-key %s --proof %s --node %s --transaction %s --timeout 60; echo status $?",
             RUN_PROGRAM, made.image.text, made.public_key.text, made.proof.text, item.url, sent.hash);
    /* On a pseudo-terminal, as it only says there that it waits. */
    const char *const argv[] = {"script", "-qec", line, "/dev/null", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *waiting = harness_process_new(&(harness_process_options){.argv = argv});
    if (!harness_wait_until(says_that_it_waits, waiting, RUN_DEADLINE_MS))
        harness_fail("it does not say that it waits");
    make_block(&item);
    assert_int_equal(harness_process_wait(waiting, RUN_DEADLINE_MS), 0);
    BASE_CLEANUP(free) char *output = harness_process_output(waiting);
    expect_part(output, "is in block 2");
    expect_part(output, "status 0");
}

static void a_transaction_that_failed_or_says_nothing_is_told(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("chain");
    BASE_CLEANUP(chain_done) chain item;
    chain_init(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image whose proof is not on the chain");
    mina_secret_key payer = {0};
    assert_int_equal(mina_secret_key_generate(&payer, NULL), BASE_OK);
    fund(&item, &payer.public_key, "2");
    /* Less than a new account costs: it is included, and fails. */
    mina_secret_key stranger = {0};
    assert_int_equal(mina_secret_key_generate(&stranger, NULL), BASE_OK);
    mina_payment payment = {
        .from = payer.public_key, .to = stranger.public_key, .amount = 1, .fee = 100000000, .valid_until = UINT32_MAX};
    assert_int_equal(mina_memo_of(base_bytes_of("", 0), &payment.memo, NULL), BASE_OK);
    mina_transaction_hash hash = pay(&item, &payment, &payer);
    make_block(&item);
    BASE_CLEANUP(run_result_done) run_result failed = verify(&made, item.url, hash.text, "devnet");
    run_expect(&failed, 1);
    expect_part(failed.out, "failed in block 2: ");
    expect_part(failed.out, "is \"\", not ");
    mina_secret_key_done(&stranger);
    mina_secret_key_done(&payer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_anchored_proof_is_verified_once_it_is_in_a_block),
        cmocka_unit_test(a_transaction_for_another_proof_or_none_says_no),
        cmocka_unit_test(verify_waits_for_the_block_as_long_as_it_is_told),
        cmocka_unit_test(a_transaction_that_failed_or_says_nothing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
