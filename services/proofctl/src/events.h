#pragma once
/* The events of submissions, as they stand in the events stream and as they come in. */
#include "broker/stream.h"
#include "broker/topology.h"
#include "output.h"
#include "wire/messages.h"

#define CTL_EVENTS_MAX        10000 /* events of one submission that are read back */
#define CTL_EVENT_SUBJECT_MAX 256

/* One event with its place in the stream. */
typedef struct ctl_event {
    wire_status_changed change;
    uint64_t stream_sequence;
    int64_t stored_unix_ns;
} ctl_event;

typedef struct ctl_event_list {
    ctl_event *items; /* owned; by rising stream sequence */
    size_t count, capacity;
} ctl_event_list;
void ctl_event_list_done(ctl_event_list *list);
BASE_CLEANUP_VALUE(ctl_event_list, ctl_event_list_done);

typedef struct ctl_event_subject {
    char text[CTL_EVENT_SUBJECT_MAX];
} ctl_event_subject;
/* Where the events of a submission are; of all submissions when it is NULL. */
ctl_event_subject ctl_event_subject_of(const broker_names *names, const base_sha256 *submission);

/* BASE_INVALID: no event that can be decoded. */
BASE_MUST_CHECK base_code ctl_event_read(const broker_stored *stored, ctl_event *ret, base_error *err);

/* Appends what the stream holds of one submission, up to stream sequence `last` (0: no bound). Undecodable ones are left out. */
BASE_MUST_CHECK base_code ctl_events_load(broker_connection *connection, const broker_names *names,
                                          const base_sha256 *submission, uint64_t last, ctl_event_list *ret,
                                          base_error *err);

/* Puts the list into the order in which things happened, without events that were stored twice. */
void ctl_event_list_sort(ctl_event_list *list);

/* One line for people; with the hash when `with_hash`. */
void ctl_event_print(const ctl_event *event, bool with_hash, FILE *out);
/* The caller owns the value; NULL: no memory. */
json_t *ctl_event_json(const ctl_event *event);
/* complete or rejected: no more events come unless an operator replays it. */
bool ctl_event_is_final(const ctl_event *event);
