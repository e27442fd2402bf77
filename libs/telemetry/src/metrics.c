#include "metrics_private.h"

#include <assert.h>
#include <string.h>

#define FIRST_CAPACITY 4

const double TELEMETRY_SECONDS[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                    1,     2.5,    5,     10,   30,    60,   120, 300,  600};
const size_t TELEMETRY_SECONDS_COUNT = sizeof(TELEMETRY_SECONDS) / sizeof(*TELEMETRY_SECONDS);

static const char *const OTHER[TELEMETRY_LABELS_MAX] = {"other", "other", "other", "other"};

static void check_row(const telemetry_metric *row)
{
    size_t length = strlen(row->name);
    (void)length; /* without assertions */
    assert(row->kind != TELEMETRY_COUNTER || (length > 6 && strcmp(row->name + length - 6, "_total") == 0));
    assert(row->buckets == NULL || row->bucket_count <= TELEMETRY_BUCKETS_MAX);
}

static void init_family(family *target, const telemetry_metric *row)
{
    check_row(row);
    target->info = row;
    target->bounds = row->buckets != NULL ? row->buckets : TELEMETRY_SECONDS;
    target->bound_count = row->buckets != NULL ? row->bucket_count : TELEMETRY_SECONDS_COUNT;
    while (target->label_count < TELEMETRY_LABELS_MAX && row->labels[target->label_count] != NULL)
        target->label_count++;
    pthread_mutex_init(&target->lock, NULL);
}

static bool matches(const family *source, const series *candidate, const char *const *labels)
{
    for (size_t i = 0; i < source->label_count; i++) {
        if (strncmp(candidate->labels[i], labels[i], TELEMETRY_LABEL_MAX - 1) != 0)
            return false;
    }
    return true;
}

static series *find_series(const family *source, const char *const *labels)
{
    for (size_t i = 0; i < source->used; i++) {
        if (matches(source, &source->all[i], labels))
            return &source->all[i];
    }
    return NULL;
}

static bool grow(family *target)
{
    if (target->used < target->capacity)
        return true;
    size_t capacity = target->capacity == 0 ? (target->label_count == 0 ? 1 : FIRST_CAPACITY) : target->capacity * 2;
    series *all = realloc(target->all, capacity * sizeof(*all));
    if (all == NULL)
        return false;
    target->all = all;
    target->capacity = capacity;
    return true;
}

/* The series of these labels, made when new; "other" when there are too many; NULL without memory. */
static series *obtain_series(family *target, const char *const *labels)
{
    series *found = find_series(target, labels);
    if (found != NULL)
        return found;
    if (target->used >= TELEMETRY_SERIES_MAX - 1 && labels != OTHER) {
        series *other = find_series(target, OTHER);
        return other != NULL ? other : obtain_series(target, OTHER);
    }
    if (!grow(target))
        return NULL;
    series fresh = {.value = 0};
    for (size_t i = 0; i < target->label_count; i++)
        memcpy(fresh.labels[i], labels[i], strnlen(labels[i], TELEMETRY_LABEL_MAX - 1));
    if (target->info->kind == TELEMETRY_HISTOGRAM) {
        fresh.buckets = calloc(target->bound_count + 1, sizeof(*fresh.buckets));
        if (fresh.buckets == NULL)
            return NULL;
    }
    target->all[target->used] = fresh;
    return &target->all[target->used++];
}

base_code telemetry_metrics_new(const telemetry_metric *table, size_t count, telemetry_metrics **ret, base_error *err)
{
    BASE_CLEANUP(telemetry_metrics_free) telemetry_metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics != NULL)
        metrics->families = calloc(count, sizeof(*metrics->families));
    if (metrics == NULL || metrics->families == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu metrics", count);
    for (; metrics->count < count; metrics->count++)
        init_family(&metrics->families[metrics->count], &table[metrics->count]);
    for (size_t i = 0; i < count; i++) {
        if (metrics->families[i].label_count == 0 && obtain_series(&metrics->families[i], NULL) == NULL)
            return base_fail(err, BASE_NO_MEMORY, "no memory for the metric %s", table[i].name);
    }
    *ret = BASE_TAKE(metrics);
    return BASE_OK;
}

void telemetry_metrics_free(telemetry_metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->count; i++) {
        family *one = &metrics->families[i];
        for (size_t j = 0; j < one->used; j++)
            free(one->all[j].buckets);
        free(one->all);
        pthread_mutex_destroy(&one->lock);
    }
    free(metrics->families);
    free(metrics);
}

static family *locked_family(telemetry_metrics *metrics, size_t metric, const char *const *labels)
{
    if (metrics == NULL)
        return NULL;
    assert(metric < metrics->count);
    family *target = &metrics->families[metric];
    assert(target->label_count == 0 || labels != NULL);
    (void)labels;
    pthread_mutex_lock(&target->lock);
    return target;
}

void telemetry_add(telemetry_metrics *metrics, size_t metric, double by, const char *const *labels)
{
    family *target = locked_family(metrics, metric, labels);
    if (target == NULL)
        return;
    assert(target->info->kind != TELEMETRY_HISTOGRAM && (target->info->kind == TELEMETRY_GAUGE || by >= 0));
    series *one = obtain_series(target, labels);
    if (one != NULL)
        one->value += by;
    pthread_mutex_unlock(&target->lock);
}

void telemetry_set(telemetry_metrics *metrics, size_t metric, double value, const char *const *labels)
{
    family *target = locked_family(metrics, metric, labels);
    if (target == NULL)
        return;
    assert(target->info->kind == TELEMETRY_GAUGE);
    series *one = obtain_series(target, labels);
    if (one != NULL)
        one->value = value;
    pthread_mutex_unlock(&target->lock);
}

void telemetry_observe(telemetry_metrics *metrics, size_t metric, double value, const char *const *labels)
{
    family *target = locked_family(metrics, metric, labels);
    if (target == NULL)
        return;
    assert(target->info->kind == TELEMETRY_HISTOGRAM);
    series *one = obtain_series(target, labels);
    if (one != NULL && one->buckets != NULL) {
        size_t bucket = 0;
        while (bucket < target->bound_count && value > target->bounds[bucket])
            bucket++;
        one->buckets[bucket]++;
        one->value += value;
    }
    pthread_mutex_unlock(&target->lock);
}

double telemetry_value(telemetry_metrics *metrics, size_t metric, const char *const *labels)
{
    family *source = locked_family(metrics, metric, labels);
    if (source == NULL)
        return 0;
    const series *one = find_series(source, labels);
    double value = 0;
    if (one != NULL && one->buckets == NULL)
        value = one->value;
    for (size_t i = 0; one != NULL && one->buckets != NULL && i <= source->bound_count; i++)
        value += (double)one->buckets[i];
    pthread_mutex_unlock(&source->lock);
    return value;
}

void telemetry_metrics_hook(telemetry_metrics *metrics, telemetry_hook *hook, void *ctx)
{
    assert(metrics->hook_count < TELEMETRY_HOOKS_MAX);
    metrics->hooks[metrics->hook_count].run = hook;
    metrics->hooks[metrics->hook_count].ctx = ctx;
    metrics->hook_count++;
}

base_code telemetry_metrics_render(telemetry_metrics *metrics, base_buffer *ret, base_error *err)
{
    for (size_t i = 0; i < metrics->hook_count; i++)
        metrics->hooks[i].run(metrics->hooks[i].ctx, metrics);
    for (size_t i = 0; i < metrics->count; i++) {
        family *one = &metrics->families[i];
        pthread_mutex_lock(&one->lock);
        base_code code = exposition_family(one, ret, err);
        pthread_mutex_unlock(&one->lock);
        if (code != BASE_OK)
            return code;
    }
    return process_metrics_render(ret, err);
}
