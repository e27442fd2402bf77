#include "usage.h"

#include "harness/wait.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

typedef struct process_times {
    pid_t parent;
    unsigned long long own, awaited; /* clock ticks */
} process_times;

/* False: no such process (any more). */
static bool read_times(pid_t pid, process_times *ret)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char line[LINE_MAX_BYTES];
    const char *end = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
    fclose(file);
    unsigned long long user, system;
    long long awaited_user, awaited_system;
    int parent;
    /* After the name: state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime. */
    if (end == NULL || sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld", &parent,
                              &user, &system, &awaited_user, &awaited_system) != 5)
        return false;
    *ret = (process_times){parent, user + system, (unsigned long long)(awaited_user + awaited_system)};
    return true;
}

static double seconds(unsigned long long ticks)
{
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

double bench_cpu_of_process(pid_t pid)
{
    process_times times;
    if (!read_times(pid, &times))
        harness_fail("process %d is gone", (int)pid);
    return seconds(times.own + times.awaited);
}

double bench_cpu_of_family(pid_t pid)
{
    double sum = bench_cpu_of_process(pid);
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        harness_fail("/proc cannot be read");
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        process_times times;
        pid_t child = (pid_t)strtol(entry->d_name, NULL, 10);
        if (child > 0 && read_times(child, &times) && times.parent == pid)
            sum += seconds(times.own + times.awaited);
    }
    closedir(folder);
    return sum;
}

double bench_cpu_of_machine(void)
{
    FILE *file = fopen("/proc/stat", "re");
    unsigned long long user, nice, system, irq, softirq;
    if (file == NULL ||
        fscanf(file, "cpu %llu %llu %llu %*u %*u %llu %llu", &user, &nice, &system, &irq, &softirq) != 5)
        harness_fail("/proc/stat cannot be read");
    fclose(file);
    return seconds(user + nice + system + irq + softirq);
}

double bench_peak_resident_mb(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        harness_fail("process %d is gone", (int)pid);
    char line[LINE_MAX_BYTES];
    long long kib = -1;
    while (kib < 0 && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "VmHWM: %lld kB", &kib) != 1)
            kib = -1;
    fclose(file);
    if (kib < 0)
        harness_fail("%s has no VmHWM", path);
    return (double)kib * 1024 / 1e6;
}
