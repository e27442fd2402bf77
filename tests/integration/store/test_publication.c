/* Claims and commits of the publish stage, and what readers see. */
#include "ground.h"

#include "wire/headers.h"

static void a_generated_submission_is_claimed_with_its_proof(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_generate(g, 1, 10);
    store_outbox_clear(g->pending);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, 1, 11, false);
    const store_publish_work *work = store_publish_batch_at(batch, 0);
    assert_int_equal(work->claim.answer, STORE_CLAIMED);
    assert_int_equal(work->claim.status, WIRE_STATUS_PROOF_PUBLISHING);
    assert_int_equal(work->claim.epoch, 2);
    assert_int_equal(work->claim.event_sequence, 2);
    assert_int_equal(work->claim.accepted_unix_ms, 1700000010000);
    assert_string_equal(work->proof_format, "test-v1");
    assert_int_equal(work->blob.size, 8);
    assert_memory_equal(work->blob.data, "a proof", 8);
    const wire_publish_proof command = ground_command(1);
    assert_memory_equal(&work->proof_digest, &command.proof_digest, sizeof(command.proof_digest));
    assert_int_equal(work->public_key_x[0], 0x11);
    assert_int_equal(work->public_key_y[31], 0x22);
    assert_string_equal(work->correlation_id, "correlation-1");
    assert_false(work->has_transaction);
    assert_int_equal(store_outbox_count(g->pending), 0);
    ground_expect(g, "SELECT publish_attempts, attempt_open, job_sequence FROM submissions", "1|t|11");
}

static void success_completes_and_keeps_or_clears_the_blob(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    for (unsigned number = 1; number <= 2; number++) {
        ground_generate(g, number, number * 10);
        BASE_CLEANUP(store_publish_batch_free)
        store_publish_batch *batch = ground_publish_claim(g, number, number * 10 + 1, false);
        const wire_publish_proof job = ground_command(number);
        store_publish_outcome outcome =
            ground_publish_outcome(&job, &store_publish_batch_at(batch, 0)->claim, number * 10 + 1, STORE_SUCCEEDED);
        outcome.drop_proof = number == 2;
        store_outbox_clear(g->pending);
        assert_false(ground_publish_commit(g, &outcome));
        assert_int_equal(store_outbox_count(g->pending), 1);
        wire_status_changed event;
        ground_ok(wire_status_changed_decode(store_outbox_at(g->pending, 0)->payload, &event, &err), &err);
        assert_int_equal(event.status, WIRE_STATUS_COMPLETE);
        assert_int_equal(event.sequence, 3);
        assert_string_equal(event.transaction_hash, "5JhashOfTransaction");

        store_submission submission;
        ground_ok(store_submission_get(g->session, &job.sha256, &submission, &err), &err);
        assert_int_equal(submission.status, WIRE_STATUS_COMPLETE);
        assert_string_equal(submission.transaction_id, "5JhashOfTransaction");
        assert_int_equal(submission.transaction_block_height, 77);
        assert_int_equal(submission.proofs_generated, 1);
        assert_int_equal(submission.publish_attempts, 1);
        assert_true(submission.verified_unix_ms > 0);
        assert_int_equal(submission.failed_unix_ms, 0);
        BASE_CLEANUP(store_proof_done) store_proof proof = {0};
        ground_ok(store_proof_load(g->session, &job.sha256, &proof, &err), &err);
        assert_int_equal(proof.blob.size, number == 2 ? 0 : 8);
        assert_int_equal(proof.public_key_x[0], 0x11);
    }
    ground_expect(g, "SELECT bool_and(job_payload IS NULL) FROM submissions", "t");
}

static void what_cannot_be_published_is_unknown_or_answered(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *none = ground_publish_claim(g, 1, 10, false);
    assert_int_equal(store_publish_batch_at(none, 0)->claim.answer, STORE_UNKNOWN);
    assert_int_equal(store_publish_batch_at(none, 0)->claim.status, WIRE_STATUS_NONE);

    (void)ground_claim(g, 2, 20); /* still generating */
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *early = ground_publish_claim(g, 2, 21, false);
    assert_int_equal(store_publish_batch_at(early, 0)->claim.answer, STORE_ANSWERED);

    ground_generate(g, 3, 30);
    wire_publish_proof old = ground_command(3);
    old.proof_digest.bytes[0] ^= 1;
    const store_publish_request request = {&old, {31, 31}};
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *older_life = NULL;
    base_error err = {0};
    ground_ok(store_publish_claim(g->session, &request, 1, STORE_CLAIM_TOGETHER, &older_life, g->pending, &err), &err);
    assert_int_equal(store_publish_batch_at(older_life, 0)->claim.answer, STORE_ANSWERED);

    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *mine = ground_publish_claim(g, 3, 32, false);
    assert_int_equal(store_publish_batch_at(mine, 0)->claim.answer, STORE_CLAIMED);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *other = ground_publish_claim(g, 3, 33, false);
    assert_int_equal(store_publish_batch_at(other, 0)->claim.answer, STORE_ANSWERED);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *suspect = ground_publish_claim(g, 3, 32, false);
    assert_int_equal(store_publish_batch_at(suspect, 0)->claim.answer, STORE_SUSPECT);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *alone = ground_publish_claim(g, 3, 32, true);
    assert_int_equal(store_publish_batch_at(alone, 0)->claim.answer, STORE_CLAIMED);
    assert_int_equal(store_publish_batch_at(alone, 0)->claim.crashes, 1);
}

/* Generates and rejects in the publish stage, under message sequence + 1. */
static void reject(ground *g, unsigned number, uint64_t sequence, bool drop_proof)
{
    ground_generate(g, number, sequence);
    BASE_CLEANUP(store_publish_batch_free)
    store_publish_batch *batch = ground_publish_claim(g, number, sequence + 1, false);
    const wire_publish_proof job = ground_command(number);
    store_publish_outcome outcome =
        ground_publish_outcome(&job, &store_publish_batch_at(batch, 0)->claim, sequence + 1, STORE_REJECTED);
    outcome.failure.drop_proof = drop_proof;
    assert_false(ground_publish_commit(g, &outcome));
}

static void a_rejected_publication_is_replayed_without_a_new_proof(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    reject(g, 1, 10, false);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *again = ground_publish_claim(g, 1, 11, false);
    assert_int_equal(store_publish_batch_at(again, 0)->claim.answer, STORE_ANSWERED); /* by this very message */
    store_outbox_clear(g->pending);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *replay = ground_publish_claim(g, 1, 40, false);
    const store_publish_work *work = store_publish_batch_at(replay, 0);
    assert_int_equal(work->claim.answer, STORE_CLAIMED);
    assert_int_equal(work->claim.status, WIRE_STATUS_REJECTED);
    assert_int_equal(work->claim.event_sequence, 4);
    assert_int_equal(work->claim.accepted_unix_ms, 1700000040000);
    assert_int_equal(work->blob.size, 8);
    assert_int_equal(store_outbox_count(g->pending), 1);
    wire_status_changed event;
    base_error err = {0};
    ground_ok(wire_status_changed_decode(store_outbox_at(g->pending, 0)->payload, &event, &err), &err);
    assert_int_equal(event.status, WIRE_STATUS_PROOF_PUBLISHING);
    assert_int_equal(event.previous_status, WIRE_STATUS_REJECTED);
    assert_int_equal(event.sequence, 4);
    ground_expect(g, "SELECT proofs_generated, job_payload IS NOT NULL FROM submissions", "1|t");
}

static void refuse_writes_of(const ground *g, unsigned number)
{
    char sql[512];
    snprintf(sql, sizeof(sql),
             "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'refused'; END$$; "
             "CREATE TRIGGER refuse BEFORE UPDATE ON submissions FOR EACH ROW WHEN (NEW.sha256_hash = '%s') "
             "EXECUTE FUNCTION refuse()",
             ground_hash(number));
    ground_run(g, sql);
}

/* Those that are no replays are claimed before: not to tell of that would make a crash of each. */
static void a_replay_that_postgres_refuses_leaves_the_rest_of_its_batch_claimed(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    reject(g, 1, 10, false);
    ground_generate(g, 2, 20);
    refuse_writes_of(g, 1);
    const wire_publish_proof replay = ground_command(1), fresh = ground_command(2);
    const store_publish_request both[] = {{&replay, {40, 40}}, {&fresh, {41, 41}}};
    store_outbox_clear(g->pending);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *together = NULL, *alone = NULL;
    ground_ok(store_publish_claim(g->session, both, 2, STORE_CLAIM_TOGETHER, &together, g->pending, &err), &err);
    assert_int_equal(store_publish_batch_at(together, 0)->claim.answer, STORE_SUSPECT);
    assert_int_equal(store_publish_batch_at(together, 1)->claim.answer, STORE_CLAIMED);
    assert_int_equal(store_publish_batch_at(together, 1)->blob.size, 8);
    assert_int_equal(store_outbox_count(g->pending), 0);
    assert_int_equal(store_publish_claim(g->session, both, 1, STORE_CLAIM_ALONE, &alone, g->pending, &err),
                     BASE_INTERNAL);
    ground_expect(g, "SELECT status, attempt_open, crash_count FROM submissions ORDER BY status",
                  "proof_publishing|t|0\nrejected|f|0");
}

static void a_rejection_that_drops_the_proof_leaves_nothing_to_replay(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    reject(g, 1, 10, true);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, 1, 40, false);
    assert_int_equal(store_publish_batch_at(batch, 0)->claim.answer, STORE_UNKNOWN);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *same = ground_publish_claim(g, 1, 11, false);
    assert_int_equal(store_publish_batch_at(same, 0)->claim.answer, STORE_ANSWERED);
    store_proof proof = {0};
    base_error err = {0};
    const wire_publish_proof job = ground_command(1);
    assert_int_equal(store_proof_load(g->session, &job.sha256, &proof, &err), BASE_NOT_FOUND);
    assert_int_equal(ground_claim(g, 1, 41).answer, STORE_CLAIMED); /* but it can be generated again */
}

static void one_batch_may_hold_every_answer(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    reject(g, 5, 10, false);
    ground_generate(g, 3, 20);
    wire_publish_proof jobs[4];
    store_publish_request requests[4];
    static const unsigned NUMBERS[] = {5, 7, 3, 2};
    for (unsigned i = 0; i < 4; i++) {
        jobs[i] = ground_command(NUMBERS[i]);
        requests[i] = (store_publish_request){&jobs[i], {100 + i, 1800000000000000000}};
    }
    (void)ground_claim(g, 2, 90);
    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = NULL;
    base_error err = {0};
    ground_ok(store_publish_claim(g->session, requests, 4, STORE_CLAIM_TOGETHER, &batch, g->pending, &err), &err);
    static const store_claim_answer EXPECTED[] = {STORE_CLAIMED, STORE_UNKNOWN, STORE_CLAIMED, STORE_ANSWERED};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(store_publish_batch_at(batch, i)->claim.answer, EXPECTED[i]);
    assert_string_equal(store_publish_batch_at(batch, 0)->correlation_id, "correlation-5");
    assert_int_equal(store_publish_batch_at(batch, 2)->blob.size, 8);
}

static void a_publication_keeps_its_proof_through_retries(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_generate(g, 1, 10);
    const wire_publish_proof job = ground_command(1);
    for (int retries = 0; retries < 3; retries++) {
        BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, 1, 11, false);
        const store_publish_work *work = store_publish_batch_at(batch, 0);
        assert_int_equal(work->claim.answer, STORE_CLAIMED);
        assert_int_equal(work->claim.retries, retries);
        const store_publish_outcome outcome = ground_publish_outcome(&job, &work->claim, 11, STORE_RETRY);
        assert_false(ground_publish_commit(g, &outcome));
        assert_true(ground_publish_commit(g, &outcome)); /* an attempt ends once */
    }
    ground_expect(g, "SELECT status, proofs_generated, retry_count, publish_attempts, event_sequence FROM submissions",
                  "proof_publishing|1|3|3|2");
}

static void submissions_are_counted_and_listed_newest_first(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    (void)ground_claim(g, 1, 10);
    ground_generate(g, 2, 20);
    reject(g, 3, 30, true);
    int64_t counts[STORE_STATUS_COUNT] = {0};
    ground_ok(store_submission_count(g->session, false, counts, &err), &err);
    assert_int_equal(counts[WIRE_STATUS_PROOF_GENERATION], 1);
    assert_int_equal(counts[WIRE_STATUS_PROOF_PUBLISHING], 1);
    assert_int_equal(counts[WIRE_STATUS_REJECTED], 0);
    ground_ok(store_submission_count(g->session, true, counts, &err), &err);
    assert_int_equal(counts[WIRE_STATUS_REJECTED], 1);

    store_submission list[5];
    size_t count = 0;
    ground_ok(store_submission_list(g->session, WIRE_STATUS_NONE, 0, 5, list, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_int_equal(list[0].sha256.bytes[1], 3);
    assert_int_equal(list[2].sha256.bytes[1], 1);
    assert_string_equal(list[0].reason_code, "node_says_no");
    assert_string_equal(list[0].failure_reason, "the node refused");
    ground_ok(store_submission_list(g->session, WIRE_STATUS_REJECTED, 0, 5, list, &count, &err), &err);
    assert_int_equal(count, 1);
    ground_ok(store_submission_list(g->session, WIRE_STATUS_NONE, 0, 2, list, &count, &err), &err);
    assert_int_equal(count, 2);
    ground_ok(store_submission_list(g->session, WIRE_STATUS_NONE, 1, 5, list, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_int_equal(store_submission_list(g->session, WIRE_STATUS_NONE, 0, STORE_BATCH_MAX + 1, list, &count, &err),
                     BASE_LIMIT);
    const wire_generate_proof unknown = ground_job(9);
    assert_int_equal(store_submission_get(g->session, &unknown.sha256, list, &err), BASE_NOT_FOUND);
    assert_non_null(strstr(err.message, ground_hash(9)));
}

/* Plans are made once, perhaps on empty tables; a bad one shows as reads of more rows than the batch has. */
static void the_cost_of_a_batch_does_not_grow_with_the_backlog(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    for (unsigned number = 1; number <= 20; number++)
        ground_generate(g, number, number);
    for (unsigned number = 1; number <= 10; number++) {
        BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, number, 99, false);
        const wire_publish_proof job = ground_command(number);
        const store_publish_outcome outcome =
            ground_publish_outcome(&job, &store_publish_batch_at(batch, 0)->claim, 99, STORE_SUCCEEDED);
        assert_false(ground_publish_commit(g, &outcome));
    }
    ground_hand_in_statistics(g);
    ground_expect(g, "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'submissions_pending'", "0");
    ground_expect(g, "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'submissions'", "0");
    /* Per generation a claim, a lock and two lookups; per publication two locks and two or three lookups. */
    ground_expect(g,
                  "SELECT idx_tup_read BETWEEN 1 AND 250 FROM pg_stat_user_indexes "
                  "WHERE indexrelname = 'submissions_sha256_hash_key'",
                  "t");
}

static void few_of_one_status_are_listed_without_reading_the_others(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    /* The statistics are of a time when all were pending. */
    ground_run(g, "INSERT INTO submissions (sha256_hash, status, created_at) SELECT encode(sha256(n::text::bytea), "
                  "'hex'), 'awaiting_review', to_timestamp(n) FROM generate_series(1, 1000) AS g (n); "
                  "ANALYZE submissions; UPDATE submissions SET status = CASE WHEN created_at <= to_timestamp(2) "
                  "THEN 'rejected' ELSE 'complete' END WHERE created_at NOT BETWEEN to_timestamp(3) AND "
                  "to_timestamp(4)");
    static const wire_status FEW[] = {WIRE_STATUS_REJECTED, WIRE_STATUS_AWAITING_REVIEW};
    base_error err = {0};
    store_submission list[20];
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        const int64_t newest_ms = 1000 * (2 * (int64_t)i + 2);
        ground_ok(store_submission_list(g->session, FEW[i], 0, 20, list, &count, &err), &err);
        assert_int_equal(count, 2);
        assert_int_equal(list[0].status, FEW[i]);
        assert_int_equal(list[0].created_unix_ms, newest_ms);
        assert_int_equal(list[1].created_unix_ms, newest_ms - 1000);
        ground_ok(store_submission_list(g->session, FEW[i], 0, 1, list, &count, &err), &err);
        assert_int_equal(count, 1);
        assert_int_equal(list[0].created_unix_ms, newest_ms);
        ground_ok(store_submission_list(g->session, FEW[i], newest_ms, 20, list, &count, &err), &err);
        assert_int_equal(count, 1);
        assert_int_equal(list[0].created_unix_ms, newest_ms - 1000);
    }
    ground_ok(store_submission_list(g->session, WIRE_STATUS_PROOF_GENERATION, 0, 20, list, &count, &err), &err);
    assert_int_equal(count, 0);
    ground_ok(store_submission_list(g->session, WIRE_STATUS_COMPLETE, 0, 20, list, &count, &err), &err);
    assert_int_equal(count, 20);
    assert_int_equal(list[0].created_unix_ms, 1000000);
    ground_hand_in_statistics(g);
    /* Those that are complete, each perhaps in two versions, and nothing for the others. */
    ground_expect(g,
                  "SELECT idx_tup_read BETWEEN 20 AND 50 FROM pg_stat_user_indexes "
                  "WHERE indexrelname = 'submissions_newest'",
                  "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generated_submission_is_claimed_with_its_proof),
        cmocka_unit_test(success_completes_and_keeps_or_clears_the_blob),
        cmocka_unit_test(what_cannot_be_published_is_unknown_or_answered),
        cmocka_unit_test(a_rejected_publication_is_replayed_without_a_new_proof),
        cmocka_unit_test(a_replay_that_postgres_refuses_leaves_the_rest_of_its_batch_claimed),
        cmocka_unit_test(a_rejection_that_drops_the_proof_leaves_nothing_to_replay),
        cmocka_unit_test(one_batch_may_hold_every_answer),
        cmocka_unit_test(a_publication_keeps_its_proof_through_retries),
        cmocka_unit_test(the_cost_of_a_batch_does_not_grow_with_the_backlog),
        cmocka_unit_test(submissions_are_counted_and_listed_newest_first),
        cmocka_unit_test(few_of_one_status_are_listed_without_reading_the_others),
    };
    return cmocka_run_group_tests_name("store_publication", tests, ground_start, ground_end);
}
