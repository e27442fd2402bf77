#include "stage/sweeper.h"

#include "base/clock.h"
#include "base/fault.h"
#include "broker/stream.h"
#include "stage/metrics.h"
#include "stage/relay.h"
#include "stage/worker.h"
#include "store/submissions.h"
#include "store/sweep.h"
#include "telemetry/log.h"

enum {
    PASS_MS = 1000,        /* between two looks at the outbox */
    STALE_MS = 2000,       /* younger rows are in the hands of the worker that wrote them */
    ROWS_MAX = 1000,       /* of one look */
    SIGNS_PER_QUIET = 3,   /* signs of life for an attempt in the time after which it passes for abandoned */
    CLOCK_SKEW_MS = 10000, /* that the clocks of NATS and Postgres may differ */
};

typedef struct sweeper_state {
    stage_service *service;
    store_session *store;
    store_outbox *pending;
    store_attempt *kept; /* room for all that this process may have in hand */
    size_t health_part;
    int64_t passed_id;      /* of the outbox: behind it goes on what has not been tried yet; 0: from the start */
    int64_t next_search_ms; /* monotonic */
    bool failing;           /* said so already */
} sweeper_state;

/* A row that no server will ever take holds nobody up. */
static bool is_hopeless(base_code code)
{
    return code == BASE_LIMIT || code == BASE_INVALID;
}

/* Publishes one page of the rows left behind; *ret_drained: there is none behind it. */
static base_code publish_page(sweeper_state *sweeper, bool *ret_drained, base_error *err)
{
    bool more = false;
    store_outbox_clear(sweeper->pending); /* what a failed pass has left in the list is in the table, too */
    base_code code =
        store_outbox_find_stale(sweeper->store, STALE_MS, sweeper->passed_id, ROWS_MAX, sweeper->pending, &more, err);
    if (code != BASE_OK)
        return code;
    size_t found = store_outbox_count(sweeper->pending);
    int64_t last_id = found > 0 ? store_outbox_at(sweeper->pending, found - 1)->id : 0;
    *ret_drained = !more;
    code = stage_relay(stage_service_broker(sweeper->service), sweeper->store, sweeper->pending, err);
    if (!more)
        sweeper->passed_id = 0;
    else if (is_hopeless(code))
        sweeper->passed_id = last_id; /* or its hopeless rows would fill every page to come */
    if (code == BASE_OK && found > 0) {
        stage_metrics_swept("outbox", found);
        TELEMETRY_LOG(TELEMETRY_WARN, "outbox_swept", telemetry_int("rows", (int64_t)found));
        code = BASE_FAULT("sweeper.swept", err);
    }
    return code;
}

/* Page by page, for as long as a pass may take. *ret_drained: all of them were tried. The first hopeless one is the result. */
static base_code publish_stale(sweeper_state *sweeper, bool *ret_drained, base_error *err)
{
    base_code hopeless = BASE_OK;
    for (int64_t until_ms = base_monotonic_ms() + PASS_MS;;) {
        base_error why = {0};
        base_code code = publish_page(sweeper, ret_drained, &why);
        if (code != BASE_OK && (hopeless == BASE_OK || !is_hopeless(code)))
            *err = why;
        if (code != BASE_OK && !is_hopeless(code))
            return code;
        hopeless = hopeless == BASE_OK ? code : hopeless;
        if (*ret_drained || base_monotonic_ms() >= until_ms)
            return hopeless;
    }
}

/* Every message of the durable stored before *ret is settled. */
static base_code find_watermark(sweeper_state *sweeper, const char *durable, const char *subject, int64_t *ret,
                                base_error *err)
{
    const char *stream = stage_service_names(sweeper->service)->stream_jobs;
    broker_connection *broker = stage_service_broker(sweeper->service);
    broker_durable_state state;
    int64_t now = base_unix_ms();
    base_code code = broker_durable_read_state(broker, stream, durable, &state, err);
    if (code != BASE_OK)
        return code;
    *ret = now - CLOCK_SKEW_MS;
    if (state.pending == 0 && state.ack_pending == 0)
        return BASE_OK;
    BASE_CLEANUP(broker_stored_done) broker_stored oldest = {0};
    code = broker_stream_next(broker, stream, state.ack_floor_sequence + 1, subject, &oldest, err);
    if (code == BASE_NOT_FOUND)
        return BASE_OK; /* settled or expired between the two questions */
    if (code == BASE_OK && oldest.stored_unix_ns / 1000000 - CLOCK_SKEW_MS < *ret)
        *ret = oldest.stored_unix_ns / 1000000 - CLOCK_SKEW_MS;
    return code;
}

static base_code requeue(sweeper_state *sweeper, store_stage stage, const char *durable, const char *subject,
                         bool *ret_more, base_error *err)
{
    int64_t watermark = 0;
    base_code code = find_watermark(sweeper, durable, subject, &watermark, err);
    if (code != BASE_OK)
        return code;
    size_t found = 0;
    int64_t quiet_ms = stage_service_settings(sweeper->service)->sweep_quiet_s * 1000;
    code = store_sweep_requeue(sweeper->store, stage, watermark, quiet_ms, ROWS_MAX, sweeper->pending, &found, err);
    *ret_more = *ret_more || found == ROWS_MAX;
    if (code == BASE_OK && found > 0)
        code = BASE_FAULT("sweeper.requeued", err);
    if (code == BASE_OK)
        code = stage_relay(stage_service_broker(sweeper->service), sweeper->store, sweeper->pending, err);
    if (code == BASE_OK && found > 0) {
        stage_metrics_swept("requeued", found);
        TELEMETRY_LOG(TELEMETRY_WARN, "work_requeued", telemetry_text("durable", durable),
                      telemetry_int("submissions", (int64_t)found));
        code = BASE_FAULT("sweeper.requeued_relayed", err);
    }
    return code;
}

static base_code expire(sweeper_state *sweeper, bool *ret_more, base_error *err)
{
    size_t found = 0;
    int64_t max_age_ms = stage_service_settings(sweeper->service)->job_max_age_s * 1000;
    base_code code = store_sweep_expire(sweeper->store, max_age_ms, ROWS_MAX, sweeper->pending, &found, err);
    *ret_more = *ret_more || found == ROWS_MAX;
    if (code == BASE_OK && found > 0)
        code = BASE_FAULT("sweeper.expired", err);
    if (code == BASE_OK)
        code = stage_relay(stage_service_broker(sweeper->service), sweeper->store, sweeper->pending, err);
    if (code == BASE_OK && found > 0) {
        stage_metrics_swept("expired", found);
        TELEMETRY_LOG(TELEMETRY_ERROR, "submissions_expired", telemetry_int("submissions", (int64_t)found));
        code = BASE_FAULT("sweeper.expired_relayed", err);
    }
    return code;
}

static base_code measure(sweeper_state *sweeper, base_error *err)
{
    int64_t counts[STORE_STATUS_COUNT] = {0};
    int64_t rows = 0, oldest_ms = 0;
    base_code code = store_submission_count(sweeper->store, false, counts, err);
    if (code == BASE_OK)
        code = store_outbox_backlog(sweeper->store, &rows, &oldest_ms, err);
    if (code == BASE_OK)
        stage_metrics_backlog(counts, rows, oldest_ms);
    return code;
}

/* What is only worth a look every sweep interval, unless one look did not take all (*ret_more). */
static base_code search(sweeper_state *sweeper, bool *ret_more, base_error *err)
{
    const broker_names *names = stage_service_names(sweeper->service);
    base_code code =
        requeue(sweeper, STORE_STAGE_GENERATE, BROKER_DURABLE_GENERATOR, names->subject_generate, ret_more, err);
    if (code == BASE_OK)
        code = requeue(sweeper, STORE_STAGE_PUBLISH, BROKER_DURABLE_PUBLISHER, names->subject_publish, ret_more, err);
    if (code == BASE_OK)
        code = expire(sweeper, ret_more, err);
    return code;
}

static base_code sweep(sweeper_state *sweeper, base_error *err)
{
    bool drained = false, more = false;
    base_code published = publish_stale(sweeper, &drained, err);
    if ((published != BASE_OK && !is_hopeless(published)) || !drained || base_monotonic_ms() < sweeper->next_search_ms)
        return published;
    base_error second = {0};
    base_code code = measure(sweeper, &second);
    if (code == BASE_OK)
        code = search(sweeper, &more, &second);
    if (code == BASE_OK && !more)
        sweeper->next_search_ms =
            base_monotonic_ms() + stage_service_settings(sweeper->service)->sweep_interval_s * 1000;
    return code == BASE_OK ? published : base_fail(err, code, "%s", second.message);
}

/* Signs of life for the attempts of this process, in one statement. Each service gives its own, whoever sweeps.
 *
 * Without them, a proof that takes longer than SWEEP_QUIET_S would be made a second time if the streams were lost meanwhile. They could
 * also come from the heartbeat for the broker, which has no session; from the worker, which proves; or be the sweeper's
 * business, by locks or leases of live workers: a lock goes with its connection while the proof goes on, a lease is this
 * statement with another table. Short batches cost nothing: only what is older than a third of the quiet time needs a sign. */
static base_code keep(sweeper_state *sweeper, base_error *err)
{
    int64_t age_ms = stage_service_settings(sweeper->service)->sweep_quiet_s * 1000 / SIGNS_PER_QUIET;
    size_t workers = 0, count = 0;
    stage_worker *const *list = stage_service_workers(sweeper->service, &workers);
    for (size_t i = 0; i < workers; i++)
        count += stage_hand_keep(&list[i]->hand, age_ms, sweeper->kept + count);
    base_code code = store_sweep_keep(sweeper->store, sweeper->kept, count, err);
    return code == BASE_OK ? BASE_FAULT("sweeper.kept", err) : code;
}

/* One pass: nothing when another service is at it (BASE_CONFLICT), or when the broker is away. */
static base_code pass(sweeper_state *sweeper, base_error *err)
{
    base_code code = keep(sweeper, err);
    if (code != BASE_OK)
        return code;
    code = broker_connection_check(stage_service_broker(sweeper->service), err);
    if (code == BASE_DENIED) /* credentials do not mend themselves, and the connection has given up */
        stage_service_abort(sweeper->service, err);
    if (code != BASE_OK)
        return code;
    code = store_sweep_acquire(sweeper->store, err);
    if (code != BASE_OK)
        return code;
    code = BASE_FAULT("sweeper.acquired", err);
    if (code == BASE_OK)
        code = sweep(sweeper, err);
    base_error second = {0};
    base_code released = store_sweep_release(sweeper->store, &second);
    if (released == BASE_OK)
        released = BASE_FAULT("sweeper.released", &second);
    if (code == BASE_OK && released != BASE_OK)
        code = base_fail(err, released, "%s", second.message);
    return code;
}

/* Says once that it cannot work, and once that it can again. In /readyz this is also the word of a service that stands by, and of
 * one whose jobs come while what they make cannot be published. */
static void report(sweeper_state *sweeper, base_code code, const base_error *err)
{
    if (code == BASE_CONFLICT && sweeper->failing)
        return; /* another one is at it: that does not mend what failed here */
    bool failing = code != BASE_OK && code != BASE_CONFLICT;
    stage_health_set(stage_service_health(sweeper->service), sweeper->health_part,
                     failing && !is_hopeless(code) ? err : NULL);
    if (failing != sweeper->failing)
        TELEMETRY_LOG(failing ? TELEMETRY_WARN : TELEMETRY_INFO, failing ? "sweeper_paused" : "sweeper_resumed",
                      telemetry_text("reason", failing ? err->message : ""));
    sweeper->failing = failing;
}

static base_code make_room(sweeper_state *sweeper, base_error *err)
{
    size_t workers = 0;
    (void)stage_service_workers(sweeper->service, &workers);
    size_t room = workers * (size_t)stage_service_settings(sweeper->service)->batch;
    sweeper->kept = calloc(room + 1, sizeof(*sweeper->kept));
    return sweeper->kept != NULL ? BASE_OK : base_fail(err, BASE_NO_MEMORY, "no memory for %zu attempts", room);
}

/* What it works with is made in its thread, and again when it could not be made: nobody else would notice that nothing is swept. */
static base_code prepare(sweeper_state *sweeper, const store_session_options *options, base_error *err)
{
    base_code code = sweeper->kept != NULL ? BASE_OK : make_room(sweeper, err);
    if (code == BASE_OK && sweeper->store == NULL)
        code = store_session_new(options, &sweeper->store, err);
    if (code == BASE_OK && sweeper->pending == NULL)
        code = store_outbox_new(&sweeper->pending, err);
    return code;
}

void stage_sweeper_run(stage_service *service)
{
    store_session_options options = stage_store_options(stage_service_settings(service), "proofline-sweeper");
    options.subjects = stage_service_subjects(service);
    sweeper_state sweeper = {.service = service,
                             .health_part = stage_health_add(stage_service_health(service), "sweeper")};
    base_error err = {0};
    while (!stage_service_wait_stop(service, PASS_MS)) {
        base_code code = prepare(&sweeper, &options, &err);
        report(&sweeper, code == BASE_OK ? pass(&sweeper, &err) : code, &err);
    }
    store_outbox_free(sweeper.pending);
    store_session_free(sweeper.store);
    free(sweeper.kept);
}
