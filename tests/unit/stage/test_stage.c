/* What a service says of its dependencies, and how it pauses. */
#include "base/clock.h"
#include "base/secret.h"
#include "harness/http.h"
#include "stage/gate.h"
#include "stage/metrics.h"
#include "stage/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    stage_health *health;
    telemetry_metrics *metrics;
    telemetry_http *http;
    size_t nats, postgres;
} fixture;

static fixture start(void)
{
    fixture made = {0};
    base_error err = {0};
    assert_int_equal(stage_health_new(&made.health, &err), BASE_OK);
    assert_int_equal(stage_metrics_new(&made.metrics, &err), BASE_OK);
    made.nats = stage_health_add(made.health, "nats");
    made.postgres = stage_health_add(made.health, "postgres");
    const telemetry_http_options options = {
        .address = "127.0.0.1", .metrics = made.metrics, .ready = stage_health_report, .ctx = made.health};
    assert_int_equal(telemetry_http_new(&options, &made.http, &err), BASE_OK);
    return made;
}

static void stop(fixture *made)
{
    telemetry_http_free(made->http);
    stage_metrics_free(made->metrics);
    stage_health_free(made->health);
}

static void readiness_names_what_is_missing_until_all_is_there(void **state)
{
    (void)state;
    fixture made = start();
    uint16_t port = telemetry_http_port(made.http);
    base_error down = {0};
    base_fail(&down, BASE_UNAVAILABLE, "connection refused");

    stage_health_set(made.health, made.nats, NULL);
    stage_health_set(made.health, made.postgres, &down);
    harness_http_reply reply = harness_http_get(port, "/readyz");
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "connection refused"));
    assert_null(strstr(reply.body, "nats"));
    harness_http_reply_done(&reply);

    stage_health_set(made.health, made.postgres, NULL);
    reply = harness_http_get(port, "/readyz");
    assert_int_equal(reply.status, 200);
    harness_http_reply_done(&reply);

    stage_health_stop(made.health);
    reply = harness_http_get(port, "/readyz");
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "stopping"));
    harness_http_reply_done(&reply);
    stop(&made);
}

static void parts_of_one_name_are_told_once_and_too_many_share_the_last(void **state)
{
    (void)state;
    fixture made = start();
    base_error down = {0};
    base_fail(&down, BASE_UNAVAILABLE, "connection refused");
    stage_health_set(made.health, made.nats, NULL);
    stage_health_set(made.health, made.postgres, &down);
    size_t last = made.postgres;
    for (int i = 0; i < STAGE_HEALTH_PARTS; i++) {
        last = stage_health_add(made.health, "postgres");
        stage_health_set(made.health, last, &down);
    }
    assert_int_equal(last, STAGE_HEALTH_PARTS - 1);
    harness_http_reply reply = harness_http_get(telemetry_http_port(made.http), "/readyz");
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply.body, "{\"ready\":false,\"not_ready\":{\"postgres\":\"connection refused\"}}\n");
    harness_http_reply_done(&reply);
    stop(&made);
}

static void metrics_show_what_was_counted(void **state)
{
    (void)state;
    fixture made = start();
    stage_metrics_job("publish", "succeeded");
    stage_metrics_job("publish", "succeeded");
    stage_metrics_proof(0.5);
    stage_metrics_send("accepted", 0.01);
    harness_http_reply reply = harness_http_get(telemetry_http_port(made.http), "/metrics");
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "proofline_jobs_total{stage=\"publish\",outcome=\"succeeded\"} 2"));
    assert_non_null(strstr(reply.body, "proofline_proofs_generated_total 1"));
    assert_non_null(strstr(reply.body, "proofline_transactions_sent_total{answer=\"accepted\"} 1"));
    harness_http_reply_done(&reply);
    stop(&made);
}

/* Closes the gate, and checks for how long: by the clock before and after, for the machine may stand still in between. */
static void close_for(stage_gate *gate, size_t part, int64_t at_least_ms, int64_t at_most_ms)
{
    base_error down = {0};
    base_fail(&down, BASE_UNAVAILABLE, "away");
    int64_t before_ms = base_monotonic_ms();
    stage_gate_close(gate, part, &down);
    int64_t after_ms = base_monotonic_ms();
    assert_in_range(gate->closed_until_ms, before_ms + at_least_ms, after_ms + at_most_ms);
}

static void a_gate_waits_longer_after_each_failure_but_never_a_second(void **state)
{
    (void)state;
    fixture made = start();
    stage_gate gate = {.health = made.health};
    assert_int_equal(stage_gate_remaining_ms(&gate), 0);
    close_for(&gate, made.postgres, 1, STAGE_GATE_FIRST_MS * 2);
    for (int i = 0; i < 20; i++)
        close_for(&gate, made.postgres, 1, 1000);
    close_for(&gate, made.postgres, STAGE_GATE_MAX_MS / 2, 1000);
    stage_gate_open(&gate, made.postgres);
    assert_int_equal(stage_gate_remaining_ms(&gate), 0);
    stop(&made);
}

static void a_gate_says_how_long_it_stays_closed(void **state)
{
    (void)state;
    enum { LONG_MS = 3600000, SLOWNESS_MS = 60000 };
    stage_gate gate = {.closed_until_ms = base_monotonic_ms() + LONG_MS};
    assert_in_range(stage_gate_remaining_ms(&gate), LONG_MS - SLOWNESS_MS, LONG_MS);
    gate.closed_until_ms = base_monotonic_ms() - 1;
    assert_int_equal(stage_gate_remaining_ms(&gate), 0);
}

static void batches_work_together_and_a_suspect_alone(void **state)
{
    (void)state;
    enum { SHORT_MS = 10 };
    stage_turn turn;
    stage_turn_init(&turn);
    assert_true(stage_turn_enter(&turn, false, 0));
    assert_true(stage_turn_enter(&turn, false, 0));
    assert_false(stage_turn_enter(&turn, true, SHORT_MS));
    assert_true(stage_turn_enter(&turn, false, 0)); /* one that gave up waiting holds nobody back */
    for (int i = 0; i < 3; i++)
        stage_turn_leave(&turn, false);
    assert_true(stage_turn_enter(&turn, true, 0));
    assert_false(stage_turn_enter(&turn, false, SHORT_MS));
    assert_false(stage_turn_enter(&turn, true, SHORT_MS));
    stage_turn_leave(&turn, true);
    assert_true(stage_turn_enter(&turn, false, 0));
    stage_turn_leave(&turn, false);
    stage_turn_stop(&turn);
    assert_false(stage_turn_enter(&turn, false, 0));
    stage_turn_done(&turn);
}

int main(void)
{
    base_error err;
    if (base_process_harden(&err) != BASE_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness_names_what_is_missing_until_all_is_there),
        cmocka_unit_test(parts_of_one_name_are_told_once_and_too_many_share_the_last),
        cmocka_unit_test(metrics_show_what_was_counted),
        cmocka_unit_test(a_gate_waits_longer_after_each_failure_but_never_a_second),
        cmocka_unit_test(a_gate_says_how_long_it_stays_closed),
        cmocka_unit_test(batches_work_together_and_a_suspect_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
