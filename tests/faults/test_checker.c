/* The checker can fail: each promise is broken by hand, and it says so, in words, with the id, and says nothing else. */
#include "base/hex.h"
#include "broker/consumer.h"
#include "scene.h"
#include "wire/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NUMBER_MAX = 24 };

static void what_was_done_in_order_pleases_the_checker(void **state)
{
    const scene *s = *state;
    checker_options options = scene_options(s);
    checker_report report = scene_check(s, &options);
    assert_int_equal(report.violation_count, 0);
    assert_int_equal(report.submissions, SCENE_GOOD + SCENE_FORGED);
    assert_int_equal(report.complete, SCENE_GOOD);
    assert_int_equal(report.rejected, SCENE_FORGED);
    assert_int_equal(report.pending, 0);
    assert_int_equal(report.jobs, 2 * SCENE_GOOD + 2 * SCENE_FORGED + SCENE_GARBAGE);
    assert_int_equal(report.events, 3 * SCENE_GOOD + 4 * SCENE_FORGED);
    assert_int_equal(report.letters, 2 * SCENE_FORGED + SCENE_GARBAGE);
    assert_int_equal(report.proofs, SCENE_GOOD);
    assert_int_equal(report.transactions, SCENE_GOOD);
    checker_report_done(&report);
}

typedef struct taker {
    broker_consumer *consumer;
    broker_verdict verdict;
} taker;

static void settle_and_stop(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    const taker *t = ctx;
    (void)jobs;
    for (size_t i = 0; i < count; i++)
        settlements[i].verdict = t->verdict;
    broker_consumer_stop(t->consumer);
}

/* Has the next message of a durable delivered, and settles it so. */
static void take_next(const scene *s, const char *durable, broker_verdict verdict)
{
    base_error err = {0};
    taker t = {.verdict = verdict};
    const broker_consumer_options options = {
        .stream = s->pipeline.names.stream_jobs, .durable = durable, .batch = 1, .handler = settle_and_stop, .ctx = &t};
    assert_int_equal(broker_consumer_new(s->pipeline.broker, &options, &t.consumer, &err), BASE_OK);
    broker_consumer_run(t.consumer, NULL);
    broker_consumer_free(t.consumer);
}

/* A message of a submission that is complete, sent again, is settled without effect; nobody is there to do so. */
static void a_message_that_nobody_settles_is_reported(void **state)
{
    const scene *s = *state;
    const struct {
        const char *subject, *durable, *name;
    } CASES[] = {
        {s->pipeline.names.subject_generate, BROKER_DURABLE_GENERATOR, "durable " BROKER_DURABLE_GENERATOR},
        {s->pipeline.names.subject_publish, BROKER_DURABLE_PUBLISHER, "durable " BROKER_DURABLE_PUBLISHER},
    };
    for (size_t i = 0; i < 2; i++) {
        BASE_CLEANUP(broker_stored_done) broker_stored job = {0};
        base_error err = {0};
        const char *stream = s->pipeline.names.stream_jobs;
        assert_int_equal(broker_stream_next(s->pipeline.broker, stream, 1, CASES[i].subject, &job, &err), BASE_OK);
        uint64_t sequence = scene_put_back(s, &job);
        scene_expect(s, CHECKER_JOBS_UNSETTLED, CASES[i].name, "1 messages not delivered and 0 not settled");
        checker_options options = scene_options(s);
        options.allow_pending = true;
        scene_expect_report(scene_check(s, &options), NULL, 0);
        take_next(s, CASES[i].durable, BROKER_LEAVE);
        scene_expect(s, CHECKER_JOBS_UNSETTLED, CASES[i].name, "0 messages not delivered and 1 not settled");
        scene_expect_report(scene_check(s, &options), NULL, 0);
        take_next(s, CASES[i].durable, BROKER_DONE); /* once the ack wait is over */
        scene_expect(s, CHECKER_KINDS, "", "");
        scene_delete(s, stream, sequence);
    }
}

static void an_accepted_submission_without_a_row_is_lost(void **state)
{
    scene *s = *state;
    base_sha256 lost = pipeline_submit(&s->pipeline, "nobody will ever see me");
    char words[64];
    broker_stream_state jobs;
    base_error err = {0};
    assert_int_equal(broker_stream_read_state(s->pipeline.broker, s->pipeline.names.stream_jobs, &jobs, &err), BASE_OK);
    snprintf(words, sizeof(words), "job message %llu", (unsigned long long)jobs.last_sequence);
    SCENE_EXPECT_ALL(s, {CHECKER_SUBMISSION_LOST, base_sha256_hex(&lost).text, words},
                     {CHECKER_JOBS_UNSETTLED, "durable generator", ""});
    scene_delete(s, s->pipeline.names.stream_jobs, jobs.last_sequence);
}

static void a_submission_that_is_not_at_its_end_is_reported(void **state)
{
    const scene *s = *state;
    base_hex32 id = base_sha256_hex(&s->good[3]);
    scene_sql(s, &s->good[3], "UPDATE submissions SET status = 'proof_publishing' WHERE sha256_hash = '%s'");
    SCENE_EXPECT_ALL(s, {CHECKER_NOT_TERMINAL, id.text, "still proof_publishing"},
                     {CHECKER_ROW_NOT_AS_EVENTS, id.text, "says proof_publishing, its last event complete"});
    scene_sql(s, &s->good[3],
              "UPDATE submissions SET event_sequence = 4, transaction_id = NULL WHERE sha256_hash = '%s'");
    checker_options options = scene_options(s);
    options.allow_pending = true; /* its next event waits in the outbox */
    scene_expect_report(scene_check(s, &options), NULL, 0);
    scene_restore_tables(s);
}

static void a_row_with_a_hash_that_is_none_is_reported(void **state)
{
    const scene *s = *state;
    scene_sql(s, NULL, "INSERT INTO submissions (sha256_hash, status) VALUES ('elsewhere', 'complete')");
    scene_expect(s, CHECKER_ROW_UNREADABLE, "\"elsewhere\"", "no SHA-256");
    scene_restore_tables(s);
}

static void a_gap_in_the_events_is_reported(void **state)
{
    const scene *s = *state;
    const char *stream = s->pipeline.names.stream_events;
    base_hex32 id = base_sha256_hex(&s->good[5]);
    const struct {
        wire_status status;
        const char *words;
    } CASES[] = {{WIRE_STATUS_PROOF_GENERATION, "event 1 of"},
                 {WIRE_STATUS_PROOF_PUBLISHING, "event 2 of"},
                 {WIRE_STATUS_COMPLETE, "counts 3 events, and the last in the stream is 2"}};
    for (size_t i = 0; i < 3; i++) {
        BASE_CLEANUP(broker_stored_done) broker_stored event = {0};
        scene_take(s, stream, scene_find_event(s, &s->good[5], CASES[i].status), &event);
        scene_expect(s, CHECKER_EVENT_MISSING, id.text, CASES[i].words);
        scene_put_back(s, &event); /* at the end of the stream: the order of numbers counts, not that of arrival */
        scene_expect(s, CHECKER_KINDS, "", "");
    }
}

/* What was told before JetStream was wiped is gone for good; what came after it is whole. */
static void events_that_went_with_a_wiped_stream_are_forgiven_and_no_others(void **state)
{
    const scene *s = *state;
    const char *stream = s->pipeline.names.stream_events;
    broker_stored events[3] = {0};
    for (size_t i = 0; i < 3; i++)
        scene_take(s, stream, scene_find_event(s, &s->good[4], (wire_status)(WIRE_STATUS_PROOF_GENERATION + i)),
                   &events[i]);
    checker_options options = scene_options(s);
    options.streams_were_lost = true;
    scene_expect_report(scene_check(s, &options), NULL, 0);
    uint64_t last = scene_put_back(s, &events[2]);
    scene_expect_report(scene_check(s, &options), NULL, 0);
    scene_put_back(s, &events[0]); /* so that only the second is missing, which no wipe can do */
    const scene_violation expected = {CHECKER_EVENT_MISSING, base_sha256_hex(&s->good[4]).text, "event 2 of"};
    scene_expect_report(scene_check(s, &options), &expected, 1);
    scene_put_back(s, &events[1]);
    scene_delete(s, stream, last);
    const scene_violation end = {CHECKER_EVENT_MISSING, base_sha256_hex(&s->good[4]).text,
                                 "the last in the stream is 2"};
    scene_expect_report(scene_check(s, &options), &end, 1);
    scene_put_back(s, &events[2]);
    for (size_t i = 0; i < 3; i++)
        broker_stored_done(&events[i]);
}

static void an_event_told_twice_is_counted_and_one_told_differently_is_reported(void **state)
{
    const scene *s = *state;
    const char *stream = s->pipeline.names.stream_events;
    base_error err = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored event = {0};
    uint64_t sequence = scene_find_event(s, &s->good[6], WIRE_STATUS_PROOF_PUBLISHING);
    assert_int_equal(broker_stream_get(s->pipeline.broker, stream, sequence, &event, &err), BASE_OK);
    uint64_t again = scene_put_back(s, &event);
    checker_options options = scene_options(s);
    checker_report report = scene_check(s, &options);
    assert_int_equal(report.violation_count, 0);
    assert_int_equal(report.duplicate_events, 1);
    checker_report_done(&report);
    scene_delete(s, stream, again);

    wire_status_changed change;
    assert_int_equal(wire_status_changed_decode(base_buffer_view(&event.payload), &change, &err), BASE_OK);
    change.occurred_unix_ms++;
    uint64_t other = scene_store_event(s, &change);
    scene_expect(s, CHECKER_EVENT_CONTRADICTED, base_sha256_hex(&s->good[6]).text, "event 2 of");
    scene_delete(s, stream, other);
}

static void an_event_that_cannot_be_true_is_reported(void **state)
{
    const scene *s = *state;
    const char *stream = s->pipeline.names.stream_events;
    char subject[256], words[64];
    base_hex32 id = base_sha256_hex(&s->good[7]);
    snprintf(subject, sizeof(subject), "%s.%s.complete", s->pipeline.names.subject_events, id.text);
    uint64_t sequence = scene_store(s, subject, base_bytes_of("nonsense", 8), NULL, 0);
    snprintf(words, sizeof(words), "event message %llu", (unsigned long long)sequence);
    scene_expect(s, CHECKER_EVENT_UNREADABLE, id.text, words);
    scene_delete(s, stream, sequence);

    BASE_CLEANUP(broker_stored_done) broker_stored event = {0};
    scene_take(s, stream, scene_find_event(s, &s->good[7], WIRE_STATUS_PROOF_GENERATION), &event);
    uint64_t misplaced = scene_store(s, subject, base_buffer_view(&event.payload), NULL, 0);
    scene_expect(s, CHECKER_EVENT_UNREADABLE, id.text, "belongs on");
    scene_delete(s, stream, misplaced);
    scene_put_back(s, &event);
}

static void events_of_a_submission_that_does_not_exist_are_reported(void **state)
{
    const scene *s = *state;
    const wire_status_changed event = {.sha256 = {{1, 2, 3}}, .sequence = 1, .status = WIRE_STATUS_PROOF_GENERATION};
    uint64_t sequence = scene_store_event(s, &event);
    scene_expect(s, CHECKER_EVENT_OF_NOBODY, base_sha256_hex(&event.sha256).text, "does not exist");
    scene_delete(s, s->pipeline.names.stream_events, sequence);
}

static void a_step_that_no_submission_may_take_is_reported(void **state)
{
    const scene *s = *state;
    base_hex32 id = base_sha256_hex(&s->good[8]);
    wire_status_changed event = {.sha256 = s->good[8],
                                 .sequence = 4,
                                 .status = WIRE_STATUS_PROOF_PUBLISHING,
                                 .previous_status = WIRE_STATUS_COMPLETE};
    uint64_t sequence = scene_store_event(s, &event);
    SCENE_EXPECT_ALL(s, {CHECKER_HISTORY_ILLEGAL, id.text, "from complete to proof_publishing with event 4"},
                     {CHECKER_ROW_NOT_AS_EVENTS, id.text, "counts 3 events, and the last in the stream is 4"});
    scene_delete(s, s->pipeline.names.stream_events, sequence);
    wire_status_changed rejection = {.sha256 = s->good[8],
                                     .sequence = 4,
                                     .status = WIRE_STATUS_REJECTED,
                                     .previous_status = WIRE_STATUS_COMPLETE,
                                     .reason_code = "node_refused"}; /* only a lost transaction ends a completion */
    sequence = scene_store_event(s, &rejection);
    SCENE_EXPECT_ALL(s, {CHECKER_HISTORY_ILLEGAL, id.text, "from complete to rejected with event 4"},
                     {CHECKER_ROW_NOT_AS_EVENTS, id.text, "counts 3 events, and the last in the stream is 4"},
                     {CHECKER_LETTER_MISSING, id.text, "event 4, node_refused"});
    scene_delete(s, s->pipeline.names.stream_events, sequence);
    memcpy(rejection.reason_code, "transaction_lost", sizeof("transaction_lost"));
    sequence = scene_store_event(s, &rejection); /* a legal step, but for what should stand beside it */
    SCENE_EXPECT_ALL(s, {CHECKER_ROW_NOT_AS_EVENTS, id.text, "counts 3 events, and the last in the stream is 4"},
                     {CHECKER_LETTER_MISSING, id.text, "event 4, transaction_lost"});
    scene_delete(s, s->pipeline.names.stream_events, sequence);
    event.previous_status = WIRE_STATUS_REJECTED; /* and it denies what was said before */
    sequence = scene_store_event(s, &event);
    scene_sql(s, &s->good[8], "UPDATE submissions SET event_sequence = 4 WHERE sha256_hash = '%s'");
    SCENE_EXPECT_ALL(s, {CHECKER_HISTORY_ILLEGAL, id.text, "from complete"},
                     {CHECKER_EVENT_CONTRADICTED, id.text, "says that it was rejected before, and it was complete"},
                     {CHECKER_ROW_NOT_AS_EVENTS, id.text, "says complete, its last event proof_publishing"});
    scene_delete(s, s->pipeline.names.stream_events, sequence);
    scene_restore_tables(s);
}

static void a_row_that_tells_another_reason_than_its_event_is_reported(void **state)
{
    const scene *s = *state;
    scene_sql(s, &s->forged[0], "UPDATE submissions SET reason_code = 'expired' WHERE sha256_hash = '%s'");
    scene_expect(s, CHECKER_ROW_NOT_AS_EVENTS, base_sha256_hex(&s->forged[0]).text, "reason expired");
    scene_restore_tables(s);
}

static void a_rejected_submission_that_landed_is_reported(void **state)
{
    const scene *s = *state;
    base_hex32 id = base_sha256_hex(&s->good[9]);
    scene_sql(s, &s->good[9],
              "UPDATE submissions SET status = 'rejected', reason_code = 'quarantined' WHERE sha256_hash = '%s'");
    SCENE_EXPECT_ALL(s, {CHECKER_LANDED_THOUGH_REJECTED, id.text, "quarantined"},
                     {CHECKER_ROW_NOT_AS_EVENTS, id.text, "says rejected, its last event complete"},
                     {CHECKER_LETTER_MISSING, id.text, "quarantined"});
    scene_restore_tables(s);
}

static void a_proof_that_is_missing_corrupt_or_of_nobody_is_reported(void **state)
{
    const scene *s = *state;
    base_hex32 id = base_sha256_hex(&s->good[10]);
    scene_sql(s, &s->good[10], "DELETE FROM proofs WHERE sha256_hash = '%s'");
    scene_expect(s, CHECKER_PROOF_MISSING, id.text, "complete, and has no proof");
    scene_restore_tables(s);
    scene_sql(s, &s->good[10], "UPDATE submissions SET proofs_generated = 0 WHERE sha256_hash = '%s'");
    scene_expect(s, CHECKER_PROOF_MISSING, id.text, "no proof was ever made");
    scene_restore_tables(s);
    scene_sql(s, &s->good[10],
              "UPDATE proofs SET blob = set_byte(blob, 9, get_byte(blob, 9) # 1) WHERE sha256_hash = '%s'");
    scene_expect(s, CHECKER_PROOF_CORRUPT, id.text, "does not have its digest");
    scene_restore_tables(s);
    const base_sha256 nobody = {{7}};
    scene_sql(s, &nobody,
              "INSERT INTO proofs SELECT '%s', format, digest, public_key, blob, 1, now() FROM proofs LIMIT 1");
    scene_expect(s, CHECKER_PROOF_OF_NOBODY, base_sha256_hex(&nobody).text, "does not exist");
    scene_restore_tables(s);
}

/* Blob and digest of another submission agree with each other, but not with what was paid for. */
static void a_proof_that_was_exchanged_after_it_was_anchored_is_reported(void **state)
{
    const scene *s = *state;
    scene_sql(s, &s->good[11],
              "UPDATE proofs p SET blob = o.blob, digest = o.digest FROM (SELECT blob, digest FROM proofs WHERE "
              "sha256_hash <> '%s' LIMIT 1) AS o WHERE p.sha256_hash = (SELECT max(sha256_hash) FROM proofs)");
    BASE_CLEANUP(free)
    char *changed = harness_database_query(&s->pipeline.database, "SELECT max(sha256_hash) FROM proofs");
    scene_expect(s, CHECKER_ANCHORS_OTHER_PROOF, changed, "does not anchor the stored proof");
    scene_restore_tables(s);
}

static void a_submission_proved_more_than_once_is_reported(void **state)
{
    const scene *s = *state;
    scene_sql(s, &s->good[12], "UPDATE submissions SET proofs_generated = 2 WHERE sha256_hash = '%s'");
    scene_expect(s, CHECKER_PROVED_MORE_THAN_ONCE, base_sha256_hex(&s->good[12]).text, "2 times, with 0 rejections");
    checker_options options = scene_options(s);
    options.replays_allowed = 1; /* allowed, but there was nothing to replay */
    const scene_violation expected = {CHECKER_PROVED_MORE_THAN_ONCE, base_sha256_hex(&s->good[12]).text, ""};
    scene_expect_report(scene_check(s, &options), &expected, 1);
    scene_restore_tables(s);
    scene_sql(s, &s->forged[1], "UPDATE submissions SET proofs_generated = 2 WHERE sha256_hash = '%s'");
    scene_expect_report(scene_check(s, &options), NULL, 0); /* this one was rejected and redriven */
    scene_restore_tables(s);
}

static void an_outbox_row_left_behind_is_reported(void **state)
{
    const scene *s = *state;
    scene_sql(s, NULL, "INSERT INTO outbox (subject, message_id, headers, payload) VALUES ('x', 'young', '', '')");
    scene_expect(s, CHECKER_KINDS, "", "");
    scene_sql(s, NULL,
              "INSERT INTO outbox (subject, message_id, headers, payload, created_at) "
              "VALUES ('x', 'forgotten.2', '', '', now() - interval '1 minute')");
    scene_expect(s, CHECKER_OUTBOX_STALE, "forgotten.2", "has been waiting for 6");
    scene_restore_tables(s);
}

static void a_rejection_without_its_dead_letter_is_reported(void **state)
{
    const scene *s = *state;
    base_hex32 id = base_sha256_hex(&s->forged[2]);
    const char *stream = s->pipeline.names.stream_dead;
    BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
    scene_take(s, stream, scene_find_letter(s, WIRE_HEADER_DEAD_SHA256, id.text), &letter);
    scene_expect(s, CHECKER_LETTER_MISSING, id.text, "invalid_signature");
    letter.payload.data[letter.payload.size / 2] ^= 1; /* somewhere in the evidence */
    uint64_t forged = scene_put_back(s, &letter);
    scene_expect(s, CHECKER_LETTER_WRONG, id.text, "does not hold the bytes of job message");
    scene_delete(s, stream, forged);
    size_t size = letter.payload.size;
    letter.payload.data[size / 2] ^= 1;
    letter.payload.size = 0;
    forged = scene_put_back(s, &letter);
    SCENE_EXPECT_ALL(s, {CHECKER_LETTER_WRONG, id.text, "no generate job of that submission"},
                     {CHECKER_LETTER_WRONG, id.text, "does not hold the bytes of job message"});
    scene_delete(s, stream, forged);
    letter.payload.size = size;
    scene_put_back(s, &letter);
}

static void an_unreadable_message_without_its_dead_letter_is_reported(void **state)
{
    const scene *s = *state;
    const char *stream = s->pipeline.names.stream_dead;
    for (size_t i = 0; i < SCENE_GARBAGE; i++) {
        char number[NUMBER_MAX], words[NUMBER_MAX + 16];
        BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
        snprintf(number, sizeof(number), "%llu", (unsigned long long)s->garbage[i]);
        snprintf(words, sizeof(words), "job message %s", number);
        scene_take(s, stream, scene_find_letter(s, WIRE_HEADER_DEAD_SEQUENCE, number), &letter);
        scene_expect(s, CHECKER_LETTER_MISSING, words, "no dead letter tells of it");
        uint64_t again = scene_put_back(s, &letter);
        scene_expect(s, CHECKER_KINDS, "", "");
        scene_delete(s, stream, again);
        broker_stored other = letter;
        other.payload = (base_buffer){.data = (uint8_t *)"others", .size = 6};
        uint64_t wrong = scene_put_back(s, &other);
        scene_expect(s, CHECKER_LETTER_WRONG, words, "does not hold the bytes");
        scene_delete(s, stream, wrong);
        scene_put_back(s, &letter);
    }
}

static void a_dead_letter_of_a_rejection_that_never_was_is_reported(void **state)
{
    const scene *s = *state;
    BASE_CLEANUP(broker_stored_done) broker_stored job = {0};
    base_error err = {0};
    assert_int_equal(broker_stream_get(s->pipeline.broker, s->pipeline.names.stream_jobs, 1, &job, &err), BASE_OK);
    wire_generate_proof message;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    assert_int_equal(wire_generate_proof_decode(base_buffer_view(&job.payload), &message, &owner, &err), BASE_OK);
    base_hex32 id = base_sha256_hex(&message.sha256);
    const broker_header headers[] = {{WIRE_HEADER_DEAD_STAGE, "generate"},
                                     {WIRE_HEADER_DEAD_REASON_CODE, "proving_failed"},
                                     {WIRE_HEADER_DEAD_SEQUENCE, "1"},
                                     {WIRE_HEADER_DEAD_SHA256, id.text}};
    char subject[BROKER_NAME_MAX + 16];
    snprintf(subject, sizeof(subject), "%s.generate", s->pipeline.names.subject_dead);
    uint64_t sequence = scene_store(s, subject, base_buffer_view(&job.payload), headers, 4);
    scene_expect(s, CHECKER_LETTER_OF_NOBODY, id.text, "proving_failed");
    scene_delete(s, s->pipeline.names.stream_dead, sequence);
}

static void a_transaction_row_that_contradicts_the_chain_is_reported(void **state)
{
    const scene *s = *state;
    base_hex32 id = base_sha256_hex(&s->good[13]);
    const struct {
        const char *sql, *words;
    } CASES[] = {
        {"UPDATE transactions SET state = 'abandoned' WHERE submission = '%s'", "its row says abandoned"},
        {"UPDATE transactions SET state = 'failed' WHERE submission = '%s'", "its row says failed"},
        {"UPDATE transactions SET nonce = nonce + 1000 WHERE submission = '%s'", "by its row it has nonce 10"},
        {"DELETE FROM transactions WHERE submission = '%s'", "Postgres has no row of it"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        scene_sql(s, &s->good[13], CASES[i].sql);
        scene_expect(s, CHECKER_TRANSACTION_ROW_WRONG, id.text, CASES[i].words);
        scene_restore_tables(s);
    }
    scene_sql(s, &s->forged[3],
              "INSERT INTO transactions (hash, fee_payer, submission, nonce, fee_nanomina, payload, "
              "state) VALUES ('neverSent', 'x', '%s', 999, 1, '', 'accepted')");
    scene_expect(s, CHECKER_TRANSACTION_ROW_WRONG, "neverSent", "accepted by its row, and it is not on the chain");
    scene_sql(s, NULL, "UPDATE transactions SET state = 'committed' WHERE hash = 'neverSent'");
    scene_expect(s, CHECKER_TRANSACTION_ROW_WRONG, base_sha256_hex(&s->forged[3]).text, "can still be sent");
    scene_restore_tables(s);
}

#define CONTENT(test) cmocka_unit_test_setup_teardown(test, scene_check_content, scene_check_content)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTENT(what_was_done_in_order_pleases_the_checker),
        CONTENT(a_message_that_nobody_settles_is_reported),
        CONTENT(an_accepted_submission_without_a_row_is_lost),
        CONTENT(a_submission_that_is_not_at_its_end_is_reported),
        CONTENT(a_row_with_a_hash_that_is_none_is_reported),
        CONTENT(a_gap_in_the_events_is_reported),
        CONTENT(events_that_went_with_a_wiped_stream_are_forgiven_and_no_others),
        CONTENT(an_event_told_twice_is_counted_and_one_told_differently_is_reported),
        CONTENT(an_event_that_cannot_be_true_is_reported),
        CONTENT(events_of_a_submission_that_does_not_exist_are_reported),
        CONTENT(a_step_that_no_submission_may_take_is_reported),
        CONTENT(a_row_that_tells_another_reason_than_its_event_is_reported),
        CONTENT(a_rejected_submission_that_landed_is_reported),
        CONTENT(a_proof_that_is_missing_corrupt_or_of_nobody_is_reported),
        CONTENT(a_proof_that_was_exchanged_after_it_was_anchored_is_reported),
        CONTENT(a_submission_proved_more_than_once_is_reported),
        CONTENT(an_outbox_row_left_behind_is_reported),
        CONTENT(a_rejection_without_its_dead_letter_is_reported),
        CONTENT(an_unreadable_message_without_its_dead_letter_is_reported),
        CONTENT(a_dead_letter_of_a_rejection_that_never_was_is_reported),
        CONTENT(a_transaction_row_that_contradicts_the_chain_is_reported),
    };
    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
