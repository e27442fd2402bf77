#include "check.h"

#include <inttypes.h>
#include <string.h>

/* What one submission's events tell, put in order. */
enum { EVENTS_MAX = 4096 }; /* of one submission; the others are not judged, and that is said */

static int in_order(const void *a, const void *b)
{
    const checker_event *x = *(checker_event *const *)a, *y = *(checker_event *const *)b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? -1 : 1;
    return (x->stream_sequence > y->stream_sequence) - (x->stream_sequence < y->stream_sequence);
}

static bool is_legal(wire_status from, wire_status to)
{
    switch (from) {
    case WIRE_STATUS_NONE:
        return to == WIRE_STATUS_AWAITING_REVIEW || to == WIRE_STATUS_PROOF_GENERATION;
    case WIRE_STATUS_AWAITING_REVIEW:
        return to == WIRE_STATUS_PROOF_GENERATION || to == WIRE_STATUS_REJECTED;
    case WIRE_STATUS_PROOF_GENERATION:
        return to == WIRE_STATUS_PROOF_PUBLISHING || to == WIRE_STATUS_REJECTED;
    case WIRE_STATUS_PROOF_PUBLISHING:
        return to == WIRE_STATUS_COMPLETE || to == WIRE_STATUS_REJECTED;
    case WIRE_STATUS_REJECTED: /* a replay begins where there is still something to begin with */
        return to == WIRE_STATUS_PROOF_GENERATION || to == WIRE_STATUS_PROOF_PUBLISHING;
    case WIRE_STATUS_COMPLETE:
        return false;
    }
    return false;
}

/* The one step out of complete: the chain has lost its transaction, or the transaction failed in its block. */
static bool is_loss(const checker *c, wire_status from, const checker_event *event)
{
    const char *reason = checker_reason_text(&c->world, event->reason);
    return from == WIRE_STATUS_COMPLETE && event->status == WIRE_STATUS_REJECTED &&
           (strcmp(reason, "transaction_lost") == 0 || strcmp(reason, "transaction_failed") == 0);
}

static size_t collect(checker *c, const checker_submission *submission, checker_event **ret)
{
    size_t count = 0;
    uint32_t at = submission->events;
    for (; at != CHECKER_NOBODY && count < EVENTS_MAX; at = c->world.events.items[at].next)
        ret[count++] = &c->world.events.items[at];
    if (at != CHECKER_NOBODY)
        checker_say(c, CHECKER_EVENT_CONTRADICTED, "submission %s has over %d events", checker_id(submission).text,
                    EVENTS_MAX);
    qsort(ret, count, sizeof(*ret), in_order);
    return count;
}

/* Drops repetitions; what contradicts the first of its number is said and dropped. */
static size_t drop_repetitions(checker *c, const checker_submission *submission, checker_event **events, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const checker_event *first = kept > 0 ? events[kept - 1] : NULL;
        if (first == NULL || first->sequence != events[i]->sequence)
            events[kept++] = events[i];
        else if (memcmp(&first->content, &events[i]->content, sizeof(first->content)) == 0)
            c->report.duplicate_events++;
        else
            checker_say(c, CHECKER_EVENT_CONTRADICTED,
                        "event %" PRIu64 " of submission %s says %s in message %" PRIu64
                        " and %s, differently, in %" PRIu64,
                        first->sequence, checker_id(submission).text, wire_status_name(first->status),
                        first->stream_sequence, wire_status_name(events[i]->status), events[i]->stream_sequence);
    }
    return kept;
}

/* The numbers are 1…n. False: not even that, so the steps say nothing. */
static bool check_numbers(checker *c, const checker_submission *submission, checker_event *const *events, size_t count)
{
    bool is_whole = true;
    uint64_t expected = submission->is_cut && count > 0 ? events[0]->sequence : 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t sequence = events[i]->sequence;
        if (sequence == expected + 1)
            checker_say(c, CHECKER_EVENT_MISSING,
                        "event %" PRIu64 " of submission %s is missing, before event %" PRIu64, expected,
                        checker_id(submission).text, sequence);
        else if (sequence != expected)
            checker_say(c, CHECKER_EVENT_MISSING, "events %" PRIu64 " to %" PRIu64 " of submission %s are missing",
                        expected, sequence - 1, checker_id(submission).text);
        is_whole = is_whole && sequence == expected;
        expected = sequence + 1;
    }
    return is_whole;
}

static void check_steps(checker *c, const checker_submission *submission, checker_event *const *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wire_status before = i > 0 ? events[i - 1]->status : events[i]->previous;
        bool is_start =
            i > 0 || submission->is_cut || before == WIRE_STATUS_NONE || before == WIRE_STATUS_AWAITING_REVIEW;
        if (events[i]->previous != before)
            checker_say(c, CHECKER_EVENT_CONTRADICTED,
                        "event %" PRIu64 " of submission %s says that it was %s before, and it was %s",
                        events[i]->sequence, checker_id(submission).text, wire_status_name(events[i]->previous),
                        wire_status_name(before));
        if (!is_start || (!is_legal(before, events[i]->status) && !is_loss(c, before, events[i])))
            checker_say(c, CHECKER_HISTORY_ILLEGAL, "submission %s went from %s to %s with event %" PRIu64,
                        checker_id(submission).text, wire_status_name(before), wire_status_name(events[i]->status),
                        events[i]->sequence);
    }
}

/* Events still in the outbox of stopped services are no contradiction. */
static bool may_come(const checker *c, const checker_submission *submission, uint64_t last)
{
    return c->options->allow_pending && (uint64_t)submission->event_sequence > last;
}

static const char *transaction_text(const checker *c, uint32_t transaction)
{
    return transaction == CHECKER_NOBODY ? "none" : c->world.transactions.items[transaction].hash;
}

static void check_end(checker *c, const checker_submission *submission, const checker_event *last)
{
    uint64_t sequence = last != NULL ? last->sequence : 0;
    if (may_come(c, submission, sequence) || (submission->is_cut && last == NULL))
        return;
    base_hex32 id = checker_id(submission);
    if ((uint64_t)submission->event_sequence != sequence)
        checker_say(c,
                    (uint64_t)submission->event_sequence > sequence ? CHECKER_EVENT_MISSING : CHECKER_ROW_NOT_AS_EVENTS,
                    "the row of submission %s counts %" PRId64 " events, and the last in the stream is %" PRIu64,
                    id.text, submission->event_sequence, sequence);
    else if (last != NULL && last->status != submission->status)
        checker_say(c, CHECKER_ROW_NOT_AS_EVENTS, "the row of submission %s says %s, its last event %s", id.text,
                    wire_status_name(submission->status), wire_status_name(last->status));
    else if (last != NULL && last->status == WIRE_STATUS_COMPLETE && last->transaction != submission->transaction)
        checker_say(c, CHECKER_ROW_NOT_AS_EVENTS,
                    "the row of submission %s names transaction %.60s, its last event %.60s", id.text,
                    transaction_text(c, submission->transaction), transaction_text(c, last->transaction));
    else if (last != NULL && last->status == WIRE_STATUS_REJECTED && last->reason != submission->reason)
        checker_say(c, CHECKER_ROW_NOT_AS_EVENTS,
                    "the row of submission %s gives the reason %.60s, its last event %.60s", id.text,
                    checker_reason_text(&c->world, submission->reason), checker_reason_text(&c->world, last->reason));
}

void checker_judge_history(checker *c, checker_submission *submission)
{
    checker_event *events[EVENTS_MAX];
    size_t count = collect(c, submission, events);
    count = drop_repetitions(c, submission, events, count);
    for (size_t i = 0; i < count; i++) {
        events[i]->is_rejection = events[i]->status == WIRE_STATUS_REJECTED;
        submission->rejections += events[i]->is_rejection;
    }
    if (!submission->has_row) {
        if (count > 0)
            checker_say(c, CHECKER_EVENT_OF_NOBODY, "%zu events tell of submission %s, which does not exist", count,
                        checker_id(submission).text);
        return;
    }
    submission->is_cut = c->options->streams_were_lost && (count == 0 || events[0]->sequence > 1);
    if (check_numbers(c, submission, events, count))
        check_steps(c, submission, events, count);
    check_end(c, submission, count > 0 ? events[count - 1] : NULL);
}
