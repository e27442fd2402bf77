#include "verdict.h"

#include "base/clock.h"
#include "base/hex.h"
#include "broker/stream.h"
#include "checker.h"
#include "harness/wait.h"

#include <stdio.h>
#include <string.h>

#define JOBS_UNKNOWN (UINT64_C(1) << 40) /* more than there are */

enum { LOOK_MS = 250, SAY_MS = 10000, PRINTED_MAX = 20, HASH_CHARS = 2 * BASE_SHA256_SIZE };

typedef struct backlog {
    int64_t unknown; /* submissions that Postgres has not heard of */
    int64_t pending, outbox, open_transactions;
    uint64_t generator_jobs, publisher_jobs;
} backlog;

static uint64_t read_durable(world *w, const char *durable)
{
    base_error err = {0};
    broker_durable_state state = {0};
    if (broker_durable_read_state(w->broker, w->names.stream_jobs, durable, &state, &err) != BASE_OK)
        return JOBS_UNKNOWN; /* NATS has just come back */
    return state.pending + state.ack_pending;
}

static backlog read_backlog(world *w, size_t submitted)
{
    return (backlog){
        .unknown = (int64_t)submitted - world_number(w, "SELECT count(*) FROM submissions"),
        .pending = world_number(w, "SELECT count(*) FROM submissions WHERE status NOT IN ('complete', 'rejected')"),
        .outbox = world_number(w, "SELECT count(*) FROM outbox"),
        .open_transactions =
            world_number(w, "SELECT count(*) FROM transactions WHERE state IN ('committed', 'accepted')"),
        .generator_jobs = read_durable(w, BROKER_DURABLE_GENERATOR),
        .publisher_jobs = read_durable(w, BROKER_DURABLE_PUBLISHER),
    };
}

static bool is_quiet(const backlog *b)
{
    return b->unknown <= 0 && b->pending == 0 && b->outbox == 0 && b->open_transactions == 0 &&
           b->generator_jobs == 0 && b->publisher_jobs == 0;
}

/* Work that is left, in steps: every step of a submission on its way makes it smaller. */
static int64_t count_left(const backlog *b)
{
    return 4 * b->unknown + 3 * b->pending + b->outbox + b->open_transactions + (int64_t)b->generator_jobs +
           (int64_t)b->publisher_jobs;
}

static void print_backlog(const char *what, const backlog *b)
{
    printf("%s: %lld submissions unknown, %lld pending, %lld outbox rows, %lld transactions not final, %llu jobs of "
           "the generator's, "
           "%llu of the publisher's\n",
           what, (long long)b->unknown, (long long)b->pending, (long long)b->outbox, (long long)b->open_transactions,
           (unsigned long long)b->generator_jobs, (unsigned long long)b->publisher_jobs);
    fflush(stdout);
}

size_t verdict_wait_quiet(world *w, const load *l)
{
    size_t submitted, violations = 0;
    (void)load_items(l, &submitted);
    int64_t start_ms = base_monotonic_ms();
    int64_t said_ms = start_ms, moved_ms = start_ms, least = INT64_MAX;
    for (;;) {
        backlog now = read_backlog(w, submitted);
        if (is_quiet(&now))
            break;
        if (count_left(&now) < least) {
            least = count_left(&now);
            moved_ms = base_monotonic_ms();
        }
        if (base_monotonic_ms() - moved_ms > VERDICT_STUCK_MS) {
            print_backlog("violation: work is stuck in peace", &now);
            return violations + 1;
        }
        if (base_monotonic_ms() - said_ms > SAY_MS) {
            print_backlog("waiting", &now);
            said_ms = base_monotonic_ms();
        }
        for (int i = 0; i < CHAOS_SERVICES; i++)
            violations += replica_tend(&w->services[i]);
        base_sleep_ms(LOOK_MS);
    }
    printf("quiet after %.1f s of peace\n", (double)(base_monotonic_ms() - start_ms) / 1000);
    return violations;
}

static void object(verdict *v, const char *hash, const char *what, const char *row)
{
    v->violations++;
    if (v->violations <= PRINTED_MAX)
        printf("violation: submission %.64s %s: %s\n", hash, what, row);
}

/* One row: "<hash>|<status>|<reason code>|<reason>". */
static void compare(verdict *v, const load_item *item, const char *row)
{
    static const char COMPLETE[] = "complete|";
    static const char FORGED[] = "rejected|";
    const char *status = row + HASH_CHARS + 1;
    base_hex32 hash = base_sha256_hex(&item->sha256);
    v->complete += strncmp(status, COMPLETE, sizeof(COMPLETE) - 1) == 0;
    v->rejected += strncmp(status, FORGED, sizeof(FORGED) - 1) == 0;
    if (item->forged && strncmp(status, FORGED, sizeof(FORGED) - 1) != 0)
        object(v, hash.text, "is forged and not rejected", status);
    if (!item->forged && strncmp(status, COMPLETE, sizeof(COMPLETE) - 1) != 0)
        object(v, hash.text, "is honest and not complete", status);
}

/* Items and rows are both sorted by hash. */
static void compare_all(world *w, const load *l, verdict *v)
{
    size_t count;
    const load_item *items = load_items(l, &count);
    BASE_CLEANUP(free)
    char *rows = harness_database_query(&w->database, "SELECT sha256_hash, status, coalesce(reason_code, ''), "
                                                      "left(translate(coalesce(failure_reason, ''), E'\\n', ' '), 200) "
                                                      "FROM submissions ORDER BY sha256_hash COLLATE \"C\"");
    char *rest = NULL;
    char *row = strtok_r(rows, "\n", &rest);
    for (size_t i = 0; i < count; i++) {
        base_hex32 hash = base_sha256_hex(&items[i].sha256);
        for (; row != NULL && strncmp(row, hash.text, HASH_CHARS) < 0; row = strtok_r(NULL, "\n", &rest))
            object(v, row, "was never submitted", row);
        if (row == NULL || strncmp(row, hash.text, HASH_CHARS) != 0) {
            object(v, hash.text, "was accepted by NATS and is unknown to Postgres",
                   items[i].forged ? "forged" : "honest");
            continue;
        }
        compare(v, &items[i], row);
        row = strtok_r(NULL, "\n", &rest);
    }
}

static void run_checker(world *w, verdict *v)
{
    const checker_options options = {
        .database_url = w->database.url, .broker = w->broker, .names = w->names, .node_port = w->node_port};
    BASE_CLEANUP(checker_report_done) checker_report report = {0};
    base_error err = {0};
    if (checker_run(&options, &report, &err) != BASE_OK)
        harness_fail("the checker cannot read: %s", err.message);
    checker_report_print(&report, stdout);
    v->violations += report.violation_count;
    v->transactions = (int64_t)report.transactions;
}

/* A crash is counted where a worker has died or stood still, and nowhere else; the limits of the run would hide it. */
static void judge_counts(world *w, verdict *v)
{
    char sql[256];
    uint64_t deaths = 0;
    for (int i = 0; i < CHAOS_SERVICES; i++)
        deaths += w->services[i].kills + w->services[i].pauses + w->services[i].forced_stops;
    v->max_crashes = world_number(w, "SELECT coalesce(max(crashes), 0) FROM counts");
    v->max_retries = world_number(w, "SELECT coalesce(max(retries), 0) FROM counts");
    snprintf(sql, sizeof(sql),
             "SELECT sha256_hash, max(crashes) FROM counts GROUP BY sha256_hash HAVING max(crashes) > %llu",
             (unsigned long long)deaths);
    BASE_CLEANUP(free) char *rows = harness_database_query(&w->database, sql);
    char *rest = NULL;
    for (char *row = strtok_r(rows, "\n", &rest); row != NULL; row = strtok_r(NULL, "\n", &rest))
        object(v, row, "counts more crashes than services died or stood still", row + HASH_CHARS + 1);
}

void verdict_judge(world *w, const load *l, verdict *ret)
{
    load_totals totals = load_read_totals(l);
    ret->submissions = totals.submissions;
    ret->forged = totals.forged;
    ret->duplicates = totals.duplicates;
    ret->garbage = totals.garbage;
    ret->redeliveries = world_number(w, "SELECT coalesce(sum(greatest(generate_attempts - 1, 0) + "
                                        "greatest(publish_attempts - 1, 0)), 0) FROM submissions");
    compare_all(w, l, ret);
    judge_counts(w, ret);
    run_checker(w, ret);
}
