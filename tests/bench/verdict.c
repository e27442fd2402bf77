#include "verdict.h"

#include "harness/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX_MS  10000
#define ANSWER_MAX 256
#define SQL_MAX    1024

static bool outbox_is_empty(void *database)
{
    BASE_CLEANUP(free) char *rows = harness_database_query(database, "SELECT count(*) FROM outbox");
    return strcmp(rows, "0") == 0;
}

static void expect(const bench_pipeline *pipeline, const char *what, const char *sql, const char *wanted)
{
    BASE_CLEANUP(free) char *answer = harness_database_query(&pipeline->database, sql);
    if (strcmp(answer, wanted) != 0)
        harness_fail("the run is void: %s are %s instead of %s", what, answer, wanted);
}

/* Of the rows that this run has made. */
static void expect_of_run(const bench_pipeline *pipeline, const char *what, const char *select, const char *wanted)
{
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql), "%s WHERE created_at > '%s'", select, pipeline->since);
    expect(pipeline, what, sql, wanted);
}

size_t bench_verdict(const bench_plan *plan, const bench_pipeline *pipeline, bench_follower *follower, size_t count)
{
    char wanted[ANSWER_MAX];
    harness_database database = pipeline->database;
    expect(pipeline, "fsync and synchronous_commit",
           "SELECT current_setting('fsync'), current_setting('synchronous_commit')", "on|on");
    if (!harness_wait_until(outbox_is_empty, &database, OUTBOX_MS))
        harness_fail("the run is void: rows are left in the outbox");
    snprintf(wanted, sizeof(wanted), "%zu|%zu|1|1|0|0", count, count);
    expect_of_run(
        pipeline, "submissions, complete, least and most proofs generated, retries and crashes",
        "SELECT count(*), count(*) FILTER (WHERE status = 'complete'), min(proofs_generated), max(proofs_generated), "
        "sum(retry_count), sum(crash_count) FROM submissions",
        wanted);
    snprintf(wanted, sizeof(wanted), "%zu", count);
    expect_of_run(pipeline, "stored proofs", "SELECT count(*) FROM proofs", wanted);
    if (strcmp(plan->ledger, "anchor") == 0) {
        snprintf(wanted, sizeof(wanted), "%zu|%zu|%zu", count, count, count);
        expect_of_run(pipeline, "transactions, nonces and their span",
                      "SELECT count(*), count(DISTINCT nonce), max(nonce) - min(nonce) + 1 FROM transactions", wanted);
    }
    size_t strays = bench_follower_strays(follower);
    if (strays != 0)
        harness_fail("the run is void: %zu events `complete` too many", strays);
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql), "SELECT max(octet_length(blob)) FROM proofs WHERE created_at > '%s'", pipeline->since);
    BASE_CLEANUP(free) char *size = harness_database_query(&pipeline->database, sql);
    return strtoul(size, NULL, 10);
}
