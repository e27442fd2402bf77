#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

static const bench_plan PLANS[] = {
    {"null-600", "null", "null", "600", 10000, 500, 50, 0, 0},
    {"null-33k", "null", "null", "33000", 5000, 500, 50, 0, 0},
    {"native-anchor", "native", "anchor", "600", 1000, 300, 50, 0, 0},
};
enum { PLAN_COUNT = sizeof(PLANS) / sizeof(PLANS[0]), QUICK_DIVISOR = 10 };
_Static_assert(PLAN_COUNT <= BENCH_RUNS_MAX, "all runs fit");

static void help(FILE *out)
{
    fputs("usage: proofline-bench [--submissions N] [--rows N] [--rest S] [--run NAME] [--quick]\n\n"
          "Starts NATS and Postgres of its own (durable: fsync on), a development Mina node where the ledger needs "
          "one, and both\n"
          "services, and measures them. Progress goes to stderr; stdout gets a table and, as its last line, one JSON "
          "object.\n\n"
          "  --submissions N  size of each run's burst, instead of the run's own\n"
          "  --rows N         begin with N submissions of the past in the tables, 99 % complete: 10000000 take some "
          "minutes "
          "and 18 GB\n"
          "  --rest S         then measure for S seconds what Postgres costs while nothing is to be done\n"
          "  --run NAME       only this run; may be given more than once\n"
          "  --quick          a tenth of everything, for a look\n\n"
          "Each run has three phases: `idle` publishes one submission at a time on an idle system; the burst publishes "
          "all at once\n"
          "and gives seconds, submissions_per_second and CPU; the steady phase publishes at a fifth of that rate and "
          "gives\n"
          "p50_ms and p99_ms, from the call of publish to the arrival of the event `complete`.\n\n"
          "Settings of the services (WORKER_BATCH, WORKER_RETRY_LIMIT...) are taken from the environment.\n\nruns:\n",
          out);
    for (size_t i = 0; i < PLAN_COUNT; i++)
        fprintf(out, "  %-15s PROVER=%s LEDGER=%s, %zu submissions\n", PLANS[i].name, PLANS[i].prover, PLANS[i].ledger,
                PLANS[i].burst);
}

static _Noreturn void refuse(const char *what, const char *value)
{
    fprintf(stderr, "proofline-bench: %s: %s\nTry --help.\n", what, value);
    exit(EXIT_USAGE);
}

static size_t read_count(const char *option, const char *text, size_t max)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > max)
        refuse(option, text);
    return (size_t)value;
}

static void add_plan(bench_options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->plans[i].name, name) == 0)
            return;
    for (size_t i = 0; i < PLAN_COUNT; i++) {
        if (strcmp(PLANS[i].name, name) == 0) {
            options->plans[options->count++] = PLANS[i];
            return;
        }
    }
    refuse("there is no such run", name);
}

static void set_sizes(bench_options *options, const bench_plan *sizes, bool quick)
{
    size_t divisor = quick ? QUICK_DIVISOR : 1;
    for (size_t i = 0; i < options->count; i++) {
        bench_plan *plan = &options->plans[i];
        plan->steady /= divisor;
        plan->idle /= divisor;
        plan->burst = sizes->burst != 0 ? sizes->burst : plan->burst / divisor;
        plan->rows = sizes->rows;
        plan->rest_s = sizes->rest_s;
    }
}

void bench_options_read(int argc, char **argv, bench_options *ret)
{
    static const struct option LONG[] = {{"submissions", required_argument, NULL, 'n'},
                                         {"rows", required_argument, NULL, 'f'},
                                         {"rest", required_argument, NULL, 'i'},
                                         {"run", required_argument, NULL, 'r'},
                                         {"quick", no_argument, NULL, 'q'},
                                         {"help", no_argument, NULL, 'h'},
                                         {"version", no_argument, NULL, 'v'},
                                         {0}};
    bench_plan sizes = {0};
    bool quick = false;
    *ret = (bench_options){0};
    for (int option; (option = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        if (option == 'h' || option == 'v') {
            if (option == 'h')
                help(stdout);
            else
                printf("proofline-bench %s\n", PROOFLINE_VERSION);
            exit(EXIT_SUCCESS);
        }
        if (option == '?')
            exit(EXIT_USAGE);
        if (option == 'n')
            sizes.burst = read_count("--submissions takes a number from 1 to 1000000", optarg, BENCH_SUBMISSIONS_MAX);
        if (option == 'f')
            sizes.rows = read_count("--rows takes a number from 1 to 100000000", optarg, BENCH_ROWS_MAX);
        if (option == 'i')
            sizes.rest_s = read_count("--rest takes seconds from 1 to 3600", optarg, BENCH_REST_MAX_S);
        if (option == 'r')
            add_plan(ret, optarg);
        quick = quick || option == 'q';
    }
    if (optind < argc)
        refuse("unexpected argument", argv[optind]);
    if (ret->count == 0) {
        memcpy(ret->plans, PLANS, sizeof(PLANS));
        ret->count = PLAN_COUNT;
    }
    set_sizes(ret, &sizes, quick);
}
