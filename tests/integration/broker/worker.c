#include "worker.h"

#include "base/clock.h"
#include "harness/wait.h"
#include "scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    broker_consumer *consumer;
    worker_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    worker_seen *seen;
    size_t count, largest, told, over;
    bool released, unpaused;
    base_error trouble;
};

static void record(worker *self, const broker_job *job)
{
    if (self->count == WORKER_SEEN_MAX)
        abort();
    worker_seen *seen = &self->seen[self->count++];
    seen->sequence = job->stream_sequence;
    seen->deliveries = job->deliveries;
    seen->at_us = base_monotonic_us();
    seen->published_unix_ns = job->published_unix_ns;
    snprintf(seen->payload, sizeof(seen->payload), "%.*s", (int)job->payload.size, (const char *)job->payload.data);
    snprintf(seen->message_id, sizeof(seen->message_id), "%s", job->message_id == NULL ? "" : job->message_id);
}

/* By our own account: the server (seen with 2.9.10) gives a job the number of its last delivery once more when that fell on the end of
 * the pull request. */
static bool has_seen(const worker *self, const broker_job *job)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->seen[i].sequence == job->stream_sequence)
            return true;
    return false;
}

static void handle(void *ctx, const broker_job *const *jobs, size_t count, broker_settlement *settlements)
{
    worker *self = ctx;
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < count; i++) {
        const bool is_done = self->options.answer.verdict == BROKER_DONE || has_seen(self, jobs[i]);
        settlements[i] = is_done ? worker_answer(BROKER_DONE, 0) : self->options.answer;
        record(self, jobs[i]);
    }
    self->largest = count > self->largest ? count : self->largest;
    pthread_cond_broadcast(&self->changed);
    const int64_t until_ms = base_monotonic_ms() + self->options.busy_ms;
    while (base_monotonic_ms() < until_ms)
        ; /* as a prover in this thread would */
    while (self->options.hold && !self->released)
        pthread_cond_wait(&self->changed, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
}

static int64_t gate(void *ctx)
{
    worker *self = ctx;
    pthread_mutex_lock(&self->mutex);
    bool shut = self->options.paused && !self->unpaused;
    pthread_mutex_unlock(&self->mutex);
    return shut ? 50 : 0;
}

static void trouble(void *ctx, const base_error *err)
{
    worker *self = ctx;
    pthread_mutex_lock(&self->mutex);
    if (err == NULL) {
        self->over++;
    } else {
        self->told++;
        self->trouble = *err;
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

static void *run(void *ctx)
{
    worker *self = ctx;
    broker_consumer_run(self->consumer, trouble);
    return NULL;
}

worker *worker_start(broker_connection *connection, const worker_options *options)
{
    worker *self = calloc(1, sizeof(*self));
    self->seen = calloc(WORKER_SEEN_MAX, sizeof(self->seen[0]));
    self->options = *options;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->changed, NULL);
    broker_consumer_options consumer = {.stream = options->stream,
                                        .durable = options->durable,
                                        .batch = options->batch,
                                        .pull_ms = options->pull_ms,
                                        .gate = gate,
                                        .handler = handle,
                                        .ctx = self};
    base_error err;
    scene_expect_ok(broker_consumer_new(connection, &consumer, &self->consumer, &err), &err);
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        harness_fail("no thread for a worker");
    return self;
}

void worker_end(worker *self)
{
    if (self == NULL)
        return;
    broker_consumer_stop(self->consumer);
    worker_release(self);
    pthread_join(self->thread, NULL);
    broker_consumer_free(self->consumer);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    free(self->seen);
    free(self);
}

broker_consumer *worker_consumer(worker *self)
{
    return self->consumer;
}

/* Waits on the worker's own events, with the mutex held. */
static bool await(worker *self, const size_t *value, size_t wanted)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SCENE_DEADLINE_MS / 1000;
    while (*value < wanted)
        if (pthread_cond_timedwait(&self->changed, &self->mutex, &until) == ETIMEDOUT)
            return false;
    return true;
}

void worker_await_seen(worker *self, size_t count)
{
    pthread_mutex_lock(&self->mutex);
    bool came = await(self, &self->count, count);
    size_t seen = self->count;
    pthread_mutex_unlock(&self->mutex);
    if (!came)
        harness_fail("%zu of %zu deliveries", seen, count);
}

void worker_await_troubles(worker *self, size_t told, size_t over)
{
    pthread_mutex_lock(&self->mutex);
    bool came = await(self, &self->told, told) && await(self, &self->over, over);
    pthread_mutex_unlock(&self->mutex);
    if (!came)
        harness_fail("no trouble told");
}

typedef struct goal {
    worker *worker_of;
    uint64_t acked;
} goal;

static bool is_acked(void *ctx)
{
    goal *wanted = ctx;
    return broker_consumer_read_stats(wanted->worker_of->consumer).acked >= wanted->acked;
}

void worker_await_acked(worker *self, uint64_t count)
{
    if (!harness_wait_until(is_acked, &(goal){self, count}, SCENE_DEADLINE_MS))
        harness_fail("not %llu acks", (unsigned long long)count);
}

size_t worker_seen_count(worker *self)
{
    pthread_mutex_lock(&self->mutex);
    size_t count = self->count;
    pthread_mutex_unlock(&self->mutex);
    return count;
}

worker_seen worker_seen_at(worker *self, size_t index)
{
    pthread_mutex_lock(&self->mutex);
    worker_seen seen = self->seen[index];
    pthread_mutex_unlock(&self->mutex);
    return seen;
}

size_t worker_largest_batch(worker *self)
{
    pthread_mutex_lock(&self->mutex);
    size_t largest = self->largest;
    pthread_mutex_unlock(&self->mutex);
    return largest;
}

void worker_release(worker *self)
{
    pthread_mutex_lock(&self->mutex);
    self->released = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

void worker_unpause(worker *self)
{
    pthread_mutex_lock(&self->mutex);
    self->unpaused = true;
    pthread_mutex_unlock(&self->mutex);
}

broker_settlement worker_answer(broker_verdict verdict, int64_t delay_ms)
{
    return (broker_settlement){verdict, delay_ms};
}

base_error worker_last_trouble(worker *self)
{
    pthread_mutex_lock(&self->mutex);
    base_error err = self->trouble;
    pthread_mutex_unlock(&self->mutex);
    return err;
}

size_t worker_troubles_told(worker *self)
{
    pthread_mutex_lock(&self->mutex);
    size_t told = self->told;
    pthread_mutex_unlock(&self->mutex);
    return told;
}
