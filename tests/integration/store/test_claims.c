/* Claims, commits and the outbox of the generate stage. */
#include "base/clock.h"
#include "ground.h"

#include "wire/headers.h"

#include <pthread.h>

static void a_new_submission_is_claimed_with_its_first_event(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const store_claim claim = ground_claim(g, 1, 10);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_int_equal(claim.status, WIRE_STATUS_NONE);
    assert_int_equal(claim.epoch, 1);
    assert_int_equal(claim.event_sequence, 1);
    assert_int_equal(claim.accepted_unix_ms, 1700000010000); /* when its message was stored */
    ground_expect(g, "SELECT status, attempt_open, generate_attempts, job_sequence, job_payload FROM submissions",
                  "proof_generation|t|1|10|\\x746865206a6f62");
    assert_int_equal(store_outbox_count(g->pending), 1);
    const store_outbox_row *row = store_outbox_at(g->pending, 0);
    char subject[128], id[128];
    snprintf(subject, sizeof(subject), "events.%s.proof_generation", ground_hash(1));
    snprintf(id, sizeof(id), "%s.1", ground_hash(1));
    assert_string_equal(row->subject, subject);
    assert_string_equal(row->message_id, id);
    assert_string_equal(ground_header(row, WIRE_HEADER_CONTENT_TYPE), WIRE_CONTENT_TYPE);
    assert_string_equal(ground_header(row, WIRE_HEADER_TYPE), WIRE_TYPE_STATUS_CHANGED);
    wire_status_changed event;
    base_error err = {0};
    ground_ok(wire_status_changed_decode(row->payload, &event, &err), &err);
    assert_int_equal(event.sequence, 1);
    assert_int_equal(event.status, WIRE_STATUS_PROOF_GENERATION);
    assert_int_equal(event.previous_status, WIRE_STATUS_NONE);
    assert_string_equal(event.correlation_id, "correlation-1");
}

static void an_open_attempt_is_suspect_until_it_is_claimed_alone_and_counts_as_a_crash(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)ground_claim(g, 1, 10);
    store_outbox_clear(g->pending);
    store_claim claim = ground_claim(g, 1, 10);
    assert_int_equal(claim.answer, STORE_SUSPECT);
    ground_expect(g, "SELECT epoch, crash_count FROM submissions", "1|0");
    claim = ground_claim_as(g, g->session, 1, 10, true);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_int_equal(claim.status, WIRE_STATUS_PROOF_GENERATION);
    assert_int_equal(claim.epoch, 2);
    assert_int_equal(claim.crashes, 1);
    assert_int_equal(claim.event_sequence, 1);
    assert_int_equal(store_outbox_count(g->pending), 0); /* no change of status, no event */
    assert_false(ground_commit(g, 1, 10, &claim, STORE_RELEASED));
    assert_int_equal(ground_claim(g, 1, 10).answer, STORE_SUSPECT); /* it has crashed before */
}

static void another_message_of_a_claimed_submission_is_answered(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)ground_claim(g, 1, 10);
    const store_claim claim = ground_claim(g, 1, 11);
    assert_int_equal(claim.answer, STORE_ANSWERED);
    assert_int_equal(claim.status, WIRE_STATUS_PROOF_GENERATION);
    ground_expect(g, "SELECT epoch, job_sequence FROM submissions", "1|10");
}

static void the_same_sequence_of_a_wiped_stream_is_another_message(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)ground_claim(g, 1, 10);
    const wire_generate_proof job = ground_job(1);
    const store_generate_request request = {&job, {10, 42}, base_bytes_of("x", 1)};
    store_claim claim = {0};
    base_error err = {0};
    ground_ok(store_generate_claim(g->session, &request, 1, STORE_CLAIM_ALONE, &claim, g->pending, &err), &err);
    assert_int_equal(claim.answer, STORE_ANSWERED);
}

static void a_success_stores_the_proof_and_commands_its_publication(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_generate(g, 1, 10);
    ground_expect(g,
                  "SELECT status, epoch, event_sequence, proofs_generated, attempt_open, job_sequence "
                  "FROM submissions",
                  "proof_publishing|1|2|1|f|0");
    ground_expect(g, "SELECT format, octet_length(digest), encode(blob, 'escape'), duration_ms FROM proofs",
                  "test-v1|32|a proof\\000|12");
    assert_int_equal(store_outbox_count(g->pending), 3);
    const store_outbox_row *command = store_outbox_at(g->pending, 2);
    char id[128];
    snprintf(id, sizeof(id), "%s.publish.1", ground_hash(1));
    assert_string_equal(command->subject, "jobs.publish");
    assert_string_equal(command->message_id, id);
    assert_string_equal(ground_header(command, WIRE_HEADER_TYPE), WIRE_TYPE_PUBLISH_PROOF);
    wire_publish_proof job;
    base_error err = {0};
    ground_ok(wire_publish_proof_decode(command->payload, &job, &err), &err);
    const wire_publish_proof expected = ground_command(1);
    assert_memory_equal(&job.proof_digest, &expected.proof_digest, sizeof(job.proof_digest));
    assert_string_equal(job.correlation_id, "correlation-1");
    assert_int_equal(job.submitted_unix_ms, 1700000000000);
    assert_int_equal(ground_claim(g, 1, 10).answer, STORE_ANSWERED);
}

static void a_retry_is_counted_and_a_release_is_not(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    store_claim claim = ground_claim(g, 1, 10);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_RETRY));
    claim = ground_claim(g, 1, 10);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_int_equal(claim.retries, 1);
    assert_int_equal(claim.crashes, 0);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_RELEASED));
    claim = ground_claim(g, 1, 10);
    assert_int_equal(claim.retries, 1);
    assert_int_equal(claim.crashes, 0);
    assert_int_equal(claim.epoch, 3);
    ground_expect(g, "SELECT reason_code, failure_reason, event_sequence FROM submissions",
                  "bad_luck|no luck ? today|1");
}

static void a_rejection_writes_the_event_and_a_dead_letter_with_the_original_bytes(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const store_claim claim = ground_claim(g, 1, 10);
    store_outbox_clear(g->pending);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_REJECTED));
    assert_int_equal(store_outbox_count(g->pending), 2);
    wire_status_changed event;
    base_error err = {0};
    ground_ok(wire_status_changed_decode(store_outbox_at(g->pending, 0)->payload, &event, &err), &err);
    assert_int_equal(event.sequence, 2);
    assert_string_equal(event.reason_code, "bad_luck");
    const store_outbox_row *dead = store_outbox_at(g->pending, 1);
    char id[128];
    snprintf(id, sizeof(id), "%s.dead.1", ground_hash(1));
    assert_string_equal(dead->subject, "dead.generate");
    assert_string_equal(dead->message_id, id);
    assert_int_equal(dead->payload.size, 12);
    assert_memory_equal(dead->payload.data, "the original", 12);
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_STAGE), "generate");
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_REASON_CODE), "bad_luck");
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_REASON), "no luck ? today");
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_SUBJECT), "jobs.from.here");
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_SEQUENCE), "10");
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_SHA256), ground_hash(1));
    assert_string_equal(ground_header(dead, WIRE_HEADER_DEAD_ATTEMPTS), "1");
    assert_non_null(ground_header(dead, WIRE_HEADER_DEAD_AT));
    assert_int_equal(ground_claim(g, 1, 10).answer, STORE_ANSWERED); /* by this very message */
}

static void a_rejected_submission_under_a_new_message_starts_afresh(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    store_claim claim = ground_claim(g, 1, 10);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_RETRY));
    claim = ground_claim(g, 1, 10);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_REJECTED));
    claim = ground_claim(g, 1, 50);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_int_equal(claim.status, WIRE_STATUS_REJECTED);
    assert_int_equal(claim.retries, 0);
    assert_int_equal(claim.event_sequence, 3); /* gap-free: generation, rejected, generation */
    assert_int_equal(claim.accepted_unix_ms, 1700000050000);
    ground_expect(g, "SELECT reason_code IS NULL, failed_at IS NULL FROM submissions", "t|t");
    ground_expect(g,
                  "SELECT string_agg(split_part(message_id, '.', 2), ' ' ORDER BY id) FROM outbox "
                  "WHERE subject LIKE 'events.%'",
                  "1 2 3");
}

static void a_later_claim_fences_the_earlier_one_which_then_writes_nothing(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    const store_claim first = ground_claim(g, 1, 10);
    const store_claim second = ground_claim_as(g, other, 1, 10, true);
    assert_int_equal(second.epoch, first.epoch + 1);
    store_outbox_clear(g->pending);
    assert_true(ground_commit(g, 1, 10, &first, STORE_SUCCEEDED));
    assert_int_equal(store_outbox_count(g->pending), 0);
    ground_expect(g, "SELECT (SELECT count(*) FROM proofs), (SELECT count(*) FROM outbox), status FROM submissions",
                  "0|1|proof_generation");
    assert_false(ground_commit_as(g, other, 1, 10, &second, STORE_SUCCEEDED));
    assert_true(ground_commit_as(g, other, 1, 10, &second, STORE_REJECTED)); /* ended once only */
}

static void one_fenced_job_does_not_hold_back_its_batch(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    wire_generate_proof jobs[3];
    store_generate_request requests[3];
    store_claim claims[3];
    for (unsigned i = 0; i < 3; i++) {
        jobs[i] = ground_job(9 - i);
        requests[i] = (store_generate_request){&jobs[i], {i + 1, i + 1}, base_bytes_of("job", 3)};
    }
    base_error err = {0};
    ground_ok(store_generate_claim(g->session, requests, 3, STORE_CLAIM_TOGETHER, claims, g->pending, &err), &err);
    claims[1].epoch = 0;
    store_generate_outcome outcomes[3];
    for (unsigned i = 0; i < 3; i++)
        outcomes[i] = (store_generate_outcome){.kind = i == 2 ? STORE_REJECTED : STORE_SUCCEEDED,
                                               .job = &jobs[i],
                                               .claim = &claims[i],
                                               .format = "f",
                                               .blob = base_bytes_of("b", 1),
                                               .failure = {.reason_code = "x", .reason = "y"}};
    bool fenced[3] = {true, false, true};
    store_outbox_clear(g->pending);
    ground_ok(store_generate_commit(g->session, outcomes, 3, fenced, g->pending, &err), &err);
    assert_false(fenced[0]);
    assert_true(fenced[1]);
    assert_false(fenced[2]);
    assert_int_equal(store_outbox_count(g->pending), 4);
    for (size_t i = 0; i < 4; i++) { /* the ids belong to just these rows */
        const store_outbox_row *row = store_outbox_at(g->pending, i);
        char sql[256];
        snprintf(sql, sizeof(sql), "SELECT message_id FROM outbox WHERE id = %lld", (long long)row->id);
        ground_expect(g, sql, row->message_id);
    }
    ground_expect(g, "SELECT string_agg(status, ' ' ORDER BY sha256_hash DESC) FROM submissions",
                  "proof_publishing proof_generation rejected");
}

static void one_submission_twice_in_a_batch_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const wire_generate_proof job = ground_job(1);
    const store_generate_request requests[2] = {{&job, {1, 1}, {0}}, {&job, {2, 2}, {0}}};
    store_claim claims[2];
    base_error err = {0};
    assert_int_equal(store_generate_claim(g->session, requests, 2, STORE_CLAIM_TOGETHER, claims, g->pending, &err),
                     BASE_INVALID);
}

static void a_row_awaiting_review_is_taken_over(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    char sql[256];
    snprintf(sql, sizeof(sql), "INSERT INTO submissions (sha256_hash, retry_count) VALUES ('%s', 2)", ground_hash(1));
    ground_run(g, sql);
    const store_claim claim = ground_claim(g, 1, 10);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_int_equal(claim.status, WIRE_STATUS_AWAITING_REVIEW);
    assert_int_equal(claim.retries, 0);
    assert_int_equal(claim.event_sequence, 1);
    assert_int_equal(store_outbox_count(g->pending), 1);
}

static void published_rows_leave_the_outbox_and_others_are_found_again(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    ground_generate(g, 1, 10);
    assert_int_equal(store_outbox_count(g->pending), 3);
    int64_t rows = -1, age = -1;
    ground_ok(store_outbox_backlog(g->session, &rows, &age, &err), &err);
    assert_int_equal(rows, 3);
    assert_true(age >= 0);
    ground_ok(store_outbox_delete(g->session, g->pending, 0, 1, &err), &err);
    BASE_CLEANUP(store_outbox_free) store_outbox *stale = NULL;
    ground_ok(store_outbox_new(&stale, &err), &err);
    bool more = true;
    ground_ok(store_outbox_find_stale(g->session, 3600000, 0, 10, stale, &more, &err), &err);
    assert_int_equal(store_outbox_count(stale), 0);
    ground_ok(store_outbox_find_stale(g->session, 0, 0, 10, stale, &more, &err), &err);
    assert_int_equal(store_outbox_count(stale), 2);
    for (size_t i = 0; i < 2; i++) {
        const store_outbox_row *found = store_outbox_at(stale, i), *kept = store_outbox_at(g->pending, i + 1);
        assert_int_equal(found->id, kept->id);
        assert_string_equal(found->message_id, kept->message_id);
        assert_string_equal(found->subject, kept->subject);
        assert_int_equal(found->header_count, kept->header_count);
        assert_string_equal(ground_header(found, WIRE_HEADER_TYPE), ground_header(kept, WIRE_HEADER_TYPE));
        assert_true(base_bytes_equal(found->payload, kept->payload));
    }
    ground_ok(store_outbox_delete(g->session, stale, 0, 2, &err), &err);
    ground_ok(store_outbox_backlog(g->session, &rows, &age, &err), &err);
    assert_int_equal(rows, 0);
    assert_int_equal(age, 0);
}

#define THREADS 4
#define JOBS    60
#define ROUNDS  15

typedef struct claimer {
    ground *g;
    unsigned seed;
    base_code code;
    base_error err;
} claimer;

/* Claims random overlapping sets, each thread as the redelivery of the same messages. */
static void *claim_at_random(void *arg)
{
    claimer *me = arg;
    BASE_CLEANUP(store_session_free) store_session *session = ground_session(me->g);
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = NULL;
    me->code = store_outbox_new(&pending, &me->err);
    for (int round = 0; round < ROUNDS && me->code == BASE_OK; round++) {
        wire_generate_proof jobs[JOBS];
        store_generate_request requests[JOBS];
        store_claim claims[JOBS];
        size_t count = 0;
        for (unsigned i = 0; i < JOBS; i++) {
            const unsigned number = round % 2 == 0 ? i : JOBS - 1 - i;
            if (rand_r(&me->seed) % 3 == 0)
                continue;
            jobs[count] = ground_job(number + (unsigned)round * 20);
            requests[count] = (store_generate_request){&jobs[count], {number + 1, 1}, base_bytes_of("job", 3)};
            count++;
        }
        me->code = store_generate_claim(session, requests, count, STORE_CLAIM_ALONE, claims, pending, &me->err);
    }
    return NULL;
}

static void claims_of_overlapping_sets_from_four_threads_do_not_deadlock(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    pthread_t threads[THREADS];
    claimer claimers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        claimers[i] = (claimer){.g = g, .seed = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, claim_at_random, &claimers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++)
        ground_ok(claimers[i].code, &claimers[i].err);
    ground_expect(g, "SELECT bool_and(event_sequence = 1 AND epoch = generate_attempts) FROM submissions", "t");
    ground_expect(g, "SELECT (SELECT count(*) FROM outbox) = (SELECT count(*) FROM submissions)", "t");
}

/* The pages of a sweep, as one string of row numbers: "1 2 3|4 5". */
static void expect_pages(const ground *g, int64_t min_age_ms, size_t limit, const char *expected)
{
    char pages[256] = "";
    size_t used = 0;
    int64_t after_id = 0;
    for (bool more = true; more;) {
        base_error err = {0};
        BASE_CLEANUP(store_outbox_free) store_outbox *page = NULL;
        ground_ok(store_outbox_new(&page, &err), &err);
        ground_ok(store_outbox_find_stale(g->session, min_age_ms, after_id, limit, page, &more, &err), &err);
        for (size_t i = 0; i < store_outbox_count(page); i++) {
            after_id = store_outbox_at(page, i)->id;
            used += (size_t)snprintf(pages + used, sizeof(pages) - used, "%s%s", i == 0 ? "" : " ",
                                     store_outbox_at(page, i)->message_id);
        }
        if (more)
            used += (size_t)snprintf(pages + used, sizeof(pages) - used, "|");
    }
    assert_string_equal(pages, expected);
}

static void stale_rows_come_in_pages_that_fit_into_memory(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g, "INSERT INTO outbox (subject, message_id, headers, payload) SELECT 's', n::text, '', "
                  "decode(repeat('aa', CASE WHEN n < 5 THEN 6 << 20 ELSE 1 END), 'hex') FROM generate_series(1, 8) n");
    expect_pages(g, 0, 100, "1 2 3|4 5 6 7 8"); /* 16 MiB are full with the third of 6 MiB */
    expect_pages(g, 0, 2, "1 2|3 4|5 6|7 8|");
}

static void rows_from_before_the_servers_clock_was_set_back_are_stale(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g, "INSERT INTO outbox (created_at, subject, message_id, headers, payload) VALUES "
                  "(now() + interval '2 hours', 's', 'before', '', ''), (now(), 's', 'fresh', '', ''), "
                  "(now() - interval '2 hours', 's', 'old', '', '')");
    expect_pages(g, 600000, 100, "before old");
}

static void a_jobs_age_is_told_by_the_clock_of_postgres(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const store_claim created = ground_claim(g, 1, 10);
    assert_in_range(created.age_ms, base_unix_ms() - 1700000010000 - 60000, base_unix_ms() - 1700000010000);
    ground_run(g, "UPDATE submissions SET accepted_at = now() - interval '1 hour', attempt_open = false");
    assert_in_range(ground_claim(g, 1, 10).age_ms, 3600000, 3660000);
    ground_generate(g, 2, 20);
    ground_run(g, "UPDATE submissions SET accepted_at = now() - interval '1 hour' WHERE status = 'proof_publishing'");
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, 2, 21, false);
    assert_in_range(store_publish_batch_at(batch, 0)->claim.age_ms, 3600000, 3660000);
}

/* The answer to the first claim was lost. */
static void a_claim_made_again_finds_its_own_attempt_and_counts_no_crash(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const wire_generate_proof job = ground_job(1);
    const store_generate_request request = {.job = &job, .identity = {10, 1700000010000000000}};
    store_claim claim = {0};
    for (int i = 0; i < 4; i++)
        ground_ok(store_generate_claim(g->session, &request, 1, STORE_CLAIM_AGAIN, &claim, g->pending, &err), &err);
    assert_int_equal(claim.answer, STORE_CLAIMED);
    assert_int_equal(claim.epoch, 4);
    assert_int_equal(claim.crashes, 0);
    ground_ok(store_generate_claim(g->session, &request, 1, STORE_CLAIM_TOGETHER, &claim, g->pending, &err), &err);
    assert_int_equal(claim.answer, STORE_SUSPECT);
    ground_ok(store_generate_claim(g->session, &request, 1, STORE_CLAIM_ALONE, &claim, g->pending, &err), &err);
    assert_int_equal(claim.crashes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_rows_come_in_pages_that_fit_into_memory),
        cmocka_unit_test(rows_from_before_the_servers_clock_was_set_back_are_stale),
        cmocka_unit_test(a_jobs_age_is_told_by_the_clock_of_postgres),
        cmocka_unit_test(a_claim_made_again_finds_its_own_attempt_and_counts_no_crash),
        cmocka_unit_test(a_new_submission_is_claimed_with_its_first_event),
        cmocka_unit_test(an_open_attempt_is_suspect_until_it_is_claimed_alone_and_counts_as_a_crash),
        cmocka_unit_test(another_message_of_a_claimed_submission_is_answered),
        cmocka_unit_test(the_same_sequence_of_a_wiped_stream_is_another_message),
        cmocka_unit_test(a_success_stores_the_proof_and_commands_its_publication),
        cmocka_unit_test(a_retry_is_counted_and_a_release_is_not),
        cmocka_unit_test(a_rejection_writes_the_event_and_a_dead_letter_with_the_original_bytes),
        cmocka_unit_test(a_rejected_submission_under_a_new_message_starts_afresh),
        cmocka_unit_test(a_later_claim_fences_the_earlier_one_which_then_writes_nothing),
        cmocka_unit_test(one_fenced_job_does_not_hold_back_its_batch),
        cmocka_unit_test(one_submission_twice_in_a_batch_is_refused),
        cmocka_unit_test(a_row_awaiting_review_is_taken_over),
        cmocka_unit_test(published_rows_leave_the_outbox_and_others_are_found_again),
        cmocka_unit_test(claims_of_overlapping_sets_from_four_threads_do_not_deadlock),
    };
    return cmocka_run_group_tests_name("store_claims", tests, ground_start, ground_end);
}
