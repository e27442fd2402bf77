#include "metrics_private.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_MAX      16384
#define START_FIELD   22 /* of /proc/self/stat (proc(5)): start time in clock ticks after boot */
#define NAME_FIELD    2  /* the last one that may hold blanks; it ends with the last ')' */
#define DOTS_AND_SELF 3  /* entries of /proc/self/fd that are ".", ".." and the listing itself */

static base_code write_one(const char *name, const char *help, const char *kind, double value, base_buffer *ret,
                           base_error *err)
{
    return base_buffer_printf(ret, err, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, kind, name, value);
}

static bool read_file(const char *path, char *ret, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t used = fread(ret, 1, size - 1, file);
    ret[used] = '\0';
    fclose(file);
    return used > 0;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static bool resident_bytes(double *ret)
{
    char text[256];
    if (!read_file("/proc/self/statm", text, sizeof(text)))
        return false;
    const char *resident = strchr(text, ' '); /* the second number, in pages (proc(5)) */
    if (resident == NULL)
        return false;
    *ret = strtod(resident, NULL) * (double)sysconf(_SC_PAGESIZE);
    return true;
}

static bool open_fds(double *ret)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return false;
    int count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    *ret = count - DOTS_AND_SELF;
    return true;
}

static bool start_time(double *ret)
{
    char text[FILE_MAX];
    if (!read_file("/proc/self/stat", text, sizeof(text)))
        return false;
    const char *p = strrchr(text, ')');
    for (int field = NAME_FIELD; p != NULL && field < START_FIELD; field++)
        p = strchr(p + 1, ' ');
    if (p == NULL)
        return false;
    double ticks = strtod(p + 1, NULL);
    if (!read_file("/proc/stat", text, sizeof(text)))
        return false;
    const char *boot = strstr(text, "btime ");
    if (boot == NULL)
        return false;
    *ret = strtod(boot + strlen("btime "), NULL) + ticks / (double)sysconf(_SC_CLK_TCK);
    return true;
}

base_code process_metrics_render(base_buffer *ret, base_error *err)
{
    base_code code =
        write_one("process_cpu_seconds_total", "User and system CPU time spent.", "counter", cpu_seconds(), ret, err);
    double value;
    if (code == BASE_OK && resident_bytes(&value))
        code = write_one("process_resident_memory_bytes", "Resident memory.", "gauge", value, ret, err);
    if (code == BASE_OK && open_fds(&value))
        code = write_one("process_open_fds", "Open file descriptors.", "gauge", value, ret, err);
    if (code == BASE_OK && start_time(&value))
        code = write_one("process_start_time_seconds", "Start of the process, seconds since 1970.", "gauge", value, ret,
                         err);
    return code;
}
