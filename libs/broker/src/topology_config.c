#include "topology_config.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdio.h>

#define NS_PER_MS 1000000
#define NS_PER_S  1000000000
/* Well beyond JOB_MAX_AGE_S: what nobody took for so long must be there to be rejected. */
#define JOBS_MAX_AGE_S   (72 * 3600)
#define KEEP_MAX_AGE_S   (30 * 24 * 3600)
#define DEDUPE_WINDOW_NS ((json_int_t)120 * NS_PER_S)

static json_t *stream_config(const char *name, json_t *subjects, int64_t max_age_s, int64_t replicas)
{
    json_int_t max_age = (json_int_t)max_age_s * NS_PER_S;
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:b}", "name", name, "subjects", subjects, "retention",
                     "limits", "storage", "file", "discard", "old", "max_age", max_age, "duplicate_window",
                     max_age < DEDUPE_WINDOW_NS ? max_age : DEDUPE_WINDOW_NS, "num_replicas",
                     (json_int_t)(replicas == 0 ? 1 : replicas), "allow_direct", 1);
}

json_t *broker_config_jobs(const broker_topology_options *options)
{
    const broker_names *names = &options->names;
    json_t *subjects = json_pack("[s, s, s]", names->subject_generate, names->subject_prepare, names->subject_publish);
    return stream_config(names->stream_jobs, subjects,
                         options->jobs_max_age_s == 0 ? JOBS_MAX_AGE_S : options->jobs_max_age_s, options->replicas);
}

static int64_t keep_max_age_s(const broker_topology_options *options)
{
    return options->keep_max_age_s == 0 ? KEEP_MAX_AGE_S : options->keep_max_age_s;
}

json_t *broker_config_events(const broker_topology_options *options)
{
    char pattern[BROKER_NAME_MAX + 8];
    snprintf(pattern, sizeof(pattern), "%s.*.*", options->names.subject_events);
    return stream_config(options->names.stream_events, json_pack("[s]", pattern), keep_max_age_s(options),
                         options->replicas);
}

json_t *broker_config_dead(const broker_topology_options *options)
{
    char pattern[BROKER_NAME_MAX + 8];
    snprintf(pattern, sizeof(pattern), "%s.*", options->names.subject_dead);
    return stream_config(options->names.stream_dead, json_pack("[s]", pattern), keep_max_age_s(options),
                         options->replicas);
}

/* No BackOff list: it would replace the ack wait. No server MaxDeliver: attempts are counted in Postgres. */
json_t *broker_config_durable(const broker_topology_options *options, const char *durable, const char *subject)
{
    int64_t ack_wait_ms = options->ack_wait_ms == 0 ? BROKER_ACK_WAIT_MS : options->ack_wait_ms;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:I, s:n}", "durable_name", durable, "filter_subject",
                     subject, "deliver_policy", "all", "ack_policy", "explicit", "replay_policy", "instant", "ack_wait",
                     (json_int_t)ack_wait_ms * NS_PER_MS, "max_deliver", -1, "max_ack_pending",
                     (json_int_t)options->max_ack_pending, "backoff");
}

static base_code append_difference(const char *key, const json_t *has, const json_t *wants, base_buffer *differences,
                                   base_error *err)
{
    BASE_CLEANUP(free) char *old = has == NULL ? NULL : broker_json_text(has);
    BASE_CLEANUP(free) char *new = broker_json_text(wants);
    return base_buffer_printf(differences, err, "%s%s: %s (wanted %s)", differences->size == 0 ? "" : "; ", key,
                              old == NULL ? "not set" : old, new == NULL ? "?" : new);
}

base_code broker_config_compare(const json_t *actual, const json_t *wanted, base_buffer *differences, base_error *err)
{
    const char *key = NULL;
    json_t *wants = NULL;
    json_object_foreach((json_t *)(uintptr_t)wanted, key, wants)
    {
        json_t *has = json_object_get(actual, key);
        bool same = json_is_null(wants) ? has == NULL || json_is_null(has) : has != NULL && json_equal(has, wants);
        if (same)
            continue;
        base_code code = append_difference(key, has, wants, differences, err);
        if (code != BASE_OK)
            return code;
    }
    return BASE_OK;
}

json_t *broker_config_merge(const json_t *actual, const json_t *wanted)
{
    base_memory_forget(); /* a copy may lack members */
    BROKER_JSON *merged = json_copy((json_t *)(uintptr_t)actual);
    const char *key = NULL;
    json_t *wants = NULL;
    json_object_foreach((json_t *)(uintptr_t)wanted, key, wants)
    {
        if (json_is_null(wants))
            (void)json_object_del(merged, key);
        else if (json_object_set(merged, key, wants) != 0)
            return NULL;
    }
    return base_memory_lacked() ? NULL : BASE_TAKE(merged);
}
