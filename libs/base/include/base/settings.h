#pragma once
/* Configuration from the environment, by one table per program: each row is a setting, its default, its range and its help. */
#include "base/secret.h"

#include <stdio.h>

#define BASE_SETTING_VALUE_MAX 4096 /* bytes of one value */

typedef enum base_setting_kind {
    BASE_SETTING_TEXT,   /* field: char * (owned by the settings) */
    BASE_SETTING_INT,    /* field: int64_t; min..max */
    BASE_SETTING_BOOL,   /* field: bool; true/false, 1/0, yes/no */
    BASE_SETTING_CHOICE, /* field: char *; one of `choices`, separated by '|' */
    BASE_SETTING_SECRET, /* field: base_secret; also from the file named by <NAME>_FILE (empty: not set); removed from the environment */
} base_setting_kind;

typedef struct base_setting {
    const char *name; /* of the environment variable */
    base_setting_kind kind;
    size_t offset;        /* of the field in the program's settings struct */
    const char *fallback; /* text of the default; NULL: may be absent (field stays zero) unless `required` */
    bool required;
    int64_t min, max;    /* BASE_SETTING_INT only */
    const char *choices; /* BASE_SETTING_CHOICE only */
    const char *help;    /* one line for --help, with the unit */
} base_setting;

/* Fills *settings (zeroed by the caller) from the environment. On BASE_INVALID `problems` holds one line for *each* bad
 * setting, naming it and the way out, never a secret's value. */
BASE_MUST_CHECK base_code base_settings_load(const base_setting *table, size_t count, void *settings,
                                             base_buffer *problems);
/* Releases the texts and secrets of a loaded or half-loaded struct. */
void base_settings_done(const base_setting *table, size_t count, void *settings);
/* Whether `value` is one of `choices`, which are separated by '|'. */
bool base_setting_is_one_of(const char *value, const char *choices);
/* Writes the table for --help. */
void base_settings_help(const base_setting *table, size_t count, FILE *out);
