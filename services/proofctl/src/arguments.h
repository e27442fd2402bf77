#pragma once
/* Turns the words of a command line into a command's options and operands, and prints the help that follows from the table. */
#include "command.h"

/* Where options land: aligned for any options struct. */
typedef struct ctl_option_values {
    _Alignas(max_align_t) char bytes[CTL_OPTIONS_SIZE_MAX];
} ctl_option_values;

typedef enum ctl_parse { CTL_PARSED, CTL_PARSED_HELP, CTL_PARSE_FAILED } ctl_parse;

/* argv[0] is the command's last word. Fills *values and permutes argv so that the operands come last; *ret points at the first.
 * CTL_PARSED_HELP: --help was asked for. CTL_PARSE_FAILED: what is wrong has been said on stderr. */
ctl_parse ctl_arguments_parse(const ctl_command *command, int argc, char **argv, ctl_option_values *values,
                              char *const **ret, size_t *ret_count);

/* Says on stderr what is wrong with the arguments and where the help is; returns CTL_EXIT_USAGE. */
ctl_exit ctl_usage(const ctl_command *command, const char *format, ...) BASE_PRINTF(2, 3);

void ctl_command_help(const ctl_command *command, FILE *out);
void ctl_exit_help(FILE *out);
