#include "store/migrate.h"

#include "grants.h"
#include "lock.h"
#include "migration.h"

#include "base/clock.h"
#include "base/fault.h"

#include <stdio.h>
#include <string.h>

#define MIGRATE_TIMEOUT_MS 7200000 /* of one migration, and of waiting for another runner */
#define LOCK_AGAIN_MS      50

/* A migration of the folder or of the table, or of both. */
typedef struct entry {
    char version[STORE_NAME_MAX], name[STORE_NAME_MAX];
    char applied_checksum[65];
    char checksum[65];
    int64_t at_unix_ms;          /* 0: not applied */
    const store_migration *file; /* NULL: no file */
} entry;

typedef struct plan {
    store_migrations files;
    entry *entries;
    size_t count;
} plan;

static void plan_done(plan *p)
{
    store_migrations_done(&p->files);
    free(p->entries);
}
BASE_CLEANUP_VALUE(plan, plan_done);

/* Asks again and again: a session that waits in pg_advisory_lock() holds a snapshot, and CREATE INDEX CONCURRENTLY of the
 * runner that has the lock would wait for that. */
static base_code take_lock(store_session *session, base_error *err)
{
    const int64_t deadline_ms = base_monotonic_ms() + MIGRATE_TIMEOUT_MS;
    for (;;) {
        bool held = false;
        const base_code code = store_lock_try(session, store_lock_key("proofline.migrate"), &held, err);
        if (code != BASE_OK || held)
            return code;
        if (base_monotonic_ms() > deadline_ms)
            return base_fail(err, BASE_UNAVAILABLE, "another migration has been running for too long");
        base_sleep_ms(LOCK_AGAIN_MS);
    }
}

/* Holds the lock until the connection is closed. Statements of a migration may take long, but a lock that services hold is
 * waited for only as long as the session allows, for everybody else would queue behind it. */
static base_code open_runner(store_session *session, base_error *err)
{
    store_session_disconnect(session);
    base_code code = take_lock(session, err);
    if (code == BASE_OK)
        code = store_session_script(session,
                                    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
                                    "RESET enable_seqscan; RESET enable_hashjoin; RESET enable_mergejoin; "
                                    "CREATE TABLE IF NOT EXISTS proofline_migrations ("
                                    "version text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
                                    "applied_at timestamptz NOT NULL DEFAULT now())",
                                    MIGRATE_TIMEOUT_MS, err);
    return code;
}

/* Postgres computes the checksums of the files too. */
static base_code add_files(store_session *session, plan *p, base_error *err)
{
    static const store_statement CHECKSUMS = {"checksums", "SELECT encode(sha256(f.text), 'hex') "
                                                           "FROM unnest($1::bytea[]) WITH ORDINALITY AS f (text, ord) "
                                                           "ORDER BY f.ord"};
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_array(&params, STORE_ELEMENT_BYTES);
    for (size_t i = 0; i < p->files.count; i++)
        store_params_add_bytes(&params, base_buffer_view(&p->files.items[i].text));
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = store_query(session, STORE_FLIGHT_READS, &CHECKSUMS, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    for (size_t i = 0; i < p->files.count; i++) {
        entry *e = &p->entries[p->count++];
        e->file = &p->files.items[i];
        memcpy(e->version, e->file->version, sizeof(e->version));
        memcpy(e->name, e->file->name, sizeof(e->name));
        store_rows_text(&rows, i, 0, e->checksum, sizeof(e->checksum));
    }
    return BASE_OK;
}

static entry *find_version(plan *p, const char *version)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->entries[i].version, version) == 0)
            return &p->entries[i];
    }
    return NULL;
}

static base_code add_applied(plan *p, const store_rows *rows, base_error *err)
{
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        char version[STORE_NAME_MAX];
        store_rows_text(rows, i, 0, version, sizeof(version));
        entry *e = find_version(p, version);
        if (e == NULL) {
            if (p->count == 2 * STORE_MIGRATIONS_MAX)
                return base_fail(err, BASE_LIMIT, "more than %d migrations", 2 * STORE_MIGRATIONS_MAX);
            e = &p->entries[p->count++];
            memcpy(e->version, version, sizeof(e->version));
            store_rows_text(rows, i, 1, e->name, sizeof(e->name));
        }
        store_rows_text(rows, i, 2, e->applied_checksum, sizeof(e->applied_checksum));
        e->at_unix_ms = store_rows_int64(rows, i, 3);
    }
    return BASE_OK;
}

static base_code make_plan(store_session *session, const char *directory, plan *p, base_error *err)
{
    static const store_statement APPLIED = {
        "applied_migrations", "SELECT version, name, checksum, (extract(epoch FROM applied_at) * 1000)::bigint "
                              "FROM proofline_migrations ORDER BY length(version), version"};
    base_code code = store_migrations_read(directory, &p->files, err);
    if (code != BASE_OK)
        return code;
    p->entries = calloc(2 * STORE_MIGRATIONS_MAX, sizeof(*p->entries));
    if (p->entries == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the list of migrations");
    code = add_files(session, p, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_error failure = {0};
    code = store_query(session, STORE_FLIGHT_READS, &APPLIED, NULL, &rows, &failure);
    if (code == BASE_UNPREPARED)
        return BASE_OK; /* never migrated */
    if (code != BASE_OK && err != NULL)
        *err = failure;
    return code == BASE_OK ? add_applied(p, &rows, err) : code;
}

static const char *state_of(const entry *e)
{
    if (e->at_unix_ms == 0)
        return "pending";
    if (e->file == NULL)
        return "missing";
    return strcmp(e->checksum, e->applied_checksum) == 0 ? "applied" : "changed";
}

static void tell(store_migrate_report *report, void *ctx, const entry *e, const char *state)
{
    if (report != NULL)
        report(ctx, e->version, e->name, state, e->at_unix_ms);
}

static base_code check_unchanged(const plan *p, base_error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const entry *e = &p->entries[i];
        if (strcmp(state_of(e), "changed") == 0)
            return base_fail(err, BASE_CONFLICT,
                             "migration %s_%s has changed since it was applied: restore the file, and put the change "
                             "into a new migration",
                             e->version, e->name);
        if (strcmp(state_of(e), "missing") == 0)
            return base_fail(err, BASE_CONFLICT, "migration %s_%s was applied but its file is missing", e->version,
                             e->name);
    }
    return BASE_OK;
}

static base_code run_sql(store_session *session, base_bytes sql, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer text = {.limit = STORE_MIGRATION_BYTES};
    const base_code code = base_buffer_append(&text, sql, err);
    if (code != BASE_OK)
        return code;
    return store_session_script(session, (const char *)text.data, MIGRATE_TIMEOUT_MS, err);
}

/* One by one. What must stand outside a transaction, as CREATE INDEX CONCURRENTLY, holds nobody up and waits for the end of every
 * transaction that is open, however long that takes: no lock timeout, which would leave half an index behind. */
static base_code run_alone(store_session *session, base_bytes section, base_error *err)
{
    char restore[64];
    snprintf(restore, sizeof(restore), "SET lock_timeout = %lld", (long long)session->lock_timeout_ms);
    base_code code = store_session_script(session, "SET lock_timeout = 0", MIGRATE_TIMEOUT_MS, err);
    for (base_bytes rest = section, statement; code == BASE_OK && store_section_next(&rest, &statement);)
        code = run_sql(session, statement, err);
    return code == BASE_OK ? store_session_script(session, restore, MIGRATE_TIMEOUT_MS, err) : code;
}

/* One step of a run is one section and its record, in one transaction unless the file says otherwise. Versions are digits
 * and checksums hex; a name is quoted by Postgres. */
static base_code run_section(store_session *session, const entry *e, bool up, base_error *err)
{
    const store_section *section = up ? &e->file->up : &e->file->down;
    char *name = PQescapeLiteral(session->connection, e->name, strlen(e->name));
    if (name == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a migration's name");
    BASE_CLEANUP(base_buffer_done) base_buffer record = {.limit = 4096};
    base_code code =
        up ? base_buffer_printf(&record, err,
                                "INSERT INTO proofline_migrations (version, name, checksum) "
                                "VALUES ('%s', %s, '%s')",
                                e->version, name, e->checksum)
           : base_buffer_printf(&record, err, "DELETE FROM proofline_migrations WHERE version = '%s'", e->version);
    PQfreemem(name);
    if (code == BASE_OK && section->transaction)
        code = store_session_script(session, "BEGIN", MIGRATE_TIMEOUT_MS, err);
    if (code == BASE_OK)
        code = section->transaction ? run_sql(session, section->sql, err) : run_alone(session, section->sql, err);
    if (code == BASE_OK)
        code = store_session_script(session, (const char *)record.data, MIGRATE_TIMEOUT_MS, err);
    if (code == BASE_OK && section->transaction)
        code = store_session_script(session, "COMMIT", MIGRATE_TIMEOUT_MS, err);
    if (code != BASE_OK)
        return base_fail_within(err, "migration %s_%s", e->version, e->name);
    return BASE_OK;
}

typedef struct run {
    const char *directory;
    store_migrate_report *report;
    void *ctx;
    bool up;
    int64_t steps; /* at most; for down */
} run;

static base_code run_all(store_session *session, const run *r, base_error *err)
{
    BASE_CLEANUP(plan_done) plan p = {0};
    base_code code = make_plan(session, r->directory, &p, err);
    if (code == BASE_OK)
        code = check_unchanged(&p, err);
    int64_t left = r->up ? INT64_MAX : r->steps;
    for (size_t i = 0; i < p.count && left > 0 && code == BASE_OK; i++) {
        const entry *e = &p.entries[r->up ? i : p.count - 1 - i];
        if ((e->at_unix_ms != 0) == r->up)
            continue;
        tell(r->report, r->ctx, e, r->up ? "applying" : "reverting");
        code = run_section(session, e, r->up, err);
        if (code == BASE_OK && r->up)
            code = BASE_FAULT("migrate.applied", err);
        if (code == BASE_OK && !r->up)
            code = BASE_FAULT("migrate.reverted", err);
        left--;
    }
    return code;
}

static base_code run_locked(store_session *session, const run *r, base_error *err)
{
    base_code code = open_runner(session, err);
    if (code == BASE_OK)
        code = run_all(session, r, err);
    if (code == BASE_OK && r->up)
        code = store_grants_repeat(session, r->directory, r->report, r->ctx, err);
    store_session_disconnect(session); /* releases the lock, and rolls back what is unfinished */
    return code;
}

base_code store_migrate_up(store_session *session, const char *directory, store_migrate_report *report, void *ctx,
                           base_error *err)
{
    return run_locked(session, &(run){directory, report, ctx, true, 0}, err);
}

base_code store_migrate_down(store_session *session, const char *directory, int64_t steps, store_migrate_report *report,
                             void *ctx, base_error *err)
{
    return run_locked(session, &(run){directory, report, ctx, false, steps}, err);
}

base_code store_migrate_status(store_session *session, const char *directory, store_migrate_report *report, void *ctx,
                               size_t *ret_pending, base_error *err)
{
    BASE_CLEANUP(plan_done) plan p = {0};
    base_code code = make_plan(session, directory, &p, err); /* changes nothing, so that a service may ask */
    if (code != BASE_OK)
        return code;
    size_t pending = 0;
    for (size_t i = 0; i < p.count; i++) {
        const char *state = state_of(&p.entries[i]);
        tell(report, ctx, &p.entries[i], state);
        pending += strcmp(state, "pending") == 0 ? 1 : 0;
    }
    *ret_pending = pending;
    return BASE_OK;
}
