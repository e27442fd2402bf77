#pragma once
/* What the stages count: one table for both services, so that a dashboard fits either. Any thread. */
#include "telemetry/metrics.h"
#include "wire/status.h"

/* Makes the process's metrics; until freed, the functions below count into them. Once per process. */
BASE_MUST_CHECK base_code stage_metrics_new(telemetry_metrics **ret, base_error *err);
void stage_metrics_free(telemetry_metrics *metrics);

/* One call of a stage's handler with `jobs` jobs. */
void stage_metrics_batch(const char *stage, size_t jobs, double seconds);
/* One job's end: succeeded, rejected, retried, released, fenced, dead. */
void stage_metrics_job(const char *stage, const char *outcome);
/* One proof made. */
void stage_metrics_proof(double seconds);
/* One transaction sent, with the node's answer. */
void stage_metrics_send(const char *answer, double seconds);
/* One transaction seen at the node that had been given up. */
void stage_metrics_abandoned_landed(void);
/* What the sweeper did: outbox, requeued, expired. */
void stage_metrics_swept(const char *kind, size_t count);
/* The state of the database, by the service that sweeps. */
void stage_metrics_backlog(const int64_t submissions[WIRE_STATUS_REJECTED + 1], int64_t outbox_rows,
                           int64_t outbox_oldest_ms);
void stage_metrics_lane(bool held, int64_t next_nonce);
/* The fee payer's account, as last asked for. */
void stage_metrics_balance(double mina);
