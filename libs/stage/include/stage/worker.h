#pragma once
/* One thread of a stage: its durable, its database session, its outbox list, and the pauses when something is away. */
#include "broker/consumer.h"
#include "stage/gate.h"
#include "stage/hand.h"
#include "stage/service.h"
#include "store/outbox.h"

typedef struct stage_worker_options {
    const char *stage;   /* STAGE_GENERATE or STAGE_PUBLISH */
    const char *durable; /* of the jobs stream */
    broker_handler *handler;
    /* Makes ready whatever else the stage needs, before every pull. A failure pauses the worker and shows under `needs` in /readyz;
     * BASE_CONFLICT means that another instance has the turn: this one stands by, and is ready. May be NULL. */
    base_code (*prepare)(void *ctx, base_error *err);
    const char *needs;
    /* The service stops: cuts short what the handler or `prepare` waits for. Called by another thread. May be NULL. */
    void (*stop)(void *ctx);
    int64_t lock_silence_ms; /* of the store session; 0: the store's default */
    void *ctx;
} stage_worker_options;

/* Public for the stage's own code; used by the worker's thread only. */
struct stage_worker {
    stage_service *service;
    stage_worker_options options;
    store_session *store;
    store_outbox *pending; /* rows committed and not relayed yet */
    broker_consumer *consumer;
    stage_hand hand; /* the only part that other threads use */
    stage_gate gate;
    size_t store_part, consumer_part, needs_part;
    int64_t store_checked_ms;          /* monotonic: when the store last answered */
    bool schema_seen;                  /* the tables were there */
    bool store_doubted, needs_doubted; /* failed in the middle of the last batch */
    bool relay_failed;                 /* for an earlier row of this batch */
};

/* Fills *worker, which must stay where it is. stage_worker_done accepts a half-made one. */
BASE_MUST_CHECK base_code stage_worker_init(stage_worker *worker, stage_service *service,
                                            const stage_worker_options *options, base_error *err);
void stage_worker_done(stage_worker *worker);

/* The thread's body: consumes until stopped. */
void stage_worker_run(stage_worker *worker);
void stage_worker_stop(stage_worker *worker);
bool stage_worker_stopping(const stage_worker *worker);

/* Whether the job is still ours: see broker_consumer_holds. */
bool stage_worker_holds(const stage_worker *worker, const broker_job *job);

/* The store failed: pauses pulling until it answers again. */
void stage_worker_store_failed(stage_worker *worker, const base_error *why);
/* What `options.needs` names failed during a batch. */
void stage_worker_needs_failed(stage_worker *worker, const base_error *why);

/* A result must not be lost because the store is away: waits a little and says whether to try the commit again. What an
 * operator has to mend (a table or a right is missing) and want of memory are waited for, too: no job is to blame for them.
 * False: the service stops and may not wait any longer, or the store refuses this very content. */
bool stage_worker_try_again(stage_worker *worker, base_code code, const base_error *why);

/* Publishes what was committed. A failure is logged; the sweeper goes on with it and with the rest of the batch, in order. */
void stage_worker_relay(stage_worker *worker);

/* Stores a dead letter for `job` and says how to settle it: BROKER_DONE, or BROKER_RETRY when it could not be stored. */
broker_settlement stage_worker_bury(stage_worker *worker, const broker_job *job, const char *code, const char *reason);

/* Milliseconds until the next try of a job that has failed `retries` times before. */
int64_t stage_worker_retry_delay_ms(const stage_worker *worker, int64_t retries);
