#include "telemetry/metrics.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define THREADS 4
#define ROUNDS  5000

enum { JOBS, IN_FLIGHT, WAIT, PER_STAGE };

static const double BOUNDS[] = {0.1, 1, 10};
static const telemetry_metric TABLE[] = {
    [JOBS] = {.name = "jobs_total",
              .help = "Jobs by outcome.",
              .kind = TELEMETRY_COUNTER,
              .labels = {"stage", "outcome"}},
    [IN_FLIGHT] = {.name = "jobs_in_flight", .help = "Jobs in hand.", .kind = TELEMETRY_GAUGE},
    [WAIT] =
        {.name = "wait_seconds", .help = "Wait.", .kind = TELEMETRY_HISTOGRAM, .buckets = BOUNDS, .bucket_count = 3},
    [PER_STAGE] = {.name = "stage_seconds", .help = "By stage.", .kind = TELEMETRY_HISTOGRAM, .labels = {"stage"}},
};

static int make_metrics(void **state)
{
    return telemetry_metrics_new(TABLE, sizeof(TABLE) / sizeof(*TABLE), (telemetry_metrics **)state, NULL) != BASE_OK;
}

static int free_metrics(void **state)
{
    telemetry_metrics_free(*state);
    return 0;
}

static char *render(telemetry_metrics *metrics)
{
    base_buffer text = {.limit = 1024 * 1024};
    assert_int_equal(telemetry_metrics_render(metrics, &text, NULL), BASE_OK);
    return (char *)text.data;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s\nis not in\n%s", part, text);
}

static void counters_and_gauges_are_written_with_help_type_and_labels(void **state)
{
    telemetry_metrics *metrics = *state;
    telemetry_add(metrics, JOBS, 1, TELEMETRY_LABELS("generate", "done"));
    telemetry_add(metrics, JOBS, 2, TELEMETRY_LABELS("generate", "done"));
    telemetry_add(metrics, JOBS, 1, TELEMETRY_LABELS("generate", "dead"));
    telemetry_set(metrics, IN_FLIGHT, 7, NULL);
    telemetry_add(metrics, IN_FLIGHT, -2, NULL);
    BASE_CLEANUP(free) char *text = render(metrics);
    assert_has(text, "# HELP jobs_total Jobs by outcome.\n# TYPE jobs_total counter\n"
                     "jobs_total{stage=\"generate\",outcome=\"done\"} 3\n"
                     "jobs_total{stage=\"generate\",outcome=\"dead\"} 1\n");
    assert_has(text, "# TYPE jobs_in_flight gauge\njobs_in_flight 5\n");
    assert_true(telemetry_value(metrics, JOBS, TELEMETRY_LABELS("generate", "done")) == 3);
    assert_true(telemetry_value(metrics, JOBS, TELEMETRY_LABELS("generate", "never")) == 0);
}

static void large_counts_keep_all_digits(void **state)
{
    telemetry_set(*state, IN_FLIGHT, 123456789012345, NULL);
    BASE_CLEANUP(free) char *text = render(*state);
    assert_has(text, "\njobs_in_flight 123456789012345\n");
}

static void what_is_no_number_is_written_as_prometheus_spells_it(void **state)
{
    static const struct {
        double value;
        const char *line;
    } CASES[] = {
        {NAN, "\njobs_in_flight NaN\n"}, {INFINITY, "\njobs_in_flight +Inf\n"}, {-INFINITY, "\njobs_in_flight -Inf\n"}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        telemetry_set(*state, IN_FLIGHT, CASES[i].value, NULL);
        BASE_CLEANUP(free) char *text = render(*state);
        assert_has(text, CASES[i].line);
    }
}

static void who_has_no_metrics_may_count_all_the_same(void **state)
{
    (void)state;
    telemetry_add(NULL, JOBS, 1, TELEMETRY_LABELS("generate", "done"));
    telemetry_set(NULL, IN_FLIGHT, 1, NULL);
    telemetry_observe(NULL, WAIT, 1, NULL);
    assert_true(telemetry_value(NULL, WAIT, NULL) == 0);
}

static void a_histogram_has_cumulative_buckets_sum_and_count(void **state)
{
    static const double OBSERVED[] = {0.1, 0.5, 0.5, 10.5};
    for (size_t i = 0; i < 4; i++)
        telemetry_observe(*state, WAIT, OBSERVED[i], NULL);
    BASE_CLEANUP(free) char *text = render(*state);
    assert_has(text,
               "# TYPE wait_seconds histogram\nwait_seconds_bucket{le=\"0.1\"} 1\nwait_seconds_bucket{le=\"1\"} 3\n"
               "wait_seconds_bucket{le=\"10\"} 3\nwait_seconds_bucket{le=\"+Inf\"} 4\nwait_seconds_sum 11.6\n"
               "wait_seconds_count 4\n");
    assert_true(telemetry_value(*state, WAIT, NULL) == 4);
    telemetry_observe(*state, PER_STAGE, 0.003, TELEMETRY_LABELS("publish"));
    BASE_CLEANUP(free) char *again = render(*state);
    assert_has(again, "stage_seconds_bucket{stage=\"publish\",le=\"0.0025\"} 0\n"
                      "stage_seconds_bucket{stage=\"publish\",le=\"0.005\"} 1\n");
}

static void metrics_without_labels_start_at_zero(void **state)
{
    BASE_CLEANUP(free) char *text = render(*state);
    assert_has(text, "\njobs_in_flight 0\n");
    assert_has(text, "\nwait_seconds_count 0\n");
    assert_null(strstr(text, "\njobs_total{"));
}

static void label_values_are_escaped_and_cut(void **state)
{
    char longer[2 * TELEMETRY_LABEL_MAX];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    telemetry_add(*state, JOBS, 1, TELEMETRY_LABELS("a\"b\\c\nd", longer));
    telemetry_add(*state, JOBS, 1, TELEMETRY_LABELS("a\"b\\c\nd", longer));
    BASE_CLEANUP(free) char *text = render(*state);
    assert_has(text, "jobs_total{stage=\"a\\\"b\\\\c\\nd\",outcome=\"xxx");
    longer[TELEMETRY_LABEL_MAX - 1] = '\0';
    char expected[256];
    snprintf(expected, sizeof(expected), "outcome=\"%s\"} 2\n", longer);
    assert_has(text, expected);
}

static void too_many_label_sets_are_added_up_under_other(void **state)
{
    for (int i = 0; i < 2 * TELEMETRY_SERIES_MAX; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        telemetry_add(*state, JOBS, 1, TELEMETRY_LABELS("generate", value));
    }
    BASE_CLEANUP(free) char *text = render(*state);
    int series = 0;
    for (const char *p = text; (p = strstr(p, "\njobs_total{")) != NULL; p++)
        series++;
    assert_int_equal(series, TELEMETRY_SERIES_MAX);
    char expected[128];
    snprintf(expected, sizeof(expected), "jobs_total{stage=\"other\",outcome=\"other\"} %d\n",
             TELEMETRY_SERIES_MAX + 1);
    assert_has(text, expected);
}

static void set_from_hook(void *ctx, telemetry_metrics *metrics)
{
    telemetry_set(metrics, IN_FLIGHT, *(double *)ctx, NULL);
}

static void hooks_bring_gauges_up_to_date(void **state)
{
    double depth = 42;
    telemetry_metrics_hook(*state, set_from_hook, &depth);
    BASE_CLEANUP(free) char *text = render(*state);
    assert_has(text, "\njobs_in_flight 42\n");
}

static double sample(const char *text, const char *name)
{
    char start[128];
    snprintf(start, sizeof(start), "\n%s ", name);
    const char *found = strstr(text, start);
    if (found == NULL)
        fail_msg("%s is missing", name);
    return strtod(found + strlen(start), NULL);
}

static void the_process_tells_about_itself(void **state)
{
    BASE_CLEANUP(free) char *text = render(*state);
    assert_true(sample(text, "process_resident_memory_bytes") > 100000);
    assert_true(sample(text, "process_cpu_seconds_total") >= 0);
    double started = sample(text, "process_start_time_seconds");
    double now = (double)time(NULL);
    assert_true(started > now - 600 && started < now + 5);
    double before = sample(text, "process_open_fds");
    FILE *file = tmpfile();
    assert_non_null(file);
    BASE_CLEANUP(free) char *again = render(*state);
    assert_true(sample(again, "process_open_fds") == before + 1);
    fclose(file);
}

static void a_full_buffer_is_an_error(void **state)
{
    base_buffer small = {.limit = 64};
    assert_int_equal(telemetry_metrics_render(*state, &small, NULL), BASE_LIMIT);
    base_buffer_done(&small);
}

static void *count_up(void *metrics)
{
    for (int i = 0; i < ROUNDS; i++) {
        telemetry_add(metrics, JOBS, 1, TELEMETRY_LABELS("generate", i % 2 == 0 ? "done" : "dead"));
        telemetry_observe(metrics, WAIT, 0.5, NULL);
    }
    return NULL;
}

static void threads_lose_no_counts(void **state)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, *state), 0);
    free(render(*state));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(telemetry_value(*state, JOBS, TELEMETRY_LABELS("generate", "done")) == THREADS * ROUNDS / 2);
    assert_true(telemetry_value(*state, WAIT, NULL) == THREADS * ROUNDS);
}

#define METRICS_TEST(f) cmocka_unit_test_setup_teardown(f, make_metrics, free_metrics)

int main(void)
{
    const struct CMUnitTest tests[] = {
        METRICS_TEST(counters_and_gauges_are_written_with_help_type_and_labels),
        METRICS_TEST(large_counts_keep_all_digits),
        METRICS_TEST(what_is_no_number_is_written_as_prometheus_spells_it),
        METRICS_TEST(who_has_no_metrics_may_count_all_the_same),
        METRICS_TEST(a_histogram_has_cumulative_buckets_sum_and_count),
        METRICS_TEST(metrics_without_labels_start_at_zero),
        METRICS_TEST(label_values_are_escaped_and_cut),
        METRICS_TEST(too_many_label_sets_are_added_up_under_other),
        METRICS_TEST(hooks_bring_gauges_up_to_date),
        METRICS_TEST(the_process_tells_about_itself),
        METRICS_TEST(a_full_buffer_is_an_error),
        METRICS_TEST(threads_lose_no_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
