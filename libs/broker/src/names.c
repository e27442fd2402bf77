#include "broker/topology.h"

#include <stdio.h>
#include <string.h>

/* Longest suffix that a name gets: ".jobs.generate". */
#define PREFIX_MAX (BROKER_NAME_MAX - sizeof(".jobs.generate"))

static bool prefix_is_valid(const char *prefix)
{
    if (prefix[0] < 'a' || prefix[0] > 'z')
        return false;
    return prefix[strspn(prefix, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

base_code broker_names_of(const char *prefix, broker_names *ret, base_error *err)
{
    if (prefix == NULL || prefix[0] == '\0')
        prefix = "proofline";
    if (!prefix_is_valid(prefix))
        return base_fail(err, BASE_INVALID, "prefix \"%.40s\": lower-case letters, digits and _ only, a letter first",
                         prefix);
    size_t size = strlen(prefix);
    if (size > PREFIX_MAX)
        return base_fail(err, BASE_INVALID, "prefix \"%.40s…\" is longer than %zu characters", prefix, PREFIX_MAX);
    char upper[BROKER_NAME_MAX] = "";
    for (size_t i = 0; i < size; i++)
        upper[i] = (char)(prefix[i] >= 'a' && prefix[i] <= 'z' ? prefix[i] - 'a' + 'A' : prefix[i]);
    snprintf(ret->stream_jobs, BROKER_NAME_MAX, "%s_JOBS", upper);
    snprintf(ret->stream_events, BROKER_NAME_MAX, "%s_EVENTS", upper);
    snprintf(ret->stream_dead, BROKER_NAME_MAX, "%s_DEAD", upper);
    snprintf(ret->subject_generate, BROKER_NAME_MAX, "%s.jobs.generate", prefix);
    snprintf(ret->subject_prepare, BROKER_NAME_MAX, "%s.jobs.prepare", prefix);
    snprintf(ret->subject_publish, BROKER_NAME_MAX, "%s.jobs.publish", prefix);
    snprintf(ret->subject_events, BROKER_NAME_MAX, "%s.events", prefix);
    snprintf(ret->subject_dead, BROKER_NAME_MAX, "%s.dead", prefix);
    return BASE_OK;
}
