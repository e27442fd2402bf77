/* The publisher against a node, a database and a rival that do not do as they should. */
#include "base/clock.h"
#include "base/hex.h"
#include "harness/http.h"
#include "harness/wait.h"
#include "pipeline.h"
#include "readiness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t count_lines(harness_process *process, const char *part)
{
    BASE_CLEANUP(free) char *text = harness_process_errors(process);
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static bool shows_metric(uint16_t port, const char *line)
{
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(port, "/metrics");
    return strstr(reply.body, line) != NULL;
}

static void kill_node(pipeline *p)
{
    harness_process_signal(p->node, SIGKILL);
    assert_int_equal(harness_process_wait(p->node, PIPELINE_WAIT_MS), 128 + SIGKILL);
    harness_process_free(p->node);
    p->node = NULL;
}

static void a_node_on_another_network_is_not_ready_and_gets_nothing(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    const char *const elsewhere[] = {"MINA_NETWORK=mainnet", NULL};
    pipeline_start_publisher(&p, elsewhere);
    uint16_t port = readiness_port(p.publisher);
    base_sha256 submission = pipeline_submit(&p, "not for this network");
    pipeline_wait(&p, &submission, WIRE_STATUS_PROOF_PUBLISHING);
    pipeline_wait_number(&p, "SELECT 1 - count(*) FROM outbox", 1); /* it can be had, and is left */
    readiness_wait(port, 503, "mina_node");
    readiness_wait(port, 503, "MINA_NETWORK");
    assert_int_equal(pipeline_get(&p, &submission).publish_attempts, 0);
    assert_int_equal(pipeline_transactions_at_node(&p), 0);
    pipeline_start_publisher(&p, NULL);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

static void an_idle_publisher_whose_node_vanishes_stays_not_ready_and_says_so_once(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    uint16_t port = readiness_port(p.publisher);
    readiness_wait(port, 200, NULL);
    kill_node(&p);
    readiness_wait(port, 503, "mina_node");
    BASE_CLEANUP(free) char *down = harness_process_wait_line(p.publisher, "dependency_down", PIPELINE_WAIT_MS);
    assert_non_null(down); /* written behind what /readyz says */
    size_t told = count_lines(p.publisher, "dependency_down");
    assert_int_equal(told, 1);
    assert_false(readiness_comes(port, 200, NULL, 7000)); /* longer than the node is left alone */
    assert_int_equal(count_lines(p.publisher, "dependency_down"), told);
    assert_true(count_lines(p.publisher, "confirmation_failed") <= 1); /* before the node was known to be away */
    pipeline_start_node(&p, 0);
    readiness_wait(port, 200, NULL);
    pipeline_stop(&p);
}

/* The request waits in a slow node beyond the publisher's patience, and lands between its question and its second send. */
static void a_transaction_that_lands_late_is_not_made_anew(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 50);
    const char *const impatient[] = {"MINA_NODE_TIMEOUT_MS=2000", NULL};
    pipeline_start_publisher(&p, impatient);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":1000,\"on\":\"send\",\"next\":1}");
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":1500,\"on\":\"send\",\"next\":2}");
    base_sha256 submission = pipeline_submit(&p, "late");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions WHERE state <> 'abandoned'"), 1);
    pipeline_stop(&p);
}

static void a_node_that_contradicts_itself_is_waited_for_without_haste(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    uint16_t port = readiness_port(p.publisher);
    pipeline_fault(&p, "{\"kind\":\"error\",\"text\":\"Invalid_nonce\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "wait");
    readiness_wait(port, 503, "nonce_lane");
    base_sleep_ms(3000); /* an outage that lasts */
    assert_true(pipeline_get(&p, &submission).publish_attempts <= 3);
    assert_int_equal(count_lines(p.publisher, "transaction_abandoned"), 0);
    assert_true(count_lines(p.publisher, "\n") < 40);
    pipeline_fault(&p, NULL);
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.retries, 0);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

static void a_changed_fee_payer_sends_the_old_ones_transaction_and_makes_no_second(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "old key");
    /* Sent and not only stored: what a stop keeps from being sent at all is made anew, by whatever key there is then. */
    pipeline_wait_struck(&p);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), 1);
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);
    pipeline_change_fee_payer(&p);
    pipeline_fault(&p, NULL);
    pipeline_start_publisher(&p, NULL);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), 1);
    assert_true(
        shows_metric(readiness_port(p.publisher), "proofline_transactions_sent_total{answer=\"accepted\"} 1\n"));
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

enum { MANY = 620 }; /* more than are looked up at once */

static void a_node_that_lost_its_pool_gets_all_of_it_again(void **state)
{
    pipeline p;
    static base_sha256 submissions[MANY];
    pipeline_start(&p, *state, 0);
    pipeline_submit_many(&p, "pool", MANY, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'", MANY);
    pipeline_reset_node(&p, 0);
    base_sha256 one_more = pipeline_submit(&p, "one more");
    pipeline_wait(&p, &one_more, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_transactions_at_node(&p), MANY + 1);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions WHERE state <> 'accepted'"), 0);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = MANY + 1});
    pipeline_stop(&p);
}

enum { DEEP_BLOCKS = 60 }; /* more than a look at confirmations goes back */

static void what_became_final_during_an_outage_of_the_publisher_is_recorded_once(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = pipeline_submit(&p, "deep");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);
    for (int i = 0; i < DEEP_BLOCKS; i++)
        pipeline_make_block(&p);
    pipeline_start_publisher(&p, NULL);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions WHERE state = 'included' AND block_height > 0", 1);
    assert_int_equal(count_lines(p.publisher, "transaction_final"), 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

/* Publishes one submission of somebody else who has the same fee payer. */
static void publish_as_rival(pipeline *p, harness_postgres *cluster)
{
    pipeline rival;
    pipeline_start(&rival, cluster, 0);
    memcpy(rival.fee_payer_key, p->fee_payer_key, sizeof(rival.fee_payer_key));
    uint16_t own_port = rival.node_port;
    rival.node_port = p->node_port;
    pipeline_start_publisher(&rival, NULL);
    base_sha256 submission = pipeline_submit(&rival, "of the rival");
    pipeline_wait(&rival, &submission, WIRE_STATUS_COMPLETE);
    rival.node_port = own_port;
    pipeline_stop(&rival);
}

static void a_complete_submission_whose_transaction_is_lost_is_rejected_and_can_be_redriven(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = pipeline_submit(&p, "lost");
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(&p);
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);
    pipeline_reset_node(&p, 0);
    publish_as_rival(&p, *state);
    pipeline_make_block(&p);

    pipeline_start_publisher(&p, NULL);
    store_submission lost = pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    assert_string_equal(lost.reason_code, "transaction_lost");
    pipeline_wait_settled(&p);
    BASE_CLEANUP(free) char *output = NULL;
    const char *const redrive[] = {"dead", "redrive", "--reason", "transaction_lost", NULL};
    assert_int_equal(pipeline_proofctl(&p, redrive, &output), 0);
    store_submission again = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_string_not_equal(again.transaction_id, row.transaction_id);
    assert_int_equal(again.proofs_generated, 1);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation proof_publishing complete rejected proof_publishing complete");
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1, .strangers = 1});
    pipeline_stop(&p);
}

/* A publisher stopped in the middle of a batch, whose lane another one takes over, goes on with what it holds. */
static void a_publisher_that_sleeps_through_the_loss_of_its_lane_doubles_nothing(void **state)
{
    enum { LOAD = 100 };
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":100,\"on\":\"send\",\"probability\":1}");
    pipeline_submit_many(&p, "z", LOAD, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", 10);
    harness_process *sleeper = BASE_TAKE(p.publisher);
    harness_process_pause(sleeper);
    assert_true(pipeline_sends_at_node(&p) < LOAD); /* in the middle of its batch */
    pipeline_start_publisher(&p, NULL);
    free(harness_database_query(&p.database, "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l "
                                             "JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
                                             "AND a.application_name = 'proofline-publisher'"));
    BASE_CLEANUP(free) char *taken = harness_process_wait_line(p.publisher, "lane_settled", PIPELINE_WAIT_MS);
    assert_non_null(taken);
    harness_process_resume(sleeper);
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&p, &submissions[i], WIRE_STATUS_COMPLETE);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = LOAD});
    harness_process_free(sleeper);
    pipeline_stop(&p);
}

/* Fees that drain the account of 1000 MINA after two transactions. */
static const char *const COSTLY[] = {"MINA_TRANSACTION_FEE=400000000000", "WORKER_RETRY_LIMIT=0", NULL};

static void fund(pipeline *p, const char *address, const char *mina)
{
    char funds[256];
    snprintf(funds, sizeof(funds), "{\"address\":\"%s\",\"mina\":\"%s\"}", address, mina);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", p->node_port, "/control/fund", "application/json", funds);
    assert_int_equal(reply.status, 200);
}

static void an_empty_fee_payer_pauses_the_lane_and_is_blamed_on_no_job(void **state)
{
    enum { LOAD = 6, NOTICED_MS = 20000 }; /* some questions for the balance, on a busy machine */
    pipeline p;
    base_sha256 submissions[LOAD];
    pipeline_start(&p, *state, 0);
    pipeline_start_publisher(&p, COSTLY);
    uint16_t port = readiness_port(p.publisher);
    pipeline_submit_many(&p, "poor", LOAD, submissions);
    readiness_wait(port, 503, "needs 400 for the next transaction: send MINA to it");
    readiness_wait(port, 503, p.address);
    readiness_wait(port, 503, "can spend 200 MINA of its 1000");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'", 2);
    int64_t attempts = pipeline_number(&p, "SELECT sum(publish_attempts) FROM submissions");
    base_sleep_ms(5000); /* an account that stays empty: it is asked for more than once */
    assert_int_equal(pipeline_number(&p, "SELECT sum(publish_attempts) FROM submissions"), attempts);
    assert_int_equal(pipeline_number(&p, "SELECT max(retry_count) FROM submissions"), 0);
    assert_int_equal(count_lines(p.publisher, "dependency_down"), 1);
    assert_int_equal(pipeline_transactions_at_node(&p), 2);
    assert_true(shows_metric(port, "proofline_fee_payer_balance_mina 1000\n"));

    int64_t funded_ms = base_monotonic_ms();
    fund(&p, p.address, "1800");
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&p, &submissions[i], WIRE_STATUS_COMPLETE);
    assert_in_range(base_monotonic_ms() - funded_ms, 0, NOTICED_MS);
    readiness_wait(port, 200, NULL);
    assert_int_equal(pipeline_transactions_at_node(&p), LOAD);
    assert_int_equal(pipeline_number(&p, "SELECT max(retry_count) FROM submissions"), 0);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = LOAD});
    pipeline_stop(&p);
}

enum { ASKED_EVERY_MS = 3000 };

/* It sees pooled payments that nobody else sees, say. */
static void a_node_that_says_the_fee_payer_is_poor_is_believed_and_asked_again_without_haste(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    static const char *const strict[] = {"WORKER_RETRY_LIMIT=0", NULL};
    pipeline_start_publisher(&p, strict);
    uint16_t port = readiness_port(p.publisher);
    pipeline_fault(&p, "{\"kind\":\"error\",\"text\":\"Insufficient_funds\",\"on\":\"send\",\"probability\":1}");
    int64_t from_ms = base_monotonic_ms();
    base_sha256 submission = pipeline_submit(&p, "rich");
    readiness_wait(port, 503, "send MINA to it");
    base_sleep_ms(4000); /* it goes on saying so */
    int64_t attempts = pipeline_get(&p, &submission).publish_attempts;
    assert_in_range(attempts, 1, 3 + (base_monotonic_ms() - from_ms) / ASKED_EVERY_MS);
    pipeline_fault(&p, NULL);
    assert_int_equal(pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE).retries, 0);
    readiness_wait(port, 200, NULL);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

/* The publisher goes from what is wrong with the node now to this, and never meets one that is well. */
static void change_fault(pipeline *p, const char *json)
{
    harness_process_pause(p->publisher);
    pipeline_fault(p, NULL);
    pipeline_fault(p, json);
    harness_process_resume(p->publisher);
}

/* Its bytes are stored, and the money goes elsewhere before they are sent. */
static void a_stored_transaction_waits_for_money_too(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_start_publisher(&p, COSTLY);
    uint16_t port = readiness_port(p.publisher);
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "stored");
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions WHERE state = 'committed'", 1);
    change_fault(&p, "{\"kind\":\"error\",\"text\":\"Insufficient_funds\",\"on\":\"send\",\"probability\":1}");
    readiness_wait(port, 503, "send MINA to it");
    base_sleep_ms(2000);
    assert_int_equal(count_lines(p.publisher, "dependency_down"), 1);
    pipeline_fault(&p, NULL);
    assert_int_equal(pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE).retries, 0);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), 1);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

static bool has_one_transaction(void *ctx)
{
    return pipeline_transactions_at_node(ctx) == 1;
}

/* One of the nodes behind the address: it lacks the newest block and the pool, and answers all look-ups. */
static const char LAGGING[] = "{\"kind\":\"lag\",\"blocks\":1,\"on\":\"lookup\"}";

static void what_landed_and_a_lagging_node_does_not_show_is_not_made_anew(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    uint16_t port = readiness_port(p.publisher);
    pipeline_fault(&p, "{\"kind\":\"drop_reply\",\"on\":\"send\",\"next\":1}");
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"lookup\"}");
    base_sha256 submission = pipeline_submit(&p, "landed");
    assert_true(harness_wait_until(has_one_transaction, &p, PIPELINE_WAIT_MS));
    pipeline_make_block(&p);
    change_fault(&p, LAGGING);
    readiness_wait(port, 503, "lags");
    base_sleep_ms(3000); /* longer than the time between two looks */
    assert_int_equal(count_lines(p.publisher, "transaction_abandoned"), 0);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions WHERE state = 'committed'"), 1);
    pipeline_fault(&p, NULL);
    assert_int_equal(pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE).retries, 0);
    readiness_wait(port, 200, NULL);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

static void a_lagging_node_makes_no_complete_submission_lost(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    uint16_t port = readiness_port(p.publisher);
    base_sha256 submission = pipeline_submit(&p, "safe");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_fault(&p, LAGGING);
    pipeline_make_block(&p);
    readiness_wait(port, 503, "lags");
    base_sleep_ms(3000); /* longer than the time between two looks */
    assert_int_equal(pipeline_get(&p, &submission).status, WIRE_STATUS_COMPLETE);
    pipeline_fault(&p, NULL);
    readiness_wait(port, 200, NULL);
    assert_int_equal(pipeline_get(&p, &submission).status, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions WHERE state = 'accepted'"), 1);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

/* The error of one node came after the taking, and the first look goes to another, which has not heard of it yet. */
static void a_refusal_that_follows_the_taking_leads_to_no_second_transaction(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"late_error\",\"text\":\"no idea\",\"on\":\"send\",\"next\":1}");
    pipeline_fault(&p, "{\"kind\":\"lag\",\"on\":\"lookup\",\"next\":1}");
    base_sha256 submission = pipeline_submit(&p, "late");
    assert_int_equal(pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE).retries, 0);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    pipeline_stop(&p);
}

enum { FORGOTTEN_BLOCKS = 300 }; /* more than a node shows */

/* The reply was lost, and nobody looked for so long that no block that the node shows could hold it: that it is nowhere to be seen
 * does not say that it is nowhere. */
static void what_landed_deeper_than_the_nodes_blocks_reach_is_not_made_anew(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"drop_reply\",\"on\":\"send\",\"next\":1}");
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"lookup\"}");
    base_sha256 submission = pipeline_submit(&p, "forgotten");
    assert_true(harness_wait_until(has_one_transaction, &p, PIPELINE_WAIT_MS));
    pipeline_kill(p.publisher);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions WHERE state = 'committed'"), 1);
    pipeline_fault(&p, NULL);
    for (int i = 0; i < FORGOTTEN_BLOCKS; i++)
        pipeline_make_block(&p);
    pipeline_start_publisher(&p, NULL);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), 1);
    pipeline_stop(&p);
}

/* The first answer is lost, and to the same bytes the node then says what tells nothing: it waits for no restart and no luck. */
static void a_stored_transaction_that_is_refused_for_unknown_reasons_does_not_hold_up_the_lane(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"send\",\"next\":1}");
    pipeline_fault(&p, "{\"kind\":\"error\",\"text\":\"no idea\",\"on\":\"send\"}");
    base_sha256 submission = pipeline_submit(&p, "refused");
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions WHERE state = 'abandoned'", 1);
    pipeline_fault(&p, NULL);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions WHERE state <> 'abandoned'"), 1);
    pipeline_stop(&p);
}

enum { FINAL_BLOCKS = 16 };

/* The books say that it was given up; the node has it all the same, in its pool first and then in a block. */
static void a_transaction_that_lands_after_it_was_given_up_is_told_of_once(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = pipeline_submit(&p, "given up");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(&p);
    free(harness_database_query(
        &p.database,
        "UPDATE transactions SET state = 'abandoned', updated_at = now(); "
        "INSERT INTO transactions SELECT '5Jnowhere', fee_payer, submission, nonce, fee_nanomina, payload, "
        "state, block_height, created_at, updated_at FROM transactions; "
        "INSERT INTO transactions SELECT '5Jlongago', fee_payer, submission, nonce, fee_nanomina, payload, "
        "state, block_height, created_at, now() - interval '2 days' FROM transactions LIMIT 1"));
    BASE_CLEANUP(free)
    char *line = harness_process_wait_line(p.publisher, "transaction_abandoned_landed", PIPELINE_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, base_sha256_hex(&submission).text));
    pipeline_make_block(&p);
    base_sha256 next = pipeline_submit(&p, "next");
    pipeline_wait(&p, &next, WIRE_STATUS_COMPLETE);
    assert_true(shows_metric(readiness_port(p.publisher), "proofline_transactions_abandoned_landed_total 1\n"));
    for (int i = 0; i < FINAL_BLOCKS; i++)
        pipeline_make_block(&p);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions WHERE state = 'included'", 1); /* looked again since */
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);
    assert_int_equal(count_lines(p.publisher, "transaction_abandoned_landed"), 1);
    pipeline_stop(&p);
}

/* Two submissions published under nonces 0 and 1; then the chain begins anew and the first of them is in nobody's books. */
static void make_a_gap(pipeline *p, base_sha256 submissions[2], const char *second_state)
{
    char sql[512];
    pipeline_submit_many(p, "gap", 1, submissions);
    pipeline_wait(p, &submissions[0], WIRE_STATUS_COMPLETE);
    submissions[1] = pipeline_submit(p, "behind the gap");
    pipeline_wait(p, &submissions[1], WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(p);
    harness_process_signal(p->publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p->publisher, PIPELINE_WAIT_MS), 0);
    kill_node(p);
    assert_int_equal(unlink(p->node_state), 0);
    pipeline_start_node(p, 0);
    snprintf(sql, sizeof(sql),
             "UPDATE transactions SET state = CASE nonce WHEN 0 THEN 'abandoned' ELSE '%s' END; "
             "UPDATE submissions s SET status = 'rejected', reason_code = 'transaction_lost', failed_at = now() "
             "FROM transactions t WHERE t.submission = s.sha256_hash AND t.nonce = 0",
             second_state);
    free(harness_database_query(&p->database, sql));
    pipeline_start_publisher(p, NULL);
}

static void a_transaction_behind_a_free_nonce_is_published_anew_and_the_lane_goes_on(void **state)
{
    pipeline p;
    base_sha256 submissions[2];
    pipeline_start(&p, *state, 0);
    make_a_gap(&p, submissions, "accepted");
    store_submission lost = pipeline_wait(&p, &submissions[1], WIRE_STATUS_REJECTED);
    assert_string_equal(lost.reason_code, "transaction_lost");
    base_sha256 next = pipeline_submit(&p, "fills the gap");
    pipeline_wait(&p, &next, WIRE_STATUS_COMPLETE);
    BASE_CLEANUP(free) char *output = NULL;
    const char *const redrive[] = {"dead", "redrive", "--reason", "transaction_lost", NULL};
    assert_int_equal(pipeline_proofctl(&p, redrive, &output), 0);
    pipeline_wait(&p, &submissions[1], WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_number(&p, "SELECT min(nonce) FROM transactions WHERE state = 'accepted'"), 0);
    assert_int_equal(pipeline_transactions_at_node(&p), 2);
    pipeline_stop(&p);
}

static void a_free_nonce_below_one_that_is_held_is_taken_next(void **state)
{
    pipeline p;
    base_sha256 submissions[2];
    pipeline_start(&p, *state, 0);
    make_a_gap(&p, submissions, "included");
    base_sha256 next = pipeline_submit(&p, "fills the gap");
    pipeline_wait(&p, &next, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_number(&p, "SELECT nonce FROM transactions WHERE state = 'accepted'"), 0);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_stop(&p);
}

/* Rejected under another fee payer's key while its transaction might still land, and then proven anew. */
static void an_image_whose_earlier_proof_is_out_is_neither_published_twice_nor_called_complete(void **state)
{
    pipeline p, other;
    pipeline_start(&p, *state, 0);
    pipeline_start(&other, *state, 0); /* for its key only */
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "proven twice");
    pipeline_wait_struck(&p); /* sent and not only stored, or it would be made anew */
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);

    fund(&p, other.address, "100");
    pipeline_fault(&p, NULL);
    pipeline_fault(&p, "{\"kind\":\"error\",\"text\":\"Invalid_nonce\",\"on\":\"send\",\"probability\":1}");
    const char *const stranger[] = {other.fee_payer_key, "WORKER_RETRY_LIMIT=0", NULL};
    pipeline_start_publisher(&p, stranger);
    assert_string_equal(pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED).reason_code, "other_fee_payer");
    pipeline_wait_settled(&p);

    pipeline_fault(&p, NULL);
    pipeline_start_publisher(&p, NULL);
    BASE_CLEANUP(free) char *sent = harness_process_wait_line(p.publisher, "transaction_sent_again", PIPELINE_WAIT_MS);
    assert_non_null(sent);
    base_error err = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored job = {0};
    assert_int_equal(broker_stream_get(p.broker, p.names.stream_jobs, 1, &job, &err), BASE_OK);
    pipeline_publish_raw(&p, base_buffer_view(&job.payload));
    pipeline_wait_number(&p, "SELECT proofs_generated FROM submissions", 2);
    pipeline_wait_settled(&p);
    store_submission row = pipeline_get(&p, &submission);
    assert_int_equal(row.status, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "proof_superseded");
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_stop(&other);
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_on_another_network_is_not_ready_and_gets_nothing),
        cmocka_unit_test(a_transaction_that_lands_late_is_not_made_anew),
        cmocka_unit_test(a_node_that_contradicts_itself_is_waited_for_without_haste),
        cmocka_unit_test(a_changed_fee_payer_sends_the_old_ones_transaction_and_makes_no_second),
        cmocka_unit_test(a_node_that_lost_its_pool_gets_all_of_it_again),
        cmocka_unit_test(what_became_final_during_an_outage_of_the_publisher_is_recorded_once),
        cmocka_unit_test(a_complete_submission_whose_transaction_is_lost_is_rejected_and_can_be_redriven),
        cmocka_unit_test(a_publisher_that_sleeps_through_the_loss_of_its_lane_doubles_nothing),
        cmocka_unit_test(an_empty_fee_payer_pauses_the_lane_and_is_blamed_on_no_job),
        cmocka_unit_test(a_node_that_says_the_fee_payer_is_poor_is_believed_and_asked_again_without_haste),
        cmocka_unit_test(a_stored_transaction_waits_for_money_too),
        cmocka_unit_test(what_landed_and_a_lagging_node_does_not_show_is_not_made_anew),
        cmocka_unit_test(a_lagging_node_makes_no_complete_submission_lost),
        cmocka_unit_test(a_refusal_that_follows_the_taking_leads_to_no_second_transaction),
        cmocka_unit_test(what_landed_deeper_than_the_nodes_blocks_reach_is_not_made_anew),
        cmocka_unit_test(a_stored_transaction_that_is_refused_for_unknown_reasons_does_not_hold_up_the_lane),
        cmocka_unit_test(a_transaction_that_lands_after_it_was_given_up_is_told_of_once),
        cmocka_unit_test(a_transaction_behind_a_free_nonce_is_published_anew_and_the_lane_goes_on),
        cmocka_unit_test(a_free_nonce_below_one_that_is_held_is_taken_next),
        cmocka_unit_test(an_image_whose_earlier_proof_is_out_is_neither_published_twice_nor_called_complete),
        cmocka_unit_test(an_idle_publisher_whose_node_vanishes_stays_not_ready_and_says_so_once),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
