#pragma once
/* Child processes of a test: started, watched line by line, ended by pid. None survives the test program.
 *
 * A child dies with the *thread* that started it, so start children from the thread that runs the tests. */
#include "base/own.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct harness_process harness_process;

typedef struct harness_process_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH when it has no slash */
    const char *const
        *environment;  /* NULL-terminated "NAME=value", added to ours; "NAME" alone removes it; may be NULL */
    const char *input; /* path of a file for stdin; NULL: /dev/null */
    uid_t uid;         /* 0: our own; only root may set it */
    gid_t gid;
    int death_signal; /* sent when the test dies; 0: SIGKILL */
} harness_process_options;

/* Starts a program; fails the test when it cannot. stdout and stderr go to files. Everything in options is borrowed for
 * the call. The caller owns the result. */
harness_process *harness_process_new(const harness_process_options *options);
/* Kills it if it still runs, and reaps it. NULL is a no-op. */
void harness_process_free(harness_process *process);
BASE_CLEANUP_POINTER(harness_process, harness_process_free);
/* Asks it to end (SIGTERM), waits, and frees it. Fails the test when it does not end by exit code 0 in deadline_ms; one that had
 * ended before may have ended in any way. NULL is a no-op. */
void harness_process_stop(harness_process *process, int64_t deadline_ms);

pid_t harness_process_pid(const harness_process *process);
bool harness_process_running(harness_process *process);
void harness_process_signal(harness_process *process, int signal);

/* Stops all its threads where they are (SIGSTOP), and returns once they stand still; goes on (SIGCONT). */
void harness_process_pause(harness_process *process);
void harness_process_resume(harness_process *process);
/* Returns once it stands still by a SIGSTOP of its own. */
void harness_process_wait_paused(harness_process *process);

/* Waits for a whole line with `part` in it on stdout or stderr, since the start or the last mark. The caller frees the
 * line. NULL when the process ended without saying it or deadline_ms passed. */
char *harness_process_wait_line(harness_process *process, const char *part, int64_t deadline_ms);
/* Later waits see only what is written from now on. */
void harness_process_mark(harness_process *process);

/* Waits for the end. The exit code; 128 + signal when one killed it; -1 when it still runs after deadline_ms. */
int harness_process_wait(harness_process *process, int64_t deadline_ms);

/* Whether a signal ended it and the kernel wrote a core dump. */
bool harness_process_dumped_core(const harness_process *process);

/* All of stdout or stderr so far, NUL-terminated; the caller frees it. */
char *harness_process_output(const harness_process *process);
char *harness_process_errors(const harness_process *process);

/* Runs a program to its end. Returns as harness_process_wait and kills it at the deadline. ret_output and ret_errors may
 * be NULL; else the caller frees them. */
int harness_run(const char *const *argv, const char *const *environment, int64_t deadline_ms, char **ret_output,
                char **ret_errors);
