#pragma once
/* Where delivered jobs arrive: one long-lived inbox subscription, a queue of jobs not taken yet, and the open pull request.
 *
 * Jobs come on a thread of nats.c and are taken by the thread that runs the consumer. The server does not say which request a
 * job answers, so a job may come late, for a request given up: it waits in the queue for the next batch. */
#include "broker/consumer.h"
#include "condition.h"

#include <nats/nats.h>

#define BROKER_INBOX_MAX  64
#define BROKER_INTAKE_MAX (2 * BROKER_BATCH_MAX) /* jobs queued; one more is given back at once */
#define BROKER_PULL_BYTES (16 * 1024 * 1024)     /* of one pull of many jobs: a handler holds several copies of them */
/* Of one pull: any one message that a NATS server can store. */
#define BROKER_PULL_BYTES_MAX  (64 * 1024 * 1024 + 64 * 1024)
#define BROKER_SURPLUS_HOLD_MS 1000 /* a late job waits no longer than this behind a handler at work */

/* One delivered job, owned: broker_delivery_free. */
typedef struct broker_delivery {
    broker_job job; /* first: a delivery is found by it. Borrows from message */
    natsMsg *message;
    int64_t alive_ms; /* boottime: the server counts the ack wait from here on, or from later */
    bool lost;        /* was not kept alive for an ack wait */
} broker_delivery;
void broker_delivery_free(broker_delivery *delivery);

/* How a pull request ended, as the server said it. */
typedef struct broker_pull_end {
    bool ended;
    int status; /* 404, 408, 409, 503…; 0 while none was said */
    char text[96];
} broker_pull_end;

/* What is known under `condition`. */
typedef struct broker_intake {
    broker_condition condition;
    natsConnection *nats;
    natsSubscription *subscription;
    char inbox[BROKER_INBOX_MAX];
    bool closed;   /* the delivery thread is gone */
    bool stopping; /* no request is made or awaited any more */
    bool linked;   /* there is a link to a server */
    bool voided;   /* the link changed: the server has forgotten the latest request */

    broker_delivery *queue[BROKER_INTAKE_MAX];
    size_t queued;

    int64_t ack_wait_ms;                 /* 0: not known yet, and nothing is in hand */
    uint64_t request;                    /* number of the latest pull */
    int64_t requested_ms, open_since_ms; /* boottime: of the latest pull, and of the oldest whose jobs may come now */
    int64_t pulse_ms;                    /* boottime: when the process was last seen at work */
    int64_t frozen_ms; /* boottime: when it was last noticed that the process had stood still for an ack wait */
    bool unanswered;   /* the server has not said that the latest pull is over */
    size_t remaining;  /* jobs that it may still bring */
    broker_pull_end end;
    int64_t last_arrival_ms;

    broker_delivery **hand;   /* the batch with the handler; set by the consumer */
    size_t in_hand;           /* of them, kept alive by heartbeats */
    int64_t working_since_ms; /* 0: the handler is not at work */

    uint64_t pulled, redelivered, given_back, lost;
} broker_intake;

/* Subscribes; works without a link as well. `hand` is borrowed. */
BASE_MUST_CHECK base_code broker_intake_init(broker_intake *intake, natsConnection *nats, broker_delivery **hand,
                                             base_error *err);
/* Ends the subscription in order, so that what the server has sent is in the queue. Bounded wait; false when it did not end. */
bool broker_intake_close(broker_intake *intake, bool connected);
/* Frees what is queued; after a close that succeeded. */
void broker_intake_done(broker_intake *intake);

/* The link came or went. */
void broker_intake_set_link(broker_intake *intake, bool linked);
/* No further request; wakes whoever waits. */
void broker_intake_stop(broker_intake *intake);

/* With the lock held, several times within an ack wait: notices that the process stood still. */
void broker_intake_note_pulse(broker_intake *intake);
/* With the lock held: starts the account of a new request of `batch` jobs and writes its reply subject. */
void broker_intake_expect(broker_intake *intake, size_t batch, char ret[BROKER_INBOX_MAX + 24]);
/* With the lock held: whether the job is still ours. Not after an ack wait without a sign of life, for the process was frozen or the link
 * gone: the server has given it to somebody else, or will. */
bool broker_intake_holds(const broker_intake *intake, const broker_delivery *delivery);
/* With the lock held: a sign of life goes out now. */
void broker_intake_keep_alive(const broker_intake *intake, broker_delivery *delivery);
/* With the lock held: moves up to `count` jobs out, oldest first; the caller owns them. */
size_t broker_intake_take(broker_intake *intake, broker_delivery **ret, size_t count);
