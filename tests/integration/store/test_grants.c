/* The rights of the role that the services log in with, as migrations come and go. */
#include "ground.h"

#include "harness/folder.h"
#include "harness/process.h"
#include "harness/wait.h"

#define GRANTS_FILE MIGRATIONS_DIR "/roles/proofline_service.sql"

static harness_database let_in(const ground *g)
{
    return harness_database_as_service(&g->database, GRANTS_FILE);
}

static void forget_roles(const ground *g)
{
    ground_run(g, "DROP OWNED BY worker; DROP ROLE worker; DROP OWNED BY proofline_service; "
                  "DROP ROLE proofline_service");
}

static bool may(const harness_database *service, const char *sql)
{
    const char *const argv[] = {"psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", service->url, "-c", sql, NULL};
    BASE_CLEANUP(free) char *errors = NULL;
    int code = harness_run(argv, NULL, 60000, NULL, &errors);
    assert_true(code == 0 || strstr(errors, "permission denied") != NULL);
    return code == 0;
}

static void migrate(const ground *g, const char *directory, bool up)
{
    base_error err = {0};
    ground_ok(up ? store_migrate_up(g->session, directory, NULL, NULL, &err)
                 : store_migrate_down(g->session, directory, 1000, NULL, NULL, &err),
              &err);
}

/* "-- no right: NAME -- WHY" of the file, in any order. */
static bool is_excused(const char *script, const char *name)
{
    char line[128];
    snprintf(line, sizeof(line), "\n-- no right: %s -- ", name);
    return strstr(script, line) != NULL;
}

static void all_that_migrations_make_is_granted_or_excused(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer script = {.limit = 65536};
    ground_ok(base_file_read(GRANTS_FILE, &script, &err), &err);
    (void)let_in(g);
    BASE_CLEANUP(free)
    char *lacking = harness_database_query(
        &g->database,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND CASE "
        "WHEN relkind IN ('r', 'p', 'v', 'm', 'f') THEN NOT has_table_privilege('proofline_service', oid, "
        "'SELECT, INSERT, UPDATE, DELETE') "
        "WHEN relkind = 'S' THEN NOT has_sequence_privilege('proofline_service', oid, 'USAGE, SELECT') "
        "ELSE false END "
        "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
        "AND NOT has_function_privilege('proofline_service', oid, 'EXECUTE')");
    size_t lacked = 0, excuses = 0;
    char *rest = NULL;
    for (char *name = strtok_r(lacking, "\n", &rest); name != NULL; name = strtok_r(NULL, "\n", &rest), lacked++)
        if (!is_excused((const char *)script.data, name))
            harness_fail("the services have no right on %s: grant it in " GRANTS_FILE
                         ", or write there \"-- no right: %s -- WHY\"",
                         name, name);
    for (const char *at = (const char *)script.data; (at = strstr(at, "\n-- no right: ")) != NULL; at++)
        excuses++;
    assert_int_equal(excuses, lacked); /* none for what is granted, or is no more */
    forget_roles(g);
}

static void a_migration_that_adds_a_table_lets_the_services_use_it(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    const harness_database service = let_in(g);
    migrate(g, MIGRATIONS_DIR, false);
    migrate(g, MIGRATIONS_DIR, true); /* all tables are new ones */
    assert_true(may(&service, "SELECT count(*) FROM transactions"));
    assert_true(may(&service, "INSERT INTO fee_payers (fee_payer) VALUES ('B62q')"));
    assert_false(may(&service, "DELETE FROM transactions"));
    ground_run(g, "REVOKE ALL ON proofs FROM proofline_service");
    migrate(g, MIGRATIONS_DIR, true); /* nothing is pending: it mends all the same */
    assert_true(may(&service, "SELECT count(*) FROM proofs"));
    forget_roles(g);
}

/* The role exists, for another database of the server. */
static void a_role_that_was_never_let_in_is_granted_nothing(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *other = ground_new();
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)let_in(other);
    migrate(g, MIGRATIONS_DIR, false);
    migrate(g, MIGRATIONS_DIR, true);
    ground_expect(g, "SELECT has_table_privilege('proofline_service', 'transactions', 'SELECT')", "f");
    ground_expect(g, "SELECT has_table_privilege('proofline_service', 'submissions', 'SELECT')", "f");
    forget_roles(other);
}

/* A name that SQL wants in quotes is one, too. */
static void tables_may_be_in_a_schema_of_any_name(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    char url[256];
    snprintf(url, sizeof(url), "%s?options=-csearch_path%%3D%%22Proof-line%%22", g->database.url);
    ground_run(g, "CREATE SCHEMA \"Proof-line\"");
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to(url, 0);
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    ground_expect(g, "SELECT count(*) FROM \"Proof-line\".submissions", "0");
}

typedef struct told {
    int granted, others;
} told;

static void note(void *ctx, const char *version, const char *name, const char *state, int64_t at_unix_ms)
{
    told *seen = ctx;
    bool is_grant = strcmp(state, "granted") == 0;
    assert_true(!is_grant || (strcmp(name, "proofline_service") == 0 && version[0] == '\0' && at_unix_ms == 0));
    seen->granted += is_grant;
    seen->others += !is_grant;
}

static void only_new_rights_are_told(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)let_in(g);
    base_error err = {0};
    told seen = {0};
    ground_ok(store_migrate_up(g->session, MIGRATIONS_DIR, note, &seen, &err), &err);
    assert_int_equal(seen.granted, 0);
    migrate(g, MIGRATIONS_DIR, false);
    ground_ok(store_migrate_up(g->session, MIGRATIONS_DIR, note, &seen, &err), &err);
    assert_int_equal(seen.granted, 1);
    assert_true(seen.others > 0);
    forget_roles(g);
}

/* The tables are there, and whoever starts the new services must know that they cannot work. */
static void rights_that_cannot_be_granted_fail_the_migration_with_the_reason(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    (void)let_in(g);
    base_error err = {0};
    harness_path folder = harness_folder_new("grants");
    const char *const copy[] = {"sh", "-c", "cp " MIGRATIONS_DIR "/*.sql \"$0\"", folder.text, NULL};
    assert_int_equal(harness_run(copy, NULL, 60000, NULL, NULL), 0);
    assert_int_equal(store_migrate_up(g->session, folder.text, NULL, NULL, &err), BASE_NOT_FOUND);
    assert_non_null(strstr(err.message, "not the rights of proofline_service"));
    forget_roles(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_migrations_make_is_granted_or_excused),
        cmocka_unit_test(a_migration_that_adds_a_table_lets_the_services_use_it),
        cmocka_unit_test(a_role_that_was_never_let_in_is_granted_nothing),
        cmocka_unit_test(tables_may_be_in_a_schema_of_any_name),
        cmocka_unit_test(only_new_rights_are_told),
        cmocka_unit_test(rights_that_cannot_be_granted_fail_the_migration_with_the_reason),
    };
    return cmocka_run_group_tests_name("store_grants", tests, ground_start, ground_end);
}
