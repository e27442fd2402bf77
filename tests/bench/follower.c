#include "follower.h"

#include "base/clock.h"
#include "base/hex.h"
#include "broker/stream.h"
#include "broker/topology.h"
#include "fatal.h"
#include "harness/wait.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 200 /* an idle follower looks this often whether it is to stop */

struct bench_follower {
    const bench_submissions *set;
    broker_feed *feed;
    size_t prefix; /* bytes of the subject before the hash */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, and completed_us of the set */
    pthread_cond_t progress;
    size_t complete, strays, wanted;
    bool stopping;
};

/* The submission of proofline.events.<sha256>.complete; NULL when it is none of ours. */
static bench_submission *submission_of(const bench_follower *follower, const char *subject)
{
    base_sha256 sha256;
    char hex[BASE_HEX_CHARS(BASE_SHA256_SIZE)];
    if (strlen(subject) < follower->prefix + sizeof(hex))
        return NULL;
    snprintf(hex, sizeof(hex), "%s", subject + follower->prefix);
    if (base_hex_decode("hash", hex, sha256.bytes, sizeof(sha256.bytes), NULL) != BASE_OK)
        return NULL;
    return bench_submissions_find(follower->set, &sha256);
}

static void note(bench_follower *follower, const char *subject)
{
    int64_t now_us = base_monotonic_us();
    bench_submission *submission = submission_of(follower, subject);
    pthread_mutex_lock(&follower->lock);
    if (submission == NULL || submission->completed_us != 0) {
        follower->strays++;
    } else {
        submission->completed_us = now_us;
        follower->complete++;
    }
    if (follower->complete >= follower->wanted)
        pthread_cond_signal(&follower->progress);
    pthread_mutex_unlock(&follower->lock);
}

static bool stopping(bench_follower *follower)
{
    pthread_mutex_lock(&follower->lock);
    bool result = follower->stopping;
    pthread_mutex_unlock(&follower->lock);
    return result;
}

static void *follow(void *ctx)
{
    bench_follower *follower = ctx;
    while (!stopping(follower)) {
        BASE_CLEANUP(broker_stored_done) broker_stored event = {0};
        base_error err = {0};
        base_code code = broker_feed_next(follower->feed, LOOK_MS, &event, &err);
        if (code == BASE_OK)
            note(follower, event.subject);
        else if (code != BASE_TIMEOUT)
            bench_require(code, &err, "follow the events");
    }
    return NULL;
}

bench_follower *bench_follower_new(broker_connection *connection, const bench_submissions *set)
{
    bench_follower *follower = bench_allocate(1, sizeof(*follower));
    follower->set = set;
    pthread_mutex_init(&follower->lock, NULL);
    pthread_cond_init(&follower->progress, NULL);
    broker_names names;
    base_error err = {0};
    bench_require(broker_names_of("proofline", &names, &err), &err, "name the streams");
    char subject[BROKER_NAME_MAX + sizeof(".*.complete")];
    snprintf(subject, sizeof(subject), "%s.*.complete", names.subject_events);
    follower->prefix = strlen(names.subject_events) + 1;
    bench_require(broker_feed_open(connection, names.stream_events, subject, 0, &follower->feed, &err), &err,
                  "open the event stream");
    if (pthread_create(&follower->thread, NULL, follow, follower) != 0)
        harness_fail("cannot start a thread");
    return follower;
}

size_t bench_follower_wait(bench_follower *follower, size_t complete, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&follower->lock);
    follower->wanted = complete;
    int status = 0;
    while (follower->complete < complete && status == 0)
        status = pthread_cond_clockwait(&follower->progress, &follower->lock, CLOCK_MONOTONIC, &until);
    size_t result = follower->complete;
    pthread_mutex_unlock(&follower->lock);
    return result;
}

size_t bench_follower_strays(bench_follower *follower)
{
    pthread_mutex_lock(&follower->lock);
    size_t result = follower->strays;
    pthread_mutex_unlock(&follower->lock);
    return result;
}

void bench_follower_free(bench_follower *follower)
{
    if (follower == NULL)
        return;
    pthread_mutex_lock(&follower->lock);
    follower->stopping = true;
    pthread_mutex_unlock(&follower->lock);
    pthread_join(follower->thread, NULL);
    broker_feed_free(follower->feed);
    pthread_cond_destroy(&follower->progress);
    pthread_mutex_destroy(&follower->lock);
    free(follower);
}
