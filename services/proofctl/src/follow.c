#include "follow.h"

#include "base/clock.h"
#include "base/hex.h"

#include <inttypes.h>

enum { PROGRESS_MS = 1000, RETRY_MS = 200 };

base_code ctl_follow_begin(broker_connection *connection, const broker_names *names, const base_sha256 *submission,
                           ctl_follow *ret, base_error *err)
{
    *ret = (ctl_follow){.connection = connection, .names = names, .submission = *submission};
    broker_stream_state state;
    base_code code = broker_stream_read_state(connection, names->stream_events, &state, err);
    if (code != BASE_OK)
        return code;
    /* What comes after the position goes to the feed, what lies before it is history: nothing is seen twice or missed. */
    ctl_event_subject subject = ctl_event_subject_of(names, submission);
    code = broker_feed_open(connection, names->stream_events, subject.text, state.last_sequence + 1, &ret->feed, err);
    if (code != BASE_OK || state.last_sequence == 0)
        return code;
    return ctl_events_load(connection, names, submission, state.last_sequence, &ret->before, err);
}

void ctl_follow_done(ctl_follow *follow)
{
    broker_feed_free(follow->feed);
    follow->feed = NULL;
    ctl_event_list_done(&follow->before);
}

static ctl_exit exit_of(const ctl_event *event)
{
    return event->change.status == WIRE_STATUS_COMPLETE ? CTL_EXIT_OK : CTL_EXIT_REJECTED;
}

static void show(const ctl_event *event, bool json)
{
    if (!json)
        ctl_event_print(event, false, stdout);
    else if (ctl_json_line(ctl_event_json(event)) != CTL_EXIT_OK)
        fputs("proofctl: an event could not be shown\n", stderr);
}

/* What the history already answers: a complete submission stays so whatever is queued, and a job that was queued
 * earlier may have ended. */
static bool is_ended(const ctl_follow *follow, int64_t since_unix_ns, bool json, ctl_exit *ret)
{
    const ctl_event_list *before = &follow->before;
    bool is_complete = before->count > 0 && before->items[before->count - 1].change.status == WIRE_STATUS_COMPLETE;
    for (size_t i = 0; i < before->count; i++) {
        const ctl_event *event = &before->items[i];
        bool is_last = i + 1 == before->count;
        bool is_since = since_unix_ns != 0 && event->stored_unix_ns >= since_unix_ns;
        if (is_since || (is_last && is_complete))
            show(event, json);
        if (is_last && ctl_event_is_final(event) && (is_since || is_complete)) {
            *ret = exit_of(event);
            return true;
        }
    }
    return false;
}

static ctl_exit timed_out(const ctl_follow *follow, int64_t timeout_ms, const base_error *last)
{
    fprintf(stderr, "proofctl: %s has not ended after %" PRId64 " s%s%s\nSee: proofctl status %s\n",
            base_sha256_hex(&follow->submission).text, timeout_ms / 1000, last->message[0] == '\0' ? "" : ": ",
            last->message, base_sha256_hex(&follow->submission).text);
    return CTL_EXIT_TIMEOUT;
}

ctl_exit ctl_follow_run(ctl_follow *follow, int64_t since_unix_ns, int64_t timeout_ms, bool json)
{
    ctl_exit answer = CTL_EXIT_OK;
    if (is_ended(follow, since_unix_ns, json, &answer))
        return answer;
    BASE_CLEANUP(ctl_progress_end) ctl_progress progress = ctl_progress_begin("waiting for the next event");
    int64_t deadline_ms = base_monotonic_ms() + timeout_ms;
    base_error trouble = {0};
    for (int64_t left; (left = deadline_ms - base_monotonic_ms()) > 0;) {
        ctl_progress_show(&progress);
        BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
        base_error err = {0};
        base_code code = broker_feed_next(follow->feed, left < PROGRESS_MS ? left : PROGRESS_MS, &stored, &err);
        if (code == BASE_TIMEOUT)
            continue;
        if (code != BASE_OK && code != BASE_UNAVAILABLE)
            return ctl_fail(&err);
        trouble = err;
        ctl_event event;
        if (code == BASE_UNAVAILABLE) {
            base_sleep_ms(left < RETRY_MS ? left : RETRY_MS); /* the connection heals itself; the feed goes on then */
        } else if (ctl_event_read(&stored, &event, &trouble) == BASE_OK) {
            ctl_progress_end(&progress);
            show(&event, json);
            if (ctl_event_is_final(&event))
                return exit_of(&event);
        }
    }
    ctl_progress_end(&progress);
    return timed_out(follow, timeout_ms, &trouble);
}
