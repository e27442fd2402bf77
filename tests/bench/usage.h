#pragma once
/* What processes have used, read from /proc. */
#include <sys/types.h>

/* Seconds of CPU, user and system, of one process with all its threads and its ended, awaited children. */
double bench_cpu_of_process(pid_t pid);
/* The same with its living children: for Postgres, which has a process per session. */
double bench_cpu_of_family(pid_t pid);
/* Seconds that all CPUs together have been busy since the machine started. */
double bench_cpu_of_machine(void);
/* Greatest resident memory so far, in MB of 10^6 bytes (VmHWM). */
double bench_peak_resident_mb(pid_t pid);
