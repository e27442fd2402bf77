/* status: what became of one submission. */
#include "base/clock.h"
#include "base/hex.h"
#include "connect.h"
#include "events.h"
#include "files.h"
#include "row.h"

#include <inttypes.h>

typedef struct status_options {
    bool json;
} status_options;

static const ctl_option STATUS_OPTIONS[] = {CTL_JSON_OPTION(status_options)};

static void print_text(const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    printf("%-20s ", name);
    ctl_print_clean(text, stdout);
    putchar('\n');
}

static void print_time(const char *name, int64_t unix_ms)
{
    if (unix_ms != 0)
        print_text(name, base_time_rfc3339(unix_ms).text);
}

static void print_submission(const store_submission *row)
{
    print_text("sha256", base_sha256_hex(&row->sha256).text);
    print_text("status", wire_status_name(row->status));
    print_text("correlation id", row->correlation_id);
    print_text("reason code", row->reason_code);
    print_text("failure reason", row->failure_reason);
    print_text("transaction", row->transaction_id);
    printf("%-20s %" PRId64 "\n%-20s %" PRId64 "\n%-20s %" PRId64 "\n", "generate attempts", row->generate_attempts,
           "proofs generated", row->proofs_generated, "publish attempts", row->publish_attempts);
    printf("%-20s %" PRId64 "\n%-20s %" PRId64 "\n", "counted retries", row->retries, "crashes", row->crashes);
    print_time("created", row->created_unix_ms);
    print_time("updated", row->updated_unix_ms);
    print_time("verified", row->verified_unix_ms);
    print_time("failed", row->failed_unix_ms);
}

static void print_events(const ctl_event_list *events)
{
    printf("\nevents\n");
    for (size_t i = 0; i < events->count; i++) {
        uint64_t before = i == 0 ? 0 : events->items[i - 1].change.sequence;
        if (events->items[i].change.sequence > before + 1)
            printf("  … events %" PRIu64 " to %" PRIu64 " are not stored (any more)\n", before + 1,
                   events->items[i].change.sequence - 1);
        fputs("  ", stdout);
        ctl_event_print(&events->items[i], false, stdout);
    }
    if (events->count == 0)
        printf("  none stored\n");
}

static json_t *events_json(const ctl_event_list *events)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < events->count; i++)
        json_array_append_new(array, ctl_event_json(&events->items[i]));
    return array;
}

/* The timeline is a courtesy: Postgres has said what counts, so that NATS may be away. */
static base_code load_timeline(const ctl_call *call, const base_sha256 *submission, ctl_event_list *ret,
                               base_error *err)
{
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    broker_names names;
    base_code code = ctl_open_broker(call, &connection, &names, err);
    if (code == BASE_OK)
        code = ctl_events_load(connection, &names, submission, 0, ret, err);
    ctl_event_list_sort(ret);
    return code;
}

static ctl_exit run_status(const ctl_call *call)
{
    const status_options *options = call->options;
    base_error err = {0};
    base_sha256 submission;
    if (ctl_sha256_of_operand(call->operands[0], &submission, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    if (ctl_open_store(call, &session, &err) != BASE_OK)
        return ctl_fail_open(&err);
    store_submission row;
    if (store_submission_get(session, &submission, &row, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(ctl_event_list_done) ctl_event_list events = {0};
    bool has_timeline = load_timeline(call, &submission, &events, &err) == BASE_OK;
    if (options->json) {
        json_t *value = ctl_row_json(&row);
        if (value != NULL)
            json_object_set_new(value, "events", has_timeline ? events_json(&events) : json_null());
        return ctl_json_line(value);
    }
    print_submission(&row);
    if (has_timeline)
        print_events(&events);
    else
        fprintf(stderr, "proofctl: no timeline: %s\n", err.message);
    return CTL_EXIT_OK;
}

const ctl_command ctl_status = {
    .path = "status",
    .operands = "SHA256|IMAGE",
    .summary = "Show what became of a submission, with its events",
    CTL_OPTIONS(STATUS_OPTIONS),
    .operands_min = 1,
    .operands_max = 1,
    .uses = CTL_USES_DATABASE | CTL_USES_NATS,
    .run = run_status,
};
