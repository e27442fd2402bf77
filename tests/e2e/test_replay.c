/* Messages that nobody expects, sent to running services: what they have answered long ago, once more and without its headers, and
 * what they can never answer. */
#include "harness/wait.h"
#include "pipeline.h"
#include "wire/headers.h"
#include "wire/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    COMPLETE = 4,
    GOOD = 3,                            /* submissions among the hostile messages */
    DELIVERIES_MAX = 3,                  /* of one message that can never be taken */
    OVERSIZE = WIRE_MESSAGE_MAX + 40000, /* the server takes it, with room for the facts of a dead letter */
};

static broker_durable_state read_durable(const pipeline *p, const char *durable)
{
    base_error err = {0};
    broker_durable_state state = {0};
    if (broker_durable_read_state(p->broker, p->names.stream_jobs, durable, &state, &err) != BASE_OK)
        harness_fail("durable %s: %s", durable, err.message);
    return state;
}

static broker_stored read_stored(const pipeline *p, const char *stream, uint64_t sequence)
{
    base_error err = {0};
    broker_stored stored = {0};
    if (broker_stream_get(p->broker, stream, sequence, &stored, &err) != BASE_OK)
        harness_fail("message %llu of %s: %s", (unsigned long long)sequence, stream, err.message);
    return stored;
}

typedef struct deliveries {
    const pipeline *pipeline;
    uint64_t generator, publisher; /* at least */
} deliveries;

static bool are_delivered(void *ctx)
{
    const deliveries *wanted = ctx;
    return read_durable(wanted->pipeline, BROKER_DURABLE_GENERATOR).deliveries >= wanted->generator &&
           read_durable(wanted->pipeline, BROKER_DURABLE_PUBLISHER).deliveries >= wanted->publisher;
}

/* As a plain tool does it: the bytes, on the subject that the message or the header of the dead letter names. */
static void republish(pipeline *p, const char *stream, uint64_t count, deliveries *sent)
{
    for (uint64_t sequence = 1; sequence <= count; sequence++) {
        BASE_CLEANUP(broker_stored_done) broker_stored stored = read_stored(p, stream, sequence);
        const char *origin = broker_stored_header(&stored, WIRE_HEADER_DEAD_SUBJECT);
        const char *subject = origin != NULL ? origin : stored.subject;
        bool generates = strcmp(subject, p->names.subject_generate) == 0;
        assert_true(generates || strcmp(subject, p->names.subject_publish) == 0);
        pipeline_publish_to(p, subject, base_buffer_view(&stored.payload));
        sent->generator += generates;
        sent->publisher += !generates;
    }
}

/* Every message that the streams hold now, once more; waits until the services are done with them. */
static void replay_everything(pipeline *p)
{
    uint64_t jobs = pipeline_messages(p, p->names.stream_jobs);
    uint64_t letters = pipeline_messages(p, p->names.stream_dead);
    deliveries sent = {p, read_durable(p, BROKER_DURABLE_GENERATOR).deliveries,
                       read_durable(p, BROKER_DURABLE_PUBLISHER).deliveries};
    republish(p, p->names.stream_jobs, jobs, &sent);
    republish(p, p->names.stream_dead, letters, &sent);
    if (!harness_wait_until(are_delivered, &sent, PIPELINE_WAIT_MS))
        harness_fail("what was published again was not delivered");
    pipeline_wait_settled(p);
}

/* A submission that the node refuses for good. */
static base_sha256 be_refused(pipeline *p, const char *seed)
{
    pipeline_fault(p, "{\"kind\":\"error\",\"text\":\"Invalid_signature\",\"on\":\"send\",\"next\":1}");
    base_sha256 submission = pipeline_submit(p, seed);
    pipeline_wait(p, &submission, WIRE_STATUS_REJECTED);
    pipeline_wait_settled(p);
    return submission;
}

/* The first one by way of a rejection, a dead letter and a redrive. */
static void complete_some(pipeline *p, base_sha256 submissions[COMPLETE])
{
    submissions[0] = be_refused(p, "redriven");
    BASE_CLEANUP(free) char *output = NULL;
    const char *const redrive[] = {"dead", "redrive", "--all", NULL};
    assert_int_equal(pipeline_proofctl(p, redrive, &output), 0);
    pipeline_submit_many(p, "complete", COMPLETE - 1, submissions + 1);
    for (size_t i = 0; i < COMPLETE; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
}

static void assert_untouched(const store_submission *before, const store_submission *after)
{
    assert_int_equal(after->status, WIRE_STATUS_COMPLETE);
    assert_int_equal(after->epoch, before->epoch);
    assert_int_equal(after->event_sequence, before->event_sequence);
    assert_int_equal(after->generate_attempts, before->generate_attempts);
    assert_int_equal(after->proofs_generated, before->proofs_generated);
    assert_int_equal(after->publish_attempts, before->publish_attempts);
    assert_int_equal(after->retries, before->retries);
    assert_int_equal(after->updated_unix_ms, before->updated_unix_ms);
    assert_string_equal(after->transaction_id, before->transaction_id);
}

/* The forged submission has one message in each stream: two replays, each a life of its own. */
static void assert_rejected_thrice(pipeline *p, const base_sha256 *forged, const store_submission *before)
{
    store_submission row = pipeline_get(p, forged);
    assert_int_equal(row.status, WIRE_STATUS_REJECTED);
    assert_string_equal(row.reason_code, "invalid_signature");
    assert_int_equal(row.epoch, before->epoch + 2);
    assert_int_equal(row.generate_attempts, before->generate_attempts + 2);
    assert_int_equal(row.proofs_generated, 0);
    BASE_CLEANUP(free) char *events = pipeline_events(p, forged);
    assert_string_equal(events, "proof_generation rejected proof_generation rejected proof_generation rejected");
}

static void messages_published_again_change_nothing_complete_and_start_the_rejected_afresh(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submissions[COMPLETE];
    store_submission before[COMPLETE];
    complete_some(&p, submissions);
    base_sha256 forged = pipeline_submit_forged(&p, "forged");
    store_submission rejected = pipeline_wait(&p, &forged, WIRE_STATUS_REJECTED);
    pipeline_wait_settled(&p);
    for (size_t i = 0; i < COMPLETE; i++)
        before[i] = pipeline_get(&p, &submissions[i]);
    int64_t sends = pipeline_sends_at_node(&p);
    assert_true(sends >= COMPLETE);
    int64_t transactions = pipeline_number(&p, "SELECT count(*) FROM transactions");
    uint64_t events = pipeline_messages(&p, p.names.stream_events);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 2); /* refused by the node, and forged */

    replay_everything(&p);
    for (size_t i = 0; i < COMPLETE; i++) {
        store_submission after = pipeline_get(&p, &submissions[i]);
        assert_untouched(&before[i], &after);
    }
    assert_rejected_thrice(&p, &forged, &rejected);
    assert_int_equal(pipeline_messages(&p, p.names.stream_events), events + 4);
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), 2 + 2);
    assert_int_equal(pipeline_number(&p, "SELECT count(*) FROM transactions"), transactions);
    assert_int_equal(pipeline_transactions_at_node(&p), COMPLETE);
    assert_int_equal(pipeline_sends_at_node(&p), sends);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = COMPLETE, .rejected = 1});
    pipeline_stop(&p);
}

/* Both its commands and its letter at once: whichever comes first, it is published once. */
static void a_rejected_publication_completes_when_all_its_messages_are_published_again(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 submission = be_refused(&p, "refused");
    store_submission before = pipeline_get(&p, &submission);
    replay_everything(&p);
    store_submission after = pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    assert_true(after.epoch > before.epoch);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1, .replays_allowed = 1});
    assert_int_equal(pipeline_transactions_at_node(&p), 1);
    pipeline_stop(&p);
}

static void append(base_buffer *ret, const void *data, size_t size)
{
    base_error err = {0};
    if (base_buffer_append(ret, base_bytes_of(data, size), &err) != BASE_OK)
        harness_fail("%s", err.message);
}

static void fill(base_buffer *ret, const char *unit, size_t size, size_t up_to)
{
    while (ret->size + size <= up_to)
        append(ret, unit, size);
}

static void write_other(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)own;
    append(ret, other.data, other.size);
}

static void write_nothing(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)own, (void)other, (void)ret;
}

static void write_cut(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size - 1);
}

/* The hash comes first: a tag, its length, its bytes. */
static void write_short_hash(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, "\x0a\x1f", 2);
    append(ret, own.data + 2, BASE_SHA256_SIZE - 1);
    append(ret, own.data + 2 + BASE_SHA256_SIZE, own.size - 2 - BASE_SHA256_SIZE);
}

/* A second hash, of 2^31-1 bytes. */
static void write_huge_length(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size);
    append(ret, "\x0a\xff\xff\xff\xff\x07 no more", 14);
}

/* A second correlation id: of a field that is given twice the later one counts. */
static void write_bad_utf8(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size);
    append(ret, "\x12\x02\xc3\x28", 4);
}

static void write_nul(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size);
    append(ret, "\x12\x02\x2d\x00", 4);
}

/* Group in group, none of which ends. */
static void write_groups(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size);
    fill(ret, "\xfb\x07", 2, WIRE_MESSAGE_MAX);
}

static void write_unknown_fields(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size);
    fill(ret, "\xf8\x07\x01", 3, WIRE_MESSAGE_MAX);
}

static void write_oversized(base_bytes own, base_bytes other, base_buffer *ret)
{
    (void)other;
    append(ret, own.data, own.size);
    fill(ret, "\xf8\x07\x01", 3, OVERSIZE);
}

/* What no stage can take, made of its own good message or of the other stage's; and a part of the reason given. */
typedef struct hostile {
    void (*write)(base_bytes own, base_bytes other, base_buffer *ret);
    const char *generator_says, *publisher_says;
} hostile;

static const hostile HOSTILE[] = {
    {write_other, "cannot be decoded as protobuf", "proof_format must"},
    {write_nothing, "sha256 must be 32 bytes, not 0", "sha256 must be 32 bytes, not 0"},
    {write_cut, "cannot be decoded as protobuf", "cannot be decoded as protobuf"},
    {write_short_hash, "sha256 must be 32 bytes, not 31", "sha256 must be 32 bytes, not 31"},
    {write_huge_length, "cannot be decoded as protobuf", "cannot be decoded as protobuf"},
    {write_bad_utf8, "correlation_id must be printable ASCII", "correlation_id must be printable ASCII"},
    {write_nul, "correlation_id must not contain the character NUL",
     "correlation_id must not contain the character NUL"},
    {write_groups, "cannot be decoded as protobuf", "cannot be decoded as protobuf"},
    {write_unknown_fields, "it has too many fields", "it has too many fields"},
    {write_oversized, "must be at most 1000000 bytes", "must be at most 1000000 bytes"},
};
enum { HOSTILE_COUNT = sizeof(HOSTILE) / sizeof(HOSTILE[0]), LETTERS = 2 * HOSTILE_COUNT };

/* One message sent, and what its dead letter must tell. */
typedef struct sent_message {
    uint64_t sequence;
    const char *stage, *subject, *reason;
    bool has_letter;
} sent_message;

static broker_stored first_on(const pipeline *p, const char *subject)
{
    base_error err = {0};
    broker_stored stored = {0};
    if (broker_stream_next(p->broker, p->names.stream_jobs, 1, subject, &stored, &err) != BASE_OK)
        harness_fail("%s: %s", subject, err.message);
    return stored;
}

static uint64_t send_hostile(pipeline *p, const hostile *kind, const char *subject, const broker_stored *own,
                             const broker_stored *other)
{
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {.limit = OVERSIZE};
    kind->write(base_buffer_view(&own->payload), base_buffer_view(&other->payload), &payload);
    return pipeline_publish_to(p, subject, base_buffer_view(&payload));
}

/* Every kind to both stages, with a good submission in the middle, which is returned. */
static base_sha256 send_all_hostile(pipeline *p, sent_message sent[LETTERS])
{
    BASE_CLEANUP(broker_stored_done) broker_stored generate = first_on(p, p->names.subject_generate);
    BASE_CLEANUP(broker_stored_done) broker_stored publish = first_on(p, p->names.subject_publish);
    base_sha256 between = {0};
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        const hostile *kind = &HOSTILE[i];
        const char *to_generator = p->names.subject_generate, *to_publisher = p->names.subject_publish;
        uint64_t first = send_hostile(p, kind, to_generator, &generate, &publish);
        uint64_t second = send_hostile(p, kind, to_publisher, &publish, &generate);
        sent[2 * i] = (sent_message){first, "generate", to_generator, kind->generator_says, false};
        sent[2 * i + 1] = (sent_message){second, "publish", to_publisher, kind->publisher_says, false};
        if (i == HOSTILE_COUNT / 2)
            between = pipeline_submit(p, "between");
    }
    return between;
}

static void assert_header(const broker_stored *letter, const char *name, const char *value)
{
    const char *found = broker_stored_header(letter, name);
    assert_non_null(found);
    assert_string_equal(found, value);
}

/* Finds the message that the letter is of, and holds the one against the other. */
static void match_letter(const pipeline *p, const broker_stored *letter, sent_message sent[LETTERS])
{
    const char *number = broker_stored_header(letter, WIRE_HEADER_DEAD_SEQUENCE);
    assert_non_null(number);
    size_t at = 0;
    while (at < LETTERS && sent[at].sequence != strtoull(number, NULL, 10))
        at++;
    assert_true(at < LETTERS);
    assert_false(sent[at].has_letter);
    sent[at].has_letter = true;
    BASE_CLEANUP(broker_stored_done) broker_stored job = read_stored(p, p->names.stream_jobs, sent[at].sequence);
    assert_true(base_bytes_equal(base_buffer_view(&letter->payload), base_buffer_view(&job.payload)));
    assert_header(letter, WIRE_HEADER_DEAD_STAGE, sent[at].stage);
    assert_header(letter, WIRE_HEADER_DEAD_SUBJECT, sent[at].subject);
    assert_header(letter, WIRE_HEADER_DEAD_REASON_CODE, "undecodable");
    const char *reason = broker_stored_header(letter, WIRE_HEADER_DEAD_REASON);
    assert_non_null(reason);
    if (strstr(reason, sent[at].reason) == NULL)
        harness_fail("%s gives as its reason \"%s\", not \"%s\"", sent[at].stage, reason, sent[at].reason);
}

/* Each message was delivered a few times at most, and will not be again. */
static void assert_no_loop(const pipeline *p, const char *durable, uint64_t messages)
{
    broker_durable_state state = read_durable(p, durable);
    assert_int_equal(state.pending, 0);
    assert_int_equal(state.ack_pending, 0);
    assert_in_range(state.deliveries, messages, messages * DELIVERIES_MAX);
}

static void hostile_messages_are_one_dead_letter_each_and_hold_nobody_up(void **state)
{
    pipeline p;
    pipeline_start(&p, *state, 0);
    base_sha256 before = pipeline_submit(&p, "before");
    pipeline_wait(&p, &before, WIRE_STATUS_COMPLETE);
    sent_message sent[LETTERS] = {0};
    base_sha256 between = send_all_hostile(&p, sent);
    base_sha256 behind = pipeline_submit(&p, "behind");
    pipeline_wait(&p, &between, WIRE_STATUS_COMPLETE);
    pipeline_wait(&p, &behind, WIRE_STATUS_COMPLETE);
    pipeline_check_promises(&p, &(pipeline_outcome){.complete = GOOD});
    assert_int_equal(pipeline_messages(&p, p.names.stream_dead), LETTERS);
    for (uint64_t sequence = 1; sequence <= LETTERS; sequence++) {
        BASE_CLEANUP(broker_stored_done) broker_stored letter = read_stored(&p, p.names.stream_dead, sequence);
        match_letter(&p, &letter, sent);
    }
    assert_no_loop(&p, BROKER_DURABLE_GENERATOR, GOOD + HOSTILE_COUNT);
    assert_no_loop(&p, BROKER_DURABLE_PUBLISHER, GOOD + HOSTILE_COUNT);
    assert_true(harness_process_running(p.generator));
    assert_true(harness_process_running(p.publisher));
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_published_again_change_nothing_complete_and_start_the_rejected_afresh),
        cmocka_unit_test(a_rejected_publication_completes_when_all_its_messages_are_published_again),
        cmocka_unit_test(hostile_messages_are_one_dead_letter_each_and_hold_nobody_up),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
