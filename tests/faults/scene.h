#pragma once
/* A Proofline whose work is done and whose services have ended, to be broken by hand, checked, and mended. */
#include "checker.h"
#include "pipeline.h"
#include "wire/messages.h"

enum { SCENE_GOOD = 40, SCENE_FORGED = 4, SCENE_GARBAGE = 3 };

typedef struct scene {
    harness_postgres *cluster;
    pipeline pipeline;
    base_sha256 good[SCENE_GOOD];     /* complete, half of them in a block, half in the pool */
    base_sha256 forged[SCENE_FORGED]; /* rejected, redriven, rejected again */
    uint64_t garbage[SCENE_GARBAGE];  /* sequences of messages that are none */
} scene;

/* Group set-up and tear-down: *state is the scene. */
int scene_setup(void **state);
int scene_teardown(void **state);
/* Before and after each test the checker is content: each mends what it broke. */
int scene_check_content(void **state);

checker_options scene_options(const scene *s);
checker_report scene_check(const scene *s, const checker_options *options);

/* What the checker must say: a violation of this kind that contains `id` and `words`. */
typedef struct scene_violation {
    checker_kind kind;
    const char *id;
    const char *words;
} scene_violation;
/* Fails unless the report has exactly these, each once. Releases the report. */
void scene_expect_report(checker_report report, const scene_violation *expected, size_t count);
/* Runs the checker and expects one violation, or none for CHECKER_KINDS. */
void scene_expect(const scene *s, checker_kind kind, const char *id, const char *words);
#define SCENE_EXPECT_ALL(scene, ...)                                                                                   \
    do {                                                                                                               \
        const scene_violation expected_here[] = {__VA_ARGS__};                                                         \
        checker_options options_here = scene_options(scene);                                                           \
        scene_expect_report(scene_check((scene), &options_here), expected_here,                                        \
                            sizeof(expected_here) / sizeof(expected_here[0]));                                         \
    } while (0)

/* Runs SQL in which %s is the hash of the submission. */
void scene_sql(const scene *s, const base_sha256 *submission, const char *format);
/* All tables as they were at the end of the work. */
void scene_restore_tables(const scene *s);

/* Stores a message without a message id; returns its sequence. */
uint64_t scene_store(const scene *s, const char *subject, base_bytes payload, const broker_header *headers,
                     size_t header_count);
uint64_t scene_store_event(const scene *s, const wire_status_changed *event);
void scene_delete(const scene *s, const char *stream, uint64_t sequence);
/* Takes a message out of its stream. The caller owns *ret and may put it back. */
void scene_take(const scene *s, const char *stream, uint64_t sequence, broker_stored *ret);
/* Stores it again, with its headers, at the end of its stream. */
uint64_t scene_put_back(const scene *s, const broker_stored *message);
/* Sequence of the submission's first event with this status. */
uint64_t scene_find_event(const scene *s, const base_sha256 *submission, wire_status status);
/* Sequence of the first dead letter whose header has this value. */
uint64_t scene_find_letter(const scene *s, const char *header, const char *value);
