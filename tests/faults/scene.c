#include "scene.h"

#include "base/hex.h"
#include "harness/stream.h"
#include "harness/wait.h"
#include "wire/headers.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PUBLISH_MS = 10000, SQL_MAX = 1024 };

static void must(base_code code, const base_error *err)
{
    if (code != BASE_OK)
        harness_fail("%s: %s", base_code_name(code), err->message);
}

static void stop(harness_process *service)
{
    harness_process_signal(service, SIGTERM);
    assert_int_equal(harness_process_wait(service, PIPELINE_WAIT_MS), 0);
}

static bool are_rejected_twice(void *ctx)
{
    return pipeline_number(ctx, "SELECT count(*) FROM submissions WHERE status = 'rejected' AND event_sequence = 4") ==
           SCENE_FORGED;
}

static void submit_good(scene *s, const char *prefix, size_t first, size_t count)
{
    pipeline_submit_many(&s->pipeline, prefix, count, s->good + first);
    for (size_t i = first; i < first + count; i++)
        pipeline_wait(&s->pipeline, &s->good[i], WIRE_STATUS_COMPLETE);
}

static void submit_bad(scene *s)
{
    pipeline *p = &s->pipeline;
    for (size_t i = 0; i < SCENE_FORGED; i++) {
        char seed[32];
        snprintf(seed, sizeof(seed), "forged%zu", i);
        s->forged[i] = pipeline_submit_forged(p, seed);
        pipeline_wait(p, &s->forged[i], WIRE_STATUS_REJECTED);
    }
    s->garbage[0] = scene_store(s, p->names.subject_generate, base_bytes_of("\xff\xff garbage", 10), NULL, 0);
    s->garbage[1] = scene_store(s, p->names.subject_generate, base_bytes_of("", 0), NULL, 0);
    s->garbage[2] = scene_store(s, p->names.subject_publish, base_bytes_of("\xff\xff garbage", 10), NULL, 0);
    pipeline_wait_settled(p);
    BASE_CLEANUP(free) char *output = NULL;
    const char *const redrive[] = {"dead", "redrive", "--reason", "invalid_signature", NULL};
    assert_int_equal(pipeline_proofctl(p, redrive, &output), 0);
    assert_true(harness_wait_until(are_rejected_twice, p, PIPELINE_WAIT_MS));
}

int scene_setup(void **state)
{
    scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    void *cluster = NULL;
    pipeline_group_setup(&cluster);
    s->cluster = cluster;
    pipeline_start(&s->pipeline, s->cluster, 0);
    submit_good(s, "early", 0, SCENE_GOOD / 2);
    submit_bad(s);
    pipeline_make_block(&s->pipeline);
    submit_good(s, "late", SCENE_GOOD / 2, SCENE_GOOD - SCENE_GOOD / 2);
    pipeline_wait_settled(&s->pipeline);
    stop(s->pipeline.generator);
    stop(s->pipeline.publisher);
    free(harness_database_query(&s->pipeline.database, "CREATE TABLE kept_submissions AS TABLE submissions;"
                                                       "CREATE TABLE kept_proofs AS TABLE proofs;"
                                                       "CREATE TABLE kept_transactions AS TABLE transactions"));
    *state = s;
    return 0;
}

int scene_teardown(void **state)
{
    scene *s = *state;
    void *cluster = s->cluster;
    pipeline_stop(&s->pipeline);
    free(s);
    return pipeline_group_teardown(&cluster);
}

checker_options scene_options(const scene *s)
{
    return (checker_options){.database_url = s->pipeline.database.url,
                             .broker = s->pipeline.broker,
                             .names = s->pipeline.names,
                             .node_port = s->pipeline.node_port};
}

checker_report scene_check(const scene *s, const checker_options *options)
{
    (void)s;
    checker_report report = {0};
    base_error err = {0};
    must(checker_run(options, &report, &err), &err);
    return report;
}

static size_t count_matches(const checker_report *report, const scene_violation *expected)
{
    size_t matches = 0;
    for (size_t i = 0; i < report->violation_count; i++) {
        const checker_violation *said = &report->violations[i];
        matches += said->kind == expected->kind && strstr(said->text, expected->id) != NULL &&
                   strstr(said->text, expected->words) != NULL;
    }
    return matches;
}

void scene_expect_report(checker_report report, const scene_violation *expected, size_t count)
{
    bool is_as_expected = report.violation_count == count;
    for (size_t i = 0; i < count; i++)
        is_as_expected = is_as_expected && count_matches(&report, &expected[i]) == 1;
    if (!is_as_expected) {
        checker_report_print(&report, stderr);
        for (size_t i = 0; i < count; i++)
            print_error("expected %s with \"%s\" and \"%s\"\n", checker_kind_name(expected[i].kind), expected[i].id,
                        expected[i].words);
    }
    checker_report_done(&report);
    assert_true(is_as_expected);
}

void scene_expect(const scene *s, checker_kind kind, const char *id, const char *words)
{
    const scene_violation expected = {kind, id, words};
    checker_options options = scene_options(s);
    scene_expect_report(scene_check(s, &options), &expected, kind == CHECKER_KINDS ? 0 : 1);
}

int scene_check_content(void **state)
{
    scene_expect(*state, CHECKER_KINDS, "", "");
    return 0;
}

void scene_sql(const scene *s, const base_sha256 *submission, const char *format)
{
    char sql[SQL_MAX];
    const char *hole = strstr(format, "%s");
    if (hole == NULL)
        snprintf(sql, sizeof(sql), "%s", format);
    else
        snprintf(sql, sizeof(sql), "%.*s%s%s", (int)(hole - format), format, base_sha256_hex(submission).text,
                 hole + 2);
    free(harness_database_query(&s->pipeline.database, sql));
}

void scene_restore_tables(const scene *s)
{
    free(harness_database_query(
        &s->pipeline.database,
        "TRUNCATE submissions, proofs, transactions, outbox; INSERT INTO submissions TABLE kept_submissions;"
        "INSERT INTO proofs TABLE kept_proofs; INSERT INTO transactions TABLE kept_transactions"));
}

uint64_t scene_store(const scene *s, const char *subject, base_bytes payload, const broker_header *headers,
                     size_t header_count)
{
    base_error err = {0};
    broker_publish_result result;
    const broker_message message = {
        .subject = subject, .payload = payload, .headers = headers, .header_count = header_count};
    must(broker_publish(s->pipeline.broker, &message, 1, PUBLISH_MS, &result, &err), &err);
    return result.sequence;
}

uint64_t scene_store_event(const scene *s, const wire_status_changed *event)
{
    base_error err = {0};
    char subject[256];
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {.limit = WIRE_MESSAGE_MAX};
    must(wire_status_changed_encode(event, &payload, &err), &err);
    snprintf(subject, sizeof(subject), "%s.%s.%s", s->pipeline.names.subject_events,
             base_sha256_hex(&event->sha256).text, wire_status_name(event->status));
    return scene_store(s, subject, base_buffer_view(&payload), NULL, 0);
}

void scene_delete(const scene *s, const char *stream, uint64_t sequence)
{
    assert_true(harness_stream_delete(s->pipeline.broker, stream, sequence));
}

void scene_take(const scene *s, const char *stream, uint64_t sequence, broker_stored *ret)
{
    base_error err = {0};
    must(broker_stream_get(s->pipeline.broker, stream, sequence, ret, &err), &err);
    scene_delete(s, stream, sequence);
}

/* Without its message id, which the dedupe window still knows. */
uint64_t scene_put_back(const scene *s, const broker_stored *message)
{
    broker_header headers[BROKER_HEADERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < message->header_count && count < BROKER_HEADERS_MAX; i++)
        if (strncmp(message->headers[i].name, "Nats-", 5) != 0)
            headers[count++] = message->headers[i];
    return scene_store(s, message->subject, base_buffer_view(&message->payload), headers, count);
}

uint64_t scene_find_event(const scene *s, const base_sha256 *submission, wire_status status)
{
    base_error err = {0};
    char subject[256];
    BASE_CLEANUP(broker_stored_done) broker_stored found = {0};
    snprintf(subject, sizeof(subject), "%s.%s.%s", s->pipeline.names.subject_events, base_sha256_hex(submission).text,
             wire_status_name(status));
    must(broker_stream_next(s->pipeline.broker, s->pipeline.names.stream_events, 1, subject, &found, &err), &err);
    return found.sequence;
}

uint64_t scene_find_letter(const scene *s, const char *header, const char *value)
{
    for (uint64_t sequence = 1;; sequence++) {
        base_error err = {0};
        BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
        char subject[BROKER_NAME_MAX + 4];
        snprintf(subject, sizeof(subject), "%s.*", s->pipeline.names.subject_dead);
        must(broker_stream_next(s->pipeline.broker, s->pipeline.names.stream_dead, sequence, subject, &letter, &err),
             &err);
        const char *found = broker_stored_header(&letter, header);
        if (found != NULL && strcmp(found, value) == 0)
            return letter.sequence;
        sequence = letter.sequence;
    }
}
