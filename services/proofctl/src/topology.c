/* topology apply, topology check: the streams and consumers that the services bind to. */
#include "connect.h"
#include "output.h"

#define MAX_ACK_PENDING_DEFAULT 20000
#define MAX_ACK_PENDING_MAX     1000000
#define REPLICAS_MAX            5
#define TIMEOUT_DEFAULT_S       30 /* a cluster that has just started elects within half of it */
#define TIMEOUT_MAX_S           3600

typedef struct topology_options {
    int64_t replicas, max_ack_pending, timeout_s;
    bool json;
} topology_options;

static const ctl_option OPTIONS[] = {
    {.name = "replicas",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(topology_options, replicas),
     .argument = "N",
     .help = "copies of each stream, 1, 3 or 5 [STREAM_REPLICAS]",
     .min = 1,
     .max = REPLICAS_MAX},
    {.name = "max-ack-pending",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(topology_options, max_ack_pending),
     .argument = "N",
     .help = "jobs of one stage in hand or waiting for a retry, over all instances",
     .fallback = MAX_ACK_PENDING_DEFAULT,
     .min = 1,
     .max = MAX_ACK_PENDING_MAX},
    {.name = "timeout",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(topology_options, timeout_s),
     .argument = "SECONDS",
     .help = "how long to ask again while a cluster elects or lacks a server",
     .fallback = TIMEOUT_DEFAULT_S,
     .max = TIMEOUT_MAX_S},
    CTL_JSON_OPTION(topology_options),
};

static void report(void *ctx, const char *kind, const char *name, const char *state, const char *differences)
{
    const topology_options *options = ctx;
    const char *detail = differences == NULL ? "" : differences;
    if (!options->json)
        printf("%-9s %-24s %-8s %s\n", kind, name, state, detail);
    else if (ctl_json_line(json_pack("{s:s, s:s, s:s, s:o}", "kind", kind, "name", name, "state", state, "differences",
                                     ctl_json_text(detail))) != CTL_EXIT_OK)
        fputs("proofctl: a line could not be shown\n", stderr);
}

typedef base_code topology_function(broker_connection *, const broker_topology_options *, broker_topology_report *,
                                    void *, base_error *);

static ctl_exit run(const ctl_call *call, topology_function *act)
{
    topology_options options = *(const topology_options *)call->options;
    base_error err = {0};
    if (ctl_settings_need(call->settings, CTL_USES_NATS | CTL_USES_TOPOLOGY) != BASE_OK)
        return CTL_EXIT_USAGE;
    broker_topology_options wanted = {
        .replicas = options.replicas != 0 ? options.replicas : call->settings->stream_replicas,
        .max_ack_pending = options.max_ack_pending,
        .wait_ms = options.timeout_s * 1000,
    };
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    if (ctl_open_broker(call, &connection, &wanted.names, &err) != BASE_OK)
        return ctl_fail_open(&err);
    return act(connection, &wanted, report, &options, &err) == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
}

static ctl_exit run_apply(const ctl_call *call)
{
    /* No fault point: it has one behind each stream and consumer. */
    return run(call, broker_topology_apply);
}

static ctl_exit run_check(const ctl_call *call)
{
    return run(call, broker_topology_check);
}

const ctl_command ctl_topology_apply = {
    .path = "topology apply",
    .operands = "",
    .summary = "Create or update the streams and consumers; repeating is harmless",
    CTL_OPTIONS(OPTIONS),
    .uses = CTL_USES_NATS | CTL_USES_TOPOLOGY,
    .run = run_apply,
};
const ctl_command ctl_topology_check = {
    .path = "topology check",
    .operands = "",
    .summary = "Say whether the streams and consumers are as they should be",
    CTL_OPTIONS(OPTIONS),
    .uses = CTL_USES_NATS | CTL_USES_TOPOLOGY,
    .run = run_check,
};
