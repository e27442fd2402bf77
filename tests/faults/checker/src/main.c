/* proofline-check: says whether a whole Proofline kept its promises. */
#include "checker.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2, EXIT_UNREAD = 3 };

typedef struct arguments {
    checker_options checker;
    const char *nats_url, *prefix;
    bool json;
} arguments;

static void help(FILE *out)
{
    fputs("usage: proofline-check --database-url URL --nats-url URL --node-port N [...]\n\n"
          "Reads Postgres, all streams, and the chain of a proofline-devnode, and says what should not be so: one line "
          "for "
          "each\nviolation, with the ids, then a summary. Nothing may change meanwhile: the work is done, or the "
          "services "
          "are stopped.\n\n"
          "  --database-url URL  Postgres\n"
          "  --nats-url URL      NATS\n"
          "  --node-port N       port of the devnode on 127.0.0.1\n"
          "  --prefix NAME       of subjects and streams [proofline]\n"
          "  --allow-pending     work may be left: only what is terminal is judged in full\n"
          "  --streams-lost      all of JetStream was wiped: first events and their dead letters may be gone\n"
          "  --replays N         times that a rejected submission may have been proved anew [0]\n"
          "  --outbox-age-ms N   outbox rows may be so old [5000]\n"
          "  --json              one JSON object instead of lines\n"
          "  --help, --version\n\n"
          "exit codes: 0 nothing is wrong, 1 violations, 2 wrong usage, 3 something could not be read\n",
          out);
}

static _Noreturn void refuse(const char *what, const char *value)
{
    fprintf(stderr, "proofline-check: %s%s\nTry --help.\n", what, value);
    exit(EXIT_USAGE);
}

static int64_t read_number(const char *name, const char *text, int64_t max)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 0 || number > max)
        refuse(name, text);
    return number;
}

static void read_option(int option, arguments *ret)
{
    switch (option) {
    case 'd':
        ret->checker.database_url = optarg;
        break;
    case 'n':
        ret->nats_url = optarg;
        break;
    case 'p':
        ret->checker.node_port = (uint16_t)read_number("--node-port: no port: ", optarg, UINT16_MAX);
        break;
    case 'x':
        ret->prefix = optarg;
        break;
    case 'a':
        ret->checker.allow_pending = true;
        break;
    case 'l':
        ret->checker.streams_were_lost = true;
        break;
    case 'r':
        ret->checker.replays_allowed = read_number("--replays: no number: ", optarg, 1000000);
        break;
    case 'o':
        ret->checker.outbox_age_ms = read_number("--outbox-age-ms: no number: ", optarg, 86400000);
        break;
    case 'j':
        ret->json = true;
        break;
    case 'h':
        help(stdout);
        exit(EXIT_SUCCESS);
    case 'v':
        printf("proofline-check %s\n", PROOFLINE_VERSION);
        exit(EXIT_SUCCESS);
    default:
        exit(EXIT_USAGE);
    }
}

static void read_arguments(int argc, char **argv, arguments *ret)
{
    static const struct option LONG[] = {{"database-url", required_argument, NULL, 'd'},
                                         {"nats-url", required_argument, NULL, 'n'},
                                         {"node-port", required_argument, NULL, 'p'},
                                         {"prefix", required_argument, NULL, 'x'},
                                         {"allow-pending", no_argument, NULL, 'a'},
                                         {"streams-lost", no_argument, NULL, 'l'},
                                         {"replays", required_argument, NULL, 'r'},
                                         {"outbox-age-ms", required_argument, NULL, 'o'},
                                         {"json", no_argument, NULL, 'j'},
                                         {"help", no_argument, NULL, 'h'},
                                         {"version", no_argument, NULL, 'v'},
                                         {0}};
    *ret = (arguments){.prefix = "proofline"};
    for (int option; (option = getopt_long(argc, argv, "", LONG, NULL)) != -1;)
        read_option(option, ret);
    if (optind < argc)
        refuse("unexpected argument: ", argv[optind]);
    if (ret->checker.database_url == NULL || ret->nats_url == NULL || ret->checker.node_port == 0)
        refuse("--database-url, --nats-url and --node-port are needed", "");
}

int main(int argc, char **argv)
{
    arguments wanted;
    read_arguments(argc, argv, &wanted);
    base_error err = {0};
    BASE_CLEANUP(broker_connection_free) broker_connection *broker = NULL;
    BASE_CLEANUP(checker_report_done) checker_report report = {0};
    const broker_connection_options connection = {.url = wanted.nats_url, .name = "proofline-check"};
    base_code code = base_process_harden(&err);
    if (code == BASE_OK)
        code = broker_names_of(wanted.prefix, &wanted.checker.names, &err);
    if (code == BASE_OK)
        code = broker_connection_open(&connection, &broker, &err);
    wanted.checker.broker = broker;
    if (code == BASE_OK)
        code = checker_run(&wanted.checker, &report, &err);
    if (code != BASE_OK) {
        fprintf(stderr, "proofline-check: %s\n", err.message);
        return EXIT_UNREAD;
    }
    if (wanted.json)
        checker_report_print_json(&report, stdout);
    else
        checker_report_print(&report, stdout);
    return report.violation_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
