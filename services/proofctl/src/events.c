#include "events.h"

#include "base/clock.h"
#include "base/hex.h"

#include <inttypes.h>

enum { FIRST_EVENTS = 16 };

void ctl_event_list_done(ctl_event_list *list)
{
    free(list->items);
    *list = (ctl_event_list){0};
}

ctl_event_subject ctl_event_subject_of(const broker_names *names, const base_sha256 *submission)
{
    ctl_event_subject subject;
    const char *part = submission == NULL ? "*" : base_sha256_hex(submission).text;
    snprintf(subject.text, sizeof(subject.text), "%s.%s.*", names->subject_events, part);
    return subject;
}

base_code ctl_event_read(const broker_stored *stored, ctl_event *ret, base_error *err)
{
    base_code code = wire_status_changed_decode(base_buffer_view(&stored->payload), &ret->change, err);
    if (code != BASE_OK)
        return base_fail_within(err, "event %" PRIu64 " on %s", stored->sequence, stored->subject);
    ret->stream_sequence = stored->sequence;
    ret->stored_unix_ns = stored->stored_unix_ns;
    return BASE_OK;
}

static base_code append(ctl_event_list *list, const ctl_event *event, base_error *err)
{
    if (list->count == CTL_EVENTS_MAX)
        return base_fail(err, BASE_LIMIT, "more than %d events of one submission", CTL_EVENTS_MAX);
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? FIRST_EVENTS : list->capacity * 2;
        ctl_event *items = reallocarray(list->items, capacity, sizeof(*items));
        if (items == NULL)
            return base_fail(err, BASE_NO_MEMORY, "no memory for events");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *event;
    return BASE_OK;
}

base_code ctl_events_load(broker_connection *connection, const broker_names *names, const base_sha256 *submission,
                          uint64_t last, ctl_event_list *ret, base_error *err)
{
    ctl_event_subject subject = ctl_event_subject_of(names, submission);
    broker_stream_state state;
    base_code code = broker_stream_read_state(connection, names->stream_events, &state, err);
    if (code != BASE_OK)
        return code;
    if (last == 0 || last > state.last_sequence)
        last = state.last_sequence;
    for (uint64_t next = state.first_sequence; next <= last && state.messages > 0;) {
        BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
        code = broker_stream_next(connection, names->stream_events, next, subject.text, &stored, err);
        if (code == BASE_NOT_FOUND || (code == BASE_OK && stored.sequence > last))
            return BASE_OK;
        if (code != BASE_OK)
            return code;
        ctl_event event;
        if (ctl_event_read(&stored, &event, NULL) == BASE_OK) {
            code = append(ret, &event, err);
            if (code != BASE_OK)
                return code;
        }
        next = stored.sequence + 1;
    }
    return BASE_OK;
}

static int compare_events(const void *a, const void *b)
{
    const ctl_event *left = a;
    const ctl_event *right = b;
    if (left->change.sequence != right->change.sequence)
        return left->change.sequence < right->change.sequence ? -1 : 1;
    if (left->stream_sequence == right->stream_sequence)
        return 0;
    return left->stream_sequence < right->stream_sequence ? -1 : 1;
}

static bool is_same_event(const ctl_event *a, const ctl_event *b)
{
    return a->change.sequence == b->change.sequence && a->change.occurred_unix_ms == b->change.occurred_unix_ms;
}

void ctl_event_list_sort(ctl_event_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof(*list->items), compare_events);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++) {
        if (!is_same_event(&list->items[i], &list->items[kept - 1]))
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void ctl_event_print(const ctl_event *event, bool with_hash, FILE *out)
{
    const wire_status_changed *change = &event->change;
    fprintf(out, "%s  ", base_time_rfc3339(change->occurred_unix_ms).text);
    if (with_hash)
        fprintf(out, "%s  ", base_sha256_hex(&change->sha256).text);
    fprintf(out, "#%-3" PRIu64 " %s", change->sequence, wire_status_name(change->status));
    if (change->status == WIRE_STATUS_REJECTED) {
        fputs("  ", out);
        ctl_print_clean(change->reason_code, out);
        fputs(": ", out);
        ctl_print_clean(change->reason, out);
    }
    if (change->transaction_hash[0] != '\0') {
        fputs("  transaction ", out);
        ctl_print_clean(change->transaction_hash, out);
    }
    fputc('\n', out);
    fflush(out);
}

json_t *ctl_event_json(const ctl_event *event)
{
    const wire_status_changed *change = &event->change;
    return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "sha256",
                     base_sha256_hex(&change->sha256).text, "sequence", (json_int_t)change->sequence, "status",
                     wire_status_name(change->status), "previous_status", wire_status_name(change->previous_status),
                     "correlation_id", ctl_json_text(change->correlation_id), "reason_code",
                     ctl_json_text(change->reason_code), "reason", ctl_json_text(change->reason), "transaction_hash",
                     ctl_json_text(change->transaction_hash), "occurred_at", ctl_json_time(change->occurred_unix_ms),
                     "stream_sequence", (json_int_t)event->stream_sequence);
}

bool ctl_event_is_final(const ctl_event *event)
{
    return event->change.status == WIRE_STATUS_COMPLETE || event->change.status == WIRE_STATUS_REJECTED;
}
