#pragma once
/* A consumer on a thread of its own whose handler records what it sees and answers as the test says. */
#include "broker/consumer.h"

#include <pthread.h>

#define WORKER_SEEN_MAX 20000

typedef struct worker_seen {
    uint64_t sequence;
    uint64_t deliveries;
    int64_t at_us, published_unix_ns;
    char payload[24];
    char message_id[24];
} worker_seen;

typedef struct worker_options {
    const char *stream, *durable;
    size_t batch;
    int64_t pull_ms;
    broker_settlement answer; /* to the first delivery of every job; later deliveries are acked */
    int64_t busy_ms;          /* the handler uses its CPU for so long */
    bool hold;                /* the handler waits until worker_release */
    bool paused;              /* the gate is shut until worker_unpause */
} worker_options;

typedef struct worker worker;

worker *worker_start(broker_connection *connection, const worker_options *options);
/* Stops the consumer, waits for the end of run, frees it. NULL is a no-op. */
void worker_end(worker *self);
BASE_CLEANUP_POINTER(worker, worker_end);

broker_consumer *worker_consumer(worker *self);
/* Waits until `count` deliveries were handed over, fails the test otherwise. */
void worker_await_seen(worker *self, size_t count);
/* Waits until this many verdicts were confirmed as acks. */
void worker_await_acked(worker *self, uint64_t count);
size_t worker_seen_count(worker *self);
worker_seen worker_seen_at(worker *self, size_t index);
/* Largest batch handed over. */
size_t worker_largest_batch(worker *self);
/* Lets a held handler return, this time and for ever. */
void worker_release(worker *self);
void worker_unpause(worker *self);
/* Waits until trouble was told (or told to be over) `count` times in all. */
void worker_await_troubles(worker *self, size_t told, size_t over);
broker_settlement worker_answer(broker_verdict verdict, int64_t delay_ms);
/* Text of the latest trouble. */
base_error worker_last_trouble(worker *self);
/* Calls of trouble so far. */
size_t worker_troubles_told(worker *self);
