/* What of the store needs no database: SQLSTATE classes, texts, parameters, migration files, URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "arena.h"
#include "migration.h"
#include "params.h"
#include "sqlstate.h"
#include "store/session.h"

#include <stdint.h>
#include <string.h>

static void an_sqlstate_says_what_the_caller_may_do(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        base_code code;
    } CASES[] = {
        {"40001", BASE_UNAVAILABLE}, {"40P01", BASE_UNAVAILABLE}, {"55P03", BASE_UNAVAILABLE},
        {"57014", BASE_UNAVAILABLE}, {"57P01", BASE_UNAVAILABLE}, {"57P03", BASE_UNAVAILABLE},
        {"53100", BASE_UNAVAILABLE}, {"53300", BASE_UNAVAILABLE}, {"08006", BASE_UNAVAILABLE},
        {"25006", BASE_UNAVAILABLE}, {"28P01", BASE_DENIED},      {"28000", BASE_DENIED},
        {"42501", BASE_DENIED},      {"42P01", BASE_UNPREPARED},  {"42703", BASE_UNPREPARED},
        {"23505", BASE_CONFLICT},    {"23514", BASE_INVALID},     {"22021", BASE_INVALID},
        {"42601", BASE_INTERNAL},    {NULL, BASE_UNAVAILABLE},    {"", BASE_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_int_equal(store_sqlstate_code(CASES[i].sqlstate), CASES[i].code);
}

static void an_array_parameter_has_the_binary_form_of_postgres(void **state)
{
    (void)state;
    BASE_CLEANUP(store_params_done) store_params params = {0};
    base_error err = {0};
    store_params_array(&params, STORE_ELEMENT_TEXT);
    store_params_add_text(&params, "ab");
    store_params_add_null(&params);
    store_params_int64(&params, -2);
    assert_int_equal(store_params_close(&params, &err), BASE_OK);
    static const uint8_t EXPECTED[] = {0,    0,    0,    1,    0,    0,    0,    1,    0,    0,    0,    25,  0,
                                       0,    0,    2,    0,    0,    0,    1,    0,    0,    0,    2,    'a', 'b',
                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE};
    assert_int_equal(params.count, 2);
    assert_int_equal(params.slots[0].size, 30);
    assert_int_equal(params.slots[1].offset, 30);
    assert_int_equal(params.slots[1].size, 8);
    assert_int_equal(params.buffer.size, sizeof(EXPECTED));
    assert_memory_equal(params.buffer.data, EXPECTED, sizeof(EXPECTED));
}

static void a_parameter_too_many_is_reported_when_the_statement_is_closed(void **state)
{
    (void)state;
    BASE_CLEANUP(store_params_done) store_params params = {0};
    base_error err = {0};
    for (int i = 0; i <= STORE_PARAMS_MAX; i++)
        store_params_bool(&params, true);
    assert_int_equal(store_params_close(&params, &err), BASE_INTERNAL);
}

static void an_arena_keeps_its_pieces_in_place(void **state)
{
    (void)state;
    store_arena arena = {0};
    const char *first = store_arena_copy(&arena, "first", 5);
    for (int i = 0; i < 100; i++)
        assert_non_null(store_arena_get(&arena, 10000));
    const char *large = store_arena_copy(&arena, "x", 1);
    assert_non_null(store_arena_get(&arena, 3 * STORE_ARENA_BLOCK));
    assert_string_equal(first, "first");
    assert_string_equal(large, "x");
    store_arena_clear(&arena);
    assert_ptr_equal(store_arena_copy(&arena, "again", 5), first); /* the first block is kept */
    store_arena_done(&arena);
}

static base_code parse(const char *text, store_migration *ret, base_error *err)
{
    *ret = (store_migration){.text = {.limit = 4096}};
    if (text[0] != '\0')
        assert_int_equal(base_buffer_append(&ret->text, base_bytes_of(text, strlen(text)), err), BASE_OK);
    return store_migration_parse("0001_x.sql", ret, err);
}

static void a_migration_has_an_up_and_a_down_section(void **state)
{
    (void)state;
    base_error err = {0};
    store_migration m;
    assert_int_equal(parse("-- note\n-- migrate:up\nCREATE;\nMORE;\n-- migrate:down\nDROP;", &m, &err), BASE_OK);
    assert_memory_equal(m.up.sql.data, "\nCREATE;\nMORE;", 14);
    assert_int_equal(m.up.sql.size, 14);
    assert_memory_equal(m.down.sql.data, "\nDROP;", 6);
    assert_int_equal(m.down.sql.size, 6);
    assert_true(m.up.transaction && m.down.transaction);
    store_migration_done(&m);
}

static void a_section_may_ask_for_no_transaction(void **state)
{
    (void)state;
    base_error err = {0};
    store_migration m;
    assert_int_equal(parse("--migrate:up transaction:false\nA;\n-- migrate:down\r\nB;\n", &m, &err), BASE_OK);
    assert_false(m.up.transaction);
    assert_true(m.down.transaction);
    store_migration_done(&m);
}

static void a_statement_ends_with_the_line_that_ends_with_a_semicolon(void **state)
{
    (void)state;
    static const char TEXT[] = " \n-- why; and how\nDROP a;  \r\n\nCREATE b\n  (c;d);\nLAST\n\n";
    static const char *const STATEMENTS[] = {" \n-- why; and how\nDROP a;", "\nCREATE b\n  (c;d);", "LAST"};
    base_bytes rest = base_bytes_of(TEXT, sizeof(TEXT) - 1), statement;
    for (size_t i = 0; i < sizeof(STATEMENTS) / sizeof(STATEMENTS[0]); i++) {
        assert_true(store_section_next(&rest, &statement));
        assert_int_equal(statement.size, strlen(STATEMENTS[i]));
        assert_memory_equal(statement.data, STATEMENTS[i], statement.size);
    }
    assert_false(store_section_next(&rest, &statement));
    assert_int_equal(rest.size, 0);
}

static void a_file_without_both_sections_is_no_migration(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "SELECT 1;",
                                      "-- migrate:up\nA;\n",
                                      "-- migrate:down\nA;\n",
                                      "-- migrate:down\nA;\n-- migrate:up\nB;\n",
                                      "-- migrate:up\nA;\n-- migrate:up\nB;\n-- migrate:down\n",
                                      "-- migrate:upwards\nA;\n-- migrate:down\n"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        base_error err = {0};
        store_migration m;
        assert_int_equal(parse(BAD[i], &m, &err), BASE_INVALID);
        assert_non_null(strstr(err.message, "0001_x.sql"));
        store_migration_done(&m);
    }
}

static void a_migration_is_named_by_version_and_purpose(void **state)
{
    (void)state;
    store_migration m = {0};
    assert_true(store_migration_parse_name("0042_add_lanes.sql", &m));
    assert_string_equal(m.version, "0042");
    assert_string_equal(m.name, "add_lanes");
    static const char *const BAD[] = {"add.sql", "_x.sql", "1.sql", "1_.sql", "1_x.txt", ""};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(store_migration_parse_name(BAD[i], &m));
}

static void the_migrations_of_this_project_are_well_formed_and_in_order(void **state)
{
    (void)state;
    BASE_CLEANUP(store_migrations_done) store_migrations found = {0};
    base_error err = {0};
    assert_int_equal(store_migrations_read(MIGRATIONS_DIR, &found, &err), BASE_OK);
    assert_true(found.count >= 5);
    assert_string_equal(found.items[0].name, "submissions");
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(strtol(found.items[i].version, NULL, 10), (long)i + 1);
}

static void an_unreadable_url_is_refused_without_repeating_its_password(void **state)
{
    (void)state;
    static const char *const BAD[] = {"postgresql://user:hunter2@host:port/db", "postgresql://user:hun@ter2@host/db",
                                      "postgresql://user:hunter2/x@host/db", "host=x password=hunter2 nonsense=1",
                                      "postgresql://u:hunter2@[::1/db"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        BASE_CLEANUP(store_session_free) store_session *session = NULL;
        base_error err = {0};
        const store_session_options options = {.database_url = BAD[i]};
        assert_int_equal(store_session_new(&options, &session, &err), BASE_INVALID);
        assert_null(strstr(err.message, "hunter2"));
        assert_null(strstr(err.message, "ter2"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_sqlstate_says_what_the_caller_may_do),
        cmocka_unit_test(an_array_parameter_has_the_binary_form_of_postgres),
        cmocka_unit_test(a_parameter_too_many_is_reported_when_the_statement_is_closed),
        cmocka_unit_test(an_arena_keeps_its_pieces_in_place),
        cmocka_unit_test(a_migration_has_an_up_and_a_down_section),
        cmocka_unit_test(a_section_may_ask_for_no_transaction),
        cmocka_unit_test(a_statement_ends_with_the_line_that_ends_with_a_semicolon),
        cmocka_unit_test(a_file_without_both_sections_is_no_migration),
        cmocka_unit_test(a_migration_is_named_by_version_and_purpose),
        cmocka_unit_test(the_migrations_of_this_project_are_well_formed_and_in_order),
        cmocka_unit_test(an_unreadable_url_is_refused_without_repeating_its_password),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
