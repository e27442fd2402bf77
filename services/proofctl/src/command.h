#pragma once
/* What a command of proofctl is: a row of one table that finds it, parses its arguments and prints its help. */
#include "settings.h"

#include <stdbool.h>

#define CTL_OPTIONS_MAX        16  /* options of one command */
#define CTL_OPTIONS_SIZE_MAX   256 /* bytes of a command's options struct */
#define CTL_COMMAND_WORDS_MAX  2   /* "dead redrive" */
#define CTL_OPERANDS_UNBOUNDED SIZE_MAX

/* What the shell sees; part of the contract with scripts and listed in --help. */
typedef enum ctl_exit {
    CTL_EXIT_OK = 0,
    CTL_EXIT_NO = 1,       /* the answer is no, or it failed */
    CTL_EXIT_USAGE = 2,    /* wrong arguments or configuration */
    CTL_EXIT_REJECTED = 3, /* the submission was rejected */
    CTL_EXIT_TIMEOUT = 4,  /* what was waited for did not come in time */
    /* NATS, Postgres or the node cannot be reached, or streams or tables are missing: try again. */
    CTL_EXIT_UNAVAILABLE = 5,
} ctl_exit;

typedef enum ctl_option_kind {
    CTL_OPTION_FLAG,   /* field: bool */
    CTL_OPTION_TEXT,   /* field: const char *, NULL unless given */
    CTL_OPTION_CHOICE, /* the same, and one of `choices` */
    CTL_OPTION_NUMBER, /* field: int64_t; min..max, `fallback` unless given */
} ctl_option_kind;

typedef struct ctl_option {
    const char *name; /* without the dashes */
    ctl_option_kind kind;
    bool required;
    size_t offset;        /* of the field in the command's options struct */
    const char *argument; /* its name in the help; NULL for a flag */
    const char *help;
    int64_t fallback, min, max; /* CTL_OPTION_NUMBER only */
    const char *choices;        /* CTL_OPTION_CHOICE only: separated by '|' */
} ctl_option;

typedef struct ctl_command ctl_command;

/* One invocation; everything is borrowed. */
typedef struct ctl_call {
    const ctl_command *command;
    const void *options; /* the command's own options struct, filled */
    char *const *operands;
    size_t operand_count;
    ctl_settings *settings;
} ctl_call;

struct ctl_command {
    const char *path;     /* one or two words: "submit", "dead redrive" */
    const char *operands; /* for the help: "IMAGE"; "" for none */
    const char *summary;  /* one line */
    const char *details;  /* more help, or NULL */
    const ctl_option *options;
    size_t option_count;
    size_t operands_min, operands_max;
    unsigned uses; /* CTL_USES_…: which settings its help lists */
    ctl_exit (*run)(const ctl_call *call);
};

#define CTL_JSON_OPTION(type)                                                                                          \
    {                                                                                                                  \
        .name = "json", .kind = CTL_OPTION_FLAG, .offset = offsetof(type, json),                                       \
        .help = "JSON, one object per line, instead of text for people"                                                \
    }
#define CTL_OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof((table)[0])

/* The commands, in the files named after their groups. */
extern const ctl_command ctl_keygen, ctl_witness;
extern const ctl_command ctl_submit;
extern const ctl_command ctl_status, ctl_list;
extern const ctl_command ctl_watch;
extern const ctl_command ctl_proof_get;
extern const ctl_command ctl_verify;
extern const ctl_command ctl_dead_list, ctl_dead_show;
extern const ctl_command ctl_dead_redrive;
extern const ctl_command ctl_topology_apply, ctl_topology_check;
extern const ctl_command ctl_migrate_up, ctl_migrate_down, ctl_migrate_status;
extern const ctl_command ctl_encode, ctl_decode;
extern const ctl_command ctl_mina_keygen, ctl_mina_sign_payment;
