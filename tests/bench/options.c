#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

static const bench_plan PLANS[] = {
    {"null-600", "null", "null", "600", 10000, 500, 50},
    {"null-33k", "null", "null", "33000", 5000, 500, 50},
    {"native-anchor", "native", "anchor", "600", 1000, 300, 50},
};
enum { PLAN_COUNT = sizeof(PLANS) / sizeof(PLANS[0]), QUICK_DIVISOR = 10 };
_Static_assert(PLAN_COUNT <= BENCH_RUNS_MAX, "all runs fit");

static void help(FILE *out)
{
    fputs("usage: proofline-bench [--submissions N] [--run NAME] [--quick]\n\n"
          "Starts NATS and Postgres of its own (durable: fsync on), a development Mina node where the ledger needs "
          "one, and both\n"
          "services, and measures them. Progress goes to stderr; stdout gets a table and, as its last line, one JSON "
          "object.\n\n"
          "  --submissions N  size of each run's burst, instead of the run's own\n"
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

static size_t read_count(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > BENCH_SUBMISSIONS_MAX)
        refuse("--submissions takes a number from 1 to 1000000", text);
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

static void set_sizes(bench_options *options, size_t burst, bool quick)
{
    size_t divisor = quick ? QUICK_DIVISOR : 1;
    for (size_t i = 0; i < options->count; i++) {
        bench_plan *plan = &options->plans[i];
        plan->steady /= divisor;
        plan->idle /= divisor;
        plan->burst = burst != 0 ? burst : plan->burst / divisor;
    }
}

void bench_options_read(int argc, char **argv, bench_options *ret)
{
    static const struct option LONG[] = {{"submissions", required_argument, NULL, 'n'},
                                         {"run", required_argument, NULL, 'r'},
                                         {"quick", no_argument, NULL, 'q'},
                                         {"help", no_argument, NULL, 'h'},
                                         {"version", no_argument, NULL, 'v'},
                                         {0}};
    size_t burst = 0;
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
            burst = read_count(optarg);
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
    set_sizes(ret, burst, quick);
}
