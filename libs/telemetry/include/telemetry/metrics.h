#pragma once
/* Counters, gauges and histograms of a service, registered by one table, written in Prometheus' text format 0.0.4.
 *
 * Names follow Prometheus' conventions: a unit at the end (_seconds, _bytes), counters end in _total. Every function may
 * be called from any thread; each metric has its own lock. */
#include "base/bytes.h"

#define TELEMETRY_LABELS_MAX  4   /* labels of one metric */
#define TELEMETRY_LABEL_MAX   64  /* bytes of a label's value with terminator; longer ones are cut */
#define TELEMETRY_SERIES_MAX  200 /* label sets of one metric; the rest is added up under "other" */
#define TELEMETRY_BUCKETS_MAX 24
#define TELEMETRY_HOOKS_MAX   8

typedef enum telemetry_metric_kind { TELEMETRY_COUNTER, TELEMETRY_GAUGE, TELEMETRY_HISTOGRAM } telemetry_metric_kind;

/* A row of the table. Static: the metrics borrow it for their life. */
typedef struct telemetry_metric {
    const char *name;
    const char *help;
    telemetry_metric_kind kind;
    const char *labels[TELEMETRY_LABELS_MAX]; /* their names; unused ones NULL */
    const double *buckets;                    /* histogram: rising upper bounds without +Inf; NULL: TELEMETRY_SECONDS */
    size_t bucket_count;
} telemetry_metric;

/* 1 ms to 10 minutes. */
extern const double TELEMETRY_SECONDS[];
extern const size_t TELEMETRY_SECONDS_COUNT;

typedef struct telemetry_metrics telemetry_metrics;

/* The metrics of `table`; a metric is named by its index in it. Those without labels start at 0, those with labels show up
 * with their first use. The caller owns *ret. BASE_NO_MEMORY. */
BASE_MUST_CHECK base_code telemetry_metrics_new(const telemetry_metric *table, size_t count, telemetry_metrics **ret,
                                                base_error *err);
void telemetry_metrics_free(telemetry_metrics *metrics); /* NULL is a no-op */
BASE_CLEANUP_POINTER(telemetry_metrics, telemetry_metrics_free);

/* The values of a metric's labels, in the order of the table: telemetry_add(m, JOBS, 1, TELEMETRY_LABELS("done")). */
#define TELEMETRY_LABELS(...) ((const char *const[TELEMETRY_LABELS_MAX]){__VA_ARGS__})

/* Adds to a counter (by >= 0) or a gauge. `labels` is NULL for a metric without. NULL metrics: nothing happens. */
void telemetry_add(telemetry_metrics *metrics, size_t metric, double by, const char *const *labels);
/* Sets a gauge. */
void telemetry_set(telemetry_metrics *metrics, size_t metric, double value, const char *const *labels);
/* Adds one observation to a histogram. */
void telemetry_observe(telemetry_metrics *metrics, size_t metric, double value, const char *const *labels);
/* The present value of a counter or gauge, the count of a histogram; 0 for a label set never used. */
double telemetry_value(telemetry_metrics *metrics, size_t metric, const char *const *labels);

/* Called before each rendering, on its thread, to bring gauges up to date; must be quick. Register before the first
 * rendering; `ctx` is borrowed for the metrics' life. */
typedef void telemetry_hook(void *ctx, telemetry_metrics *metrics);
void telemetry_metrics_hook(telemetry_metrics *metrics, telemetry_hook *hook, void *ctx);

/* Appends all metrics and those of the process (process_cpu_seconds_total, process_resident_memory_bytes,
 * process_open_fds, process_start_time_seconds). BASE_LIMIT, BASE_NO_MEMORY from the buffer. */
BASE_MUST_CHECK base_code telemetry_metrics_render(telemetry_metrics *metrics, base_buffer *ret, base_error *err);
