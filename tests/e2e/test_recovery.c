/* What comes back after crashes, freezes, wiped streams and stores that refuse: once, in order, and without a flood. */
#include "base/clock.h"
#include "base/hex.h"
#include "broker/publish.h"
#include "harness/wait.h"
#include "pipeline.h"
#include "triggers.h"
#include "wire/headers.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    FEW = 20,
    SQL_MAX = 1024,
    ROOM_FOR_FACTS = 4096,
    CALM_ACK_WAIT_MS = 5000,
    GRACE_S = 8,
    END_MS = 5000 * PIPELINE_SLACK /* what a busy machine takes to end a process */
};

static void run_sql(pipeline *p, const char *sql)
{
    free(harness_database_query(&p->database, sql));
}

static void check_complete(pipeline *p, const base_sha256 *submissions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(p);
    assert_int_equal(pipeline_number(p, "SELECT count(*) FROM submissions WHERE proofs_generated <> 1"), 0);
    assert_int_equal(pipeline_transactions_at_node(p), count);
}

/* The only dead letter has the facts and the bytes of the job with that sequence. */
static void check_letter_of_poison(pipeline *p, uint64_t sequence)
{
    base_error err = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored job = {0}, letter = {0};
    char number[24];
    snprintf(number, sizeof(number), "%" PRIu64, sequence);
    assert_int_equal(pipeline_messages(p, p->names.stream_dead), 1);
    assert_int_equal(broker_stream_get(p->broker, p->names.stream_jobs, sequence, &job, &err), BASE_OK);
    assert_int_equal(broker_stream_get(p->broker, p->names.stream_dead, 1, &letter, &err), BASE_OK);
    assert_string_equal(broker_stored_header(&letter, WIRE_HEADER_DEAD_REASON_CODE), "quarantined");
    assert_string_equal(broker_stored_header(&letter, WIRE_HEADER_DEAD_REASON),
                        "its worker died 3 times while it had this job");
    assert_string_equal(broker_stored_header(&letter, WIRE_HEADER_DEAD_STAGE), "generate");
    assert_string_equal(broker_stored_header(&letter, WIRE_HEADER_DEAD_SUBJECT), p->names.subject_generate);
    assert_string_equal(broker_stored_header(&letter, WIRE_HEADER_DEAD_SEQUENCE), number);
    assert_int_equal(letter.payload.size, job.payload.size);
    assert_memory_equal(letter.payload.data, job.payload.data, job.payload.size);
}

static void a_job_that_kills_its_worker_is_quarantined_and_its_batch_mates_are_not(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    pipeline_start(&p, *state, 0);
    pipeline_kill(p.generator);
    pipeline_submit_many(&p, "q", FEW, submissions);
    const base_sha256 poison = submissions[FEW / 2];
    triggers_hang_on(&p, &poison);
    for (int attempt = 1; attempt <= 3; attempt++) {
        pipeline_start_generator(&p, NULL);
        triggers_kill_in_attempt(&p, &poison, attempt);
    }
    pipeline_start_generator(&p, NULL);
    store_submission row = pipeline_wait(&p, &poison, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "quarantined");
    assert_int_equal(row.crashes, 3);
    submissions[FEW / 2] = submissions[FEW - 1];
    for (size_t i = 0; i < FEW - 1; i++)
        assert_int_equal(pipeline_wait(&p, &submissions[i], WIRE_STATUS_COMPLETE).proofs_generated, 1);
    pipeline_wait_settled(&p);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &poison);
    assert_string_equal(events, "proof_generation rejected");
    check_letter_of_poison(&p, FEW / 2 + 1);
    pipeline_stop(&p);
}

static void a_frozen_generator_that_wakes_up_writes_and_acks_nothing_of_what_it_lost(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    base_sha256 submission = pipeline_submit(&p, "taken from the frozen");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_process *frozen = BASE_TAKE(p.generator);
    harness_process_pause(frozen);
    pipeline_start_generator(&p, NULL);
    pipeline_wait_number(&p, "SELECT max(epoch) FROM submissions", 2);
    pipeline_unlock(&p, lock);
    check_complete(&p, &submission, 1);
    harness_process_resume(frozen);
    BASE_CLEANUP(free) char *line = harness_process_wait_line(frozen, "job_fenced", PIPELINE_WAIT_MS);
    assert_non_null(line);
    check_complete(&p, &submission, 1);
    assert_int_equal(pipeline_get(&p, &submission).epoch, 3); /* two of generators, one of the publisher */
    assert_int_equal(pipeline_messages(&p, p.names.stream_events), 3);
    assert_int_equal(pipeline_messages(&p, p.names.stream_jobs), 2);
    harness_process_free(frozen);
    pipeline_stop(&p);
}

static void a_job_in_hand_for_longer_than_the_ack_wait_stays_where_it_is(void **state)
{
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    pipeline_set_ack_wait(&p, CALM_ACK_WAIT_MS);
    pipeline_start_publisher(&p, NULL);
    pipeline_start_generator(&p, NULL);
    harness_process *other = BASE_TAKE(p.generator);
    pipeline_start_generator(&p, NULL);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    base_sha256 submission = pipeline_submit(&p, "slow");
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM submissions WHERE now() > processing_started_at + interval '%d ms'",
             2 * CALM_ACK_WAIT_MS + CALM_ACK_WAIT_MS / 2);
    pipeline_wait_number(&p, sql, 1);
    pipeline_unlock(&p, lock);
    check_complete(&p, &submission, 1);
    assert_int_equal(pipeline_get(&p, &submission).generate_attempts, 1);
    harness_process_free(other);
    pipeline_stop(&p);
}

static void wiped_streams_are_rebuilt_and_nothing_is_done_twice(void **state)
{
    pipeline p;
    base_sha256 submissions[2 * FEW];
    static const char *const soon[] = {"SWEEP_QUIET_S=1", NULL};
    pipeline_start(&p, *state, 0);
    pipeline_fault(&p, "{\"kind\":\"http_503\",\"probability\":1}");
    pipeline_submit_many(&p, "w", FEW, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'proof_publishing'", FEW);
    pipeline_kill(p.generator);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    pipeline_submit_many(&p, "v", FEW, submissions + FEW);
    pipeline_start_generator(&p, NULL);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE status = 'proof_generation'", FEW);
    pipeline_kill(p.generator);
    pipeline_kill(p.publisher);
    /* What a dead client has sent, its backend would go on to commit. */
    run_sql(&p, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name = 'proofline-generator' AND datname = current_database()");
    harness_nats_stop(p.nats);
    harness_nats_wipe(p.nats);
    harness_nats_start(p.nats);
    pipeline_unlock(&p, lock);
    pipeline_make_topology(&p);
    pipeline_fault(&p, NULL);
    pipeline_start_generator(&p, soon);
    pipeline_start_publisher(&p, soon);
    check_complete(&p, submissions, 2 * FEW);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM submissions WHERE event_sequence <> 3"), 0);
    /* Each job was put back once, and those put back for the generator brought the publisher another. */
    assert_int_equal(pipeline_messages(&p, p.names.stream_jobs), 3 * FEW);
    const pipeline_outcome outcome = {.complete = 2 * FEW, .streams_were_lost = true};
    (void)pipeline_check_promises(&p, &outcome);
    pipeline_stop(&p);
}

static void a_backlog_without_a_publisher_is_not_put_back(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    static const char *const soon[] = {"SWEEP_QUIET_S=1", NULL};
    pipeline_start(&p, *state, 0);
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);
    pipeline_start_generator(&p, soon);
    pipeline_submit_many(&p, "b", FEW, submissions);
    /* Longer than the quiet time and the allowance for clocks, through several sweeps. */
    pipeline_wait_number(&p,
                         "SELECT count(*) FROM submissions WHERE status = 'proof_publishing' "
                         "AND now() > enqueued_at + interval '15 s'",
                         FEW);
    assert_int_equal(pipeline_messages(&p, p.names.stream_jobs), 2 * FEW);
    pipeline_start_publisher(&p, soon);
    check_complete(&p, submissions, FEW);
    assert_int_equal(pipeline_messages(&p, p.names.stream_jobs), 2 * FEW);
    pipeline_stop(&p);
}

static void more_work_than_one_sweep_takes_is_put_back_without_waiting_for_the_next(void **state)
{
    pipeline p;
    static const char *const seldom[] = {"SWEEP_QUIET_S=1", "SWEEP_INTERVAL_S=600", NULL};
    pipeline_start(&p, *state, 0);
    pipeline_kill(p.generator);
    pipeline_kill(p.publisher);
    run_sql(&p, "INSERT INTO submissions (sha256_hash, status, job_payload, enqueued_at, due_at) "
                "SELECT lpad(to_hex(n), 64, '0'), 'proof_generation', '\\x00', now() - interval '1 h', "
                "now() - interval '1 h' FROM generate_series(1, 2500) AS n");
    pipeline_start_publisher(&p, seldom);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE enqueued_at > now() - interval '30 min'", 2500);
    pipeline_stop(&p);
}

static void outbox_rows_left_by_a_crash_are_published_in_order(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    base_sha256 submission = pipeline_submit(&p, "committed and not told");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_nats_pause(p.nats);
    pipeline_unlock(&p, lock);
    pipeline_wait_number(&p, "SELECT count(*) FROM outbox", 2);
    pipeline_kill(p.generator);
    harness_nats_resume(p.nats);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation proof_publishing complete");
    pipeline_stop(&p);
}

static void outbox_rows_that_no_server_takes_hold_nobody_up(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    run_sql(&p,
            "INSERT INTO outbox (created_at, subject, message_id, headers, payload) " /* more than one page of them */
            "SELECT now() - interval '1 min', 'no subject', n::text, '', decode(repeat('00', 20000), 'hex') "
            "FROM generate_series(1, 2000) n");
    run_sql(&p, "INSERT INTO outbox (created_at, subject, message_id, headers, payload) VALUES "
                "(now() - interval '1 min', 'proofline.dead.generate', 'too large', '', "
                " decode(repeat('00', 2000000), 'hex')), "
                "(now() - interval '1 min', 'proofline.dead.generate', 'behind it', '', 'x')");
    pipeline_wait_number(&p, "SELECT 2002 - count(*) FROM outbox", 1);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 1);
    run_sql(&p, "INSERT INTO submissions (sha256_hash, status, accepted_at) "
                "VALUES (repeat('ab', 32), 'proof_generation', now() - interval '2 days')");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE reason_code = 'expired'", 1);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM outbox WHERE message_id = 'too large'"), 1);
    pipeline_stop(&p);
}

static bool has_letter(void *ctx)
{
    pipeline *p = ctx;
    return pipeline_messages(p, p->names.stream_dead) > 0;
}

static void a_message_as_large_as_the_server_takes_gets_its_dead_letter(void **state)
{
    pipeline p;
    base_error err = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
    pipeline_start(&p, *state, 0);
    size_t size = (size_t)broker_connection_max_payload(p.broker);
    BASE_CLEANUP(free) uint8_t *garbage = malloc(size);
    assert_non_null(garbage);
    for (size_t i = 0; i < size; i++)
        garbage[i] = (uint8_t)(0xff - i % 251);
    pipeline_publish_raw(&p, base_bytes_of(garbage, size));
    assert_true(harness_wait_until(has_letter, &p, PIPELINE_WAIT_MS));
    pipeline_wait_settled(&p);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 1);
    assert_int_equal(broker_stream_get(p.broker, p.names.stream_dead, 1, &letter, &err), BASE_OK);
    assert_string_equal(broker_stored_header(&letter, WIRE_HEADER_DEAD_REASON_CODE), "undecodable");
    assert_int_equal(letter.payload.size, size - ROOM_FOR_FACTS);
    assert_memory_equal(letter.payload.data, garbage, letter.payload.size);
    pipeline_stop(&p);
}

static void a_result_that_the_store_refuses_fails_alone_and_ends_rejected(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    static const char *const few[] = {"WORKER_RETRY_LIMIT=1", NULL};
    pipeline_start(&p, *state, 0);
    pipeline_kill(p.generator);
    pipeline_submit_many(&p, "u", FEW, submissions);
    const base_sha256 refused = submissions[0];
    triggers_refuse_writes(&p, "proofs", "P0001", &refused);
    pipeline_start_generator(&p, few);
    store_submission row = pipeline_wait(&p, &refused, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "commit_failed");
    assert_int_equal(row.crashes, 0);
    assert_int_equal(row.generate_attempts, 2);
    for (size_t i = 1; i < FEW; i++)
        assert_int_equal(pipeline_wait(&p, &submissions[i], WIRE_STATUS_COMPLETE).generate_attempts, 1);
    pipeline_stop(&p);
}

static void what_is_pending_for_too_long_expires_and_can_be_replayed_without_headers(void **state)
{
    pipeline p;
    static const char *const young[] = {"JOB_MAX_AGE_S=2", NULL};
    pipeline_start(&p, *state, 0);
    harness_process_signal(p.publisher, SIGTERM);
    assert_int_equal(harness_process_wait(p.publisher, PIPELINE_WAIT_MS), 0);
    base_sha256 submission = pipeline_submit(&p, "nobody publishes");
    pipeline_wait(&p, &submission, WIRE_STATUS_PROOF_PUBLISHING); /* it must not expire before */
    pipeline_start_generator(&p, young);
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "expired");
    pipeline_start_generator(&p, NULL);
    pipeline_start_publisher(&p, NULL);
    pipeline_wait_settled(&p); /* the message that waits is older than the end: it is no replay */
    assert_int_equal(pipeline_get(&p, &submission).status, WIRE_STATUS_REJECTED);

    base_error err = {0};
    broker_publish_result result;
    BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
    assert_int_equal(broker_stream_get(p.broker, p.names.stream_dead, 1, &letter, &err), BASE_OK);
    const broker_message again = {.subject = p.names.subject_publish, .payload = base_buffer_view(&letter.payload)};
    assert_int_equal(broker_publish(p.broker, &again, 1, PIPELINE_WAIT_MS, &result, &err), BASE_OK);
    check_complete(&p, &submission, 1);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events, "proof_generation proof_publishing rejected proof_publishing complete");
    pipeline_stop(&p);
}

static void a_rejected_job_starts_afresh_when_its_message_is_replayed_from_the_stream(void **state)
{
    pipeline p;
    static const char *const strict[] = {"WORKER_RETRY_LIMIT=0", NULL};
    pipeline_start(&p, *state, 0);
    pipeline_start_publisher(&p, strict);
    pipeline_fault(
        &p, "{\"kind\":\"error\",\"text\":\"Internal error while scheduling\",\"on\":\"send\",\"probability\":1}");
    base_sha256 submission = pipeline_submit(&p, "refused");
    pipeline_wait(&p, &submission, WIRE_STATUS_REJECTED);
    pipeline_wait_settled(&p);
    pipeline_fault(&p, NULL);
    base_error err = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored job = {0};
    assert_int_equal(broker_stream_get(p.broker, p.names.stream_jobs, 1, &job, &err), BASE_OK);
    pipeline_publish_raw(&p, base_buffer_view(&job.payload));
    store_submission row = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_int_equal(row.retries, 0);
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    BASE_CLEANUP(free) char *events = pipeline_events(&p, &submission);
    assert_string_equal(events,
                        "proof_generation proof_publishing rejected proof_generation proof_publishing complete");
    pipeline_stop(&p);
}

static void a_stop_during_an_outage_ends_in_time(void **state)
{
    pipeline p;
    char grace[32];
    snprintf(grace, sizeof(grace), "SHUTDOWN_GRACE_S=%d", GRACE_S);
    const char *const hurry[] = {grace, NULL};
    pipeline_start(&p, *state, 0);
    pipeline_start_generator(&p, hurry);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    base_sha256 submission = pipeline_submit(&p, "in hand");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_process_free(lock);
    harness_postgres_stop(*state, HARNESS_POSTGRES_IMMEDIATE);
    harness_nats_stop(p.nats);
    int64_t asked_ms = base_monotonic_ms();
    harness_process_signal(p.generator, SIGTERM);
    assert_int_equal(harness_process_wait(p.generator, PIPELINE_WAIT_MS), 0); /* out of its time it would end with 1 */
    assert_in_range(base_monotonic_ms() - asked_ms, 0, GRACE_S * 1000 + END_MS);
    harness_nats_start(p.nats);
    harness_postgres_start(*state);
    pipeline_start_generator(&p, NULL);
    check_complete(&p, &submission, 1);
    pipeline_stop(&p);
}

static void a_second_signal_ends_at_once(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    base_sha256 submission = pipeline_submit(&p, "held");
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", 1);
    harness_process_signal(p.generator, SIGTERM);
    BASE_CLEANUP(free) char *stopping = harness_process_wait_line(p.generator, "service_stopping", PIPELINE_WAIT_MS);
    assert_non_null(stopping);
    int64_t asked_ms = base_monotonic_ms();
    harness_process_signal(p.generator, SIGTERM);
    assert_int_equal(harness_process_wait(p.generator, PIPELINE_WAIT_MS), 1);
    assert_in_range(base_monotonic_ms() - asked_ms, 0, END_MS);
    pipeline_unlock(&p, lock);
    pipeline_start_generator(&p, NULL);
    check_complete(&p, &submission, 1);
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_kills_its_worker_is_quarantined_and_its_batch_mates_are_not),
        cmocka_unit_test(a_frozen_generator_that_wakes_up_writes_and_acks_nothing_of_what_it_lost),
        cmocka_unit_test(a_job_in_hand_for_longer_than_the_ack_wait_stays_where_it_is),
        cmocka_unit_test(wiped_streams_are_rebuilt_and_nothing_is_done_twice),
        cmocka_unit_test(a_backlog_without_a_publisher_is_not_put_back),
        cmocka_unit_test(more_work_than_one_sweep_takes_is_put_back_without_waiting_for_the_next),
        cmocka_unit_test(outbox_rows_left_by_a_crash_are_published_in_order),
        cmocka_unit_test(outbox_rows_that_no_server_takes_hold_nobody_up),
        cmocka_unit_test(a_message_as_large_as_the_server_takes_gets_its_dead_letter),
        cmocka_unit_test(a_result_that_the_store_refuses_fails_alone_and_ends_rejected),
        cmocka_unit_test(what_is_pending_for_too_long_expires_and_can_be_replayed_without_headers),
        cmocka_unit_test(a_rejected_job_starts_afresh_when_its_message_is_replayed_from_the_stream),
        cmocka_unit_test(a_stop_during_an_outage_ends_in_time),
        cmocka_unit_test(a_second_signal_ends_at_once),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
