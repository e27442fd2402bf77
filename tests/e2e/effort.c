#include "effort.h"

#include "harness/wait.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool tells_of_work(const char *line)
{
    static const char *const events[] = {"\"proof_generated\"", "\"proof_published\"", "\"transaction_final\""};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (strstr(line, events[i]) != NULL)
            return true;
    return false;
}

static size_t count_lines(const harness_process *service)
{
    BASE_CLEANUP(free) char *errors = harness_process_errors(service);
    char *rest = NULL;
    size_t lines = 0;
    for (const char *line = strtok_r(errors, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        lines += !tells_of_work(line);
    return lines;
}

static int64_t read_cpu_ms(const harness_process *service)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)harness_process_pid(service));
    FILE *file = fopen(path, "re");
    if (file == NULL)
        harness_fail("%s cannot be read: the service has ended", path);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    const char *at = strrchr(text, ')'); /* fields 14 and 15, of which the second ends with this bracket */
    for (int field = 2; field < 14 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    assert_non_null(at);
    char *rest = NULL;
    uint64_t ticks = strtoull(at, &rest, 10);
    ticks += strtoull(rest, NULL, 10);
    return (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

effort effort_read(const harness_process *service)
{
    return (effort){count_lines(service), read_cpu_ms(service)};
}

effort effort_since(const effort *before, const harness_process *service, const char *name)
{
    effort now = effort_read(service);
    effort spent = {now.lines - before->lines, now.cpu_ms - before->cpu_ms};
    print_message("%s: %zu lines, %" PRId64 " ms of processor time\n", name, spent.lines, spent.cpu_ms);
    return spent;
}
