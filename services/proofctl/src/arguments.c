#include "arguments.h"

#include "base/settings.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

/* What getopt_long returns for option i: above every character. */
enum { OPTION_BASE = 256 };
enum { HELP_WIDTH = 30 };

ctl_exit ctl_usage(const ctl_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "proofctl %s: ", command->path);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nSee: proofctl %s --help\n", command->path);
    return CTL_EXIT_USAGE;
}

static bool set_number(const ctl_command *command, const ctl_option *option, const char *text, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && number >= option->min && number <= option->max) {
        *ret = number;
        return true;
    }
    ctl_usage(command, "--%s: \"%.64s\" is not a whole number from %" PRId64 " to %" PRId64, option->name, text,
              option->min, option->max);
    return false;
}

static bool set_option(const ctl_command *command, const ctl_option *option, char *argument, ctl_option_values *values)
{
    void *field = values->bytes + option->offset;
    switch (option->kind) {
    case CTL_OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case CTL_OPTION_TEXT:
        *(const char **)field = argument;
        return true;
    case CTL_OPTION_CHOICE:
        *(const char **)field = argument;
        if (base_setting_is_one_of(argument, option->choices))
            return true;
        ctl_usage(command, "--%s: \"%.64s\" is not one of %s", option->name, argument, option->choices);
        return false;
    case CTL_OPTION_NUMBER:
        return set_number(command, option, argument, field);
    }
    return false;
}

static void set_fallbacks(const ctl_command *command, ctl_option_values *values)
{
    memset(values, 0, sizeof(*values));
    for (size_t i = 0; i < command->option_count; i++) {
        const ctl_option *option = &command->options[i];
        if (option->kind == CTL_OPTION_NUMBER)
            *(int64_t *)(void *)(values->bytes + option->offset) = option->fallback;
    }
}

static void fill_long_options(const ctl_command *command, struct option *ret)
{
    for (size_t i = 0; i < command->option_count; i++) {
        int takes = command->options[i].kind == CTL_OPTION_FLAG ? no_argument : required_argument;
        ret[i] = (struct option){command->options[i].name, takes, NULL, OPTION_BASE + (int)i};
    }
    ret[command->option_count] = (struct option){"help", no_argument, NULL, 'h'};
}

static bool has_what_is_required(const ctl_command *command, const ctl_option_values *values, size_t operands)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const ctl_option *option = &command->options[i];
        if (option->required && *(const char *const *)(const void *)(values->bytes + option->offset) == NULL) {
            ctl_usage(command, "--%s %s is missing", option->name, option->argument);
            return false;
        }
    }
    if (operands < command->operands_min) {
        ctl_usage(command, "%s is missing", command->operands);
        return false;
    }
    if (operands > command->operands_max) {
        ctl_usage(command, "too many arguments");
        return false;
    }
    return true;
}

ctl_parse ctl_arguments_parse(const ctl_command *command, int argc, char **argv, ctl_option_values *values,
                              char *const **ret, size_t *ret_count)
{
    struct option known[CTL_OPTIONS_MAX + 2] = {0};
    fill_long_options(command, known);
    set_fallbacks(command, values);
    opterr = 0; /* the words are ours */
    for (int found; (found = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        if (found == 'h')
            return CTL_PARSED_HELP;
        if (found == ':' || found == '?') {
            ctl_usage(command, found == ':' ? "%s needs a value" : "unknown or misused option %s", argv[optind - 1]);
            return CTL_PARSE_FAILED;
        }
        if (!set_option(command, &command->options[found - OPTION_BASE], optarg, values))
            return CTL_PARSE_FAILED;
    }
    *ret = argv + optind;
    *ret_count = (size_t)(argc - optind);
    return has_what_is_required(command, values, *ret_count) ? CTL_PARSED : CTL_PARSE_FAILED;
}

static void option_help(const ctl_option *option, FILE *out)
{
    char name[HELP_WIDTH + 1];
    snprintf(name, sizeof(name), "--%s%s%s", option->name, option->argument == NULL ? "" : " ",
             option->argument == NULL ? "" : option->argument);
    fprintf(out, "  %-*s %s", HELP_WIDTH, name, option->help);
    if (option->required)
        fputs(" [required]", out);
    if (option->kind == CTL_OPTION_NUMBER && option->fallback >= option->min)
        fprintf(out, " [%" PRId64 "]", option->fallback);
    fputc('\n', out);
}

void ctl_command_help(const ctl_command *command, FILE *out)
{
    fprintf(out, "Usage: proofctl %s%s%s%s\n\n%s.\n", command->path, command->operands[0] == '\0' ? "" : " ",
            command->operands, command->option_count == 0 ? "" : " [options]", command->summary);
    if (command->details != NULL)
        fprintf(out, "%s\n", command->details);
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < command->option_count; i++)
        option_help(&command->options[i], out);
    fprintf(out, "  %-*s %s\n", HELP_WIDTH, "--help", "this text");
    if (command->uses != 0) {
        fputs("\nEnvironment:\n", out);
        ctl_settings_help(command->uses, out);
    }
    fputc('\n', out);
    ctl_exit_help(out);
}

void ctl_exit_help(FILE *out)
{
    fputs("Exit status:\n"
          "  0  done, or the answer is yes\n"
          "  1  failed, or the answer is no\n"
          "  2  wrong arguments or configuration\n"
          "  3  the submission was rejected\n"
          "  4  what was waited for did not come in time\n"
          "  5  NATS, Postgres or the Mina node cannot be reached, or has no streams or tables yet: try again\n",
          out);
}
