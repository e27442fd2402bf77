#include "options.h"

#include "base/clock.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define MINUTES_MAX    1440.0
#define PER_SECOND_MAX 2000.0

static void print_help(void)
{
    fputs("proofline-chaos: a whole Proofline under load and seeded faults, and the checker at the end\n\n"
          "  --seed N                      the same seed draws the same faults [from the clock]\n"
          "  --minutes M                   how long faults happen [1]\n"
          "  --submissions-per-second R    load all the while [25]\n"
          "  --keep FOLDER                 where the services' logs go when there is a violation [build/faults-SEED]\n"
          "  --print-schedule              only print which faults the seed draws\n"
          "  --help\n\n"
          "Ends with 0 only when nothing was lost and nothing happened twice. The last line is a JSON object.\n",
          stdout);
}

static double read_number(const char *name, const char *text, double max)
{
    char *end = NULL;
    errno = 0;
    double number = strtod(text, &end);
    if (errno == 0 && end != text && *end == '\0' && number > 0 && number <= max)
        return number;
    fprintf(stderr, "--%s: \"%s\" is not a number above 0 and up to %g\n", name, text, max);
    exit(2);
}

static uint64_t read_seed(const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 0);
    if (errno == 0 && end != text && *end == '\0' && *text != '-')
        return seed;
    fprintf(stderr, "--seed: \"%s\" is not a whole number\n", text);
    exit(2);
}

void chaos_options_read(int argc, char **argv, chaos_options *ret)
{
    static const struct option KNOWN[] = {
        {"seed", required_argument, NULL, 's'},
        {"minutes", required_argument, NULL, 'm'},
        {"submissions-per-second", required_argument, NULL, 'r'},
        {"keep", required_argument, NULL, 'k'},
        {"print-schedule", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *ret = (chaos_options){.seed = (uint64_t)base_unix_ms(), .minutes = 1, .per_second = 25};
    for (int found; (found = getopt_long(argc, argv, "", KNOWN, NULL)) != -1;) {
        switch (found) {
        case 's':
            ret->seed = read_seed(optarg);
            break;
        case 'm':
            ret->minutes = read_number("minutes", optarg, MINUTES_MAX);
            break;
        case 'r':
            ret->per_second = read_number("submissions-per-second", optarg, PER_SECOND_MAX);
            break;
        case 'k':
            snprintf(ret->keep, sizeof(ret->keep), "%s", optarg);
            break;
        case 'p':
            ret->only_print = true;
            break;
        default:
            print_help();
            exit(found == 'h' ? EXIT_SUCCESS : 2);
        }
    }
    if (ret->keep[0] == '\0')
        snprintf(ret->keep, sizeof(ret->keep), "build/faults-%llu", (unsigned long long)ret->seed);
}
