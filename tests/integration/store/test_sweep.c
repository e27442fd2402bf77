/* The sweeper: what JetStream lost comes back, what is too old ends. */
#include "ground.h"

#include "base/clock.h"
#include "wire/headers.h"

#define DAY_MS 86400000

/* Everything stored up to now is settled. */
static size_t requeue(ground *g, store_stage stage, int64_t settled_before_unix_ms, int64_t min_quiet_ms, size_t limit)
{
    size_t count = 99;
    base_error err = {0};
    store_outbox_clear(g->pending);
    ground_ok(
        store_sweep_requeue(g->session, stage, settled_before_unix_ms, min_quiet_ms, limit, g->pending, &count, &err),
        &err);
    assert_int_equal(store_outbox_count(g->pending), count);
    return count;
}

static void one_sweeper_at_a_time(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    ground_ok(store_sweep_acquire(g->session, &err), &err);
    ground_ok(store_sweep_acquire(g->session, &err), &err);
    assert_int_equal(store_sweep_acquire(other, &err), BASE_CONFLICT);
    ground_ok(store_sweep_release(g->session, &err), &err);
    ground_ok(store_sweep_acquire(other, &err), &err);
}

static void a_lost_job_is_sent_again_and_belongs_to_no_message(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    store_claim claim = ground_claim(g, 1, 10);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_RELEASED));
    const int64_t stored_ms = 1700000010000;
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, stored_ms, 0, 10), 0);          /* its message is not settled */
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, stored_ms + 1, DAY_MS, 10), 0); /* it is not quiet */
    assert_int_equal(requeue(g, STORE_STAGE_PUBLISH, stored_ms + 1, 0, 10), 0);       /* it is another stage's */
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, stored_ms + 1, 0, 10), 1);
    const store_outbox_row *row = store_outbox_at(g->pending, 0);
    char id[128];
    snprintf(id, sizeof(id), "%s.generate.2", ground_hash(1));
    assert_string_equal(row->message_id, id);
    assert_string_equal(row->subject, "jobs.generate");
    assert_int_equal(row->payload.size, 7);
    assert_memory_equal(row->payload.data, "the job", 7);
    assert_string_equal(ground_header(row, WIRE_HEADER_TYPE), WIRE_TYPE_GENERATE_PROOF);
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, stored_ms + 1, 0, 10), 0); /* covered by the new one */
    assert_true(ground_commit(g, 1, 10, &claim, STORE_SUCCEEDED));               /* fenced */
    claim = ground_claim(g, 1, 99);
    assert_int_equal(claim.answer, STORE_CLAIMED); /* by whichever message comes first */
    assert_int_equal(claim.epoch, 3);
    assert_int_equal(claim.accepted_unix_ms, stored_ms);
}

static void an_attempt_that_was_open_still_counts_as_a_crash_when_sent_again(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)ground_claim(g, 1, 10);
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, base_unix_ms(), 0, 10), 1);
    const store_claim claim = ground_claim_as(g, g->session, 1, 99, true);
    assert_int_equal(claim.crashes, 1);
}

static void a_retry_is_not_sent_again_before_it_is_due(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const store_claim claim = ground_claim(g, 1, 10);
    assert_false(ground_commit(g, 1, 10, &claim, STORE_RETRY)); /* due in an hour */
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, base_unix_ms(), 0, 10), 0);
    ground_run(g, "UPDATE submissions SET due_at = due_at - interval '61 minutes'");
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, base_unix_ms(), 0, 10), 1);
}

static void a_lost_publish_command_is_sent_again_as_it_was(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    for (unsigned number = 1; number <= 3; number++)
        ground_generate(g, number, number);
    BASE_CLEANUP(store_outbox_free) store_outbox *first = NULL;
    base_error err = {0};
    ground_ok(store_outbox_new(&first, &err), &err);
    bool more = false;
    ground_ok(store_outbox_find_stale(g->session, 0, 0, 100, first, &more, &err), &err);
    const int64_t later = base_unix_ms() + 1000;
    assert_int_equal(requeue(g, STORE_STAGE_PUBLISH, later, 0, 2), 2);
    assert_string_equal(store_outbox_at(g->pending, 0)->subject, "jobs.publish");
    for (size_t i = 0; i < store_outbox_count(first); i++) {
        const store_outbox_row *old = store_outbox_at(first, i), *new = store_outbox_at(g->pending, 0);
        if (strcmp(old->subject, "jobs.publish") == 0 && strncmp(old->message_id, new->message_id, 64) == 0) {
            assert_true(base_bytes_equal(old->payload, new->payload));
            assert_string_not_equal(old->message_id, new->message_id); /* or deduplication would swallow it */
            return;
        }
    }
    fail_msg("no command was sent at first");
}

static void what_is_pending_too_long_is_rejected_with_event_and_dead_letter(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const store_claim running = ground_claim(g, 1, 10);
    ground_generate(g, 2, 20);
    ground_run(g, "UPDATE submissions SET accepted_at = now() - interval '25 hours'");
    (void)ground_claim(g, 3, 30);
    ground_run(g, "UPDATE submissions SET accepted_at = now() WHERE job_sequence = 30");
    store_outbox_clear(g->pending);
    size_t expired = 0;
    ground_ok(store_sweep_expire(g->session, DAY_MS, 10, g->pending, &expired, &err), &err);
    assert_int_equal(expired, 2);
    assert_int_equal(store_outbox_count(g->pending), 4);
    ground_expect(g,
                  "SELECT string_agg(status || ' ' || coalesce(reason_code, '-'), ', ' ORDER BY sha256_hash) "
                  "FROM submissions",
                  "rejected expired, rejected expired, proof_generation -");
    size_t generate = 0, publish = 0;
    for (size_t i = 0; i < 4; i++) {
        const store_outbox_row *row = store_outbox_at(g->pending, i);
        if (strncmp(row->subject, "events.", 7) == 0) {
            wire_status_changed event;
            ground_ok(wire_status_changed_decode(row->payload, &event, &err), &err);
            assert_int_equal(event.status, WIRE_STATUS_REJECTED);
            assert_string_equal(event.reason_code, "expired");
            continue;
        }
        assert_string_equal(ground_header(row, WIRE_HEADER_DEAD_REASON_CODE), "expired");
        generate += strcmp(row->subject, "dead.generate") == 0 && row->payload.size == 7 ? 1 : 0;
        publish += strcmp(row->subject, "dead.publish") == 0 && row->payload.size > 7 ? 1 : 0;
    }
    assert_int_equal(generate, 1);
    assert_int_equal(publish, 1);
    assert_true(ground_commit(g, 1, 10, &running, STORE_SUCCEEDED)); /* too late */
    assert_int_equal(ground_claim(g, 1, 10).answer, STORE_ANSWERED);
    ground_ok(store_sweep_expire(g->session, DAY_MS, 10, g->pending, &expired, &err), &err);
    assert_int_equal(expired, 0);
}

static void an_old_copy_of_an_expired_job_does_not_bring_it_back(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    (void)ground_claim(g, 1, 10);
    assert_int_equal(requeue(g, STORE_STAGE_GENERATE, base_unix_ms(), 0, 10), 1);
    ground_run(g, "UPDATE submissions SET accepted_at = now() - interval '25 hours'");
    size_t expired = 0;
    ground_ok(store_sweep_expire(g->session, DAY_MS, 10, g->pending, &expired, &err), &err);
    assert_int_equal(expired, 1);
    assert_int_equal(ground_claim(g, 1, 11).answer, STORE_ANSWERED); /* stored before the end: no replay */
    const wire_generate_proof job = ground_job(1);
    const store_generate_request replay = {&job, {12, (base_unix_ms() + 1000) * 1000000}, base_bytes_of("job", 3)};
    store_claim claim = {0};
    ground_ok(store_generate_claim(g->session, &replay, 1, STORE_CLAIM_TOGETHER, &claim, g->pending, &err), &err);
    assert_int_equal(claim.answer, STORE_CLAIMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sweeper_at_a_time),
        cmocka_unit_test(a_lost_job_is_sent_again_and_belongs_to_no_message),
        cmocka_unit_test(an_attempt_that_was_open_still_counts_as_a_crash_when_sent_again),
        cmocka_unit_test(a_retry_is_not_sent_again_before_it_is_due),
        cmocka_unit_test(a_lost_publish_command_is_sent_again_as_it_was),
        cmocka_unit_test(what_is_pending_too_long_is_rejected_with_event_and_dead_letter),
        cmocka_unit_test(an_old_copy_of_an_expired_job_does_not_bring_it_back),
    };
    return cmocka_run_group_tests_name("store_sweep", tests, ground_start, ground_end);
}
