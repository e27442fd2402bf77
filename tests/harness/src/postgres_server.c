#include "harness/postgres_server.h"

#include "base/clock.h"
#include "harness/folder.h"
#include "harness/port.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT_TRIES  5
#define STOP_MS     60000
#define CONFIG_MAX  16384
#define NOBODY      65534
#define PROGRAM_MAX 512

struct harness_postgres {
    harness_path folder, data;
    char programs[PROGRAM_MAX]; /* folder of initdb and postgres */
    uid_t uid;                  /* 0: our own */
    gid_t gid;
    uint16_t port;
    bool fsync_off;
    char *config;             /* extra lines */
    harness_process *process; /* NULL while it is down */
};

/* Debian keeps the servers' programs off the PATH, one folder per major version; the newest one is taken. */
static void find_programs(harness_postgres *server)
{
    glob_t found = {0};
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0 || found.gl_pathc == 0)
        harness_fail("initdb not found: install the Debian package postgresql");
    const char *newest = found.gl_pathv[found.gl_pathc - 1];
    snprintf(server->programs, sizeof(server->programs), "%.*s", (int)(strrchr(newest, '/') - newest), newest);
    globfree(&found);
}

static void choose_user(harness_postgres *server)
{
    if (geteuid() != 0)
        return;
    const struct passwd *entry = getpwnam("postgres");
    server->uid = entry != NULL ? entry->pw_uid : NOBODY;
    server->gid = entry != NULL ? entry->pw_gid : NOBODY;
    if (chown(server->folder.text, server->uid, server->gid) != 0)
        harness_fail("chown %s: %s", server->folder.text, strerror(errno));
}

static void make_cluster(const harness_postgres *server)
{
    char initdb[PROGRAM_MAX + 16];
    snprintf(initdb, sizeof(initdb), "%s/initdb", server->programs);
    const char *argv[] = {initdb, "-D",           server->data.text, "-U",        "proofline",         "-E",
                          "UTF8", "--auth=trust", "--locale=C",      "--no-sync", "--no-instructions", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process =
        harness_process_new(&(harness_process_options){.argv = argv, .uid = server->uid, .gid = server->gid});
    int code = harness_process_wait(process, HARNESS_START_MS);
    BASE_CLEANUP(free) char *errors = harness_process_errors(process);
    if (code != 0)
        harness_fail("initdb ended with %d:\n%.3000s", code, errors);
}

/* What every start sets anew; it wins over postgresql.conf, which initdb wrote. */
static void write_config(const harness_postgres *server)
{
    char text[CONFIG_MAX];
    int length = snprintf(text, sizeof(text),
                          "listen_addresses = '127.0.0.1'\nport = %u\nunix_socket_directories = '%s'\nfsync = %s\n"
                          "max_connections = 100\nshared_buffers = 32MB\nmax_wal_senders = 0\nwal_level = minimal\n"
                          "jit = off\ndynamic_shared_memory_type = mmap\nlog_min_messages = warning\nlog_line_prefix = "
                          "'%%m [%%p] %%d '\n%s\n",
                          server->port, server->folder.text, server->fsync_off ? "off" : "on",
                          server->config != NULL ? server->config : "");
    if (length >= (int)sizeof(text))
        harness_fail("the configuration of Postgres is longer than %d bytes", CONFIG_MAX);
    harness_path path = harness_path_in(&server->folder, "harness.conf");
    harness_file_write(&path, text);
}

static void launch(harness_postgres *server)
{
    write_config(server);
    char program[PROGRAM_MAX + 16];
    char setting[HARNESS_PATH_MAX + 32];
    snprintf(program, sizeof(program), "%s/postgres", server->programs);
    snprintf(setting, sizeof(setting), "--config-file=%s/harness.conf", server->folder.text);
    const char *argv[] = {program, "-D", server->data.text, setting, NULL};
    /* SIGQUIT, for with SIGKILL the postmaster would leave its children behind. */
    server->process = harness_process_new(
        &(harness_process_options){.argv = argv, .uid = server->uid, .gid = server->gid, .death_signal = SIGQUIT});
}

static bool wait_ready(harness_postgres *server)
{
    BASE_CLEANUP(free)
    char *line = harness_process_wait_line(server->process, "ready to accept connections", HARNESS_START_MS);
    return line != NULL;
}

static void end(harness_postgres *server)
{
    harness_process_free(server->process);
    server->process = NULL;
}

static _Noreturn void report(harness_postgres *server)
{
    BASE_CLEANUP(free) char *log = harness_process_errors(server->process);
    harness_fail("Postgres did not become ready:\n%.3000s", log);
}

harness_postgres *harness_postgres_new(const harness_postgres_options *options)
{
    harness_postgres *server = calloc(1, sizeof(*server));
    if (server == NULL)
        harness_fail("out of memory");
    if (options != NULL) {
        server->fsync_off = options->fsync_off;
        server->config = options->config != NULL ? strdup(options->config) : NULL;
    }
    server->folder = harness_folder_new("postgres");
    server->data = harness_path_in(&server->folder, "data");
    find_programs(server);
    choose_user(server);
    make_cluster(server);
    for (int i = 1; i <= PORT_TRIES; i++) {
        server->port = harness_free_port();
        launch(server);
        if (wait_ready(server))
            return server;
        if (i < PORT_TRIES)
            end(server);
    }
    report(server);
}

void harness_postgres_free(harness_postgres *server)
{
    if (server == NULL)
        return;
    harness_postgres_stop(server, HARNESS_POSTGRES_IMMEDIATE);
    free(server->config);
    free(server);
}

uint16_t harness_postgres_port(const harness_postgres *server)
{
    return server->port;
}

pid_t harness_postgres_pid(const harness_postgres *server)
{
    if (server->process == NULL)
        harness_fail("Postgres is down: start it first");
    return harness_process_pid(server->process);
}

const char *harness_postgres_socket(const harness_postgres *server)
{
    return server->folder.text;
}

char *harness_postgres_log(const harness_postgres *server)
{
    if (server->process == NULL)
        harness_fail("Postgres is down: start it first");
    return harness_process_errors(server->process);
}

void harness_postgres_stop(harness_postgres *server, harness_postgres_stop_mode mode)
{
    static const int SIGNALS[] = {
        [HARNESS_POSTGRES_FAST] = SIGINT, [HARNESS_POSTGRES_IMMEDIATE] = SIGQUIT, [HARNESS_POSTGRES_KILL] = SIGKILL};
    if (server->process == NULL)
        return;
    harness_process_signal(server->process, SIGNALS[mode]);
    int code = harness_process_wait(server->process, STOP_MS);
    if (code < 0 &&
        mode ==
            HARNESS_POSTGRES_FAST) { /* its last checkpoint waits for a busy disk: as an init system, lose patience */
        harness_process_signal(server->process, SIGQUIT);
        code = harness_process_wait(server->process, STOP_MS);
    }
    if (code < 0)
        harness_fail("Postgres did not stop within %d ms", STOP_MS);
    end(server);
}

void harness_postgres_start(harness_postgres *server)
{
    if (server->process != NULL)
        return;
    /* After a kill the old sessions hold the shared memory for a moment, and the new postmaster refuses to start. */
    int64_t until = base_monotonic_ms() + HARNESS_START_MS;
    for (;;) {
        launch(server);
        if (wait_ready(server))
            return;
        if (base_monotonic_ms() >= until)
            report(server);
        end(server);
    }
}

void harness_postgres_restart(harness_postgres *server, harness_postgres_stop_mode mode)
{
    harness_postgres_stop(server, mode);
    harness_postgres_start(server);
}
