/* Messages that nobody expects, sent to running services: what they have answered long ago, once more and without its headers, and
 * what they can never answer. */
#include "harness/wait.h"
#include "pipeline.h"
#include "wire/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { COMPLETE = 4 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_published_again_change_nothing_complete_and_start_the_rejected_afresh),
        cmocka_unit_test(a_rejected_publication_completes_when_all_its_messages_are_published_again),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
