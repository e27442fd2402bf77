#include "stage/metrics.h"

#include <stdint.h>

enum metric {
    BATCHES_JOBS,
    BATCH_SECONDS,
    JOBS,
    PROOFS,
    PROOF_SECONDS,
    SENDS,
    SEND_SECONDS,
    ABANDONED_LANDED,
    SWEPT,
    SUBMISSIONS,
    OUTBOX_ROWS,
    OUTBOX_AGE,
    LANE_HELD,
    LANE_NONCE,
    BALANCE,
};

static const double BATCH_SIZES[] = {1, 2, 5, 10, 20, 50, 100, 200, 500};

static const telemetry_metric TABLE[] = {
    [BATCHES_JOBS] = {"proofline_batch_jobs",
                      "Jobs in one batch.",
                      TELEMETRY_HISTOGRAM,
                      {"stage"},
                      BATCH_SIZES,
                      sizeof(BATCH_SIZES) / sizeof(BATCH_SIZES[0])},
    [BATCH_SECONDS] = {"proofline_batch_seconds", "Time to handle one batch.", TELEMETRY_HISTOGRAM, {"stage"}, NULL, 0},
    [JOBS] = {"proofline_jobs_total",
              "Ended attempts: succeeded, rejected, retried (counted), released (uncounted), fenced, dead.",
              TELEMETRY_COUNTER,
              {"stage", "outcome"},
              NULL,
              0},
    [PROOFS] = {"proofline_proofs_generated_total", "Proofs made.", TELEMETRY_COUNTER, {NULL}, NULL, 0},
    [PROOF_SECONDS] = {"proofline_proof_seconds",
                       "Time to check the evidence and make one proof.",
                       TELEMETRY_HISTOGRAM,
                       {NULL},
                       NULL,
                       0},
    [SENDS] = {"proofline_transactions_sent_total",
               "Transactions sent, by the node's answer.",
               TELEMETRY_COUNTER,
               {"answer"},
               NULL,
               0},
    [SEND_SECONDS] = {"proofline_transaction_send_seconds",
                      "Time until the node answered a sent transaction.",
                      TELEMETRY_HISTOGRAM,
                      {NULL},
                      NULL,
                      0},
    [ABANDONED_LANDED] = {"proofline_transactions_abandoned_landed_total",
                          "Transactions seen at the node after they had been given up.",
                          TELEMETRY_COUNTER,
                          {NULL},
                          NULL,
                          0},
    [SWEPT] = {"proofline_swept_total",
               "What the sweeper finished: outbox rows, submissions requeued, submissions expired.",
               TELEMETRY_COUNTER,
               {"kind"},
               NULL,
               0},
    [SUBMISSIONS] = {"proofline_submissions",
                     "Submissions that are not terminal, as last seen by this service's sweeper.",
                     TELEMETRY_GAUGE,
                     {"status"},
                     NULL,
                     0},
    [OUTBOX_ROWS] = {"proofline_outbox_rows",
                     "Messages committed and not yet published, as last seen by this service's sweeper.",
                     TELEMETRY_GAUGE,
                     {NULL},
                     NULL,
                     0},
    [OUTBOX_AGE] = {"proofline_outbox_oldest_seconds", "Age of the oldest of them.", TELEMETRY_GAUGE, {NULL}, NULL, 0},
    [LANE_HELD] = {"proofline_lane_held",
                   "1 while this publisher owns the fee payer's nonce lane.",
                   TELEMETRY_GAUGE,
                   {NULL},
                   NULL,
                   0},
    [LANE_NONCE] = {"proofline_lane_next_nonce", "Nonce of the next transaction.", TELEMETRY_GAUGE, {NULL}, NULL, 0},
    [BALANCE] = {"proofline_fee_payer_balance_mina",
                 "MINA in the fee payer's account, as last asked for by the owner of its lane.",
                 TELEMETRY_GAUGE,
                 {NULL},
                 NULL,
                 0},
};

/* One per process, set before threads start: counting must be possible wherever something happens. */
static telemetry_metrics *process_metrics;

base_code stage_metrics_new(telemetry_metrics **ret, base_error *err)
{
    base_code code = telemetry_metrics_new(TABLE, sizeof(TABLE) / sizeof(TABLE[0]), ret, err);
    if (code == BASE_OK)
        process_metrics = *ret;
    return code;
}

void stage_metrics_free(telemetry_metrics *metrics)
{
    process_metrics = NULL;
    telemetry_metrics_free(metrics);
}

void stage_metrics_batch(const char *stage, size_t jobs, double seconds)
{
    telemetry_observe(process_metrics, BATCHES_JOBS, (double)jobs, TELEMETRY_LABELS(stage));
    telemetry_observe(process_metrics, BATCH_SECONDS, seconds, TELEMETRY_LABELS(stage));
}

void stage_metrics_job(const char *stage, const char *outcome)
{
    telemetry_add(process_metrics, JOBS, 1, TELEMETRY_LABELS(stage, outcome));
}

void stage_metrics_proof(double seconds)
{
    telemetry_add(process_metrics, PROOFS, 1, NULL);
    telemetry_observe(process_metrics, PROOF_SECONDS, seconds, NULL);
}

void stage_metrics_send(const char *answer, double seconds)
{
    telemetry_add(process_metrics, SENDS, 1, TELEMETRY_LABELS(answer));
    telemetry_observe(process_metrics, SEND_SECONDS, seconds, NULL);
}

void stage_metrics_abandoned_landed(void)
{
    telemetry_add(process_metrics, ABANDONED_LANDED, 1, NULL);
}

void stage_metrics_swept(const char *kind, size_t count)
{
    telemetry_add(process_metrics, SWEPT, (double)count, TELEMETRY_LABELS(kind));
}

void stage_metrics_backlog(const int64_t submissions[WIRE_STATUS_REJECTED + 1], int64_t outbox_rows,
                           int64_t outbox_oldest_ms)
{
    for (wire_status status = WIRE_STATUS_AWAITING_REVIEW; status <= WIRE_STATUS_PROOF_PUBLISHING; status++)
        telemetry_set(process_metrics, SUBMISSIONS, (double)submissions[status],
                      TELEMETRY_LABELS(wire_status_name(status)));
    telemetry_set(process_metrics, OUTBOX_ROWS, (double)outbox_rows, NULL);
    telemetry_set(process_metrics, OUTBOX_AGE, (double)outbox_oldest_ms / 1000, NULL);
}

void stage_metrics_lane(bool held, int64_t next_nonce)
{
    telemetry_set(process_metrics, LANE_HELD, held ? 1 : 0, NULL);
    telemetry_set(process_metrics, LANE_NONCE, (double)next_nonce, NULL);
}

void stage_metrics_balance(double mina)
{
    telemetry_set(process_metrics, BALANCE, mina, NULL);
}
