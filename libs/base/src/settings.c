#include "base/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_CHARS = 128 };

static void *field_of(const base_setting *row, void *settings)
{
    return (char *)settings + row->offset;
}

bool base_setting_is_one_of(const char *value, const char *choices)
{
    size_t length = strlen(value);
    for (const char *at = choices; *at != '\0';) {
        size_t choice = strcspn(at, "|");
        if (choice == length && memcmp(at, value, length) == 0)
            return true;
        at += choice + (at[choice] == '|');
    }
    return false;
}

static base_code set_text(const base_setting *row, const char *value, void *field, base_error *err)
{
    if (strlen(value) > BASE_SETTING_VALUE_MAX)
        return base_fail(err, BASE_INVALID, "%s: at most %d bytes", row->name, BASE_SETTING_VALUE_MAX);
    if (row->kind == BASE_SETTING_CHOICE && !base_setting_is_one_of(value, row->choices))
        return base_fail(err, BASE_INVALID, "%s: \"%.40s\" is not one of %s", row->name, value, row->choices);
    char *copy = strdup(value);
    if (copy == NULL)
        return base_fail(err, BASE_NO_MEMORY, "%s: no memory", row->name);
    *(char **)field = copy;
    return BASE_OK;
}

static base_code set_int(const base_setting *row, const char *value, void *field, base_error *err)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < row->min || number > row->max)
        return base_fail(err, BASE_INVALID, "%s: \"%.40s\" is not a whole number from %lld to %lld", row->name, value,
                         (long long)row->min, (long long)row->max);
    *(int64_t *)field = number;
    return BASE_OK;
}

static base_code set_bool(const base_setting *row, const char *value, void *field, base_error *err)
{
    bool yes = base_setting_is_one_of(value, "true|1|yes|on");
    if (!yes && !base_setting_is_one_of(value, "false|0|no|off"))
        return base_fail(err, BASE_INVALID, "%s: \"%.40s\" is neither true nor false", row->name, value);
    *(bool *)field = yes;
    return BASE_OK;
}

static base_code set_secret(const base_setting *row, const char *value, void *field, base_error *err)
{
    base_code code = base_secret_copy(base_bytes_of(value, strlen(value)), field, err);
    return code == BASE_OK ? code : base_fail_within(err, "%s", row->name);
}

static base_code set_value(const base_setting *row, const char *value, void *field, base_error *err)
{
    switch (row->kind) {
    case BASE_SETTING_TEXT:
    case BASE_SETTING_CHOICE:
        return set_text(row, value, field, err);
    case BASE_SETTING_INT:
        return set_int(row, value, field, err);
    case BASE_SETTING_BOOL:
        return set_bool(row, value, field, err);
    case BASE_SETTING_SECRET:
        return set_secret(row, value, field, err);
    }
    return base_fail(err, BASE_INTERNAL, "%s: unknown kind of setting", row->name);
}

/* Takes a secret out of the environment, so that no child inherits it and /proc does not show it. */
static void forget_variable(const char *name)
{
    const size_t length = strlen(name);
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) /* there may be several of one name */
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            base_wipe(*entry + length + 1, strlen(*entry + length + 1));
    unsetenv(name);
}

static base_code load_secret_file(const base_setting *row, void *field, bool *ret_found, base_error *err)
{
    char name[NAME_MAX_CHARS];
    snprintf(name, sizeof(name), "%s_FILE", row->name);
    const char *path = getenv(name);
    *ret_found = path != NULL && path[0] != '\0';
    if (!*ret_found)
        return BASE_OK;
    const char *direct = getenv(row->name);
    if (direct != NULL && direct[0] != '\0')
        return base_fail(err, BASE_INVALID, "%s and %s are both set: keep one", row->name, name);
    base_secret *secret = field;
    base_code code = base_secret_read(path, secret, err);
    if (code != BASE_OK)
        return base_fail_within(err, "%s", name);
    *ret_found = secret->size > 0; /* an empty file is like an empty variable: not set */
    if (!*ret_found)
        base_secret_done(secret);
    return BASE_OK;
}

static base_code load_row(const base_setting *row, void *settings, base_error *err)
{
    void *field = field_of(row, settings);
    if (row->kind == BASE_SETTING_SECRET) {
        bool found = false;
        base_code code = load_secret_file(row, field, &found, err);
        if (code != BASE_OK || found) {
            forget_variable(row->name);
            return code;
        }
    }
    const char *value = getenv(row->name);
    if (value == NULL || value[0] == '\0')
        value = row->fallback;
    if (value == NULL && row->required)
        return base_fail(err, BASE_INVALID, "%s is not set%s%s%s: %s", row->name,
                         row->kind == BASE_SETTING_SECRET ? ", nor is " : "",
                         row->kind == BASE_SETTING_SECRET ? row->name : "",
                         row->kind == BASE_SETTING_SECRET ? "_FILE" : "", row->help);
    base_code code = value == NULL ? BASE_OK : set_value(row, value, field, err);
    if (row->kind == BASE_SETTING_SECRET)
        forget_variable(row->name);
    return code;
}

base_code base_settings_load(const base_setting *table, size_t count, void *settings, base_buffer *problems)
{
    base_code result = BASE_OK;
    for (size_t i = 0; i < count; i++) {
        base_error err = {0};
        base_code code = load_row(&table[i], settings, &err);
        if (code == BASE_OK)
            continue;
        if (code == BASE_NO_MEMORY || base_buffer_printf(problems, NULL, "%s\n", err.message) == BASE_NO_MEMORY)
            return BASE_NO_MEMORY;
        result = BASE_INVALID;
    }
    return result;
}

void base_settings_done(const base_setting *table, size_t count, void *settings)
{
    for (size_t i = 0; i < count; i++) {
        void *field = field_of(&table[i], settings);
        if (table[i].kind == BASE_SETTING_SECRET)
            base_secret_done(field);
        if (table[i].kind == BASE_SETTING_TEXT || table[i].kind == BASE_SETTING_CHOICE) {
            free(*(char **)field);
            *(char **)field = NULL;
        }
    }
}

void base_settings_help(const base_setting *table, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        const base_setting *row = &table[i];
        fprintf(out, "  %-32s %s", row->name, row->help);
        if (row->kind == BASE_SETTING_CHOICE)
            fprintf(out, " (%s)", row->choices);
        if (row->kind == BASE_SETTING_SECRET)
            fprintf(out, " (or %s_FILE)", row->name);
        if (row->fallback != NULL)
            fprintf(out, " [%s]", row->fallback);
        else if (row->required)
            fprintf(out, " [required]");
        fputc('\n', out);
    }
}
