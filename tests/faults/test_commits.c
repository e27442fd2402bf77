/* Loses the answer to a commit, for real: Postgres commits, and the service hears nothing but a reset connection. It cannot know
 * which, repeats what it did, and the checker judges what became of the work.
 *
 * A proxy between service and Postgres waits for the statement that a commit travels with: one flight of statements is sent at
 * once, so that its answer is the commit's. */
#include "harness/proxy.h"
#include "harness/wait.h"
#include "pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOAD = 8, URL_MAX = 160 };

/* Postgres has answered everything, and no transaction is open. */
static const char READY[] = "Z\0\0\0\5I";

typedef struct world {
    pipeline pipeline;
    harness_proxy *proxy;
    char database[URL_MAX]; /* the service's way through the proxy */
    bool is_generator;
    pipeline_outcome expected;
} world;

static const char *url_of(world *w, harness_postgres *cluster)
{
    const char *name = strrchr(w->pipeline.database.url, '/') + 1;
    w->proxy = harness_proxy_new(harness_postgres_port(cluster));
    snprintf(w->database, sizeof(w->database), "DATABASE_URL=postgresql://proofline@127.0.0.1:%u/%s",
             harness_proxy_port(w->proxy), name);
    return w->database;
}

/* The service that loses answers is the one that the proxy serves. Every block is final, so that transactions are marked soon. */
static void start(world *w, harness_postgres *cluster)
{
    pipeline *p = &w->pipeline;
    pipeline_prepare(p, cluster, 0);
    const char *const through[] = {url_of(w, cluster), "CONFIRMATION_BLOCKS=1", NULL};
    const char *const direct[] = {"CONFIRMATION_BLOCKS=1", NULL};
    pipeline_start_generator(p, w->is_generator ? through : NULL);
    pipeline_start_publisher(p, w->is_generator ? direct : through);
}

static bool has_swallowed(void *ctx)
{
    return harness_proxy_read_counts(ctx).swallowed == 1;
}

/* A bound statement is named between two zeros: behind the name of its portal, which is empty. */
static void lose_answer_to(world *w, const char *statement)
{
    char name[HARNESS_PROXY_WATCHED];
    int length = snprintf(name + 1, sizeof(name) - 1, "%s", statement);
    name[0] = '\0';
    harness_proxy_swallow(w->proxy, base_bytes_of(name, (size_t)length + 2), base_bytes_of(READY, sizeof(READY) - 1));
}

static void wait_lost(world *w, const char *statement)
{
    if (!harness_wait_until(has_swallowed, w->proxy, PIPELINE_WAIT_MS))
        harness_fail("no answer to %s was ever lost", statement);
}

static void submit_load(world *w)
{
    base_sha256 submissions[LOAD];
    pipeline_submit_many(&w->pipeline, "c", LOAD, submissions);
    base_sha256 forged = pipeline_submit_forged(&w->pipeline, "forged");
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&w->pipeline, &submissions[i], WIRE_STATUS_COMPLETE);
    pipeline_wait(&w->pipeline, &forged, WIRE_STATUS_REJECTED);
    w->expected = (pipeline_outcome){.complete = LOAD, .rejected = 1};
}

static void load_while_losing(world *w, const char *statement)
{
    lose_answer_to(w, statement);
    submit_load(w);
    wait_lost(w, statement);
}

static void mark_final_while_losing(world *w, const char *statement)
{
    submit_load(w);
    lose_answer_to(w, statement);
    pipeline_make_block(&w->pipeline);
    wait_lost(w, statement);
    pipeline_wait_number(&w->pipeline, "SELECT count(*) FROM transactions WHERE state = 'included'", LOAD);
}

/* A publisher claims a rejected submission for another life, with an event. */
static void replay_while_losing(world *w, const char *statement)
{
    pipeline *p = &w->pipeline;
    pipeline_fault(p, "{\"kind\":\"error\",\"text\":\"Invalid_signature\",\"on\":\"send\",\"next\":1}");
    base_sha256 submission = pipeline_submit(p, "replayed");
    pipeline_wait(p, &submission, WIRE_STATUS_REJECTED);
    pipeline_wait_settled(p);
    lose_answer_to(w, statement);
    BASE_CLEANUP(free) char *output = NULL;
    const char *const redrive[] = {"dead", "redrive", "--stage", "publish", NULL};
    assert_int_equal(pipeline_proofctl(p, redrive, &output), 0);
    pipeline_wait(p, &submission, WIRE_STATUS_COMPLETE);
    wait_lost(w, statement);
    w->expected = (pipeline_outcome){.complete = 1};
}

static void acquire_while_losing(world *w, const char *statement)
{
    pipeline *p = &w->pipeline;
    lose_answer_to(w, statement);
    const char *const through[] = {w->database, NULL};
    pipeline_start_publisher(p, through);
    submit_load(w);
    wait_lost(w, statement);
}

typedef struct commit_place {
    bool is_generator;
    const char *statement; /* of the flight that ends in the commit */
    void (*run)(world *w, const char *statement);
} commit_place;

static const commit_place PLACES[] = {
    {true, "insert_outbox", load_while_losing}, /* claims of new submissions, with their events */
    {true, "generate_commit", load_while_losing},
    {true, "delete_outbox", load_while_losing},
    {false, "lane_raise", acquire_while_losing},
    {false, "publish_claim", load_while_losing},
    {false, "insert_outbox", replay_while_losing},
    {false, "transactions_commit", load_while_losing},
    {false, "publish_commit", load_while_losing},
    {false, "delete_outbox", load_while_losing},
    {false, "transactions_mark", mark_final_while_losing},
};
enum { PLACE_COUNT = sizeof(PLACES) / sizeof(PLACES[0]) };

static harness_postgres *the_cluster;

static void every_promise_holds_when_the_answer_to_this_commit_is_lost(void **state)
{
    const commit_place *place = *state;
    world w = {.is_generator = place->is_generator};
    start(&w, the_cluster);
    place->run(&w, place->statement);
    pipeline_check_promises(&w.pipeline, &w.expected);
    pipeline_stop(&w.pipeline);
    harness_proxy_free(w.proxy);
}

static int setup(void **state)
{
    void *cluster = NULL;
    int status = pipeline_group_setup(&cluster);
    the_cluster = cluster;
    *state = NULL;
    return status;
}

static int teardown(void **state)
{
    (void)state;
    harness_postgres_free(the_cluster);
    return 0;
}

int main(void)
{
    static char names[PLACE_COUNT][64];
    struct CMUnitTest tests[PLACE_COUNT];
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "%s.%s", PLACES[i].is_generator ? "generator" : "publisher",
                 PLACES[i].statement);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = every_promise_holds_when_the_answer_to_this_commit_is_lost,
                                       .initial_state = (void *)(uintptr_t)&PLACES[i]};
    }
    return _cmocka_run_group_tests("lost answers to commits", tests, PLACE_COUNT, setup, teardown);
}
