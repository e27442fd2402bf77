#include "replica.h"

#include "base/clock.h"
#include "harness/wait.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define READY_LINE "service_started"

void replica_set(replica *r, const char *format, ...)
{
    if (r->setting_count == REPLICA_SETTINGS_MAX)
        harness_fail("%s has over %d settings", r->name, REPLICA_SETTINGS_MAX);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(r->settings[r->setting_count++], REPLICA_SETTING_MAX, format, args);
    va_end(args);
    if (length >= REPLICA_SETTING_MAX)
        harness_fail("a setting of %s is longer than %d characters", r->name, REPLICA_SETTING_MAX);
}

void replica_start(replica *r)
{
    const char *environment[REPLICA_SETTINGS_MAX + 1] = {0};
    for (size_t i = 0; i < r->setting_count; i++)
        environment[i] = r->settings[i];
    r->held = false;
    if (r->process != NULL)
        return;
    const char *const argv[] = {r->program, NULL};
    r->process = harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
    r->stop_by_ms = 0;
    r->starts++;
}

static bool has_report(const char *text)
{
    static const char *const MARKS[] = {"WARNING: ThreadSanitizer", "ERROR: AddressSanitizer", "runtime error: "};
    for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++) {
        const char *found = strstr(text, MARKS[i]);
        if (found != NULL) {
            printf("violation: a sanitizer's report:\n%.2000s\n", found);
            return true;
        }
    }
    return false;
}

/* Puts what it logged in this life behind that of its earlier ones. */
static void keep_log(replica *r)
{
    BASE_CLEANUP(free) char *text = harness_process_errors(r->process);
    r->reports += has_report(text);
    FILE *file = fopen(r->log.text, "ae");
    if (file == NULL)
        harness_fail("cannot write %s", r->log.text);
    fprintf(file, "--- %s, process %d\n%s", r->name, (int)harness_process_pid(r->process), text);
    fclose(file);
}

static void bury(replica *r)
{
    if (harness_process_running(r->process)) {
        harness_process_signal(r->process, SIGKILL);
        (void)harness_process_wait(r->process, HARNESS_START_MS);
    }
    keep_log(r);
    harness_process_free(r->process);
    r->process = NULL;
    r->stop_by_ms = 0;
}

void replica_kill(replica *r)
{
    r->held = true;
    if (r->process == NULL)
        return;
    bury(r);
    r->kills++;
}

void replica_pause(replica *r)
{
    if (r->process == NULL || r->stop_by_ms != 0) /* its time to stop is running */
        return;
    harness_process_signal(r->process, SIGSTOP);
    r->pauses++;
}

void replica_resume(replica *r)
{
    if (r->process != NULL)
        harness_process_signal(r->process, SIGCONT);
}

void replica_stop(replica *r)
{
    if (r->process == NULL || r->stop_by_ms != 0)
        return;
    harness_process_signal(r->process, SIGTERM);
    r->stop_by_ms = base_monotonic_ms() + REPLICA_GRACE_S * 1000 + REPLICA_OVERTIME_MS;
    r->stops++;
}

/* The last lines say best why it ended. */
static void print_end(const replica *r, const char *what, int code)
{
    BASE_CLEANUP(free) char *text = harness_process_errors(r->process);
    size_t length = strlen(text);
    printf("violation: %s %s (exit code %d); its last words:\n%s\n", r->name, what, code,
           length > 2000 ? text + length - 2000 : text);
}

/* Struck in the first milliseconds, before it had a handler: a process with nothing in hand ends by the signal, as any does. */
static bool had_not_begun(const replica *r)
{
    BASE_CLEANUP(free) char *text = harness_process_errors(r->process);
    return text[0] == '\0';
}

static size_t judge_end(replica *r)
{
    int code = harness_process_wait(r->process, 0);
    bool asked = r->stop_by_ms != 0;
    if (asked && code == EXIT_FAILURE) /* out of grace: it said so and left */
        r->forced_stops++;
    if (asked && (code == EXIT_SUCCESS || code == EXIT_FAILURE))
        return 0;
    if (asked && code == 128 + SIGTERM && had_not_begun(r))
        return 0;
    print_end(r, asked ? "did not stop in order" : "ended by itself", code);
    return 1;
}

size_t replica_tend(replica *r)
{
    if (r->held || r->process == NULL)
        return 0;
    size_t violations = 0;
    if (!harness_process_running(r->process)) {
        violations = judge_end(r);
    } else if (r->stop_by_ms == 0 || base_monotonic_ms() < r->stop_by_ms) {
        return 0;
    } else {
        print_end(r, "does not stop", -1);
        violations = 1;
    }
    bury(r);
    replica_start(r);
    return violations;
}

bool replica_wait_ready(replica *r, int64_t deadline_ms)
{
    BASE_CLEANUP(free) char *line = harness_process_wait_line(r->process, READY_LINE, deadline_ms);
    return line != NULL;
}

bool replica_end(replica *r)
{
    if (r->process == NULL)
        return true;
    harness_process_signal(r->process, SIGTERM);
    int code = harness_process_wait(r->process, REPLICA_GRACE_S * 1000 + REPLICA_OVERTIME_MS);
    if (code != EXIT_SUCCESS)
        print_end(r, "did not stop in order at the end", code);
    bury(r);
    return code == EXIT_SUCCESS;
}

void replica_done(replica *r)
{
    if (r->process != NULL)
        bury(r);
}
