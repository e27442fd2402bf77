/* proofctl: submits images, shows what became of them, verifies proofs, and keeps an installation. */
#include "arguments.h"
#include "base/fault.h"
#include "output.h"

#include <string.h>

enum { SYNOPSIS_WIDTH = 34 };

static const struct {
    const char *title; /* starts a section of the help; NULL: same as before */
    const ctl_command *command;
} COMMANDS[] = {
    {"For creators and producers", &ctl_keygen},
    {NULL, &ctl_witness},
    {NULL, &ctl_submit},
    {"What became of them", &ctl_status},
    {NULL, &ctl_list},
    {NULL, &ctl_watch},
    {NULL, &ctl_proof_get},
    {NULL, &ctl_verify},
    {"For operators", &ctl_dead_list},
    {NULL, &ctl_dead_show},
    {NULL, &ctl_dead_redrive},
    {NULL, &ctl_topology_apply},
    {NULL, &ctl_topology_check},
    {NULL, &ctl_migrate_up},
    {NULL, &ctl_migrate_down},
    {NULL, &ctl_migrate_status},
    {"Messages, for use with the nats program", &ctl_encode},
    {NULL, &ctl_decode},
    {"Mina", &ctl_mina_keygen},
    {NULL, &ctl_mina_sign_payment},
};
enum { COMMAND_COUNT = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

static void program_help(FILE *out)
{
    fputs(
        "Usage: proofctl COMMAND [arguments] [options]\n\n"
        "Submits signed images to Proofline, shows what became of them, verifies proofs, and keeps an installation.\n",
        out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const ctl_command *command = COMMANDS[i].command;
        if (COMMANDS[i].title != NULL)
            fprintf(out, "\n%s:\n", COMMANDS[i].title);
        char synopsis[SYNOPSIS_WIDTH + 1];
        snprintf(synopsis, sizeof(synopsis), "%s %s", command->path, command->operands);
        fprintf(out, "  %-*s %s\n", SYNOPSIS_WIDTH, synopsis, command->summary);
    }
    fputs("\n  proofctl COMMAND --help or proofctl help COMMAND tells more of one. proofctl --version names the "
          "version.\n\n"
          "Environment; a command needs no more of it than its own help lists:\n",
          out);
    ctl_settings_help(~0U, out);
    fputs("\n", out);
    ctl_exit_help(out);
}

/* How many of argv's words spell the command: 0 when they do not. */
static int words_matched(const ctl_command *command, int argc, char **argv)
{
    const char *at = command->path;
    int words = 0;
    while (*at != '\0') {
        size_t length = strcspn(at, " ");
        if (words == argc || strlen(argv[words]) != length || memcmp(argv[words], at, length) != 0)
            return 0;
        at += length + (at[length] == ' ');
        words++;
    }
    return words;
}

static bool is_in_group(const ctl_command *command, const char *word)
{
    size_t length = strlen(word);
    return strncmp(command->path, word, length) == 0 && command->path[length] == ' ';
}

/* For a first word that needs a second: says which there are. */
static ctl_exit unknown_command(const char *word, bool asked_for_help)
{
    FILE *out = asked_for_help ? stdout : stderr;
    bool is_group = false;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const ctl_command *command = COMMANDS[i].command;
        if (!is_in_group(command, word))
            continue;
        if (!is_group)
            fprintf(out, "Usage: proofctl %s COMMAND\n\n", word);
        is_group = true;
        fprintf(out, "  proofctl %s %s\n      %s\n", command->path, command->operands, command->summary);
    }
    if (is_group)
        return asked_for_help ? CTL_EXIT_OK : CTL_EXIT_USAGE;
    fprintf(stderr, "proofctl: there is no command \"%.64s\"\nSee: proofctl --help\n", word);
    return CTL_EXIT_USAGE;
}

static ctl_exit run_command(const ctl_command *command, int argc, char **argv)
{
    BASE_CLEANUP(ctl_settings_done) ctl_settings settings = {0};
    ctl_option_values values;
    ctl_call call = {.command = command, .options = &values, .settings = &settings};
    switch (ctl_arguments_parse(command, argc, argv, &values, &call.operands, &call.operand_count)) {
    case CTL_PARSED_HELP:
        ctl_command_help(command, stdout);
        return CTL_EXIT_OK;
    case CTL_PARSE_FAILED:
        return CTL_EXIT_USAGE;
    case CTL_PARSED:
        break;
    }
    ctl_exit answer = command->run(&call);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fputs("proofctl: the output could not be written\n", stderr);
        return answer == CTL_EXIT_OK ? CTL_EXIT_NO : answer;
    }
    return answer;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* NULL: there is none of that name. */
static const ctl_command *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        *ret_words = words_matched(COMMANDS[i].command, argc, argv);
        if (*ret_words > 0)
            return COMMANDS[i].command;
    }
    return NULL;
}

/* `help`, `help dead` and `help dead list`. */
static ctl_exit help(int argc, char **argv)
{
    int words = 0;
    const ctl_command *command = find_command(argc, argv, &words);
    if (argc > 0 && command == NULL)
        return unknown_command(argv[0], true);
    if (command == NULL)
        program_help(stdout);
    else
        ctl_command_help(command, stdout);
    return CTL_EXIT_OK;
}

int main(int argc, char **argv)
{
    base_error err = {0};
    if (base_process_harden(&err) != BASE_OK)
        return (int)ctl_fail(&err);
    if (argc < 2) {
        program_help(stderr);
        return CTL_EXIT_USAGE;
    }
    if (is_help(argv[1]))
        return (int)help(argc - 2, argv + 2);
    if (strcmp(argv[1], "--version") == 0) {
        printf("proofctl %s\n", PROOFLINE_VERSION);
        return CTL_EXIT_OK;
    }
#ifdef PROOFLINE_FAULTS
    if (strcmp(argv[1], "--fault-points") == 0) {
        base_fault_list();
        return CTL_EXIT_OK;
    }
#endif
    int words = 0;
    const ctl_command *command = find_command(argc - 1, argv + 1, &words);
    return (int)(command == NULL ? unknown_command(argv[1], argc > 2 && is_help(argv[2]))
                                 : run_command(command, argc - words, argv + words));
}
