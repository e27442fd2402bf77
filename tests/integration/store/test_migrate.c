/* Migrations: up, down, adoption of a predecessor's database, and what is refused. */
#include "ground.h"

#include "harness/folder.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <pthread.h>

static store_session *session_of(const harness_database *database)
{
    return ground_session_to(database->url, 0);
}

static void expect(const harness_database *database, const char *sql, const char *expected)
{
    BASE_CLEANUP(free) char *text = harness_database_query(database, sql);
    assert_string_equal(text, expected);
}

static void run(const harness_database *database, const char *sql)
{
    free(harness_database_query(database, sql));
}

/* Tables with their columns, constraints and indexes: equal texts are equal schemas. */
static char *schema_of(const harness_database *database)
{
    return harness_database_query(
        database,
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM ("
        "SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || "
        "' ' "
        "|| coalesce(pg_get_expr(d.adbin, d.adrelid), '') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relnamespace = "
        "'public'::regnamespace "
        "AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'proofline_migrations' "
        "UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace UNION ALL SELECT indexdef FROM pg_indexes "
        "WHERE schemaname = 'public' UNION ALL SELECT relname || coalesce(array_to_string(reloptions, ','), '-') "
        "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS s (line) "
        "WHERE line NOT LIKE '%proofline_migrations%'");
}

static void up_down_and_up_again_leave_what_one_up_leaves(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    BASE_CLEANUP(free) char *empty = schema_of(&database);
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    BASE_CLEANUP(free) char *first = schema_of(&database);
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err); /* repeating is harmless */
    BASE_CLEANUP(free) char *repeated = schema_of(&database);
    assert_string_equal(repeated, first);
    ground_ok(store_migrate_down(session, MIGRATIONS_DIR, 1000, NULL, NULL, &err), &err);
    BASE_CLEANUP(free) char *down = schema_of(&database);
    assert_string_equal(down, empty);
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    BASE_CLEANUP(free) char *again = schema_of(&database);
    assert_string_equal(again, first);
}

static void each_step_down_restores_the_step_before(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    size_t pending = 0;
    for (size_t steps = 1; steps <= 9; steps++) {
        BASE_CLEANUP(free) char *before = schema_of(&database);
        ground_ok(store_migrate_down(session, MIGRATIONS_DIR, 1, NULL, NULL, &err), &err);
        ground_ok(store_migrate_status(session, MIGRATIONS_DIR, NULL, NULL, &pending, &err), &err);
        assert_int_equal(pending, steps);
        BASE_CLEANUP(free) char *below = schema_of(&database);
        ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
        BASE_CLEANUP(free) char *top = schema_of(&database);
        ground_ok(store_migrate_down(session, MIGRATIONS_DIR, (int64_t)steps, NULL, NULL, &err), &err);
        BASE_CLEANUP(free) char *below_again = schema_of(&database);
        assert_string_equal(below_again, below);
        assert_string_not_equal(before, below);
        assert_non_null(top);
    }
}

/* As the predecessor's tool made it: names, lengths and a check that a query builder chose. */
static const char PREDECESSOR[] =
    "CREATE TABLE challenges (id uuid PRIMARY KEY DEFAULT gen_random_uuid());"
    "CREATE TABLE submissions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sha256_hash varchar(64) NOT NULL,"
    "wallet_address varchar(255) NOT NULL, signature text NOT NULL, challenge_id uuid NOT NULL REFERENCES challenges "
    "(id),"
    "chain_id uuid NOT NULL, storage_key varchar(255) NOT NULL, tagline varchar(255), chain_position integer NOT NULL,"
    "status text NOT NULL DEFAULT 'awaiting_review' CONSTRAINT odd_name CHECK (status IN ('awaiting_review', "
    "'processing', "
    "'complete', 'rejected')), transaction_id varchar(255), transaction_submitted_block_height integer,"
    "failure_reason text, retry_count integer DEFAULT 0, challenge_verified boolean NOT NULL DEFAULT false,"
    "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),"
    "CONSTRAINT submissions_sha256_hash_unique UNIQUE (sha256_hash));"
    "INSERT INTO challenges DEFAULT VALUES;"
    "INSERT INTO submissions (sha256_hash, wallet_address, signature, challenge_id, chain_id, storage_key, "
    "chain_position, "
    "status, retry_count) SELECT lpad(n::text, 64, '0'), 'B62wallet', 'sig', c.id, gen_random_uuid(), 'key' || n, n, "
    "s, n "
    "FROM challenges c, unnest(ARRAY['awaiting_review', 'processing', 'complete', 'rejected']) WITH ORDINALITY u (s, "
    "n);";

static const char ADOPTED_ROWS[] =
    "SELECT string_agg(concat_ws(',', id, sha256_hash, wallet_address, signature, challenge_id, chain_id, storage_key, "
    "chain_position, status, retry_count, challenge_verified, created_at, updated_at), ';' ORDER BY sha256_hash) "
    "FROM submissions WHERE wallet_address IS NOT NULL";

static void a_predecessors_database_is_adopted_and_given_back_unchanged(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    run(&database, PREDECESSOR);
    BASE_CLEANUP(free) char *schema = schema_of(&database);
    BASE_CLEANUP(free) char *rows = harness_database_query(&database, ADOPTED_ROWS);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    expect(&database, "SELECT string_agg(status, ' ' ORDER BY sha256_hash) FROM submissions",
           "awaiting_review proof_generation complete rejected");
    expect(&database, "SELECT count(*) FROM submissions WHERE wallet_address = 'B62wallet'", "4");

    ground g = {.database = database, .session = session};
    ground_ok(store_outbox_new(&g.pending, &err), &err);
    ground_generate(&g, 1, 10); /* a row without a wallet */
    expect(&database, "SELECT status, wallet_address IS NULL FROM submissions WHERE status = 'proof_publishing'",
           "proof_publishing|t");
    store_outbox_free(g.pending);

    ground_ok(store_migrate_down(session, MIGRATIONS_DIR, 1000, NULL, NULL, &err), &err);
    BASE_CLEANUP(free) char *rows_after = harness_database_query(&database, ADOPTED_ROWS);
    assert_string_equal(rows_after, rows);
    expect(&database, "SELECT count(*), min(status) FROM submissions_set_aside", "1|processing");
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    expect(&database, "SELECT count(*), to_regclass('submissions_set_aside') IS NULL FROM submissions", "5|t");
    run(&database, "DELETE FROM submissions WHERE wallet_address IS NULL");
    ground_ok(store_migrate_down(session, MIGRATIONS_DIR, 1000, NULL, NULL, &err), &err);
    BASE_CLEANUP(free) char *schema_after = schema_of(&database);
    assert_string_equal(schema_after, schema);
}

static void the_split_maps_processing_there_and_back(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    run(&database, "INSERT INTO submissions (sha256_hash, status) VALUES ('a', 'awaiting_review'), "
                   "('b', 'proof_generation'), ('c', 'proof_publishing'), ('d', 'complete'), ('e', 'rejected')");
    ground_ok(store_migrate_down(session, MIGRATIONS_DIR, 8, NULL, NULL, &err), &err);
    expect(&database, "SELECT string_agg(status, ' ' ORDER BY sha256_hash) FROM submissions",
           "awaiting_review processing processing complete rejected");
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    expect(&database, "SELECT string_agg(status, ' ' ORDER BY sha256_hash) FROM submissions",
           "awaiting_review proof_generation proof_generation complete rejected");
}

/* A folder with two small migrations. */
static harness_path small_folder(void)
{
    harness_path folder = harness_folder_new("migrations");
    harness_path one = harness_path_in(&folder, "1_one.sql");
    harness_path two = harness_path_in(&folder, "2_two.sql");
    harness_file_write(&one, "-- migrate:up\nCREATE TABLE one (n int); SELECT pg_sleep(0.3);\n"
                             "-- migrate:down\nDROP TABLE one;\n");
    harness_file_write(&two, "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY two ON one (n);\n"
                             "-- migrate:down\nDROP INDEX two;\n");
    return folder;
}

static void a_changed_or_missing_file_is_refused_before_anything_is_done(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    harness_path folder = small_folder();
    ground_ok(store_migrate_up(session, folder.text, NULL, NULL, &err), &err);
    expect(&database, "SELECT to_regclass('two') IS NOT NULL", "t");
    harness_path one = harness_path_in(&folder, "1_one.sql");
    harness_path three = harness_path_in(&folder, "3_three.sql");
    harness_file_write(&three, "-- migrate:up\nCREATE TABLE three ();\n-- migrate:down\nDROP TABLE three;\n");
    harness_file_write(&one, "-- migrate:up\nCREATE TABLE one (n bigint);\n-- migrate:down\nDROP TABLE one;\n");
    assert_int_equal(store_migrate_up(session, folder.text, NULL, NULL, &err), BASE_CONFLICT);
    assert_non_null(strstr(err.message, "1_one"));
    harness_path_remove(&one);
    assert_int_equal(store_migrate_down(session, folder.text, 1, NULL, NULL, &err), BASE_CONFLICT);
    expect(&database, "SELECT to_regclass('three') IS NULL, to_regclass('two') IS NOT NULL", "t|t");
}

static void a_failing_migration_leaves_no_trace(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    harness_path folder = harness_folder_new("migrations");
    harness_path bad = harness_path_in(&folder, "1_bad.sql");
    harness_file_write(&bad, "-- migrate:up\nCREATE TABLE half (); SELECT nonsense;\n-- migrate:down\nSELECT 1;\n");
    assert_int_not_equal(store_migrate_up(session, folder.text, NULL, NULL, &err), BASE_OK);
    assert_non_null(strstr(err.message, "1_bad"));
    expect(&database, "SELECT to_regclass('half') IS NULL, (SELECT count(*) FROM proofline_migrations)", "t|0");
    harness_file_write(&bad, "no marker");
    assert_int_equal(store_migrate_up(session, folder.text, NULL, NULL, &err), BASE_INVALID);
    assert_int_equal(store_migrate_up(session, "/nowhere/at/all", NULL, NULL, &err), BASE_NOT_FOUND);
}

static void names_give_the_order_and_must_be_in_order(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    harness_path folder = harness_folder_new("migrations");
    harness_path nine = harness_path_in(&folder, "0009_nine.sql");
    harness_path ten = harness_path_in(&folder, "10_ten.sql");
    harness_path same = harness_path_in(&folder, "9_again.sql");
    harness_path odd = harness_path_in(&folder, "readme.sql");
    harness_file_write(&nine, "-- migrate:up\nCREATE TABLE nine ();\n-- migrate:down\nDROP TABLE nine;\n");
    harness_file_write(&ten, "-- migrate:up\nALTER TABLE nine ADD n int;\n-- migrate:down\nSELECT 1;\n");
    harness_file_write(&same, "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
    assert_int_equal(store_migrate_up(session, folder.text, NULL, NULL, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "two migrations have the version"));
    harness_path_remove(&same);
    harness_file_write(&odd, "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
    assert_int_equal(store_migrate_up(session, folder.text, NULL, NULL, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "readme.sql is not named like 0001_what_it_does.sql"));
    harness_path_remove(&odd);
    ground_ok(store_migrate_up(session, folder.text, NULL, NULL, &err), &err);
    expect(&database, "SELECT attname FROM pg_attribute WHERE attrelid = 'nine'::regclass AND attnum > 0", "n");
}

typedef struct runner {
    const char *url, *folder;
    base_code code;
    base_error err;
    int applied;
} runner;

static void count_applied(void *ctx, const char *version, const char *name, const char *migration_state, int64_t at)
{
    (void)version;
    (void)name;
    (void)at;
    ((runner *)ctx)->applied += strcmp(migration_state, "applying") == 0 ? 1 : 0;
}

static void *migrate_in_thread(void *arg)
{
    runner *r = arg;
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to(r->url, 0);
    r->code = store_migrate_up(session, r->folder, count_applied, r, &r->err);
    return NULL;
}

static void two_runners_at_once_wait_for_each_other(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    harness_path folder = small_folder();
    runner runners[2] = {{.url = database.url, .folder = folder.text}, {.url = database.url, .folder = folder.text}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_in_thread, &runners[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        ground_ok(runners[i].code, &runners[i].err);
    assert_int_equal(runners[0].applied + runners[1].applied, 2);
    assert_true(runners[0].applied == 0 || runners[1].applied == 0);
}

/* Another client's snapshot, held for a while: CREATE INDEX CONCURRENTLY waits for its end. */
static harness_process *hold_a_snapshot(const harness_database *database)
{
    const char *const argv[] = {"psql", "-X", "-q", "-d", database->url, NULL};
    harness_path folder = harness_folder_new("snapshot");
    harness_path input = harness_path_in(&folder, "input.sql");
    harness_file_write(&input, "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM pg_class;\n\\echo held\n"
                               "SELECT pg_sleep(2);\nCOMMIT;\n");
    harness_process *psql = harness_process_new(&(harness_process_options){.argv = argv, .input = input.text});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(psql, "held", HARNESS_START_MS);
    assert_non_null(line);
    return psql;
}

static void an_index_made_concurrently_outwaits_an_old_transaction(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    harness_path folder = harness_folder_new("migrations");
    harness_path one = harness_path_in(&folder, "1_one.sql");
    harness_file_write(&one, "-- migrate:up transaction:false\nCREATE TABLE one (n int);\n"
                             "CREATE INDEX CONCURRENTLY two ON one (n);\n"
                             "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY two;\nDROP TABLE one;\n");
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    base_error err = {0};
    const store_session_options options = {.database_url = database.url, .lock_timeout_ms = 50};
    ground_ok(store_session_new(&options, &session, &err), &err);
    harness_process *other = hold_a_snapshot(&database);
    ground_ok(store_migrate_up(session, folder.text, NULL, NULL, &err), &err);
    expect(&database,
           "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()", "0");
    harness_process_free(other);
    expect(&database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'two'::regclass", "t");
    ground_ok(store_migrate_down(session, folder.text, 1, NULL, NULL, &err), &err);
    expect(&database, "SELECT to_regclass('one') IS NULL", "t");
}

static void half_an_index_is_made_anew_by_the_next_run(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    harness_path folder = harness_folder_new("migrations");
    harness_path one = harness_path_in(&folder, "1_one.sql");
    harness_file_write(&one, "-- migrate:up transaction:false\nDROP INDEX CONCURRENTLY IF EXISTS two;\n"
                             "CREATE UNIQUE INDEX CONCURRENTLY two ON one (n);\n-- migrate:down\nDROP INDEX two;\n");
    run(&database, "CREATE TABLE one (n int); INSERT INTO one VALUES (1), (1)");
    base_error err = {0};
    assert_int_not_equal(store_migrate_up(session, folder.text, NULL, NULL, &err), BASE_OK);
    expect(&database,
           "SELECT indisvalid, (SELECT count(*) FROM proofline_migrations) FROM pg_index "
           "WHERE indexrelid = 'two'::regclass",
           "f|0");
    run(&database, "DELETE FROM one");
    ground_ok(store_migrate_up(session, folder.text, NULL, NULL, &err), &err);
    expect(&database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'two'::regclass", "t");
}

static void status_tells_what_is_pending_and_changes_nothing(void **state)
{
    (void)state;
    harness_database database = harness_database_new(ground_postgres);
    BASE_CLEANUP(store_session_free) store_session *session = session_of(&database);
    base_error err = {0};
    size_t pending = 0;
    ground_ok(store_migrate_status(session, MIGRATIONS_DIR, NULL, NULL, &pending, &err), &err);
    assert_true(pending >= 9);
    expect(&database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", "0");
    const wire_generate_proof job = ground_job(1);
    store_submission submission;
    assert_int_equal(store_submission_get(session, &job.sha256, &submission, &err), BASE_UNPREPARED);
    assert_non_null(strstr(err.message, "proofctl migrate up"));
    ground_ok(store_migrate_up(session, MIGRATIONS_DIR, NULL, NULL, &err), &err);
    ground_ok(store_migrate_status(session, MIGRATIONS_DIR, NULL, NULL, &pending, &err), &err);
    assert_int_equal(pending, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_down_and_up_again_leave_what_one_up_leaves),
        cmocka_unit_test(each_step_down_restores_the_step_before),
        cmocka_unit_test(a_predecessors_database_is_adopted_and_given_back_unchanged),
        cmocka_unit_test(the_split_maps_processing_there_and_back),
        cmocka_unit_test(a_changed_or_missing_file_is_refused_before_anything_is_done),
        cmocka_unit_test(a_failing_migration_leaves_no_trace),
        cmocka_unit_test(names_give_the_order_and_must_be_in_order),
        cmocka_unit_test(two_runners_at_once_wait_for_each_other),
        cmocka_unit_test(an_index_made_concurrently_outwaits_an_old_transaction),
        cmocka_unit_test(half_an_index_is_made_anew_by_the_next_run),
        cmocka_unit_test(status_tells_what_is_pending_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("store_migrate", tests, ground_start, ground_end);
}
