#include "readiness.h"

#include "harness/http.h"
#include "harness/wait.h"
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#define PORT_FIELD "\"http_port\":"

typedef struct expectation {
    uint16_t port;
    int status;
    const char *part;
} expectation;

uint16_t readiness_port(harness_process *service)
{
    BASE_CLEANUP(free) char *line = harness_process_wait_line(service, "service_started", PIPELINE_WAIT_MS);
    const char *field = line == NULL ? NULL : strstr(line, PORT_FIELD);
    if (field == NULL)
        harness_fail("the service does not say where it answers: %s", line == NULL ? "" : line);
    return (uint16_t)strtoul(field + strlen(PORT_FIELD), NULL, 10);
}

static bool answers_so(void *ctx)
{
    const expectation *wanted = ctx;
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(wanted->port, "/readyz");
    return reply.status == wanted->status && (wanted->part == NULL || strstr(reply.body, wanted->part) != NULL);
}

bool readiness_comes(uint16_t port, int status, const char *part, int64_t deadline_ms)
{
    expectation wanted = {port, status, part};
    return harness_wait_until(answers_so, &wanted, deadline_ms);
}

void readiness_wait(uint16_t port, int status, const char *part)
{
    if (readiness_comes(port, status, part, PIPELINE_WAIT_MS))
        return;
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(port, "/readyz");
    harness_fail("/readyz answers %d: %s; not %d with %s", reply.status, reply.body == NULL ? "" : reply.body, status,
                 part == NULL ? "anything" : part);
}
