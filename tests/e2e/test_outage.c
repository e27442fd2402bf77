/* While Postgres, NATS or the node is away: nothing is counted or hurried, /readyz tells the truth, and the work goes on at once after it. */
#include "base/clock.h"
#include "effort.h"
#include "harness/wait.h"
#include "pipeline.h"
#include "readiness.h"
#include "triggers.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    FEW = 20,
    SERVICES = 2,
    OUTAGE_MS = 10000,
    OUTAGE_LINES_MAX = 30, /* of one service, in that time */
    OUTAGE_CPU_PERCENT_MAX = 10,
    LOOK_MS = 250,
    RETURN_MS = 1000 * PIPELINE_SLACK, /* from when the server answers again to the first work */
    SETTLE_MS = 500 * PIPELINE_SLACK,  /* a publisher asks the node about its lane before it takes jobs */
};

/* What is expected of each service, the generator first: what /readyz names (NULL: it stays ready), and how many jobs it may
 * give back, a line each. */
typedef struct expectation {
    const char *part;
    size_t given_back;
} expectation;

typedef struct outage {
    pipeline *pipeline;
    const expectation *expected;
    uint16_t ports[SERVICES];
    effort before[SERVICES];
    int64_t from_ms; /* monotonic */
} outage;

static const harness_process *service_at(const outage *o, size_t index)
{
    return index == 0 ? o->pipeline->generator : o->pipeline->publisher;
}

/* Call before anything is broken: both services are ready. */
static outage begin(pipeline *p, const expectation expected[SERVICES])
{
    outage o = {.pipeline = p, .expected = expected, .from_ms = base_monotonic_ms()};
    o.ports[0] = readiness_port(p->generator);
    o.ports[1] = readiness_port(p->publisher);
    for (size_t i = 0; i < SERVICES; i++) {
        readiness_wait(o.ports[i], 200, NULL);
        o.before[i] = effort_read(service_at(&o, i));
    }
    return o;
}

static void check_readiness(const outage *o, size_t index)
{
    const char *part = o->expected[index].part;
    if (!readiness_comes(o->ports[index], part != NULL ? 503 : 200, part, 0))
        harness_fail("service %zu does not say on /readyz that %s", index, part != NULL ? part : "it is ready");
}

/* Lasts for the scaled time: both services tell the truth all the while, and spend little. */
static void endure(const outage *o)
{
    for (size_t i = 0; i < SERVICES; i++)
        if (o->expected[i].part != NULL)
            readiness_wait(o->ports[i], 503, o->expected[i].part);
    for (int64_t until_ms = base_monotonic_ms() + OUTAGE_MS; base_monotonic_ms() < until_ms; base_sleep_ms(LOOK_MS))
        for (size_t i = 0; i < SERVICES; i++)
            check_readiness(o, i);
    int64_t duration_ms = base_monotonic_ms() - o->from_ms;
    print_message("in %" PRId64 " ms:\n", duration_ms);
    for (size_t i = 0; i < SERVICES; i++) {
        effort spent = effort_since(&o->before[i], service_at(o, i), i == 0 ? "generator" : "publisher");
        assert_in_range(spent.lines, o->expected[i].part != NULL, OUTAGE_LINES_MAX + o->expected[i].given_back);
        assert_in_range(spent.cpu_ms, 0, duration_ms * OUTAGE_CPU_PERCENT_MAX * PIPELINE_SLACK / 100);
    }
}

/* That work went on at most so long after the server answered again. */
static void check_catch_up(const outage *o, int64_t after_ms, int64_t most_ms)
{
    print_message("at work %" PRId64 " ms after the return\n", after_ms);
    assert_true(after_ms <= most_ms);
    for (size_t i = 0; i < SERVICES; i++)
        readiness_wait(o->ports[i], 200, NULL);
}

/* The same by the first claim since the server was started; both are Unix times. */
static void check_claims(const outage *o, const char *column, int64_t started_ms, int64_t returned_ms, int64_t most_ms)
{
    check_catch_up(o, triggers_first_claim_ms(o->pipeline, column, started_ms) - returned_ms, most_ms);
}

static void check_complete(pipeline *p, const base_sha256 *submissions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pipeline_wait(p, &submissions[i], WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(p);
    assert_int_equal(pipeline_number(p, "SELECT count(*) FROM submissions WHERE proofs_generated <> 1"), 0);
    assert_int_equal(pipeline_number(p, "SELECT max(retry_count + crash_count) FROM submissions"), 0);
    assert_int_equal(pipeline_number(p, "SELECT max(generate_attempts) FROM submissions"), 1);
    assert_int_equal(pipeline_transactions_at_node(p), count);
    assert_int_equal(pipeline_messages(p, p->names.stream_dead), 0);
}

static void an_outage_of_postgres_costs_nothing_but_its_time(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW + 1];
    static const expectation away[SERVICES] = {{"postgres", 0}, {"postgres", 0}};
    pipeline_start(&p, *state, 0);
    triggers_log_claims(&p);
    submissions[FEW] = pipeline_submit(&p, "before");
    check_complete(&p, &submissions[FEW], 1);
    outage o = begin(&p, away);
    harness_postgres_stop(*state, HARNESS_POSTGRES_FAST);
    pipeline_submit_many(&p, "o", FEW, submissions);
    endure(&o);
    int64_t started_ms = base_unix_ms();
    harness_postgres_start(*state);
    check_claims(&o, "generate_attempts", started_ms, base_unix_ms(), RETURN_MS);
    check_complete(&p, submissions, FEW + 1);
    pipeline_stop(&p);
}

/* The generator has jobs in hand when NATS goes: their results are committed, and told when it is back. */
static void an_outage_of_nats_costs_nothing_but_its_time(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    static const expectation away[SERVICES] = {{"nats", 0}, {"nats", 0}};
    pipeline_start(&p, *state, 0);
    triggers_log_claims(&p);
    pipeline_kill(p.generator);
    harness_process *lock = pipeline_lock_table(&p, "proofs");
    pipeline_submit_many(&p, "o", FEW, submissions);
    pipeline_start_generator(&p, NULL);
    pipeline_wait_number(&p, "SELECT count(*) FROM submissions WHERE attempt_open", FEW);
    outage o = begin(&p, away);
    harness_nats_stop(p.nats);
    pipeline_unlock(&p, lock);
    endure(&o);
    int64_t started_ms = base_unix_ms();
    harness_nats_start(p.nats);
    check_claims(&o, "publish_attempts", started_ms, base_unix_ms(), RETURN_MS);
    check_complete(&p, submissions, FEW);
    assert_int_equal(pipeline_messages(&p, p.names.stream_events), 3 * FEW);
    pipeline_stop(&p);
}

/* It goes in the middle of a batch, and more work comes while it is away. */
static void an_outage_of_the_node_costs_nothing_but_its_time(void **state)
{
    pipeline p;
    base_sha256 submissions[2 * FEW];
    static const expectation away[SERVICES] = {{NULL, 0}, {"mina_node", FEW}};
    pipeline_start(&p, *state, 0);
    triggers_log_claims(&p);
    pipeline_fault(&p, "{\"kind\":\"delay\",\"delay_ms\":100,\"on\":\"send\",\"probability\":1}");
    outage o = begin(&p, away);
    pipeline_submit_many(&p, "n", FEW, submissions);
    pipeline_wait_number(&p, "SELECT count(*) FROM transactions", 1);
    pipeline_kill(p.node);
    harness_process_free(BASE_TAKE(p.node));
    pipeline_submit_many(&p, "o", FEW, submissions + FEW);
    endure(&o);
    assert_true(pipeline_number(&p, "SELECT count(*) FROM submissions WHERE status = 'complete'") < FEW);
    int64_t started_ms = base_unix_ms();
    pipeline_start_node(&p, 0);
    check_claims(&o, "publish_attempts", started_ms, base_unix_ms(), RETURN_MS + SETTLE_MS);
    check_complete(&p, submissions, 2 * FEW);
    pipeline_stop(&p);
}

/* Postgres answers, and takes no rows of one table. The services can only try; `made` is the table of what the first trial that gets
 * through makes, and holds nothing before. */
static void check_full_disk(harness_postgres *postgres, const char *refused, const expectation away[SERVICES],
                            const char *made)
{
    pipeline p;
    base_sha256 submissions[FEW];
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT coalesce((extract(epoch FROM min(created_at)) * 1000)::bigint, 0) FROM %s",
             made);
    pipeline_start(&p, postgres, 0);
    outage o = begin(&p, away);
    triggers_refuse_writes(&p, refused, "53100", NULL);
    pipeline_submit_many(&p, "f", FEW, submissions);
    endure(&o);
    assert_int_equal(pipeline_number(&p, sql), 0);
    assert_int_equal(pipeline_transactions_at_node(&p), 0);
    triggers_accept_writes(&p);
    int64_t returned_ms = base_unix_ms(); /* it may be at work already */
    pipeline_wait_number(&p, sql, 1);
    check_catch_up(&o, pipeline_number(&p, sql) - returned_ms, RETURN_MS);
    check_complete(&p, submissions, FEW);
    pipeline_stop(&p);
}

static void a_full_disk_is_an_outage_without_a_hot_loop(void **state)
{
    static const expectation away[SERVICES] = {{"postgres", 0}, {NULL, 0}};
    check_full_disk(*state, "submissions", away, "proofs");
}

static void a_full_disk_keeps_the_publisher_from_sending_and_is_no_hot_loop(void **state)
{
    static const expectation away[SERVICES] = {{NULL, 0}, {"Postgres", FEW}}; /* its lane, which names the culprit */
    check_full_disk(*state, "transactions", away, "transactions");
}

static void a_table_that_is_missing_for_a_while_is_an_outage(void **state)
{
    pipeline p;
    base_sha256 submissions[FEW];
    static const expectation away[SERVICES] = {{"postgres", 0}, {NULL, 0}};
    pipeline_start(&p, *state, 0);
    outage o = begin(&p, away);
    free(harness_database_query(&p.database, "ALTER TABLE proofs RENAME TO proofs_away"));
    pipeline_submit_many(&p, "m", FEW, submissions);
    endure(&o);
    free(harness_database_query(&p.database, "ALTER TABLE proofs_away RENAME TO proofs"));
    check_complete(&p, submissions, FEW);
    for (size_t i = 0; i < SERVICES; i++)
        readiness_wait(o.ports[i], 200, NULL);
    pipeline_stop(&p);
}

/* The threads are well, and the sweeper is not: in a health table too small for all of them it would share a place with theirs, and be "up"
 * and "down" in turns. */
static void trouble_of_the_sweeper_is_told_beside_as_many_threads_as_there_may_be(void **state)
{
    enum { WATCH_MS = 8000, LINES_MAX = 10 };
    static const char *const crowd[] = {"WORKER_CONCURRENCY=64", NULL};
    pipeline p;
    pipeline_prepare(&p, *state, 0);
    pipeline_start_generator(&p, crowd);
    uint16_t port = readiness_port(p.generator);
    readiness_wait(port, 200, NULL);
    effort before = effort_read(p.generator);
    free(harness_database_query(&p.database, "INSERT INTO outbox (subject, message_id, headers, payload) "
                                             "VALUES ('no.stream.takes.this', 'x', '', '')"));
    readiness_wait(port, 503, "sweeper");
    for (int64_t until_ms = base_monotonic_ms() + WATCH_MS; base_monotonic_ms() < until_ms; base_sleep_ms(LOOK_MS))
        if (!readiness_comes(port, 503, "sweeper", 0))
            harness_fail("the generator does not say on /readyz that its sweeper fails");
    assert_in_range(effort_since(&before, p.generator, "generator").lines, 1, LINES_MAX);
    free(harness_database_query(&p.database, "DELETE FROM outbox"));
    readiness_wait(port, 200, NULL);
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_of_the_sweeper_is_told_beside_as_many_threads_as_there_may_be),
        cmocka_unit_test(an_outage_of_postgres_costs_nothing_but_its_time),
        cmocka_unit_test(an_outage_of_nats_costs_nothing_but_its_time),
        cmocka_unit_test(an_outage_of_the_node_costs_nothing_but_its_time),
        cmocka_unit_test(a_full_disk_is_an_outage_without_a_hot_loop),
        cmocka_unit_test(a_full_disk_keeps_the_publisher_from_sending_and_is_no_hot_loop),
        cmocka_unit_test(a_table_that_is_missing_for_a_while_is_an_outage),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
