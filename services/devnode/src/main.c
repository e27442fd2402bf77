/* proofline-devnode: a development Mina node. */
#include "devnode/http.h"
#include "options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static base_code write_port(const char *path, uint16_t port, base_error *err)
{
    char partial[4096];
    int length = snprintf(partial, sizeof(partial), "%s.partial", path);
    if (length < 0 || (size_t)length >= sizeof(partial))
        return base_fail(err, BASE_INVALID, "--port-file: the path is too long");
    FILE *file = fopen(partial, "w");
    bool written = file != NULL && fprintf(file, "%d\n", port) > 0;
    written = file != NULL && fclose(file) == 0 && written;
    if (!written || rename(partial, path) != 0) /* so that a reader never sees half a port */
        return base_fail(err, BASE_INTERNAL, "--port-file: %.150s: %s", path, strerror(errno));
    return BASE_OK;
}

static base_code fund_accounts(node *n, const options *given, base_error *err)
{
    base_code code = BASE_OK;
    for (size_t i = 0; i < given->fund_count && code == BASE_OK; i++)
        code = node_fund(n, &given->funds[i].key, given->funds[i].amount, true, err);
    return code;
}

/* Every thread inherits the mask, so the signals wait for sigwait below. */
static void hold_signals(sigset_t *ret)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
}

static base_code run(const options *given, base_error *err)
{
    sigset_t stop;
    hold_signals(&stop);
    base_code code = base_process_harden(err);
    if (code != BASE_OK)
        return code;
    stats counted = {0};
    BASE_CLEANUP(faults_free) faults *set = faults_new();
    if (set == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory");
    BASE_CLEANUP(node_free) node *n = NULL;
    code = node_new(&given->node, &n, err);
    if (code == BASE_OK)
        code = fund_accounts(n, given, err);
    if (code != BASE_OK)
        return code;
    const http_options http = {given->bind, given->port, n, set, &counted};
    BASE_CLEANUP(http_server_free) http_server *server = NULL;
    code = http_server_new(&http, &server, err);
    if (code == BASE_OK && given->port_file != NULL)
        code = write_port(given->port_file, http_server_port(server), err);
    if (code != BASE_OK)
        return code;
    printf("listening on %s:%d\n", given->bind, http_server_port(server));
    fflush(stdout);
    int received = 0;
    sigwait(&stop, &received);
    return BASE_OK;
}

int main(int argc, char **argv)
{
    options given;
    base_error err = {0};
    if (options_parse(argc, argv, &given, &err) != BASE_OK) {
        fprintf(stderr, "proofline-devnode: %s (see --help)\n", err.message);
        return EXIT_USAGE;
    }
    if (given.wants_help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (given.wants_version) {
        printf("proofline-devnode %s\n", PROOFLINE_VERSION);
        return EXIT_SUCCESS;
    }
    if (run(&given, &err) != BASE_OK) {
        fprintf(stderr, "proofline-devnode: %s\n", err.message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
