#pragma once
/* Runs the real proofctl and keeps what it said. */
#include "base/bytes.h"
#include "harness/folder.h"

#include <jansson.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

#define RUN_DEADLINE_MS 60000

typedef struct run_result {
    int code; /* exit status */
    char *out, *err;
} run_result;
void run_result_done(run_result *result);
BASE_CLEANUP_VALUE(run_result, run_result_done);

/* Runs argv (NULL-terminated, argv[0] included) to its end. `environment` as harness_process_options; `input` is a file for
 * standard input or NULL. */
run_result run_program(const char *const *environment, const char *input, const char *const *argv);
extern const char RUN_PROGRAM[]; /* path of proofctl */
#define RUN(environment, input, ...)                                                                                   \
    run_program(environment, input, (const char *const[]){RUN_PROGRAM, __VA_ARGS__, NULL})

/* Fails the test unless the exit status is `code`; then says what the program wrote. */
void run_expect(const run_result *result, int code);
/* Fails the test unless `part` occurs in `text`. */
void expect_part(const char *text, const char *part);
/* Parses one JSON value; fails the test when it is none. The caller owns the value. */
json_t *run_json(const char *text);
/* Loads a fixture by its path below tests/fixtures. The caller owns the value. */
json_t *run_fixture(const char *path);
/* A member that must be there as text; borrowed. */
const char *run_text(const json_t *object, const char *key);

/* Writes any bytes to a new file of a folder. */
harness_path run_file(const harness_path *folder, const char *name, base_bytes content);
/* Reads a whole file; the caller releases it by base_buffer_done. */
base_buffer run_read(const char *path);
