#include "grants.h"

#include "flight.h"

#include "base/fault.h"

#include <stdio.h>

#define ROLE              "proofline_service"
#define SCRIPT_MAX        65536 /* bytes */
#define GRANTS_TIMEOUT_MS 60000

static base_code count_rights(store_session *session, int64_t *ret, base_error *err)
{
    static const store_statement RIGHTS = {
        "service_rights", "SELECT count(*) FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a "
                          "JOIN pg_roles r ON r.oid = a.grantee JOIN pg_namespace n ON n.oid = c.relnamespace "
                          "WHERE r.rolname = '" ROLE "' AND n.nspname = current_schema()"};
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    base_code code = store_query(session, STORE_FLIGHT_READS, &RIGHTS, NULL, &rows, err);
    if (code == BASE_OK)
        *ret = store_rows_int64(&rows, 0, 0);
    return code;
}

/* Roles belong to the whole server, and who uses another database of it, or lets the services in as the owner, wants none granted: hence
 * only where the owner has run the script once. */
base_code store_grants_repeat(store_session *session, const char *directory, store_migrate_report *report, void *ctx,
                              base_error *err)
{
    int64_t before = 0, after = 0;
    base_code code = count_rights(session, &before, err);
    if (code != BASE_OK || before == 0)
        return code;
    char path[4096];
    BASE_CLEANUP(base_buffer_done) base_buffer script = {.limit = SCRIPT_MAX};
    snprintf(path, sizeof(path), "%s/roles/" ROLE ".sql", directory);
    code = base_file_read(path, &script, err);
    if (code == BASE_OK)
        code = BASE_FAULT("migrate.granting", err);
    if (code == BASE_OK)
        code = store_session_script(session, (const char *)script.data, GRANTS_TIMEOUT_MS, err);
    if (code == BASE_OK)
        code = count_rights(session, &after, err);
    if (code != BASE_OK)
        return base_fail_within(err, "the tables are up to date, but not the rights of " ROLE);
    if (after != before && report != NULL)
        report(ctx, "", ROLE, "granted", 0);
    return BASE_OK;
}
