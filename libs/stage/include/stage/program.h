#pragma once
/* main() of a service: --help and --version, hardening, settings from the environment, log, run. */
#include "stage/service.h"

#define STAGE_EXIT_CONFIGURATION 2 /* a bad setting or argument */

typedef struct stage_program {
    const char *name;    /* proofline-generator */
    const char *summary; /* one line for --help */
    const base_setting *settings;
    size_t setting_count;
    size_t settings_size; /* of the struct that the table fills */
    size_t common_offset; /* of its stage_settings */
    /* Rules beyond the table's: appends a line per problem. Runs also when the table found some: the fields of bad rows are
     * zero then. May be NULL. */
    base_code (*check)(const void *settings, base_buffer *problems);
    /* Makes the workers, runs the service, and frees them. */
    base_code (*run)(stage_service *service, const void *settings, base_error *err);
} stage_program;

/* Returns the process's exit code: 0 after an orderly stop, 1 on a failure, STAGE_EXIT_CONFIGURATION. */
int stage_main(const stage_program *program, int argc, char **argv);
