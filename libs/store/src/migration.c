#include "migration.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

void store_migration_done(store_migration *migration)
{
    base_buffer_done(&migration->text);
}

void store_migrations_done(store_migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++)
        store_migration_done(&migrations->items[i]);
    free(migrations->items);
    *migrations = (store_migrations){0};
}

bool store_migration_parse_name(const char *file, store_migration *ret)
{
    const size_t digits = strspn(file, "0123456789");
    const size_t length = strlen(file);
    if (digits == 0 || digits >= STORE_NAME_MAX || file[digits] != '_' || length < digits + 6 ||
        strcmp(file + length - 4, ".sql") != 0 || length - digits - 5 >= STORE_NAME_MAX)
        return false;
    snprintf(ret->version, sizeof(ret->version), "%.*s", (int)digits, file);
    snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(length - digits - 5), file + digits + 1);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Reads "-- migrate:<word>" with anything behind it; returns what is behind, NULL when the line is no such marker. */
static const char *marker(const char *line, const char *end, const char *word)
{
    static const char *const PARTS[] = {"--", "migrate:"};
    for (size_t i = 0; i < 2; i++) {
        const size_t length = strlen(PARTS[i]);
        if ((size_t)(end - line) < length || memcmp(line, PARTS[i], length) != 0)
            return NULL;
        line += length;
        while (line < end && is_blank(*line))
            line++;
    }
    const size_t length = strlen(word);
    if ((size_t)(end - line) < length || memcmp(line, word, length) != 0)
        return NULL;
    line += length;
    return line == end || is_blank(*line) ? line : NULL;
}

static bool says_no_transaction(const char *options, const char *end)
{
    static const char WORD[] = "transaction:false";
    for (; (size_t)(end - options) >= sizeof(WORD) - 1; options++) {
        if (memcmp(options, WORD, sizeof(WORD) - 1) == 0)
            return true;
    }
    return false;
}

bool store_section_next(base_bytes *rest, base_bytes *ret)
{
    const char *text = (const char *)rest->data;
    size_t last = 0, end = 0; /* behind the last character that is not blank, and of this line */
    bool ended = false;
    for (; end < rest->size && !ended; end++) {
        ended = text[end] == '\n' && last > 0 && text[last - 1] == ';';
        last = text[end] == '\n' || is_blank(text[end]) ? last : end + 1;
    }
    *ret = base_bytes_of(rest->data, last);
    *rest = base_bytes_of(rest->data + end, rest->size - end);
    return last > 0;
}

static base_code begin_section(const char *file, const char *which, store_section *section, const char *options,
                               const char *end, base_error *err)
{
    if (section->sql.data != NULL)
        return base_fail(err, BASE_INVALID, "%s has `-- migrate:%s` twice", file, which);
    section->sql = base_bytes_of(end, 0);
    section->transaction = !says_no_transaction(options, end);
    return BASE_OK;
}

base_code store_migration_parse(const char *file, store_migration *ret, base_error *err)
{
    ret->up = ret->down = (store_section){0};
    if (ret->text.size == 0)
        return base_fail(err, BASE_INVALID, "%s is empty", file);
    const char *text = (const char *)ret->text.data, *stop = text + ret->text.size;
    store_section *open = NULL;
    for (const char *line = text, *end; line < stop; line = end == stop ? stop : end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (end == NULL)
            end = stop;
        const char *up = marker(line, end, "up"), *down = marker(line, end, "down");
        if (up != NULL || down != NULL) {
            open = up != NULL ? &ret->up : &ret->down;
            base_code code = begin_section(file, up != NULL ? "up" : "down", open, up != NULL ? up : down, end, err);
            if (code != BASE_OK)
                return code;
        } else if (open != NULL) {
            open->sql.size = (size_t)((const uint8_t *)end - open->sql.data);
        }
    }
    if (ret->up.sql.data == NULL || ret->down.sql.data == NULL)
        return base_fail(err, BASE_INVALID, "%s lacks `-- migrate:up` or `-- migrate:down`", file);
    if (ret->up.sql.data > ret->down.sql.data)
        return base_fail(err, BASE_INVALID, "%s has `-- migrate:down` before `-- migrate:up`", file);
    return BASE_OK;
}

static base_code read_one(const char *directory, const char *file, store_migration *ret, base_error *err)
{
    if (!store_migration_parse_name(file, ret))
        return base_fail(err, BASE_INVALID, "%s/%s is not named like 0001_what_it_does.sql", directory, file);
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path))
        return base_fail(err, BASE_INVALID, "the path of migration %s is too long", file);
    ret->text.limit = STORE_MIGRATION_BYTES;
    base_code code = base_file_read(path, &ret->text, err);
    if (code == BASE_OK)
        code = store_migration_parse(file, ret, err);
    return code;
}

static int by_version(const void *a, const void *b)
{
    const char *x = ((const store_migration *)a)->version, *y = ((const store_migration *)b)->version;
    x += strspn(x, "0");
    y += strspn(y, "0");
    if (strlen(x) != strlen(y))
        return strlen(x) < strlen(y) ? -1 : 1;
    return strcmp(x, y);
}

static int is_sql(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

typedef struct listing {
    struct dirent **entries;
    int count;
} listing;

static void listing_done(listing *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->entries[i]);
    free(list->entries);
}
BASE_CLEANUP_VALUE(listing, listing_done);

base_code store_migrations_read(const char *directory, store_migrations *ret, base_error *err)
{
    BASE_CLEANUP(listing_done) listing list = {0};
    list.count = scandir(directory, &list.entries, is_sql, NULL);
    if (list.count < 0)
        return base_fail(err, BASE_NOT_FOUND, "the migrations folder %s cannot be read", directory);
    if (list.count > STORE_MIGRATIONS_MAX)
        return base_fail(err, BASE_LIMIT, "%s holds more than %d migrations", directory, STORE_MIGRATIONS_MAX);
    BASE_CLEANUP(store_migrations_done) store_migrations found = {0};
    found.items = calloc((size_t)list.count + 1, sizeof(*found.items));
    if (found.items == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %d migrations", list.count);
    for (int i = 0; i < list.count; i++) {
        base_code code = read_one(directory, list.entries[i]->d_name, &found.items[found.count++], err);
        if (code != BASE_OK)
            return code;
    }
    qsort(found.items, found.count, sizeof(*found.items), by_version);
    for (size_t i = 1; i < found.count; i++) {
        if (by_version(&found.items[i - 1], &found.items[i]) == 0)
            return base_fail(err, BASE_INVALID, "two migrations have the version %s", found.items[i].version);
    }
    *ret = found;
    found = (store_migrations){0};
    return BASE_OK;
}
