#include "phase.h"

#include "base/clock.h"
#include "base/hex.h"
#include "broker/publish.h"
#include "broker/topology.h"
#include "fatal.h"
#include "harness/wait.h"
#include "wire/headers.h"

#include <stdio.h>
#include <stdlib.h>

#define BURST_BATCH        500 /* messages of one publish call */
#define PUBLISH_TIMEOUT_MS 10000
#define STALL_MS           30000 /* without a completion: something is broken */
#define LOOK_MS            1000  /* between looks whether the services live; progress is shown as often */
#define REST_MS            20    /* after a completion: both services finish their bookkeeping */

static const broker_header HEADERS[] = {{WIRE_HEADER_CONTENT_TYPE, WIRE_CONTENT_TYPE},
                                        {WIRE_HEADER_TYPE, WIRE_TYPE_GENERATE_PROOF}};

/* Publishes the next `count` submissions and notes when. */
static void publish(bench_load *load, size_t count)
{
    broker_names names;
    broker_message messages[BURST_BATCH];
    broker_publish_result results[BURST_BATCH];
    base_hex32 ids[BURST_BATCH];
    base_error err = {0};
    bench_require(broker_names_of("proofline", &names, &err), &err, "name the streams");
    for (size_t i = 0; i < count; i++) {
        ids[i] = base_sha256_hex(&load->set->list[load->used + i].sha256);
        messages[i] = (broker_message){.subject = names.subject_generate,
                                       .payload = bench_submissions_message(load->set, load->used + i),
                                       .message_id = ids[i].text,
                                       .headers = HEADERS,
                                       .header_count = sizeof(HEADERS) / sizeof(HEADERS[0])};
    }
    int64_t now_us = base_monotonic_us();
    for (size_t i = 0; i < count; i++)
        load->set->list[load->used + i].published_us = now_us;
    load->used += count;
    bench_require(broker_publish(load->pipeline->broker, messages, count, PUBLISH_TIMEOUT_MS, results, &err), &err,
                  "publish submissions");
}

/* Waits until all that was published is complete. */
static void wait_complete(bench_load *load)
{
    size_t complete = 0;
    int64_t stalled_since_ms = base_monotonic_ms();
    while (complete < load->used) {
        size_t now = bench_follower_wait(load->follower, load->used, LOOK_MS);
        bench_pipeline_check(load->pipeline);
        if (now > complete)
            stalled_since_ms = base_monotonic_ms();
        complete = now;
        if (complete < load->used)
            fprintf(stderr, "  %zu of %zu complete\n", complete, load->used);
        if (base_monotonic_ms() - stalled_since_ms > STALL_MS) {
            BASE_CLEANUP(free)
            char *states = harness_database_query(
                &load->pipeline->database,
                "SELECT status, reason_code, count(*) FROM submissions GROUP BY status, reason_code");
            harness_fail("no submission became complete within %d ms; status, reason and count are:\n%s", STALL_MS,
                         states);
        }
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(const int64_t *sorted_us, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return (double)sorted_us[rank == 0 ? 0 : rank - 1] / 1000;
}

/* What became of the last `count` submissions, which are complete. */
static bench_phase summary(const bench_load *load, size_t count)
{
    BASE_CLEANUP(free) int64_t *latencies = bench_allocate(count, sizeof(*latencies));
    const bench_submission *list = load->set->list + load->used - count;
    int64_t last_us = 0;
    for (size_t i = 0; i < count; i++) {
        latencies[i] = list[i].completed_us - list[i].published_us;
        last_us = list[i].completed_us > last_us ? list[i].completed_us : last_us;
    }
    qsort(latencies, count, sizeof(*latencies), compare);
    return (bench_phase){.count = count,
                         .seconds = (double)(last_us - list[0].published_us) / 1e6,
                         .latency = {percentile_ms(latencies, count, 50), percentile_ms(latencies, count, 99)}};
}

bench_phase bench_phase_idle(bench_load *load, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        publish(load, 1);
        wait_complete(load);
        base_sleep_ms(REST_MS);
    }
    return summary(load, count);
}

bench_phase bench_phase_burst(bench_load *load, size_t count)
{
    for (size_t left = count; left > 0;) {
        size_t batch = left < BURST_BATCH ? left : BURST_BATCH;
        publish(load, batch);
        left -= batch;
    }
    wait_complete(load);
    return summary(load, count);
}

bench_phase bench_phase_steady(bench_load *load, size_t count, double per_second)
{
    int64_t start_us = base_monotonic_us();
    for (size_t i = 0; i < count; i++) {
        int64_t due_us = start_us + (int64_t)((double)i / per_second * 1e6);
        int64_t early_us = due_us - base_monotonic_us();
        if (early_us >= 1000)
            base_sleep_ms(early_us / 1000);
        publish(load, 1);
    }
    wait_complete(load);
    return summary(load, count);
}
