#pragma once
/* Follows one submission from a job just queued to its end. */
#include "events.h"

/* A position in the events stream taken before a job is queued, with what had happened to the submission before. */
typedef struct ctl_follow {
    broker_connection *connection; /* borrowed */
    const broker_names *names;     /* borrowed */
    base_sha256 submission;
    ctl_event_list before;
    broker_feed *feed;
} ctl_follow;

/* Call before publishing. Release with ctl_follow_done, also after a failure. */
BASE_MUST_CHECK base_code ctl_follow_begin(broker_connection *connection, const broker_names *names,
                                           const base_sha256 *submission, ctl_follow *ret, base_error *err);
void ctl_follow_done(ctl_follow *follow);
BASE_CLEANUP_VALUE(ctl_follow, ctl_follow_done);

/* Prints events as they come, until complete (CTL_EXIT_OK), rejected (CTL_EXIT_REJECTED) or timeout_ms (CTL_EXIT_TIMEOUT).
 * since_unix_ns: when the job's message was stored, if that was before ctl_follow_begin; else 0. */
ctl_exit ctl_follow_run(ctl_follow *follow, int64_t since_unix_ns, int64_t timeout_ms, bool json);
