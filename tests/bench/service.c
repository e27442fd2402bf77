#include "service.h"

#include "harness/http.h"
#include "harness/wait.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define READY_MS      30000
#define STOP_MS       30000
#define TAIL_MAX      2000 /* bytes of its log that a failure shows */
#define HTTP_OK       200
#define HTTP_PORT_KEY "\"http_port\":"

static _Noreturn void give_up(harness_process *process, const char *name, const char *what)
{
    BASE_CLEANUP(free) char *log = harness_process_errors(process);
    size_t size = strlen(log);
    harness_fail("%s %s; its log ends:\n%s", name, what, size > TAIL_MAX ? log + size - TAIL_MAX : log);
}

static bool is_ready(void *port)
{
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(*(uint16_t *)port, "/readyz");
    return reply.status == HTTP_OK;
}

harness_process *bench_service_start(const char *name, const char *const *environment)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", BINARY_DIR, name);
    const char *argv[] = {path, NULL};
    harness_process *process =
        harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(process, "service_started", READY_MS);
    const char *key = line != NULL ? strstr(line, HTTP_PORT_KEY) : NULL;
    if (key == NULL)
        give_up(process, name, "did not start");
    uint16_t port = (uint16_t)strtoul(key + strlen(HTTP_PORT_KEY), NULL, 10);
    if (!harness_wait_until(is_ready, &port, READY_MS)) {
        BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(port, "/readyz");
        fprintf(stderr, "%s says: %s\n", name, reply.status != 0 ? reply.body : "nothing");
        give_up(process, name, "did not become ready");
    }
    return process;
}

void bench_service_stop(harness_process *process, const char *name)
{
    harness_process_signal(process, SIGTERM);
    if (harness_process_wait(process, STOP_MS) != 0)
        give_up(process, name, "did not stop in order");
}

void bench_service_check(harness_process *process, const char *name)
{
    if (!harness_process_running(process))
        give_up(process, name, "ended");
}
