#include "stage/outcome.h"

#include "base/clock.h"
#include "base/hex.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

const char *stage_refusal(const stage_worker *worker, const store_claim *claim, base_error *why)
{
    const stage_settings *settings = stage_service_settings(worker->service);
    if (claim->crashes >= settings->crash_limit) {
        base_fail(why, BASE_INVALID, "its worker died %lld times while it had this job", (long long)claim->crashes);
        return "quarantined";
    }
    if (base_unix_ms() - claim->accepted_unix_ms > settings->job_max_age_s * 1000) {
        base_fail(why, BASE_INVALID, "not done within %lld s", (long long)settings->job_max_age_s);
        return "expired";
    }
    return NULL;
}

base_code stage_commit(stage_worker *worker, stage_commit_once *once, void *ctx, size_t jobs, base_error *err)
{
    base_code code = once(ctx, err);
    while (code != BASE_OK && stage_worker_try_again(worker, code, err))
        code = once(ctx, err);
    if (code != BASE_OK)
        TELEMETRY_LOG(TELEMETRY_ERROR, "commit_failed", telemetry_text("reason", err->message),
                      telemetry_int("jobs", (int64_t)jobs));
    return code;
}

broker_settlement stage_settlement(store_outcome_kind kind, int64_t retry_delay_ms, bool fenced)
{
    if (fenced)
        return (broker_settlement){.verdict = BROKER_LEAVE};
    if (kind == STORE_RETRY || kind == STORE_RELEASED)
        return (broker_settlement){.verdict = BROKER_RETRY, .delay_ms = retry_delay_ms};
    return (broker_settlement){.verdict = BROKER_DONE};
}

static telemetry_level level_of(const stage_end *end)
{
    if (end->kind == STORE_REJECTED)
        return TELEMETRY_ERROR;
    return end->kind == STORE_SUCCEEDED && !end->fenced ? TELEMETRY_INFO : TELEMETRY_WARN;
}

void stage_tell(const stage_worker *worker, const stage_end *end)
{
    const char *const events[] = {end->success, "submission_rejected", "job_retried", "job_released"};
    static const char *const LABELS[] = {"succeeded", "rejected", "retried", "released"};
    bool succeeded = end->kind == STORE_SUCCEEDED;
    stage_metrics_job(worker->options.stage, end->fenced ? "fenced" : LABELS[end->kind]);
    TELEMETRY_LOG(level_of(end), end->fenced ? "job_fenced" : events[end->kind],
                  telemetry_text("submission", base_sha256_hex(end->submission).text),
                  telemetry_text("correlation_id", end->correlation_id),
                  telemetry_int("attempt", end->claim->retries + 1), telemetry_int("epoch", end->claim->epoch),
                  telemetry_int("duration_ms", end->duration_ms),
                  telemetry_text(end->transaction != NULL ? "transaction" : NULL, end->transaction),
                  telemetry_text(succeeded ? NULL : "reason_code", end->reason_code),
                  telemetry_text(succeeded ? NULL : "reason", end->reason));
}
