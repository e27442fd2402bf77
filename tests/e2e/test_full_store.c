/* JetStream has no room left: nothing is lost, nobody turns in circles, and the work goes on as soon as there is room. */
#include "base/clock.h"
#include "broker/publish.h"
#include "harness/stream.h"
#include "harness/wait.h"
#include "pipeline.h"
#include "readiness.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT "4MB"

enum {
    FEW = 20,
    PUBLISH_MS = 5000,
    FULL_MS = 10000,
    FULL_LINES_MAX = 30, /* in that time */
    CATCH_UP_MS = 10000, /* measured: about one second; a machine under load gets more */
};

/* Publishes dead letters of this size until the server refuses one; the refusal is the result. */
static base_error fill_with(pipeline *p, size_t size)
{
    base_error err = {0};
    broker_publish_result result;
    char subject[BROKER_NAME_MAX + 16];
    snprintf(subject, sizeof(subject), "%s.ballast", p->names.subject_dead);
    BASE_CLEANUP(free) uint8_t *ballast = calloc(1, size);
    assert_non_null(ballast);
    const broker_message message = {.subject = subject, .payload = base_bytes_of(ballast, size)};
    while (broker_publish(p->broker, &message, 1, PUBLISH_MS, &result, &err) == BASE_OK) {
    }
    return err;
}

static void fill(pipeline *p, const char *words)
{
    base_error err = {0};
    for (size_t size = 65536; size > 0; size /= 16)
        err = fill_with(p, size);
    print_message("full after %" PRIu64 " letters: %s\n", pipeline_messages(p, p->names.stream_dead), err.message);
    assert_int_equal(err.code, BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, words));
}

static void make_room(pipeline *p)
{
    base_error err = {0};
    broker_stream_state state;
    assert_int_equal(broker_stream_read_state(p->broker, p->names.stream_dead, &state, &err), BASE_OK);
    for (uint64_t at = state.first_sequence; at <= state.last_sequence; at++)
        harness_stream_delete(p->broker, p->names.stream_dead,
                              at); /* a refused letter can leave a gap in the sequence */
}

static size_t count_lines(const harness_process *process)
{
    BASE_CLEANUP(free) char *errors = harness_process_errors(process);
    size_t lines = 0;
    for (const char *at = errors; *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

/* The jobs are in hand when the room ends, so that their results cannot be told. */
static void check_outage(pipeline *p, const char *words)
{
    base_sha256 submissions[FEW];
    pipeline_make_topology(p);
    harness_process *lock = pipeline_lock_table(p, "proofs");
    pipeline_submit_many(p, "f", FEW, submissions);
    pipeline_start_generator(p, NULL);
    pipeline_start_publisher(p, NULL);
    pipeline_wait_number(p, "SELECT count(*) FROM submissions WHERE attempt_open", FEW);
    fill(p, words);
    pipeline_unlock(p, lock);
    pipeline_wait_number(p, "SELECT count(*) FROM submissions WHERE status = 'proof_publishing'", FEW);
    size_t before = count_lines(p->generator) + count_lines(p->publisher);
    int64_t from_ms = base_monotonic_ms();
    readiness_wait(readiness_port(p->generator), 503, words);
    base_sleep_ms(FULL_MS);
    size_t lines = count_lines(p->generator) + count_lines(p->publisher) - before;
    assert_in_range(lines, 0, FULL_LINES_MAX * (base_monotonic_ms() - from_ms) / FULL_MS);
    assert_int_equal(pipeline_number(p, "SELECT count(*) FROM submissions WHERE status = 'proof_publishing'"), FEW);

    make_room(p);
    int64_t room_ms = base_monotonic_ms();
    for (size_t i = 0; i < FEW; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
    int64_t took_ms = base_monotonic_ms() - room_ms;
    print_message("%zu lines while it was full; complete %" PRId64 " ms after the return\n", lines, took_ms);
    assert_in_range(took_ms, 0, CATCH_UP_MS);
    readiness_wait(readiness_port(p->generator), 200, NULL);
    assert_int_equal(pipeline_check_promises(p, &(pipeline_outcome){.complete = FEW}).events, 3 * FEW);
    assert_int_equal(pipeline_number(p, "SELECT max(retry_count + crash_count) FROM submissions"), 0);
    assert_int_equal(pipeline_number(p, "SELECT max(generate_attempts) FROM submissions"), 1);
}

static void a_server_at_its_limit_is_an_outage_that_ends_with_it(void **state)
{
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    harness_nats_stop(p.nats);
    harness_nats_limit_store(p.nats, LIMIT);
    harness_nats_start(p.nats);
    check_outage(&p, "insufficient");
    pipeline_stop(&p);
}

static void an_account_at_its_limit_is_an_outage_that_ends_with_it(void **state)
{
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    harness_nats_stop(p.nats);
    harness_nats_configure(p.nats, "accounts { tenant { jetstream: { max_file: " LIMIT " }, users: [{user: proofline, "
                                   "password: proofline}] } }\nno_auth_user: proofline");
    harness_nats_start(p.nats);
    check_outage(&p, "exceeded");
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_at_its_limit_is_an_outage_that_ends_with_it),
        cmocka_unit_test(an_account_at_its_limit_is_an_outage_that_ends_with_it),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
