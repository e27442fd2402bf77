#include "stage/program.h"

#include "base/fault.h"
#include "telemetry/log.h"

#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = 65536 };

static void print_help(const stage_program *program)
{
    printf("Usage: %s [--help | --version]\n%s\n\nAll settings come from the environment:\n", program->name,
           program->summary);
    base_settings_help(program->settings, program->setting_count, stdout);
    printf("\nExit codes: 0 stopped orderly, 1 failed, %d bad settings (all of them are named at once).\n",
           STAGE_EXIT_CONFIGURATION);
}

/* True when the arguments ended the program; *ret is its exit code then. */
static bool handle_arguments(const stage_program *program, int argc, char **argv, int *ret)
{
    if (argc < 2)
        return false;
    *ret = 0;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(program);
    } else if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program->name, PROOFLINE_VERSION);
#ifdef PROOFLINE_FAULTS
    } else if (strcmp(argv[1], "--fault-points") == 0) {
        base_fault_list();
#endif
    } else {
        fprintf(stderr, "%s: unknown argument \"%s\": settings come from the environment, see --help\n", program->name,
                argv[1]);
        *ret = STAGE_EXIT_CONFIGURATION;
    }
    return true;
}

/* BASE_NO_MEMORY is told by *err; what is bad of the settings is told already. */
static base_code load(const stage_program *program, void *settings, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = PROBLEMS_MAX};
    base_code code = base_settings_load(program->settings, program->setting_count, settings, &problems);
    base_code rules = program->check != NULL ? program->check(settings, &problems) : BASE_OK;
    if (code == BASE_OK || rules == BASE_NO_MEMORY)
        code = rules;
    if (code == BASE_NO_MEMORY) /* no fault of the settings, and not all of their faults may be known */
        return base_fail(err, code, "no memory to read the settings");
    if (code != BASE_OK)
        fprintf(stderr, "%s: bad settings, see --help:\n%s", program->name,
                problems.data != NULL ? (const char *)problems.data : "");
    return code;
}

static base_code run(const stage_program *program, const void *settings, base_error *err)
{
    const stage_settings *common = (const stage_settings *)((const char *)settings + program->common_offset);
    BASE_CLEANUP(stage_service_free) stage_service *service = NULL;
    telemetry_level level = TELEMETRY_INFO;
    telemetry_format format = TELEMETRY_AUTO;
    if (!telemetry_level_parse(common->log_level, &level) || !telemetry_format_parse(common->log_format, &format))
        return base_fail(err, BASE_INVALID, "LOG_LEVEL or LOG_FORMAT"); /* the table has checked both */
    telemetry_log_init(program->name, level, format);
    base_code code = stage_service_new(program->name, common, &service, err);
    if (code == BASE_OK)
        code = program->run(service, settings, err);
    return code;
}

int stage_main(const stage_program *program, int argc, char **argv)
{
    int exit_code = EXIT_FAILURE;
    if (handle_arguments(program, argc, argv, &exit_code))
        return exit_code;
    base_error err = {0};
    void *settings = calloc(1, program->settings_size);
    base_code code = settings != NULL ? base_process_harden(&err) : base_fail(&err, BASE_NO_MEMORY, "no memory");
    bool configured = false;
    if (code == BASE_OK) {
        base_code loaded = load(program, settings, &err);
        configured = loaded == BASE_OK;
        if (loaded == BASE_NO_MEMORY)
            code = loaded;
    }
    if (configured)
        code = run(program, settings, &err);
    if (code != BASE_OK)
        fprintf(stderr, "%s: %s\n", program->name, err.message);
    if (settings != NULL)
        base_settings_done(program->settings, program->setting_count, settings);
    free(settings);
    if (!configured && code == BASE_OK)
        return STAGE_EXIT_CONFIGURATION;
    return code == BASE_OK ? EXIT_SUCCESS : code == BASE_INVALID ? STAGE_EXIT_CONFIGURATION : EXIT_FAILURE;
}
