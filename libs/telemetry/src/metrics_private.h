#pragma once
/* How metrics are kept: a family per row of the table, a series per label set. */
#include "telemetry/metrics.h"

#include <pthread.h>

typedef struct series {
    char labels[TELEMETRY_LABELS_MAX][TELEMETRY_LABEL_MAX];
    double value;      /* counter, gauge: the value; histogram: the sum */
    uint64_t *buckets; /* histogram: observations per bucket, the last one is +Inf; owned */
} series;

typedef struct family {
    const telemetry_metric *info;
    const double *bounds;
    size_t bound_count;
    size_t label_count;
    pthread_mutex_t lock; /* guards what follows */
    series *all;          /* owned, room for TELEMETRY_SERIES_MAX once used; the last one is "other" */
    size_t used, capacity;
} family;

struct telemetry_metrics {
    family *families;
    size_t count;
    struct {
        telemetry_hook *run;
        void *ctx;
    } hooks[TELEMETRY_HOOKS_MAX];
    size_t hook_count;
};

/* Appends one family in the text format. Its lock is held. */
BASE_MUST_CHECK base_code exposition_family(const family *source, base_buffer *ret, base_error *err);

/* Appends the metrics of this process, read from /proc. What cannot be read is left out. */
BASE_MUST_CHECK base_code process_metrics_render(base_buffer *ret, base_error *err);
