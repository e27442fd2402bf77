/* list: submissions, newest first. */
#include "arguments.h"
#include "base/clock.h"
#include "base/hex.h"
#include "connect.h"
#include "row.h"

#include <inttypes.h>

#define LIST_DEFAULT 20

typedef struct list_options {
    const char *status;
    int64_t limit;
    bool json;
} list_options;

static const ctl_option LIST_OPTIONS[] = {
    {.name = "status",
     .kind = CTL_OPTION_TEXT,
     .offset = offsetof(list_options, status),
     .argument = "STATUS",
     .help = "only those that are awaiting_review, proof_generation, …"},
    {.name = "limit",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(list_options, limit),
     .argument = "N",
     .help = "at most so many, newest first",
     .fallback = LIST_DEFAULT,
     .min = 1,
     .max = STORE_BATCH_MAX},
    CTL_JSON_OPTION(list_options),
};

static base_code add_row(ctl_table *table, const store_submission *row, base_error *err)
{
    base_hex32 hash = base_sha256_hex(&row->sha256);
    base_time_text updated = base_time_rfc3339(row->updated_unix_ms);
    char counts[64];
    snprintf(counts, sizeof(counts), "%" PRId64 "/%" PRId64, row->proofs_generated, row->publish_attempts);
    const char *outcome = row->status == WIRE_STATUS_REJECTED ? row->failure_reason : row->transaction_id;
    return ctl_table_add(
        table, (const char *[]){hash.text, wire_status_name(row->status), counts, updated.text, outcome}, err);
}

static ctl_exit print_list(const store_submission *rows, size_t count, bool json)
{
    static const char *const HEADINGS[] = {"SHA256", "STATUS", "PROOFS/SENDS", "UPDATED", "TRANSACTION OR REASON",
                                           NULL};
    base_error err = {0};
    BASE_CLEANUP(ctl_table_free) ctl_table *table = NULL;
    if (ctl_table_new(HEADINGS, &table, &err) != BASE_OK)
        return ctl_fail(&err);
    for (size_t i = 0; i < count; i++) {
        if (json && ctl_json_line(ctl_row_json(&rows[i])) != CTL_EXIT_OK)
            return CTL_EXIT_NO;
        if (!json && add_row(table, &rows[i], &err) != BASE_OK)
            return ctl_fail(&err);
    }
    if (!json)
        ctl_table_print(table, stdout);
    return CTL_EXIT_OK;
}

static ctl_exit run_list(const ctl_call *call)
{
    const list_options *options = call->options;
    base_error err = {0};
    wire_status status = WIRE_STATUS_NONE;
    if (options->status != NULL && wire_status_parse(options->status, &status, &err) != BASE_OK)
        return ctl_usage(call->command, "--status: %s", err.message);
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    if (ctl_open_store(call, &session, &err) != BASE_OK)
        return ctl_fail_open(&err);
    BASE_CLEANUP(free) store_submission *rows = calloc((size_t)options->limit, sizeof(*rows));
    if (rows == NULL) {
        (void)base_fail(&err, BASE_NO_MEMORY, "no memory for %" PRId64 " submissions", options->limit);
        return ctl_fail(&err);
    }
    size_t count = 0;
    if (store_submission_list(session, status, 0, (size_t)options->limit, rows, &count, &err) != BASE_OK)
        return ctl_fail(&err);
    return print_list(rows, count, options->json);
}

const ctl_command ctl_list = {
    .path = "list",
    .operands = "",
    .summary = "List submissions, newest first",
    CTL_OPTIONS(LIST_OPTIONS),
    .uses = CTL_USES_DATABASE,
    .run = run_list,
};
