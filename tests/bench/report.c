#include "report.h"

#include <stdio.h>
#include <unistd.h>

static double rate(const bench_phase *phase)
{
    return (double)phase->count / phase->seconds;
}

static void print_usage(const bench_result *result)
{
    for (size_t i = 0; i < result->program_count; i++) {
        const bench_usage *usage = &result->programs[i];
        printf("  %-15s %-10s %8.2f %12.3f", result->plan.name, usage->name, usage->cpu_seconds,
               usage->cpu_seconds * 1000 / (double)result->burst.count);
        if (usage->resident_mb > 0)
            printf(" %9.1f", usage->resident_mb);
        putchar('\n');
    }
    printf("  %-15s %-10s %8.2f\n", result->plan.name, "others", result->other_cpu_seconds);
}

void bench_report_table(const bench_result *results, size_t count)
{
    printf("%-17s %7s %11s %8s %8s | %19s | %19s | %19s\n", "run", "proof B", "submissions", "seconds", "per s",
           "burst p50/p99 ms", "steady p50/p99 ms", "idle p50/p99 ms");
    for (size_t i = 0; i < count; i++) {
        const bench_result *r = &results[i];
        printf("%-17s %7zu %11zu %8.2f %8.0f | %9.1f %9.1f | %9.1f %9.1f | %9.1f %9.1f\n", r->plan.name, r->proof_bytes,
               r->burst.count, r->burst.seconds, rate(&r->burst), r->burst.latency.p50_ms, r->burst.latency.p99_ms,
               r->steady.latency.p50_ms, r->steady.latency.p99_ms, r->idle.latency.p50_ms, r->idle.latency.p99_ms);
    }
    for (size_t i = 0; i < count; i++)
        if (results[i].plan.rest_s > 0)
            printf("\n%s, at rest: %.2f %% of one CPU in Postgres, %.2f %% in the generator, %.2f %% in the publisher",
                   results[i].plan.name, 100 * results[i].rest_cpu[BENCH_POSTGRES],
                   100 * results[i].rest_cpu[BENCH_GENERATOR], 100 * results[i].rest_cpu[BENCH_PUBLISHER]);
    printf("\nin the burst:\n  %-15s %-10s %8s %12s %9s\n", "run", "program", "CPU s", "ms each", "peak MB");
    for (size_t i = 0; i < count; i++)
        print_usage(&results[i]);
    putchar('\n');
}

static void json_programs(const bench_result *result)
{
    for (size_t i = 0; i < result->program_count; i++) {
        const bench_usage *usage = &result->programs[i];
        printf(",\"%s\":{\"cpu_seconds\":%.2f", usage->name, usage->cpu_seconds);
        if (usage->resident_mb > 0)
            printf(",\"resident_mb\":%.1f", usage->resident_mb);
        putchar('}');
    }
}

static void json_run(const bench_result *r)
{
    printf("{\"name\":\"%s\",\"prover\":\"%s\",\"ledger\":\"%s\",\"proof_bytes\":%zu,\"submissions\":%zu,"
           "\"seconds\":%.3f,\"submissions_per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f",
           r->plan.name, r->plan.prover, r->plan.ledger, r->proof_bytes, r->burst.count, r->burst.seconds,
           rate(&r->burst), r->steady.latency.p50_ms, r->steady.latency.p99_ms);
    printf(",\"latency_at_per_second\":%.1f,\"latency_submissions\":%zu,\"burst_p50_ms\":%.2f,\"burst_p99_ms\":%.2f",
           r->steady_per_second, r->steady.count, r->burst.latency.p50_ms, r->burst.latency.p99_ms);
    printf(",\"rows\":%zu", r->plan.rows);
    if (r->plan.rest_s > 0)
        printf(",\"rest_seconds\":%zu,\"rest_postgres_cpu\":%.5f", r->plan.rest_s, r->rest_cpu[BENCH_POSTGRES]);
    printf(",\"idle_submissions\":%zu,\"idle_p50_ms\":%.2f,\"idle_p99_ms\":%.2f", r->idle.count, r->idle.latency.p50_ms,
           r->idle.latency.p99_ms);
    json_programs(r);
    printf(",\"other_cpu_seconds\":%.2f}", r->other_cpu_seconds);
}

void bench_report_json(const bench_result *results, size_t count)
{
    printf("{\"cpus\":%ld,\"runs\":[", sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            putchar(',');
        json_run(&results[i]);
    }
    puts("]}");
}
