/* Breaks the commands of proofctl that change something at every one of their fault points; whoever ran one runs it again, and the
 * checker judges what became of it. */
#include "harness/folder.h"
#include "harness/wait.h"
#include "labels/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOAD = 5, WORDS_MAX = 8 };

static const char PROGRAM[] = BINARY_DIR "/proofctl";

/* One command broken at one point. */
typedef struct command_run {
    pipeline pipeline;
    base_sha256 submissions[LOAD], forged;
    harness_path key;
    const char *words[WORDS_MAX]; /* of the command */
    pipeline_outcome expected;
} command_run;

typedef struct command_situation {
    const char *prefix;               /* of the points */
    const char *passage;              /* "@3": the third time that it is passed */
    void (*before)(command_run *run); /* with both services running: fills words and expected */
    void (*finish)(command_run *run); /* after the second run: waits for what the command was for */
    bool tries_again;                 /* the command itself, after an error */
    bool loses_session;               /* one that stalls is given up by the database, and fails when it wakes up */
} command_situation;

static void run_words(command_run *run)
{
    BASE_CLEANUP(free) char *output = NULL;
    if (pipeline_proofctl(&run->pipeline, run->words, &output) != 0)
        harness_fail("proofctl %s: %s", run->words[0], output);
}

static void set_words(command_run *run, const char *const *words)
{
    size_t count = 0;
    for (; words[count] != NULL; count++)
        run->words[count] = words[count];
    run->words[count] = NULL;
}

static void make_key(command_run *run)
{
    harness_path folder = harness_folder_new("creator");
    run->key = harness_path_in(&folder, "creator.pem");
    const char *const keygen[] = {"keygen", "--out", run->key.text, NULL};
    set_words(run, keygen);
    run_words(run);
    const char *const submit[] = {"submit", FIXTURES_DIR "/photo.png", "--key", run->key.text, NULL};
    set_words(run, submit);
    run->expected = (pipeline_outcome){.complete = 1};
}

static void wait_complete(command_run *run)
{
    pipeline_wait_number(&run->pipeline, "SELECT count(*) FROM submissions WHERE status = 'complete'",
                         (int64_t)run->expected.complete);
}

/* All submissions are rejected: one for ever, the others by a node that has come to its senses since. */
static void reject_all(command_run *run)
{
    pipeline *p = &run->pipeline;
    pipeline_fault(p, "{\"kind\":\"error\",\"text\":\"Invalid_signature\",\"on\":\"send\",\"probability\":1}");
    pipeline_submit_many(p, "good", LOAD, run->submissions);
    run->forged = pipeline_submit_forged(p, "forged");
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(p, &run->submissions[i], WIRE_STATUS_REJECTED);
    pipeline_wait(p, &run->forged, WIRE_STATUS_REJECTED);
    pipeline_wait_settled(p);
    pipeline_fault(p, NULL);
    const char *const redrive[] = {"dead", "redrive", "--all", NULL};
    set_words(run, redrive);
    run->expected = (pipeline_outcome){.complete = LOAD, .rejected = 1};
}

static void wait_redriven(command_run *run)
{
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&run->pipeline, &run->submissions[i], WIRE_STATUS_COMPLETE);
    pipeline_wait(&run->pipeline, &run->forged, WIRE_STATUS_REJECTED);
}

static void submit_load(command_run *run)
{
    pipeline_submit_many(&run->pipeline, "good", LOAD, run->submissions);
    run->expected = (pipeline_outcome){.complete = LOAD};
    for (size_t i = 0; i < LOAD; i++)
        pipeline_wait(&run->pipeline, &run->submissions[i], WIRE_STATUS_COMPLETE);
}

/* Streams and consumers are gone, while the services run. */
static void lose_streams(command_run *run)
{
    harness_nats_stop(run->pipeline.nats);
    harness_nats_wipe(run->pipeline.nats);
    harness_nats_start(run->pipeline.nats);
    const char *const apply[] = {"topology", "apply", NULL};
    set_words(run, apply);
}

static void name_down(command_run *run)
{
    const char *const down[] = {"migrate", "down", "--steps", "100", NULL};
    set_words(run, down);
}

static void name_up(command_run *run)
{
    const char *const up[] = {"migrate", "up", NULL};
    set_words(run, up);
}

/* The tables are gone, while the services run. */
static void lose_tables(command_run *run)
{
    name_down(run);
    run_words(run);
    name_up(run);
}

static void bring_tables_back(command_run *run)
{
    assert_int_equal(pipeline_number(&run->pipeline, "SELECT count(*) FROM proofline_migrations"), 0);
    name_up(run);
    run_words(run);
    submit_load(run);
}

static const command_situation TABLE[] = {
    {"submit.", "", make_key, wait_complete, false, false},
    {"redrive.", "@3", reject_all, wait_redriven, false, false},
    {"topology.", "@2", lose_streams, submit_load, true, false},
    {"migrate.applied", "@2", lose_tables, submit_load, false, true},
    {"migrate.granting", "", lose_tables, submit_load, false, true},
    {"migrate.reverted", "@2", name_down, bring_tables_back, false, true},
};

static const command_situation *situation_of(const char *point)
{
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
        if (strncmp(point, TABLE[i].prefix, strlen(TABLE[i].prefix)) == 0)
            return &TABLE[i];
    harness_fail("nobody has said how %s comes to be passed", point);
}

static void every_promise_holds_when_the_command_breaks_and_is_repeated(void **state)
{
    command_run run = {.words = {NULL}};
    pipeline *p = &run.pipeline;
    const command_situation *situation = situation_of(*state);
    char place[LABELS_POINT_MAX + 8], fault[LABELS_ARM_MAX];
    snprintf(place, sizeof(place), "%s%s", (const char *)*state, situation->passage);
    pipeline_start(p, labels_cluster(), 0);
    situation->before(&run);
    harness_process *armed = pipeline_launch_proofctl(p, run.words, labels_arm_here(fault, place));
    labels_wait_act(armed);
    if (labels_what() == LABELS_ERROR) {
        int code = harness_process_wait(armed, PIPELINE_WAIT_MS);
        assert_true(situation->tries_again ? code == 0 : code > 0);
    }
    if (labels_what() == LABELS_STALL && situation->loses_session)
        free(harness_database_query(&p->database, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                                  "WHERE datname = current_database() "
                                                  "AND application_name = 'proofctl'"));
    run_words(&run);
    situation->finish(&run);
    if (labels_what() == LABELS_STALL) {
        labels_wake(armed);
        int code = harness_process_wait(armed, PIPELINE_WAIT_MS);
        assert_true(situation->loses_session ? code > 0 : code == 0);
    }
    pipeline_wait_settled(p);
    labels_check(p, &run.expected);
    harness_process_free(armed);
    pipeline_stop(p);
}

int main(void)
{
    return labels_run_all(PROGRAM, every_promise_holds_when_the_command_breaks_and_is_repeated);
}
