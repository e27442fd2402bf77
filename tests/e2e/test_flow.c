/* The way of submissions through the four programs, with what goes wrong on it short of a crash. */
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
#include <string.h>

#include <cmocka.h>

static void a_signed_image_becomes_a_published_proof(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = pipeline_submit(&p, "a photograph");
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.proofs_generated, 1);
    assert_int_equal(row.publish_attempts, 1);
    assert_int_equal(strncmp(row.transaction_id, "5J", 2), 0);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation proof_publishing complete");
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_wait_settled(&p);
    pipeline_stop(&p);
}

typedef struct attempts {
    pipeline *pipeline;
    const base_sha256 *submission;
    int64_t at_least;
} attempts;

static bool has_attempts(void *ctx)
{
    const attempts *wanted = ctx;
    return pipeline_get(wanted->pipeline, wanted->submission).publish_attempts >= wanted->at_least;
}

static void publishing_retries_alone_while_the_node_is_away(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "published late");
    attempts wanted = {&p, &submission, 1};
    assert_true(harness_wait_until(has_attempts, &wanted, PIPELINE_WAIT_MS));
    BASE_CLEANUP(free) char *paused = harness_process_wait_line(p.publisher, "dependency_down", PIPELINE_WAIT_MS);
    assert_non_null(paused);
    assert_int_equal(pipeline_get(&p, &submission).status, WIRE_STATUS_PROOF_PUBLISHING);
    pipeline_fault(&p, NULL);
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.proofs_generated, 1);
    assert_int_equal(row.generate_attempts, 1);
    assert_int_equal(row.publish_attempts, 2);
    assert_int_equal(row.retries, 0); /* an outage is not counted */
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_stop(&p);
}

static void a_node_that_vanishes_and_returns_costs_no_proof(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    BASE_CLEANUP(free) char *settled = harness_process_wait_line(p.publisher, "lane_settled", PIPELINE_WAIT_MS);
    assert_non_null(settled);
    harness_process_signal(p.node, SIGKILL);
    assert_int_equal(harness_process_wait(p.node, PIPELINE_WAIT_MS), 128 + SIGKILL);
    base_sha256 submission = pipeline_submit(&p, "while nobody listens");
    attempts wanted = {&p, &submission, 1};
    assert_true(harness_wait_until(has_attempts, &wanted, PIPELINE_WAIT_MS));
    BASE_CLEANUP(free) char *released = harness_process_wait_line(p.publisher, "job_released", PIPELINE_WAIT_MS);
    assert_non_null(released); /* it was tried and could not be sent */
    harness_process_free(p.node);
    pipeline_start_node(&p, 0);
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.proofs_generated, 1);
    assert_true(row.publish_attempts > 1);
    pipeline_stop(&p);
}

static void a_lost_reply_is_looked_up_and_not_sent_twice(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"drop_reply\",\"on\":\"send\",\"next\":1}");
    base_sha256 submission = pipeline_submit(&p, "reply lost");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), 1);
    pipeline_stop(&p);
}

static void a_wrong_signature_is_rejected_before_any_proving(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = pipeline_submit_forged(&p, "forged");
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "invalid_signature");
    assert_int_equal(row.proofs_generated, 0);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation rejected");
    pipeline_wait_settled(&p);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 1);
    pipeline_stop(&p);
}

static void an_undecodable_message_is_a_dead_letter_and_holds_nobody_up(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_publish_raw(&p, base_bytes_of("\xff\xff garbage", 10));
    pipeline_publish_raw(&p, base_bytes_of("", 0));
    base_sha256 submission = pipeline_submit(&p, "behind the garbage");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(&p);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 2);
    base_error err = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
    assert_int_equal(broker_stream_get(p.broker, p.names.stream_dead, 1, &letter, &err), BASE_OK);
    assert_true(base_bytes_equal(base_buffer_view(&letter.payload), base_bytes_of("\xff\xff garbage", 10)));
    pipeline_stop(&p);
}

static void exhausted_retries_end_in_a_dead_letter_that_can_be_redriven_to_completion(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    const char *const few[] = {"WORKER_RETRY_LIMIT=1", NULL};
    pipeline_start_publisher(&p, few);
    pipeline_fault(
        &p, "{\"kind\":\"error\",\"text\":\"Internal error while scheduling\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "no room");
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "node_refused");
    assert_int_equal(pipeline_transactions_at_node(&p), 0);
    pipeline_wait_settled(&p);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 1);

    pipeline_fault(&p, NULL);
    BASE_CLEANUP(free) char *output = NULL;
    const char *const redrive[] = {"dead", "redrive", "--all", NULL};
    assert_int_equal(pipeline_proofctl(&p, redrive, &output), 0);
    row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.proofs_generated, 1); /* the proof was kept: only publishing began again */
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation proof_publishing rejected proof_publishing complete");
    assert_int_equal(pipeline_transactions_at_node(&p), 1);

    uint64_t jobs = pipeline_messages(&p, p.names.stream_jobs);
    BASE_CLEANUP(free) char *moot = NULL;
    assert_int_equal(pipeline_proofctl(&p, redrive, &moot), 0);
    assert_non_null(strstr(moot, "skipped: already complete"));
    assert_int_equal(pipeline_messages(&p, p.names.stream_jobs), jobs);
    pipeline_stop(&p);
}

static void the_same_submission_many_times_is_proven_and_published_once(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = {0};
    for (int i = 0; i < 20; i++)
        submission = pipeline_submit(&p, "once is enough");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(&p);
    store_submission row = pipeline_get(&p, &submission);
    assert_int_equal(row.status, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.proofs_generated, 1);
    assert_int_equal(row.event_sequence, 3);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_stop(&p);
}

static void lose_proof(harness_postgres *cluster, const char *sql)
{
    pipeline p;
    pipeline_prepare(&p, cluster, 0);
    pipeline_start_generator(&p, NULL);
    base_sha256 submission = pipeline_submit(&p, "lost");
    pipeline_wait(&p, &submission, WIRE_STATUS_PROOF_PUBLISHING);
    free(harness_database_query(&p.database, sql));
    pipeline_start_publisher(&p, NULL);
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "proof_corrupt");
    assert_int_equal(pipeline_sends_at_node(&p), 0);
    pipeline_check_promises(&p, &(pipeline_outcome){.rejected = 1});
    pipeline_stop(&p);
}

static void a_submission_whose_proof_is_gone_is_rejected(void **state)
{
    lose_proof(*state, "UPDATE proofs SET blob = NULL");
    lose_proof(*state, "DELETE FROM proofs");
}

static void a_flipped_bit_in_the_stored_proof_is_caught_before_it_is_sent(void **state)
{
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    pipeline_start_generator(&p, NULL);
    base_sha256 submission = pipeline_submit(&p, "tampered");
    pipeline_wait(&p, &submission, WIRE_STATUS_PROOF_PUBLISHING);
    free(harness_database_query(&p.database, "UPDATE proofs SET blob = set_byte(blob, 20, get_byte(blob, 20) # 1)"));
    pipeline_start_publisher(&p, NULL);
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "proof_corrupt");
    assert_int_equal(pipeline_transactions_at_node(&p), 0);
    assert_int_equal(pipeline_sends_at_node(&p), 0);
    pipeline_stop(&p);
}

/* Two submissions wait for a publisher that is not there yet; meanwhile `sql` damages their stored proofs. */
static void publish_damaged(harness_postgres *cluster, const char *sql, const char *reason_code, const char *reason)
{
    pipeline p;
    pipeline_prepare(&p, cluster, 0);
    pipeline_start_generator(&p, NULL);
    const base_sha256 submissions[] = {pipeline_submit(&p, "one"), pipeline_submit(&p, "other")};
    for (size_t i = 0; i < 2; i++)
        pipeline_wait(&p, &submissions[i], WIRE_STATUS_PROOF_PUBLISHING);
    free(harness_database_query(&p.database, sql));
    pipeline_start_publisher(&p, NULL);
    for (size_t i = 0; i < 2; i++) {
        store_submission row = pipeline_wait(&p, &submissions[i], WIRE_STATUS_REJECTED);
        assert_string_equal(row.reason_code, reason_code);
        assert_non_null(strstr(row.failure_reason, reason));
    }
    pipeline_wait_settled(&p);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 2);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), 0);
    assert_int_equal(pipeline_sends_at_node(&p), 0);
    pipeline_stop(&p);
}

#define EXCHANGE(columns)                                                                                              \
    "UPDATE proofs p SET (" columns ") = (SELECT " columns " FROM proofs q WHERE q.sha256_hash <> p.sha256_hash)"

/* Sound in itself and with its own digest: only what was handed over to be published tells that it is another's. */
static void the_valid_proof_of_another_submission_is_caught_before_it_is_sent(void **state)
{
    publish_damaged(*state, EXCHANGE("blob, digest"), "proof_corrupt", "not the one that was to be published");
}

static void a_proof_that_is_not_the_one_of_its_digest_is_caught_before_it_is_sent(void **state)
{
    publish_damaged(*state, EXCHANGE("blob, format"), "proof_corrupt", "does not have its digest");
}

static void a_proof_that_does_not_hold_for_the_stored_key_is_caught_before_it_is_sent(void **state)
{
    publish_damaged(*state, "UPDATE proofs SET public_key = set_byte(public_key, 5, get_byte(public_key, 5) # 1)",
                    "proof_invalid", "public key");
}

/* The node has it and Postgres does not know yet: whatever else would end the job, it is complete. */
static void a_job_too_old_whose_transaction_is_out_completes(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"drop_reply\",\"on\":\"send\",\"next\":1}");
    free(harness_database_query(&p.database, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                                             "$$BEGIN RAISE EXCEPTION 'later' USING ERRCODE = '55P03'; END$$; "
                                             "CREATE TRIGGER refuse BEFORE UPDATE ON submissions FOR EACH ROW "
                                             "WHEN (NEW.status = 'complete') EXECUTE FUNCTION refuse()"));
    base_sha256 submission = pipeline_submit(&p, "old");
    attempts wanted = {&p, &submission, 1};
    assert_true(harness_wait_until(has_attempts, &wanted, PIPELINE_WAIT_MS));
    BASE_CLEANUP(free) char *line = harness_process_wait_line(p.publisher, "dependency_down", PIPELINE_WAIT_MS);
    assert_non_null(line);
    harness_process_signal(p.publisher, SIGKILL);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 128 + SIGKILL);
    free(harness_database_query(&p.database, "DROP TRIGGER refuse ON submissions; UPDATE submissions SET accepted_at = "
                                             "now() - interval '2 days', due_at = now() - interval '2 days'"));
    const char *const impatient[] = {"SWEEP_QUIET_S=1", NULL};
    pipeline_start_publisher(&p, impatient);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_stop(&p);
}

static void readiness_tells_what_is_missing(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    uint16_t port = readiness_port(p.generator);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(port, "/healthz");
    assert_int_equal(reply.status, 200);
    readiness_wait(port, 200, NULL);
    harness_nats_stop(p.nats);
    BASE_CLEANUP(free) char *down = harness_process_wait_line(p.generator, "dependency_down", PIPELINE_WAIT_MS);
    assert_non_null(down);
    readiness_wait(port, 503, "nats");
    harness_nats_start(p.nats);
    base_sha256 submission = pipeline_submit(&p, "after the return");
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    pipeline_stop(&p);
}

static void refused_credentials_end_a_service_with_the_reason(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    harness_nats_stop(p.nats);
    harness_nats_configure(p.nats, "authorization { user: someone, password: else }");
    harness_nats_start(p.nats);
    assert_int_equal(harness_process_wait(p.generator, PIPELINE_WAIT_MS), 1);
    BASE_CLEANUP(free) char *errors = harness_process_errors(p.generator);
    assert_non_null(strstr(errors, "refuses the credentials"));
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS),
                     1); /* it has no longer a stop to be asked for */
    pipeline_stop(&p);
}

static void a_database_without_tables_is_not_ready_and_names_the_command(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    p.service = p.database = harness_database_new(*state);
    pipeline_start_generator(&p, NULL);
    BASE_CLEANUP(free) char *line = harness_process_wait_line(p.generator, "proofctl migrate up", PIPELINE_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, "postgres"));
    pipeline_stop(&p);
}

static void a_bad_setting_is_named_and_ends_with_exit_code_2(void **state)
{
    (void)state;
    BASE_CLEANUP(free) char *errors = NULL;
    const char *const argv[] = {BINARY_DIR "/proofline-publisher", NULL};
    const char *const environment[] = {"DATABASE_URL",
                                       "MINA_NETWORK=moon",
                                       "WORKER_RETRY_LIMIT=many",
                                       "WORKER_CONCURRENCY=2",
                                       "FEE_PAYER_PRIVATE_KEY=EKnone",
                                       NULL};
    assert_int_equal(harness_run(argv, environment, PIPELINE_WAIT_MS, NULL, &errors), 2);
    assert_non_null(strstr(errors, "DATABASE_URL"));
    assert_non_null(strstr(errors, "MINA_NETWORK"));
    assert_non_null(strstr(errors, "WORKER_RETRY_LIMIT"));
    assert_non_null(strstr(errors, "WORKER_CONCURRENCY: must be 1"));
    assert_non_null(strstr(errors, "FEE_PAYER_PRIVATE_KEY: "));
    assert_null(strstr(errors, "EKnone"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_image_becomes_a_published_proof),
        cmocka_unit_test(publishing_retries_alone_while_the_node_is_away),
        cmocka_unit_test(a_node_that_vanishes_and_returns_costs_no_proof),
        cmocka_unit_test(a_lost_reply_is_looked_up_and_not_sent_twice),
        cmocka_unit_test(a_wrong_signature_is_rejected_before_any_proving),
        cmocka_unit_test(an_undecodable_message_is_a_dead_letter_and_holds_nobody_up),
        cmocka_unit_test(exhausted_retries_end_in_a_dead_letter_that_can_be_redriven_to_completion),
        cmocka_unit_test(the_same_submission_many_times_is_proven_and_published_once),
        cmocka_unit_test(a_submission_whose_proof_is_gone_is_rejected),
        cmocka_unit_test(a_flipped_bit_in_the_stored_proof_is_caught_before_it_is_sent),
        cmocka_unit_test(the_valid_proof_of_another_submission_is_caught_before_it_is_sent),
        cmocka_unit_test(a_proof_that_is_not_the_one_of_its_digest_is_caught_before_it_is_sent),
        cmocka_unit_test(a_proof_that_does_not_hold_for_the_stored_key_is_caught_before_it_is_sent),
        cmocka_unit_test(a_job_too_old_whose_transaction_is_out_completes),
        cmocka_unit_test(readiness_tells_what_is_missing),
        cmocka_unit_test(refused_credentials_end_a_service_with_the_reason),
        cmocka_unit_test(a_database_without_tables_is_not_ready_and_names_the_command),
        cmocka_unit_test(a_bad_setting_is_named_and_ends_with_exit_code_2),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
