#include "run.h"

#include "harness/process.h"
#include "harness/wait.h"

#include <string.h>

const char RUN_PROGRAM[] = BINARY_DIR "/proofctl";

enum { FILE_LIMIT = 16 * 1024 * 1024 };

void run_result_done(run_result *result)
{
    free(result->out);
    free(result->err);
    *result = (run_result){0};
}

run_result run_program(const char *const *environment, const char *input, const char *const *argv)
{
    BASE_CLEANUP(harness_process_free)
    harness_process *process =
        harness_process_new(&(harness_process_options){.argv = argv, .environment = environment, .input = input});
    run_result result = {.code = harness_process_wait(process, RUN_DEADLINE_MS)};
    result.out = harness_process_output(process);
    result.err = harness_process_errors(process);
    return result;
}

void run_expect(const run_result *result, int code)
{
    if (result->code != code)
        harness_fail("exit status %d instead of %d\n%s%s", result->code, code, result->out, result->err);
}

void expect_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        harness_fail("\"%s\" is not in:\n%s", part, text);
}

json_t *run_json(const char *text)
{
    json_error_t problem;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    if (value == NULL)
        harness_fail("no JSON (%s): %s", problem.text, text);
    return value;
}

json_t *run_fixture(const char *path)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", FIXTURES_DIR, path);
    json_error_t problem;
    json_t *value = json_load_file(full, 0, &problem);
    if (value == NULL)
        harness_fail("%s: %s", full, problem.text);
    return value;
}

const char *run_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        BASE_CLEANUP(free) char *shown = json_dumps(object, 0);
        harness_fail("no text \"%s\" in %s", key, shown);
    }
    return text;
}

harness_path run_file(const harness_path *folder, const char *name, base_bytes content)
{
    harness_path path = harness_path_in(folder, name);
    FILE *file = fopen(path.text, "wbe");
    if (file == NULL)
        harness_fail("%s cannot be written", path.text);
    size_t written = content.size == 0 ? 0 : fwrite(content.data, 1, content.size, file);
    if (fclose(file) != 0 || written != content.size)
        harness_fail("%s cannot be written", path.text);
    return path;
}

base_buffer run_read(const char *path)
{
    base_buffer content = {.limit = FILE_LIMIT};
    base_error err = {0};
    if (base_file_read(path, &content, &err) != BASE_OK)
        harness_fail("%s", err.message);
    return content;
}
