#include "broker/topology.h"

#include "topology_config.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/own.h"

#include <stdio.h>
#include <string.h>

#define DIFFERENCES_MAX 4096 /* bytes of one report */
#define SUBJECT_MAX     256
#define WHAT_MAX        160
#define RETRY_FIRST_MS  100
#define RETRY_MAX_MS    1000

/* One stream (consumer NULL) or one consumer of a stream. */
typedef struct topology_target {
    const char *stream;
    const char *consumer;
    json_t *wanted; /* owned; NULL for want of memory */
} topology_target;
enum { TARGETS = 6 }; /* streams before the consumers that need them */

typedef struct topology_run {
    broker_connection *connection;
    bool apply;
    int64_t deadline_ms; /* until then what is away is asked again */
    broker_topology_report *report;
    void *ctx;
} topology_run;

static void list_targets(const broker_topology_options *options, topology_target list[TARGETS])
{
    const broker_names *names = &options->names;
    list[0] = (topology_target){names->stream_jobs, NULL, broker_config_jobs(options)};
    list[1] = (topology_target){names->stream_events, NULL, broker_config_events(options)};
    list[2] = (topology_target){names->stream_dead, NULL, broker_config_dead(options)};
    list[3] = (topology_target){names->stream_jobs, BROKER_DURABLE_GENERATOR,
                                broker_config_durable(options, BROKER_DURABLE_GENERATOR, names->subject_generate)};
    list[4] = (topology_target){names->stream_jobs, BROKER_DURABLE_PREPARER,
                                broker_config_durable(options, BROKER_DURABLE_PREPARER, names->subject_prepare)};
    list[5] = (topology_target){names->stream_jobs, BROKER_DURABLE_PUBLISHER,
                                broker_config_durable(options, BROKER_DURABLE_PUBLISHER, names->subject_publish)};
}

static void release_targets(topology_target list[TARGETS])
{
    for (size_t i = 0; i < TARGETS; i++)
        json_decref(list[i].wanted);
}

static void tell(const topology_run *run, const topology_target *target, const char *state, const char *differences)
{
    if (run->report != NULL)
        run->report(run->ctx, target->consumer == NULL ? "stream" : "consumer",
                    target->consumer == NULL ? target->stream : target->consumer, state, differences);
}

static void describe(const topology_target *target, char what[WHAT_MAX])
{
    if (target->consumer == NULL)
        snprintf(what, WHAT_MAX, "stream %s", target->stream);
    else
        snprintf(what, WHAT_MAX, "consumer %s of stream %s", target->consumer, target->stream);
}

static base_code ask(const topology_run *run, const topology_target *target, const char *verb, const json_t *request,
                     json_t **ret, base_error *err)
{
    char subject[SUBJECT_MAX];
    char what[WHAT_MAX];
    describe(target, what);
    if (target->consumer == NULL)
        snprintf(subject, sizeof(subject), "STREAM.%s.%s", verb, target->stream);
    else
        snprintf(subject, sizeof(subject), "CONSUMER.%s.%s.%s", verb, target->stream, target->consumer);
    if (strcmp(verb, "INFO") == 0)
        return broker_api_ask(run->connection, what, subject, request, ret, err);
    return broker_api(run->connection, what, subject, request, ret, err);
}

/* Creates or updates: a consumer has one verb for both. */
static base_code write_config(const topology_run *run, const topology_target *target, bool exists, json_t *config,
                              base_error *err)
{
    BROKER_JSON *answer = NULL;
    base_code code = BASE_OK;
    if (target->consumer == NULL) {
        code = ask(run, target, exists ? "UPDATE" : "CREATE", config, &answer, err);
    } else {
        BROKER_JSON *request = json_pack("{s:s, s:O}", "stream_name", target->stream, "config", config);
        code = request == NULL ? base_fail(err, BASE_NO_MEMORY, "no memory for a consumer's settings")
                               : ask(run, target, "DURABLE.CREATE", request, &answer, err);
    }
    return code == BASE_OK ? BASE_FAULT("topology.written", err) : code;
}

static base_code handle_missing(const topology_run *run, const topology_target *target, base_error *err)
{
    if (!run->apply) {
        char what[WHAT_MAX];
        describe(target, what);
        tell(run, target, "missing", "");
        return base_fail(err, BASE_NOT_FOUND, "%s not found: run `proofctl topology apply`", what);
    }
    BROKER_JSON *empty = json_object();
    BROKER_JSON *config = broker_config_merge(empty, target->wanted);
    base_code code = config == NULL ? base_fail(err, BASE_NO_MEMORY, "no memory for a stream's settings")
                                    : write_config(run, target, false, config, err);
    if (code == BASE_OK)
        tell(run, target, "created", "");
    return code;
}

static base_code handle_existing(const topology_run *run, const topology_target *target, const json_t *actual,
                                 base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer differences = {.limit = DIFFERENCES_MAX};
    base_code code = broker_config_compare(actual, target->wanted, &differences, err);
    if (code != BASE_OK)
        return code;
    if (differences.size == 0) {
        tell(run, target, "ok", "");
        return BASE_OK;
    }
    const char *text = (const char *)differences.data;
    if (!run->apply) {
        char what[WHAT_MAX];
        describe(target, what);
        tell(run, target, "differs", text);
        return base_fail(err, BASE_CONFLICT, "%s differs: run `proofctl topology apply`: %s", what, text);
    }
    BROKER_JSON *config = broker_config_merge(actual, target->wanted);
    code = config == NULL ? base_fail(err, BASE_NO_MEMORY, "no memory for a stream's settings")
                          : write_config(run, target, true, config, err);
    if (code == BASE_OK)
        tell(run, target, "updated", text);
    return code;
}

static base_code handle_target(const topology_run *run, const topology_target *target, base_error *err)
{
    if (target->wanted == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a stream's settings");
    BROKER_JSON *info = NULL;
    base_error asked;
    base_code code = ask(run, target, "INFO", NULL, &info, &asked);
    if (code == BASE_UNPREPARED)
        return handle_missing(run, target, err);
    if (code != BASE_OK)
        return base_fail(err, code, "%s", asked.message);
    return handle_existing(run, target, json_object_get(info, "config"), err);
}

/* A cluster that has just started has no leader for some seconds, and not all of its servers. */
static base_code handle_patiently(const topology_run *run, const topology_target *target, base_error *err)
{
    for (int64_t failures = 1;; failures++) {
        base_code code = handle_target(run, target, err);
        if (code != BASE_UNAVAILABLE && code != BASE_TIMEOUT)
            return code;
        int64_t pause_ms = base_backoff_ms(failures, RETRY_FIRST_MS, RETRY_MAX_MS);
        if (base_monotonic_ms() + pause_ms >= run->deadline_ms)
            return code;
        base_sleep_ms(pause_ms);
    }
}

static base_code check_options(const broker_topology_options *options, base_error *err)
{
    if (!broker_name_is_valid(options->names.stream_jobs))
        return base_fail(err, BASE_INVALID, "the names of the streams are not filled in");
    if (options->replicas != 0 && options->replicas != 1 && options->replicas != 3 && options->replicas != 5)
        return base_fail(err, BASE_INVALID, "replicas of a stream: 1, 3 or 5, not %lld", (long long)options->replicas);
    if (options->max_ack_pending < 1)
        return base_fail(err, BASE_INVALID, "max_ack_pending must be at least 1");
    return BASE_OK;
}

/* A check goes on past the first trouble, so that its reports are complete; the first trouble is the result. */
static base_code go_through(const topology_run *run, const broker_topology_options *options, base_error *err)
{
    base_code first = check_options(options, err);
    if (first != BASE_OK)
        return first;
    topology_target list[TARGETS];
    list_targets(options, list);
    for (size_t i = 0; i < TARGETS; i++) {
        base_error detail;
        base_code code = handle_patiently(run, &list[i], &detail);
        if (code != BASE_OK && first == BASE_OK)
            first = base_fail(err, code, "%s", detail.message);
        if (code != BASE_OK && (run->apply || (code != BASE_NOT_FOUND && code != BASE_CONFLICT)))
            break;
    }
    release_targets(list);
    return first;
}

base_code broker_topology_apply(broker_connection *connection, const broker_topology_options *options,
                                broker_topology_report *report, void *ctx, base_error *err)
{
    return go_through(&(topology_run){connection, true, base_monotonic_ms() + options->wait_ms, report, ctx}, options,
                      err);
}

base_code broker_topology_check(broker_connection *connection, const broker_topology_options *options,
                                broker_topology_report *report, void *ctx, base_error *err)
{
    return go_through(&(topology_run){connection, false, base_monotonic_ms() + options->wait_ms, report, ctx}, options,
                      err);
}
