#include "stage/job.h"

#include "base/hex.h"
#include "stage/metrics.h"
#include "telemetry/log.h"

void stage_job_give_back(stage_job *job, int64_t delay_ms)
{
    *job->settlement = (broker_settlement){.verdict = BROKER_RETRY, .delay_ms = delay_ms};
}

void stage_job_conclude(stage_job *job, store_outcome_kind kind, const char *reason_code)
{
    job->kind = kind;
    job->reason_code = reason_code;
    job->retry_delay_ms = 0;
}

void stage_job_release(stage_job *job, int64_t delay_ms)
{
    stage_job_conclude(job, STORE_RELEASED, "released");
    job->retry_delay_ms = delay_ms;
}

void stage_job_retry(const stage_worker *worker, stage_job *job, const char *reason_code)
{
    stage_job_conclude(job, STORE_RETRY, reason_code);
    job->retry_delay_ms = stage_worker_retry_delay_ms(worker, job->claim.retries);
}

void stage_job_fail(const stage_worker *worker, stage_job *job, const char *reason_code)
{
    if (job->claim.retries >= stage_service_settings(worker->service)->retry_limit)
        stage_job_conclude(job, STORE_REJECTED, reason_code);
    else
        stage_job_retry(worker, job, reason_code);
}

bool stage_job_refuse(const stage_worker *worker, stage_job *job)
{
    const stage_settings *settings = stage_service_settings(worker->service);
    if (job->claim.crashes >= settings->crash_limit) {
        base_fail(&job->why, BASE_INVALID, "its worker died %lld times while it had this job",
                  (long long)job->claim.crashes);
        stage_job_conclude(job, STORE_REJECTED, "quarantined");
        return true;
    }
    if (job->claim.age_ms > settings->job_max_age_s * 1000) {
        base_fail(&job->why, BASE_INVALID, "not done within %lld s", (long long)settings->job_max_age_s);
        stage_job_conclude(job, STORE_REJECTED, "expired");
        return true;
    }
    return false;
}

store_job_identity stage_job_identity(const stage_job *job)
{
    return (store_job_identity){job->delivery->stream_sequence, job->delivery->published_unix_ns};
}

store_failure stage_job_failure(const stage_job *job)
{
    return (store_failure){.reason_code = job->reason_code,
                           .reason = job->why.message,
                           .job_payload = job->delivery->payload,
                           .job_subject = job->delivery->subject,
                           .retry_delay_ms = job->retry_delay_ms};
}

static telemetry_level level_of(const stage_job *job)
{
    if (job->kind == STORE_REJECTED)
        return TELEMETRY_ERROR;
    return job->kind == STORE_SUCCEEDED && !job->fenced ? TELEMETRY_INFO : TELEMETRY_WARN;
}

static void tell(const stage_worker *worker, const stage_job *job, const char *success)
{
    const char *const events[] = {success, "submission_rejected", "job_retried", "job_released"};
    static const char *const LABELS[] = {"succeeded", "rejected", "retried", "released"};
    bool succeeded = job->kind == STORE_SUCCEEDED;
    stage_metrics_job(worker->options.stage, job->fenced ? "fenced" : LABELS[job->kind]);
    /* While something stays away each trial gives its whole batch back: only the first says so of every job. */
    if (job->kind == STORE_RELEASED && !job->fenced && worker->gate.failures > 1)
        return;
    TELEMETRY_LOG(level_of(job), job->fenced ? "job_fenced" : events[job->kind],
                  telemetry_text("submission", base_sha256_hex(job->submission).text),
                  telemetry_text("correlation_id", job->correlation_id),
                  telemetry_int("attempt", job->claim.retries + 1), telemetry_int("epoch", job->claim.epoch),
                  telemetry_int("duration_ms", job->duration_ms),
                  telemetry_text(job->transaction != NULL ? "transaction" : NULL, job->transaction),
                  telemetry_text(succeeded ? NULL : "reason_code", job->reason_code),
                  telemetry_text(succeeded ? NULL : "reason", job->why.message));
}

static broker_settlement settlement_of(const stage_job *job)
{
    if (job->fenced)
        return (broker_settlement){.verdict = BROKER_LEAVE};
    if (job->kind == STORE_RETRY || job->kind == STORE_RELEASED)
        return (broker_settlement){.verdict = BROKER_RETRY, .delay_ms = job->retry_delay_ms};
    return (broker_settlement){.verdict = BROKER_DONE};
}

void stage_job_settle(const stage_worker *worker, stage_job *job, const char *success)
{
    tell(worker, job, success);
    job->passed = !job->fenced && job->kind == STORE_SUCCEEDED;
    *job->settlement = settlement_of(job);
}
