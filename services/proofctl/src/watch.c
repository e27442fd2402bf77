/* watch: events as they come. */
#include "base/clock.h"
#include "connect.h"
#include "events.h"
#include "files.h"

enum { POLL_MS = 1000 };
#define SECONDS_MAX (7 * 24 * 3600)

typedef struct watch_options {
    int64_t count, timeout_s;
    bool all, json;
} watch_options;

static const ctl_option OPTIONS[] = {
    {.name = "all",
     .kind = CTL_OPTION_FLAG,
     .offset = offsetof(watch_options, all),
     .help = "begin with the oldest event stored instead of now"},
    {.name = "count",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(watch_options, count),
     .argument = "N",
     .help = "end after N events; 0: never",
     .max = INT64_MAX},
    {.name = "timeout",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(watch_options, timeout_s),
     .argument = "SECONDS",
     .help = "end after this time; 0: never",
     .max = SECONDS_MAX},
    CTL_JSON_OPTION(watch_options),
};

static ctl_exit show(const ctl_event *event, const ctl_call *call)
{
    const watch_options *options = call->options;
    if (options->json)
        return ctl_json_line(ctl_event_json(event));
    ctl_event_print(event, call->operand_count == 0, stdout);
    return CTL_EXIT_OK;
}

/* Ends by the options; an unreachable server is waited for, since the connection heals itself. */
static ctl_exit follow_feed(const ctl_call *call, broker_feed *feed)
{
    const watch_options *options = call->options;
    BASE_CLEANUP(ctl_progress_end) ctl_progress progress = ctl_progress_begin("waiting for the next event");
    int64_t deadline_ms = options->timeout_s == 0 ? INT64_MAX : base_monotonic_ms() + options->timeout_s * 1000;
    for (int64_t seen = 0; options->count == 0 || seen < options->count;) {
        int64_t left = deadline_ms - base_monotonic_ms();
        if (left <= 0)
            return options->count == 0 ? CTL_EXIT_OK : CTL_EXIT_TIMEOUT;
        if (ctl_output_is_abandoned())
            return CTL_EXIT_NO;
        ctl_progress_show(&progress);
        BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
        base_error err = {0};
        base_code code = broker_feed_next(feed, left < POLL_MS ? left : POLL_MS, &stored, &err);
        ctl_event event;
        if (code == BASE_UNAVAILABLE)
            base_sleep_ms(POLL_MS);
        else if (code != BASE_OK && code != BASE_TIMEOUT)
            return ctl_fail(&err);
        if (code != BASE_OK)
            continue;
        ctl_progress_end(&progress);
        seen++;
        if (ctl_event_read(&stored, &event, &err) != BASE_OK)
            ctl_fail(&err);
        else if (show(&event, call) != CTL_EXIT_OK)
            return CTL_EXIT_NO;
    }
    return CTL_EXIT_OK;
}

static ctl_exit run_watch(const ctl_call *call)
{
    const watch_options *options = call->options;
    base_error err = {0};
    base_sha256 submission;
    bool is_one = call->operand_count == 1;
    if (is_one && ctl_sha256_of_operand(call->operands[0], &submission, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    broker_names names;
    if (ctl_open_broker(call, &connection, &names, &err) != BASE_OK)
        return ctl_fail_open(&err);
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    ctl_event_subject subject = ctl_event_subject_of(&names, is_one ? &submission : NULL);
    if (broker_feed_open(connection, names.stream_events, subject.text, options->all ? 1 : 0, &feed, &err) != BASE_OK)
        return ctl_fail(&err);
    fprintf(stderr, "proofctl: watching %s\n", names.stream_events); /* nothing stored from here on is missed */
    return follow_feed(call, feed);
}

const ctl_command ctl_watch = {
    .path = "watch",
    .operands = "[SHA256|IMAGE]",
    .summary = "Show events as they come",
    CTL_OPTIONS(OPTIONS),
    .operands_max = 1,
    .uses = CTL_USES_NATS,
    .run = run_watch,
};
