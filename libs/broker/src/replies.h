#pragma once
/* Answers to many requests sent together: one long-lived subscription per connection, one slot per request. */
#include "condition.h"

#include <nats/nats.h>

#define BROKER_REPLY_SUBJECT_MAX 96
#define BROKER_CALL_MAX          1000 /* requests of one call */

typedef struct broker_call broker_call;

typedef struct broker_replies {
    broker_condition condition;
    natsSubscription *subscription;
    char inbox[BROKER_REPLY_SUBJECT_MAX];
    broker_call *calls; /* under way; as many as there are threads in a call */
    uint64_t next_id;
    bool ended; /* the delivery thread is gone */
} broker_replies;

/* A set of requests under way; lives on its caller's stack. */
struct broker_call {
    broker_replies *owner;
    broker_call *next;
    uint64_t id;
    natsMsg **answers; /* owned; NULL where none has come */
    size_t count, pending;
    bool broken; /* the link was lost: no further answer will come */
};

/* Before the connection is made, since its callbacks may come at once. */
BASE_MUST_CHECK base_code broker_replies_init(broker_replies *replies, base_error *err);
BASE_MUST_CHECK base_code broker_replies_subscribe(broker_replies *replies, natsConnection *nats, base_error *err);
/* After the connection is closed. False when the delivery thread did not end in time: then nothing may be freed. */
bool broker_replies_done(broker_replies *replies);
/* The link is lost: wakes every caller. */
void broker_replies_break(broker_replies *replies);

/* Registers a call of `count` requests; end it with broker_call_end on every path. */
BASE_MUST_CHECK base_code broker_call_begin(broker_replies *replies, size_t count, broker_call *call, base_error *err);
/* The reply subject of request `index`; `ret` has BROKER_REPLY_SUBJECT_MAX bytes. */
void broker_call_subject(const broker_call *call, size_t index, char *ret);
/* One of the requests was never sent: no answer is awaited for it. */
void broker_call_forgo(broker_call *call);
/* Waits for all answers. BASE_TIMEOUT; BASE_UNAVAILABLE when the link was lost first. Answers that came are there in any case,
 * so the code may be ignored. */
base_code broker_call_wait(broker_call *call, int64_t deadline_ms);
/* Takes no further answer: one that comes late must not meet the reader of those that came. After the last wait, before they are read. */
void broker_call_close(broker_call *call);
/* Unregisters and releases the answers; harmless on a call that never began. */
void broker_call_end(broker_call *call);
static inline void broker_call_end_at(broker_call *call)
{
    broker_call_end(call);
}
