#pragma once
/* The life of a service: connections, health over HTTP, worker threads, the sweeper, and an orderly stop. */
#include "broker/topology.h"
#include "stage/health.h"
#include "stage/settings.h"
#include "stage/turn.h"

#define STAGE_WORKERS_MAX       64
#define STAGE_STOP_COMMIT_SHARE 2 /* commits are tried again for SHUTDOWN_GRACE_S / this after a stop */

typedef struct stage_service stage_service;
typedef struct stage_worker stage_worker;

/* Connects to the broker in the background; `settings` and `name` are borrowed for the service's life. The caller owns *ret. */
BASE_MUST_CHECK base_code stage_service_new(const char *name, const stage_settings *settings, stage_service **ret,
                                            base_error *err);
void stage_service_free(stage_service *service);
BASE_CLEANUP_POINTER(stage_service, stage_service_free);

const char *stage_service_name(const stage_service *service);
const stage_settings *stage_service_settings(const stage_service *service);
const broker_names *stage_service_names(const stage_service *service);
broker_connection *stage_service_broker(stage_service *service);
stage_health *stage_service_health(stage_service *service);
/* Which of its threads may work. */
stage_turn *stage_service_turn(stage_service *service);
/* Where outbox rows go; the texts live as long as the service. */
store_subjects stage_service_subjects(const stage_service *service);

/* Lets `run` run the worker in a thread of its own; the caller keeps ownership and frees it after run. */
BASE_MUST_CHECK base_code stage_service_add(stage_service *service, stage_worker *worker, base_error *err);

/* The workers added so far. */
stage_worker *const *stage_service_workers(const stage_service *service, size_t *ret_count);

/* Serves until SIGTERM or SIGINT, then stops all workers and waits for them up to SHUTDOWN_GRACE_S; a second signal or the end of
 * that time ends the process at once (jobs in hand come again by redelivery). After stage_service_abort it returns that error. Blocks these signals in the whole process: call it from the main thread, once. */
BASE_MUST_CHECK base_code stage_service_run(stage_service *service, base_error *err);

/* Ends the service as a failure, orderly: what waiting cannot mend (credentials refused) is better met by a new process that reads
 * its configuration anew. The first reason counts. Any thread. */
void stage_service_abort(stage_service *service, const base_error *why);

/* Waits until the service stops, at most timeout_ms. True: it stops. Any thread. */
bool stage_service_wait_stop(stage_service *service, int64_t timeout_ms);

/* Whether a result that the store did not take is worth another try: for a part of the time for a stop as well, since an attempt
 * left open passes for a crash. Any thread. */
bool stage_service_may_commit(stage_service *service);
/* The pause before that: at most timeout_ms, and cut short when the service begins to stop. */
void stage_service_rest(stage_service *service, int64_t timeout_ms);
