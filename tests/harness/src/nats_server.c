#include "harness/nats_server.h"

#include "harness/folder.h"
#include "harness/port.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_TRIES 5
#define CONFIG_MAX 16384
#define STOP_MS    30000

#define MAX_FILE_STORE "16GB"

struct harness_nats {
    harness_path folder;
    const char *name; /* of the server, unique in this program; end of the folder */
    uint16_t port;
    char url[64];
    const char *max_file_store;
    char *config;             /* extra lines */
    harness_process *process; /* NULL while it is down */
};

static void write_config(const harness_nats *server)
{
    char text[CONFIG_MAX];
    int length = snprintf(text, sizeof(text),
                          "host: 127.0.0.1\nport: %u\nserver_name: %s\n"
                          "jetstream { store_dir: \"%s/store\", max_memory_store: 256MB, max_file_store: %s }\n%s\n",
                          server->port, server->name, server->folder.text, server->max_file_store, server->config);
    if (length >= (int)sizeof(text))
        harness_fail("the configuration of nats-server is longer than %d bytes", CONFIG_MAX);
    harness_path path = harness_path_in(&server->folder, "nats.conf");
    harness_file_write(&path, text);
}

/* True when it is ready. False, with the process gone, when it gave up by itself. */
static bool launch(harness_nats *server)
{
    write_config(server);
    harness_path config = harness_path_in(&server->folder, "nats.conf");
    const char *argv[] = {"nats-server", "-c", config.text, NULL};
    const char *environment[] = {"PATH", NULL, NULL};
    char path[4096]; /* Debian keeps nats-server in /usr/sbin, which is not on every user's PATH */
    snprintf(path, sizeof(path), "PATH=%s:/usr/local/sbin:/usr/sbin:/sbin", getenv("PATH"));
    environment[0] = path;
    server->process = harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
    BASE_CLEANUP(free)
    char *ready = harness_process_wait_line(server->process, "Server is ready", HARNESS_START_MS);
    return ready != NULL;
}

static _Noreturn void report(harness_nats *server)
{
    BASE_CLEANUP(free) char *log = harness_process_errors(server->process);
    harness_fail("nats-server did not become ready (Debian package nats-server):\n%.3000s", log);
}

static void end(harness_nats *server)
{
    harness_process_free(server->process);
    server->process = NULL;
}

static void choose_port(harness_nats *server)
{
    server->port = harness_free_port();
    snprintf(server->url, sizeof(server->url), "nats://127.0.0.1:%u", server->port);
}

static void set_config(harness_nats *server, const char *config)
{
    free(server->config);
    server->config = strdup(config != NULL ? config : "");
    if (server->config == NULL)
        harness_fail("out of memory");
}

harness_nats *harness_nats_new(const char *config)
{
    harness_nats *server = calloc(1, sizeof(*server));
    if (server == NULL)
        harness_fail("out of memory");
    server->folder = harness_folder_new("nats");
    server->max_file_store = MAX_FILE_STORE;
    server->name = strrchr(server->folder.text, '/') + 1;
    set_config(server, config);
    for (int i = 1; i <= PORT_TRIES; i++) {
        choose_port(server);
        if (launch(server))
            return server;
        if (i == PORT_TRIES)
            report(server);
        end(server);
    }
    harness_fail("not reached");
}

void harness_nats_free(harness_nats *server)
{
    if (server == NULL)
        return;
    end(server);
    free(server->config);
    free(server);
}

const char *harness_nats_url(const harness_nats *server)
{
    return server->url;
}

uint16_t harness_nats_port(const harness_nats *server)
{
    return server->port;
}

const char *harness_nats_name(const harness_nats *server)
{
    return server->name;
}

bool harness_nats_is_up(const harness_nats *server)
{
    return server->process != NULL;
}

static harness_process *running(const harness_nats *server)
{
    if (server->process == NULL)
        harness_fail("nats-server is down: start it first");
    return server->process;
}

char *harness_nats_log(const harness_nats *server)
{
    return harness_process_errors(running(server));
}

pid_t harness_nats_pid(const harness_nats *server)
{
    return harness_process_pid(running(server));
}

static void await_end(harness_nats *server, int signal)
{
    harness_process_signal(server->process, signal);
    if (harness_process_wait(server->process, STOP_MS) < 0)
        harness_fail("nats-server did not stop within %d ms", STOP_MS);
    end(server);
}

void harness_nats_stop(harness_nats *server)
{
    if (server->process == NULL)
        return;
    harness_process_signal(server->process, SIGCONT);
    await_end(server, SIGTERM);
}

void harness_nats_retire(harness_nats *server)
{
    (void)running(server);
    await_end(server, SIGUSR2);
}

void harness_nats_kill(harness_nats *server)
{
    end(server);
}

void harness_nats_start(harness_nats *server)
{
    if (server->process == NULL && !launch(server))
        report(server);
}

void harness_nats_restart(harness_nats *server)
{
    harness_nats_stop(server);
    harness_nats_start(server);
}

void harness_nats_configure(harness_nats *server, const char *config)
{
    set_config(server, config);
}

void harness_nats_limit_store(harness_nats *server, const char *size)
{
    server->max_file_store = size;
}

void harness_nats_wipe(harness_nats *server)
{
    if (server->process != NULL)
        harness_fail("stop nats-server before its store is wiped");
    harness_path store = harness_path_in(&server->folder, "store");
    harness_path_remove(&store);
}

void harness_nats_pause(harness_nats *server)
{
    harness_process_pause(running(server));
}

void harness_nats_resume(harness_nats *server)
{
    harness_process_resume(running(server));
}
