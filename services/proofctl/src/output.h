#pragma once
/* What proofctl prints: tables and lines for people, JSON for programs, errors and progress on stderr. */
#include "command.h"

#include <jansson.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

#define CTL_COLUMNS_MAX 8

/* Prints "proofctl: <message>" and returns the exit status that belongs to err->code. */
ctl_exit ctl_fail(const base_error *err);
ctl_exit ctl_exit_of(base_code code);

/* Prints one JSON object on a line of its own and flushes, so that a reader of a pipe sees it at once. Takes `value`; NULL (no
 * memory) is an error. */
ctl_exit ctl_json_line(json_t *value);
/* The same over several lines, for a single object that people may look at. */
ctl_exit ctl_json_pretty(json_t *value);
/* RFC 3339, or null for 0. The caller owns the value. */
json_t *ctl_json_time(int64_t unix_ms);
/* The text, or null for "" and NULL. The caller owns the value. */
json_t *ctl_json_text(const char *text);

/* A table whose columns are as wide as their widest cell. Control characters become '?': texts come from other people. */
typedef struct ctl_table ctl_table;
/* `headings` (upper case) end with NULL, at most CTL_COLUMNS_MAX; borrowed. The caller owns *ret. */
BASE_MUST_CHECK base_code ctl_table_new(const char *const *headings, ctl_table **ret, base_error *err);
void ctl_table_free(ctl_table *table);
BASE_CLEANUP_POINTER(ctl_table, ctl_table_free);
/* Copies one cell per heading; NULL is an empty cell. */
BASE_MUST_CHECK base_code ctl_table_add(ctl_table *table, const char *const *cells, base_error *err);
void ctl_table_print(const ctl_table *table, FILE *out);

/* Writes text with control characters replaced. */
void ctl_print_clean(const char *text, FILE *out);

/* Whether nobody can read standard output any more: it is a pipe whose reader has gone. */
bool ctl_output_is_abandoned(void);

/* Says on one line of stderr, when that is a terminal, for how long something has been waited for; end clears the line. */
typedef struct ctl_progress {
    const char *what;
    int64_t started_ms;
    bool is_shown;
} ctl_progress;
ctl_progress ctl_progress_begin(const char *what);
void ctl_progress_show(ctl_progress *progress);
void ctl_progress_end(ctl_progress *progress);
BASE_CLEANUP_VALUE(ctl_progress, ctl_progress_end);
