#include "labels/situations.h"

#include "harness/stream.h"
#include "harness/wait.h"
#include "ledger/anchor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void labels_stop(harness_process **service)
{
    harness_process_signal(*service, SIGTERM);
    assert_int_equal(harness_process_wait(*service, PIPELINE_WAIT_MS), 0);
    harness_process_free(*service);
    *service = NULL;
}

static void run_sql(labels_run *run, const char *sql)
{
    free(harness_database_query(&run->pipeline.database, sql));
}

static void submit_old(labels_run *run)
{
    run->old_count = LABELS_OLD;
    pipeline_submit_many(&run->pipeline, "old", LABELS_OLD, run->old);
}

/* A service that has the old submissions to itself, and dies of them at `point`. */
static void die_at(labels_run *run, const char *program, const char *point)
{
    char fault[LABELS_ARM_MAX];
    const char *const extra[] = {labels_arm(fault, point, "exit"), NULL};
    BASE_CLEANUP(harness_process_free) harness_process *service = pipeline_launch(&run->pipeline, program, extra);
    assert_int_equal(harness_process_wait(service, PIPELINE_WAIT_MS), 128 + SIGKILL);
}

/* Proven, announced, and waiting for a publisher. */
static void prove_old(labels_run *run)
{
    pipeline *p = &run->pipeline;
    pipeline_start_generator(p, NULL);
    submit_old(run);
    pipeline_wait_number(p, "SELECT count(*) FROM submissions WHERE status = 'proof_publishing'", LABELS_OLD);
    pipeline_wait_number(p, "SELECT count(*) FROM (SELECT 1 WHERE NOT EXISTS (SELECT FROM outbox)) AS empty", 1);
    labels_stop(&p->generator);
}

static void complete_old(labels_run *run)
{
    pipeline *p = &run->pipeline;
    pipeline_start_generator(p, NULL);
    pipeline_start_publisher(p, NULL);
    submit_old(run);
    for (size_t i = 0; i < LABELS_OLD; i++)
        pipeline_wait(p, &run->old[i], WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(p);
    labels_stop(&p->generator);
    labels_stop(&p->publisher);
}

static void claim_and_die(labels_run *run)
{
    submit_old(run);
    die_at(run, BINARY_DIR "/proofline-generator", "generator.claimed");
}

/* Rows in the outbox whose service has died. */
static void leave_unpublished(labels_run *run)
{
    if (run->of_generator)
        submit_old(run);
    else
        prove_old(run);
    die_at(run, run->of_generator ? BINARY_DIR "/proofline-generator" : BINARY_DIR "/proofline-publisher",
           "relay.publishing");
}

/* Work of the broken service that no message covers any more, and has not for an hour. */
static void lose_messages(labels_run *run)
{
    pipeline *p = &run->pipeline;
    base_error err = {0};
    broker_stream_state state;
    if (run->of_generator)
        claim_and_die(run);
    else
        prove_old(run);
    if (broker_stream_read_state(p->broker, p->names.stream_jobs, &state, &err) != BASE_OK)
        harness_fail("%s", err.message);
    for (uint64_t sequence = state.first_sequence; sequence <= state.last_sequence; sequence++)
        harness_stream_delete(p->broker, p->names.stream_jobs, sequence);
    run_sql(run, "UPDATE submissions SET enqueued_at = enqueued_at - interval '1 h', due_at = due_at - interval '1 h'");
}

/* Work of the other service, which has been away for two days: nobody but the sweeper can end it. */
static void let_expire(labels_run *run)
{
    if (run->of_generator)
        prove_old(run);
    else
        claim_and_die(run);
    run_sql(run, "UPDATE submissions SET accepted_at = accepted_at - interval '2 days'");
    run->old_rejected = LABELS_OLD;
}

/* The node has forgotten transactions that it had accepted. */
static void lose_pool(labels_run *run)
{
    complete_old(run);
    pipeline_reset_node(&run->pipeline, 0);
}

/* A payment of our fee payer that somebody else has made with its first nonce; in a block when this returns. */
static void pay_as_rival(pipeline *p)
{
    base_error err = {0};
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql", p->node_port);
    const char *key = strchr(p->fee_payer_key, '=') + 1;
    BASE_CLEANUP(base_secret_done) base_secret secret = {0};
    BASE_CLEANUP(ledger_free) ledger *rival = NULL;
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction payment = {0};
    const ledger_statement statement = {.image = {.bytes = {1}}, .proof = {.bytes = {2}}, .format = "other"};
    const ledger_anchor_options options = {
        .node_url = url, .network = "devnet", .private_key = &secret, .fee_nanomina = 100000000};
    base_code code = base_secret_copy(base_bytes_of(key, strlen(key)), &secret, &err);
    if (code == BASE_OK)
        code = ledger_anchor_new(&options, &rival, &err);
    if (code == BASE_OK)
        code = ledger_make(rival, &statement, 0, &payment, &err);
    if (code != BASE_OK || ledger_send(rival, base_buffer_view(&payment.payload), &err) != LEDGER_ACCEPTED)
        harness_fail("%s", err.message);
    pipeline_make_block(p);
}

static void lose_to_rival(labels_run *run)
{
    complete_old(run);
    pipeline_reset_node(&run->pipeline, 0);
    pay_as_rival(&run->pipeline);
    run->old_rejected = 1; /* whose nonce it was */
}

/* A transaction of a fee payer whose key is in use no more, sent and not taken. What is only stored is made anew after a stop. */
static void change_fee_payer(labels_run *run)
{
    pipeline *p = &run->pipeline;
    pipeline_fault(p, "{\"kind\":\"http_503\",\"on\":\"send\",\"probability\":1}");
    pipeline_start_generator(p, NULL);
    pipeline_start_publisher(p, NULL);
    run->old_count = 1;
    run->old[0] = pipeline_submit(p, "of the old key");
    pipeline_wait_struck(p);
    labels_stop(&p->generator);
    labels_stop(&p->publisher);
    pipeline_fault(p, NULL);
    pipeline_change_fee_payer(p);
}

static void ask_to_stop(labels_run *run, const base_sha256 *first)
{
    pipeline_wait(&run->pipeline, first, WIRE_STATUS_COMPLETE);
    harness_process_signal(run->armed, SIGTERM);
}

/* The first that fits: "" is every point that plain load passes. */
static const labels_situation TABLE[] = {
    {.prefix = "sweeper.swept", .before = leave_unpublished, .is_alone = true},
    {.prefix = "sweeper.requeue", .before = lose_messages, .is_alone = true},
    {.prefix = "sweeper.expire", .before = let_expire, .is_alone = true},
    {.prefix = "lane.looked_up", .before = lose_pool},
    {.prefix = "lane.rese", .before = lose_pool},
    {.prefix = "lane.mark", .before = lose_pool},
    {.prefix = "lane.los", .before = lose_to_rival, .strangers = 1},
    {.prefix = "lane.releas", .provoke = ask_to_stop, .ends = true},
    {.prefix = "foreign.", .before = change_fee_payer},
    {.prefix = ""},
};

const labels_situation *labels_situation_of(const char *point)
{
    const labels_situation *at = TABLE;
    while (strncmp(point, at->prefix, strlen(at->prefix)) != 0)
        at++;
    return at;
}
