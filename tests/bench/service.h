#pragma once
/* One program of ours as a child process, started and waited for until it says that it is ready. */
#include "harness/process.h"

/* Starts BINARY_DIR/name with `environment` (NULL-terminated "NAME=value") added to ours, waits until it has logged
 * "service_started" and /readyz answers 200. Ends the program otherwise. */
harness_process *bench_service_start(const char *name, const char *const *environment);
/* SIGTERM, and an exit code of 0 within 30 s, or the end of the program. */
void bench_service_stop(harness_process *process, const char *name);
/* Ends the program, with what the process said last, when it is gone. */
void bench_service_check(harness_process *process, const char *name);
