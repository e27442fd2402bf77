#include "pull.h"

#include "nats_status.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SLACK_MS    1000 /* the server's word on a request may come this much after its end */
#define LINGER_MS   20   /* a batch that stalls half full (max ack pending) is handled as it is */
#define NS_PER_MS   1000000
#define SUBJECT_MAX 640
#define REQUEST_MAX 160

enum {
    STATUS_NO_MESSAGES = 404,
    STATUS_TIMEOUT = 408, /* also "Requests Pending" and the end of a no_wait batch */
    STATUS_CONFLICT = 409,
};

/* With no_wait *and* expires, servers from 2.9 to 2.12 deliver what is there and end the request with 408 at once, or wait for the
 * first job when there is none: nothing stays open while the handler works, and a single job comes without delay. (no_wait alone
 * can stay open for ever when another instance takes the jobs first.) */
static natsStatus send_request(natsConnection *nats, const broker_pull *pull, const char *reply)
{
    char subject[SUBJECT_MAX];
    char request[REQUEST_MAX];
    snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%s.%s", pull->stream, pull->durable);
    int64_t expires_ns = pull->pull_ms * NS_PER_MS;
    if (pull->sparse)
        snprintf(request, sizeof(request), "{\"batch\":1,\"expires\":%" PRId64 "}", expires_ns);
    else
        snprintf(request, sizeof(request), "{\"batch\":%zu,\"expires\":%" PRId64 ",\"no_wait\":true,\"max_bytes\":%d}",
                 pull->batch, expires_ns, BROKER_PULL_BYTES);
    return natsConnection_PublishRequestString(nats, subject, reply, request);
}

/* With the lock held. */
static void await_batch(broker_intake *intake, size_t batch, int64_t deadline_ms)
{
    while (intake->queued < batch && !intake->end.ended) {
        int64_t until_ms = deadline_ms;
        if (intake->queued > 0 && intake->last_arrival_ms + LINGER_MS < until_ms)
            until_ms = intake->last_arrival_ms + LINGER_MS;
        if (base_monotonic_ms() >= until_ms)
            return;
        (void)broker_condition_wait(&intake->condition, until_ms);
    }
}

/* The next job is larger than what may be pulled at once: a pull of one job has no such bound. */
static bool is_too_large(const broker_pull_end *end)
{
    return end->status == STATUS_CONFLICT && strstr(end->text, "MaxBytes") != NULL;
}

static bool ended_in_order(const broker_pull_end *end)
{
    return end->status == STATUS_NO_MESSAGES || end->status == STATUS_TIMEOUT || is_too_large(end);
}

/* With the lock held. */
static base_code judge(const broker_intake *intake, const broker_pull *pull, int64_t from_ms, bool *ret_contended,
                       base_error *err)
{
    const broker_pull_end *end = &intake->end;
    bool emptied = end->status == STATUS_TIMEOUT && base_monotonic_ms() - from_ms < pull->pull_ms / 2;
    *ret_contended = !pull->sparse && intake->queued == 0 && (emptied || is_too_large(end));
    if (intake->queued > 0 || intake->stopping || intake->voided || ended_in_order(end) ||
        (end->ended && end->status == 0))
        return BASE_OK;
    if (end->status == 0)
        return base_fail(err, BASE_UNAVAILABLE, "consumer %s of stream %s: no answer to a pull request", pull->durable,
                         pull->stream);
    return base_fail(err, BASE_UNAVAILABLE, "consumer %s of stream %s: pull refused: %s", pull->durable, pull->stream,
                     end->text);
}

base_code broker_pull_run(broker_connection *connection, broker_intake *intake, const broker_pull *pull,
                          bool *ret_contended, base_error *err)
{
    size_t batch = pull->sparse ? 1 : pull->batch;
    int64_t from_ms = base_monotonic_ms();
    char reply[BROKER_INBOX_MAX + 24];
    *ret_contended = false;
    {
        BROKER_HOLD(&intake->condition);
        if (intake->queued > 0 || intake->stopping || !intake->linked)
            return BASE_OK; /* late jobs come first */
        broker_intake_expect(intake, batch, reply);
    }
    natsStatus status = send_request(broker_link_nats(connection), pull, reply);
    if (status != NATS_OK)
        return broker_fail(err, status, "pull request to consumer %s", pull->durable);
    broker_link_flush(connection);
    BROKER_HOLD(&intake->condition);
    await_batch(intake, batch, from_ms + pull->pull_ms + SLACK_MS);
    return judge(intake, pull, from_ms, ret_contended, err);
}
