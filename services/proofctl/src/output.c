#include "output.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>

enum { CELL_MAX = 160, FIRST_ROWS = 16 };

struct ctl_table {
    const char *const *headings;
    size_t columns;
    char **cells; /* row by row, owned */
    size_t count, capacity;
};

ctl_exit ctl_exit_of(base_code code)
{
    switch (code) {
    case BASE_OK:
        return CTL_EXIT_OK;
    case BASE_TIMEOUT:
        return CTL_EXIT_TIMEOUT;
    case BASE_UNPREPARED:
    case BASE_UNAVAILABLE:
    case BASE_AMBIGUOUS:
        return CTL_EXIT_UNAVAILABLE;
    default:
        return CTL_EXIT_NO;
    }
}

ctl_exit ctl_fail(const base_error *err)
{
    fputs("proofctl: ", stderr);
    ctl_print_clean(err->message, stderr);
    fputc('\n', stderr);
    return ctl_exit_of(err->code);
}

static ctl_exit print_json(json_t *value, size_t flags)
{
    BASE_CLEANUP(json_decref) json_t *owned = value;
    if (owned == NULL || json_dumpf(owned, stdout, flags | JSON_ENSURE_ASCII) != 0) {
        fputs("proofctl: the output could not be written as JSON\n", stderr);
        return CTL_EXIT_NO;
    }
    fputc('\n', stdout);
    return fflush(stdout) == 0 ? CTL_EXIT_OK : CTL_EXIT_NO; /* main says so */
}

ctl_exit ctl_json_line(json_t *value)
{
    return print_json(value, JSON_COMPACT);
}

ctl_exit ctl_json_pretty(json_t *value)
{
    return print_json(value, JSON_INDENT(2));
}

json_t *ctl_json_time(int64_t unix_ms)
{
    return unix_ms == 0 ? json_null() : json_string(base_time_rfc3339(unix_ms).text);
}

json_t *ctl_json_text(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return json_null();
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("(not UTF-8)");
}

base_code ctl_table_new(const char *const *headings, ctl_table **ret, base_error *err)
{
    ctl_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a table");
    table->headings = headings;
    while (table->columns < CTL_COLUMNS_MAX && headings[table->columns] != NULL)
        table->columns++;
    *ret = table;
    return BASE_OK;
}

void ctl_table_free(ctl_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

/* At most CELL_MAX bytes, cut between characters. */
static char *copy_cell(const char *text)
{
    size_t length = strnlen(text, CELL_MAX);
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) /* the terminator continues nothing */
        length--;
    return strndup(text, length);
}

static base_code make_room(ctl_table *table, base_error *err)
{
    if (table->count + table->columns <= table->capacity)
        return BASE_OK;
    size_t capacity = table->capacity == 0 ? table->columns * FIRST_ROWS : table->capacity * 2;
    char **cells = reallocarray(table->cells, capacity, sizeof(*cells));
    if (cells == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a table");
    table->cells = cells;
    table->capacity = capacity;
    return BASE_OK;
}

base_code ctl_table_add(ctl_table *table, const char *const *cells, base_error *err)
{
    base_code code = make_room(table, err);
    for (size_t i = 0; code == BASE_OK && i < table->columns; i++) {
        char *copy = copy_cell(cells[i] == NULL ? "" : cells[i]);
        if (copy == NULL)
            return base_fail(err, BASE_NO_MEMORY, "no memory for a table");
        table->cells[table->count++] = copy;
    }
    return code;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

/* Also for the 8-bit control characters, which some terminals obey: U+0080 to U+009F are C2 80 to C2 9F in UTF-8. */
void ctl_print_clean(const char *text, FILE *out)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
            fputc('?', out);
            at++;
        } else {
            fputc(is_control(*at) ? '?' : *at, out);
        }
    }
}

/* Characters of UTF-8: bytes that do not continue one. */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (const char *at = text; *at != '\0'; at++)
        width += ((unsigned char)*at & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, size_t width, bool is_last, FILE *out)
{
    ctl_print_clean(text, out);
    for (size_t length = text_width(text); !is_last && length < width + 2; length++)
        fputc(' ', out);
}

static size_t column_width(const ctl_table *table, size_t column)
{
    size_t width = text_width(table->headings[column]);
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t length = text_width(table->cells[i]);
        width = length > width ? length : width;
    }
    return width;
}

void ctl_table_print(const ctl_table *table, FILE *out)
{
    size_t widths[CTL_COLUMNS_MAX];
    for (size_t i = 0; i < table->columns; i++) {
        widths[i] = column_width(table, i);
        print_cell(table->headings[i], widths[i], i + 1 == table->columns, out);
    }
    fputc('\n', out);
    for (size_t row = 0; row < table->count; row += table->columns) {
        for (size_t i = 0; i < table->columns; i++)
            print_cell(table->cells[row + i], widths[i], i + 1 == table->columns, out);
        fputc('\n', out);
    }
}

bool ctl_output_is_abandoned(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return ferror(stdout) != 0 || (poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0);
}

ctl_progress ctl_progress_begin(const char *what)
{
    return (ctl_progress){.what = what, .started_ms = base_monotonic_ms()};
}

void ctl_progress_show(ctl_progress *progress)
{
    if (isatty(STDERR_FILENO) == 0)
        return;
    fprintf(stderr, "\r\033[K%s, %lld s", progress->what,
            (long long)((base_monotonic_ms() - progress->started_ms) / 1000));
    fflush(stderr);
    progress->is_shown = true;
}

void ctl_progress_end(ctl_progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
