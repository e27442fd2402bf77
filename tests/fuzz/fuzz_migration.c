/* Text as a migration file: its sections lie inside it in their order, hold no further marker, and fall into statements from end to end. The
 * first line is the file's name. */
#include "fuzz.h"
#include "migration.h"

static void name(const char *file)
{
    store_migration found = {0};
    if (!store_migration_parse_name(file, &found))
        return;
    char again[2 * STORE_NAME_MAX + 8];
    snprintf(again, sizeof(again), "%s_%s.sql", found.version, found.name);
    FUZZ_CHECK(strcmp(again, file) == 0 && found.version[strspn(found.version, "0123456789")] == '\0');
}

static void check_section(const store_section *section, const base_buffer *text)
{
    FUZZ_CHECK(section->sql.data >= text->data);
    FUZZ_CHECK(section->sql.data + section->sql.size <= text->data + text->size);
    const char marker[] = "\n-- migrate:up\n";
    FUZZ_CHECK(memmem(section->sql.data, section->sql.size, marker, sizeof(marker) - 1) == NULL);
    base_bytes rest = section->sql, statement;
    const uint8_t *at = rest.data;
    for (; store_section_next(&rest, &statement); at = rest.data)
        FUZZ_CHECK(statement.data == at && statement.size > 0 && rest.data >= statement.data + statement.size &&
                   rest.data + rest.size == section->sql.data + section->sql.size);
    FUZZ_CHECK(rest.size == 0);
}

/* Lines that are nothing but this marker, as people write it. */
static size_t count_markers(base_bytes text, const char *marker)
{
    size_t count = 0;
    size_t length = strlen(marker);
    for (size_t at = 0; at + length <= text.size; at++) {
        bool begins = at == 0 || text.data[at - 1] == '\n';
        bool ends = at + length == text.size || text.data[at + length] == '\n';
        count += begins && ends && memcmp(text.data + at, marker, length) == 0;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    BASE_CLEANUP(free) char *file = fuzz_text(fuzz_take(&input, end == NULL ? 0 : (size_t)(end - data)));
    name(file);

    store_migration found = {.text = {.limit = STORE_MIGRATION_BYTES}};
    base_error err = {0};
    FUZZ_CHECK(base_buffer_append(&found.text, input, &err) == BASE_OK);
    base_code code = store_migration_parse(file, &found, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code == BASE_OK) {
        check_section(&found.up, &found.text);
        check_section(&found.down, &found.text);
        FUZZ_CHECK(count_markers(input, "-- migrate:up") <= 1 && count_markers(input, "-- migrate:down") <= 1);
        FUZZ_CHECK(found.up.sql.data + found.up.sql.size <= found.down.sql.data);
    }
    store_migration_done(&found);
    return 0;
}
