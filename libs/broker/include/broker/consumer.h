#pragma once
/* Takes jobs from one JetStream durable and settles each by its handler's verdict. */
#include "broker/connection.h"

#define BROKER_BATCH_MAX 1000 /* jobs handed to one call of the handler */

typedef struct broker_consumer broker_consumer;

/* One delivered message; everything is borrowed for the handler's call. */
typedef struct broker_job {
    base_bytes payload;
    const char *subject;
    const char *message_id;  /* Nats-Msg-Id or NULL */
    const char *traceparent; /* W3C header or NULL */
    uint64_t stream_sequence;
    uint64_t deliveries;       /* as the server counts them: a hint, never a decision */
    int64_t published_unix_ns; /* when the stream stored it */
} broker_job;

typedef enum broker_verdict {
    BROKER_LEAVE, /* say nothing: a later claim owns it. Also what a zeroed settlement means */
    BROKER_DONE,  /* ack, confirmed by the server */
    BROKER_RETRY, /* give back; delivered again after delay_ms */
    BROKER_DEAD,  /* never again: the handler has stored its dead letter */
} broker_verdict;

typedef struct broker_settlement {
    broker_verdict verdict;
    int64_t delay_ms; /* BROKER_RETRY only */
} broker_settlement;

/* Judges `count` jobs at once: sets settlements[i] for jobs[i] (zeroed before). May see a job again. */
typedef void broker_handler(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements);

/* Asked before every pull: 0 to go on, else milliseconds to wait before asking again (the stage is paused). */
typedef int64_t broker_gate(void *ctx);

typedef struct broker_consumer_options {
    const char *stream;
    const char *durable;
    size_t batch;      /* 1..BROKER_BATCH_MAX */
    int64_t pull_ms;   /* how long one pull request waits at the server; 0: 5000 */
    broker_gate *gate; /* may be NULL */
    broker_handler *handler;
    void *ctx; /* of gate and handler */
} broker_consumer_options;

typedef struct broker_consumer_stats {
    uint64_t pulled, acked, retried, dead, left, redelivered, heartbeats, ack_failures;
    uint64_t in_hand; /* jobs delivered to this consumer and not settled yet */
} broker_consumer_stats;

/* Prepares to consume from an existing durable; borrows `connection`, copies the names. Does not need a live link: binding
 * (reading ack wait, checking that stream and durable exist) happens in run and is repeated until it succeeds. The caller owns *ret. */
BASE_MUST_CHECK base_code broker_consumer_new(broker_connection *connection, const broker_consumer_options *options,
                                              broker_consumer **ret, base_error *err);

/* Pulls batches and calls the handler on this thread until stopped. Jobs in hand are kept alive by +WPI every ack wait / 3 from a
 * thread of the consumer while the handler works. Trouble (server away, stream missing) is reported once per change through
 * `trouble` (err NULL: over) and waited out. */
void broker_consumer_run(broker_consumer *consumer, void (*trouble)(void *ctx, const base_error *err));

/* Makes run return: no new pull; the handler's current call ends and is settled; what was delivered and not handled goes back at once.
 * Any thread, any time, also before run. */
void broker_consumer_stop(broker_consumer *consumer);

/* True between stop and the end of run: a long handler looks here (or registers its own means) to end early. */
bool broker_consumer_stopping(const broker_consumer *consumer);

/* Whether a job of the handler's current call is still ours: not after an ack wait without a sign of life, because the process was
 * frozen, the machine suspended or the link gone. Whoever has it then must not be disturbed: BROKER_LEAVE. Within the handler. */
bool broker_consumer_holds(broker_consumer *consumer, const broker_job *job);

/* BASE_OK while bound to its durable and the server answers; else BASE_UNAVAILABLE with the reason. Any thread, never blocks. */
BASE_MUST_CHECK base_code broker_consumer_check(broker_consumer *consumer, base_error *err);
broker_consumer_stats broker_consumer_read_stats(const broker_consumer *consumer);

/* After run has returned. NULL is a no-op. */
void broker_consumer_free(broker_consumer *consumer);
BASE_CLEANUP_POINTER(broker_consumer, broker_consumer_free);
