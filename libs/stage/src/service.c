#include "stage/service.h"

#include "deadline.h"

#include "base/clock.h"
#include "stage/metrics.h"
#include "stage/sweeper.h"
#include "stage/worker.h"
#include "telemetry/http.h"
#include "telemetry/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct stage_service {
    const char *name;
    const stage_settings *settings;
    broker_names names;
    broker_connection *broker;
    stage_health *health;
    size_t broker_part;
    telemetry_metrics *metrics;
    telemetry_http *http;
    stage_worker *workers[STAGE_WORKERS_MAX];
    pthread_t threads[STAGE_WORKERS_MAX + 1]; /* the last started one is the sweeper's */
    size_t worker_count, thread_count;
    stage_turn turn;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t stopped;
    bool stopping;
    int64_t commit_until_ms; /* monotonic, once it stops */
    base_error failure;      /* why it was aborted; BASE_OK: it was not */
};

static void on_broker_change(void *ctx, bool connected, const char *detail)
{
    stage_service *service = ctx;
    base_error why = {0};
    base_fail(&why, BASE_UNAVAILABLE, "%s", detail);
    stage_health_set(service->health, service->broker_part, connected ? NULL : &why);
}

static void init_stop(stage_service *service)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&service->stopped, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&service->lock, NULL);
    stage_turn_init(&service->turn);
}

/* Before any thread exists: every later one inherits the mask, so that only stage_service_run takes these signals. */
static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
    signal(SIGPIPE, SIG_IGN);
}

base_code stage_service_new(const char *name, const stage_settings *settings, stage_service **ret, base_error *err)
{
    BASE_CLEANUP(stage_service_free) stage_service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the service");
    sigset_t signals;
    block_signals(&signals);
    init_stop(service);
    service->name = name;
    service->settings = settings;
    base_code code = broker_names_of(settings->subject_prefix, &service->names, err);
    if (code != BASE_OK)
        return base_fail_within(err, "SUBJECT_PREFIX");
    code = stage_metrics_new(&service->metrics, err);
    if (code == BASE_OK)
        code = stage_health_new(&service->health, err);
    if (code != BASE_OK)
        return code;
    service->broker_part = stage_health_add(service->health, "nats");
    broker_connection_options options = stage_broker_options(settings, name);
    options.on_change = on_broker_change;
    options.on_change_ctx = service;
    code = broker_connection_open(&options, &service->broker, err);
    if (code != BASE_OK)
        return code;
    /* Only changes are called back: a connection made at once is none. One made from now on sets the same. */
    if (broker_connection_check(service->broker, NULL) == BASE_OK)
        stage_health_set(service->health, service->broker_part, NULL);
    *ret = BASE_TAKE(service);
    return code;
}

void stage_service_free(stage_service *service)
{
    if (service == NULL)
        return;
    telemetry_http_free(service->http);
    broker_connection_free(service->broker);
    stage_health_free(service->health);
    stage_metrics_free(service->metrics);
    stage_turn_done(&service->turn);
    pthread_cond_destroy(&service->stopped);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

const char *stage_service_name(const stage_service *service)
{
    return service->name;
}

const stage_settings *stage_service_settings(const stage_service *service)
{
    return service->settings;
}

const broker_names *stage_service_names(const stage_service *service)
{
    return &service->names;
}

broker_connection *stage_service_broker(stage_service *service)
{
    return service->broker;
}

stage_health *stage_service_health(stage_service *service)
{
    return service->health;
}

stage_turn *stage_service_turn(stage_service *service)
{
    return &service->turn;
}

store_subjects stage_service_subjects(const stage_service *service)
{
    return (store_subjects){service->names.subject_generate, service->names.subject_publish,
                            service->names.subject_events, service->names.subject_dead};
}

base_code stage_service_add(stage_service *service, stage_worker *worker, base_error *err)
{
    if (service->worker_count == STAGE_WORKERS_MAX)
        return base_fail(err, BASE_LIMIT, "at most %d workers", STAGE_WORKERS_MAX);
    service->workers[service->worker_count++] = worker;
    return BASE_OK;
}

stage_worker *const *stage_service_workers(const stage_service *service, size_t *ret_count)
{
    *ret_count = service->worker_count;
    return service->workers;
}

void stage_service_abort(stage_service *service, const base_error *why)
{
    pthread_mutex_lock(&service->lock);
    bool first = service->failure.code == BASE_OK;
    bool stopping = service->stopping;
    if (first)
        service->failure = *why;
    pthread_mutex_unlock(&service->lock);
    if (first && !stopping)      /* a second signal would cut the orderly stop short */
        kill(getpid(), SIGTERM); /* to stage_service_run, which waits for it */
}

bool stage_service_wait_stop(stage_service *service, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&service->lock);
    int status = 0;
    while (!service->stopping && status == 0)
        status = pthread_cond_clockwait(&service->stopped, &service->lock, CLOCK_MONOTONIC, &deadline);
    bool stopping = service->stopping;
    pthread_mutex_unlock(&service->lock);
    return stopping;
}

bool stage_service_may_commit(stage_service *service)
{
    pthread_mutex_lock(&service->lock);
    bool may = !service->stopping || base_monotonic_ms() < service->commit_until_ms;
    pthread_mutex_unlock(&service->lock);
    return may;
}

void stage_service_rest(stage_service *service, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&service->lock);
    bool before = service->stopping;
    int status = 0;
    while (service->stopping == before && status == 0)
        status = pthread_cond_clockwait(&service->stopped, &service->lock, CLOCK_MONOTONIC, &deadline);
    pthread_mutex_unlock(&service->lock);
}

static base_code start_http(stage_service *service, base_error *err)
{
    const telemetry_http_options options = {
        .address = service->settings->http_bind,
        .port = (uint16_t)service->settings->http_port,
        .metrics = service->metrics,
        .ready = stage_health_report,
        .ctx = service->health,
    };
    return telemetry_http_new(&options, &service->http, err);
}

static void *worker_thread(void *ctx)
{
    stage_worker_run(ctx);
    return NULL;
}

static void *sweeper_thread(void *ctx)
{
    stage_sweeper_run(ctx);
    return NULL;
}

static base_code start_thread(stage_service *service, void *(*body)(void *), void *ctx, base_error *err)
{
    int status = pthread_create(&service->threads[service->thread_count], NULL, body, ctx);
    if (status != 0)
        return base_fail(err, BASE_INTERNAL, "cannot start a thread: %s", strerror(status));
    service->thread_count++;
    return BASE_OK;
}

static void stop(stage_service *service)
{
    stage_health_stop(service->health);
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    service->commit_until_ms =
        base_monotonic_ms() + service->settings->shutdown_grace_s * 1000 / STAGE_STOP_COMMIT_SHARE;
    pthread_cond_broadcast(&service->stopped);
    pthread_mutex_unlock(&service->lock);
    for (size_t i = 0; i < service->worker_count; i++)
        stage_worker_stop(service->workers[i]);
    stage_turn_stop(&service->turn);
}

/* Ends the process when the time is up or a second signal comes: jobs in hand come again by redelivery. */
static void *impatience_thread(void *ctx)
{
    const stage_service *service = ctx;
    sigset_t signals;
    block_signals(&signals);
    const struct timespec grace = {.tv_sec = (time_t)service->settings->shutdown_grace_s};
    int number = 0;
    do {
        number = sigtimedwait(&signals, NULL, &grace);
    } while (number < 0 && errno == EINTR);
    TELEMETRY_LOG(TELEMETRY_ERROR, "stop_forced",
                  telemetry_text("reason", number < 0 ? "SHUTDOWN_GRACE_S is over" : "second signal"));
    _exit(EXIT_FAILURE);
}

static void join_threads(stage_service *service)
{
    pthread_t impatience;
    bool watched = pthread_create(&impatience, NULL, impatience_thread, service) == 0;
    for (size_t i = 0; i < service->thread_count; i++)
        pthread_join(service->threads[i], NULL);
    if (!watched)
        return;
    pthread_cancel(impatience); /* sigtimedwait is a cancellation point */
    pthread_join(impatience, NULL);
}

static base_code start(stage_service *service, base_error *err)
{
    base_code code = start_http(service, err);
    for (size_t i = 0; code == BASE_OK && i < service->worker_count; i++)
        code = start_thread(service, worker_thread, service->workers[i], err);
    if (code == BASE_OK)
        code = start_thread(service, sweeper_thread, service, err);
    return code;
}

base_code stage_service_run(stage_service *service, base_error *err)
{
    sigset_t signals;
    block_signals(&signals);
    base_code code = start(service, err);
    int number = SIGTERM;
    if (code == BASE_OK) {
        TELEMETRY_LOG(TELEMETRY_INFO, "service_started", telemetry_text("version", PROOFLINE_VERSION),
                      telemetry_int("http_port", telemetry_http_port(service->http)),
                      telemetry_int("workers", (int64_t)service->worker_count));
        sigwait(&signals, &number);
    }
    int64_t began = base_monotonic_ms();
    TELEMETRY_LOG(TELEMETRY_INFO, "service_stopping", telemetry_text("signal", strsignal(number)));
    stop(service);
    join_threads(service);
    TELEMETRY_LOG(TELEMETRY_INFO, "service_stopped", telemetry_int("duration_ms", base_monotonic_ms() - began));
    if (code == BASE_OK && service->failure.code != BASE_OK) {
        *err = service->failure;
        return err->code;
    }
    return code;
}
