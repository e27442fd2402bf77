/* migrate up, down, status: the tables in Postgres. */
#include "store/migrate.h"
#include "base/clock.h"
#include "connect.h"
#include "output.h"

#define INSTALLED_MIGRATIONS "/usr/share/proofline/migrations"
#define STEPS_MAX            1000

typedef struct migrate_options {
    int64_t steps;
    bool json;
} migrate_options;

static const ctl_option OPTIONS[] = {CTL_JSON_OPTION(migrate_options)};
static const ctl_option DOWN_OPTIONS[] = {
    {.name = "steps",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(migrate_options, steps),
     .argument = "N",
     .help = "how many to revert, the last applied first",
     .fallback = 1,
     .min = 1,
     .max = STEPS_MAX},
    CTL_JSON_OPTION(migrate_options),
};

/* What a run of reports needs and counts. */
typedef struct listing {
    bool json;
    size_t count;
} listing;

static void report(void *ctx, const char *version, const char *name, const char *state, int64_t at_unix_ms)
{
    listing *shown = ctx;
    shown->count++;
    if (shown->json) {
        if (ctl_json_line(json_pack("{s:s, s:s, s:s, s:o}", "version", version, "name", name, "state", state, "at",
                                    ctl_json_time(at_unix_ms))) != CTL_EXIT_OK)
            fputs("proofctl: a line could not be shown\n", stderr);
        return;
    }
    printf("%-9s %-8s %-32s %s\n", state, version, name, at_unix_ms == 0 ? "" : base_time_rfc3339(at_unix_ms).text);
    fflush(stdout);
}

/* A build in its source tree uses the tree's; an installed one the installed. */
static const char *directory_of(const ctl_settings *settings)
{
    if (settings->migrations_directory != NULL)
        return settings->migrations_directory;
    return access(PROOFLINE_SOURCE_MIGRATIONS, R_OK) == 0 ? PROOFLINE_SOURCE_MIGRATIONS : INSTALLED_MIGRATIONS;
}

/* What the three have in common. CTL_EXIT_OK: *ret_session is open and *ret_directory known. */
static ctl_exit begin(const ctl_call *call, store_session **ret_session, const char **ret_directory)
{
    if (ctl_settings_need(call->settings, CTL_USES_DATABASE | CTL_USES_MIGRATIONS) != BASE_OK)
        return CTL_EXIT_USAGE;
    base_error err = {0};
    if (ctl_open_store(call, ret_session, &err) != BASE_OK)
        return ctl_fail_open(&err);
    *ret_directory = directory_of(call->settings);
    return CTL_EXIT_OK;
}

static ctl_exit run_up(const ctl_call *call)
{
    listing shown = {.json = ((const migrate_options *)call->options)->json};
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    const char *directory = NULL;
    base_error err = {0};
    ctl_exit answer = begin(call, &session, &directory);
    if (answer != CTL_EXIT_OK)
        return answer;
    /* No fault point: store_migrate_up has one behind each migration. */
    if (store_migrate_up(session, directory, report, &shown, &err) != BASE_OK)
        return ctl_fail(&err);
    if (shown.count == 0)
        fprintf(stderr, "proofctl: nothing is pending in %s\n", directory);
    return CTL_EXIT_OK;
}

static ctl_exit run_down(const ctl_call *call)
{
    const migrate_options *options = call->options;
    listing shown = {.json = options->json};
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    const char *directory = NULL;
    base_error err = {0};
    ctl_exit answer = begin(call, &session, &directory);
    if (answer != CTL_EXIT_OK)
        return answer;
    /* No fault point: store_migrate_down has one behind each migration. */
    base_code code = store_migrate_down(session, directory, options->steps, report, &shown, &err);
    return code == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
}

static ctl_exit run_status(const ctl_call *call)
{
    listing shown = {.json = ((const migrate_options *)call->options)->json};
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    const char *directory = NULL;
    base_error err = {0};
    ctl_exit answer = begin(call, &session, &directory);
    if (answer != CTL_EXIT_OK)
        return answer;
    size_t pending = 0;
    if (store_migrate_status(session, directory, report, &shown, &pending, &err) != BASE_OK)
        return ctl_fail(&err);
    if (pending > 0)
        fprintf(stderr, "proofctl: %zu pending: proofctl migrate up\n", pending);
    return pending == 0 ? CTL_EXIT_OK : CTL_EXIT_NO;
}

const ctl_command ctl_migrate_up = {
    .path = "migrate up",
    .operands = "",
    .summary = "Apply the migrations that are pending; repeating is harmless",
    .details =
        "Where roles/proofline_service.sql was run before, it is run again, so that the services may use what is new.",
    CTL_OPTIONS(OPTIONS),
    .uses = CTL_USES_DATABASE | CTL_USES_MIGRATIONS,
    .run = run_up,
};
const ctl_command ctl_migrate_down = {
    .path = "migrate down",
    .operands = "",
    .summary = "Revert the last migrations applied",
    CTL_OPTIONS(DOWN_OPTIONS),
    .uses = CTL_USES_DATABASE | CTL_USES_MIGRATIONS,
    .run = run_down,
};
const ctl_command ctl_migrate_status = {
    .path = "migrate status",
    .operands = "",
    .summary = "List migrations; status 1 when some are pending",
    CTL_OPTIONS(OPTIONS),
    .uses = CTL_USES_DATABASE | CTL_USES_MIGRATIONS,
    .run = run_status,
};
