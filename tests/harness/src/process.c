#include "harness/process.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "harness/folder.h"
#include "harness/wait.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define OUTPUT_MAX (256u * 1024 * 1024) /* bytes of one stream that a test may read back */

/* One output file. `from` is where waits begin to look. */
typedef struct stream {
    int fd;
    off_t from;
} stream;

struct harness_process {
    pid_t pid;
    int pidfd;
    int notify;
    bool reaped, dumped_core;
    int exit_code;
    stream out, err;
};

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return length == strcspn(b, "=") && memcmp(a, b, length) == 0;
}

/* Our environment with `changes` applied. The array is owned by the caller, its strings are borrowed. */
static const char **merge_environment(const char *const *changes)
{
    static const char *const NONE[] = {NULL};
    if (changes == NULL)
        changes = NONE;
    size_t count = 0;
    for (char **e = environ; *e != NULL; e++)
        count++;
    for (const char *const *c = changes; *c != NULL; c++)
        count++;
    const char **merged = calloc(count + 1, sizeof(*merged));
    if (merged == NULL)
        harness_fail("out of memory");
    size_t used = 0;
    for (char **e = environ; *e != NULL; e++) {
        const char *const *c = changes;
        while (*c != NULL && !same_name(*e, *c))
            c++;
        if (*c == NULL)
            merged[used++] = *e;
    }
    for (const char *const *c = changes; *c != NULL; c++) {
        if (strchr(*c, '=') != NULL)
            merged[used++] = *c;
    }
    return merged;
}

/* What the child needs, made ready before the fork: after it only async-signal-safe calls are allowed. */
typedef struct start_plan {
    const harness_process_options *options;
    const char **environment;
    int in, out, err;
    pid_t parent;
} start_plan;

static _Noreturn void become_program(const start_plan *plan)
{
    const harness_process_options *options = plan->options;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    bool ready =
        dup2(plan->in, STDIN_FILENO) >= 0 && dup2(plan->out, STDOUT_FILENO) >= 0 && dup2(plan->err, STDERR_FILENO) >= 0;
    if (ready && options->uid != 0)
        ready = setgroups(0, NULL) == 0 && setresgid(options->gid, options->gid, options->gid) == 0 &&
                setresuid(options->uid, options->uid, options->uid) == 0;
    /* After the change of user, which would clear it. */
    int signal = options->death_signal != 0 ? options->death_signal : SIGKILL;
    if (!ready || prctl(PR_SET_PDEATHSIG, signal) != 0 || getppid() != plan->parent)
        _exit(126);
    execvpe(options->argv[0], (char *const *)options->argv, (char *const *)plan->environment);
    static const char MESSAGE[] = "harness: the program cannot be run\n";
    (void)!write(STDERR_FILENO, MESSAGE, sizeof(MESSAGE) - 1);
    _exit(127);
}

static stream open_stream(const harness_path *path, int notify)
{
    stream opened = {.fd = open(path->text, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)};
    if (opened.fd < 0 || inotify_add_watch(notify, path->text, IN_MODIFY) < 0)
        harness_fail("open %s: %s", path->text, strerror(errno));
    return opened;
}

static int open_input(const char *path)
{
    int fd = open(path != NULL ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        harness_fail("open %s: %s", path, strerror(errno));
    return fd;
}

harness_process *harness_process_new(const harness_process_options *options)
{
    harness_process *process = calloc(1, sizeof(*process));
    if (process == NULL)
        harness_fail("out of memory");
    harness_path folder = harness_folder_new("process");
    harness_path out = harness_path_in(&folder, "stdout");
    harness_path err = harness_path_in(&folder, "stderr");
    process->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    process->out = open_stream(&out, process->notify);
    process->err = open_stream(&err, process->notify);
    BASE_CLEANUP(base_close) int in = open_input(options->input);
    BASE_CLEANUP(free) const char **environment = merge_environment(options->environment);
    start_plan plan = {.options = options,
                       .environment = environment,
                       .in = in,
                       .out = process->out.fd,
                       .err = process->err.fd,
                       .parent = getpid()};
    process->pid = fork();
    if (process->pid == 0)
        become_program(&plan);
    if (process->pid < 0)
        harness_fail("fork: %s", strerror(errno));
    process->pidfd = pidfd_open(process->pid, 0);
    if (process->pidfd < 0)
        harness_fail("pidfd_open: %s", strerror(errno));
    return process;
}

void harness_process_free(harness_process *process)
{
    if (process == NULL)
        return;
    if (harness_process_running(process)) {
        harness_process_signal(process, SIGKILL);
        harness_process_wait(process, HARNESS_START_MS);
    }
    close(process->pidfd);
    close(process->notify);
    close(process->out.fd);
    close(process->err.fd);
    free(process);
}

void harness_process_stop(harness_process *process, int64_t deadline_ms)
{
    if (process != NULL && harness_process_running(process)) {
        harness_process_signal(process, SIGTERM);
        int code = harness_process_wait(process, deadline_ms);
        if (code != 0) {
            BASE_CLEANUP(free) char *errors = harness_process_errors(process);
            harness_fail("process %d ended with %d when asked to stop: %s", (int)process->pid, code, errors);
        }
    }
    harness_process_free(process);
}

pid_t harness_process_pid(const harness_process *process)
{
    return process->pid;
}

bool harness_process_running(harness_process *process)
{
    if (process->reaped)
        return false;
    int status;
    pid_t ended = waitpid(process->pid, &status, WNOHANG);
    if (ended == 0)
        return true;
    if (ended < 0)
        harness_fail("waitpid %d: %s", (int)process->pid, strerror(errno));
    process->reaped = true;
    process->dumped_core = WIFSIGNALED(status) && WCOREDUMP(status);
    process->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return false;
}

void harness_process_signal(harness_process *process, int signal)
{
    /* A zombie still holds its pid, so this can hit nobody else. */
    if (!process->reaped && kill(process->pid, signal) != 0)
        harness_fail("kill %d: %s", (int)process->pid, strerror(errno));
}

void harness_process_pause(harness_process *process)
{
    harness_process_signal(process, SIGSTOP);
    harness_process_wait_paused(process);
}

void harness_process_wait_paused(harness_process *process)
{
    siginfo_t info;
    /* The signal takes its time; the report of the stop comes after the last thread. */
    while (waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WEXITED | WNOWAIT) != 0) {
        if (errno != EINTR)
            harness_fail("waitid %d: %s", (int)process->pid, strerror(errno));
    }
    if (info.si_code != CLD_STOPPED)
        harness_fail("process %d ended instead of pausing", (int)process->pid);
    waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG); /* takes the report back */
}

void harness_process_resume(harness_process *process)
{
    harness_process_signal(process, SIGCONT);
}

bool harness_process_dumped_core(const harness_process *process)
{
    return process->dumped_core;
}

int harness_process_wait(harness_process *process, int64_t deadline_ms)
{
    int64_t until = base_monotonic_ms() + deadline_ms;
    while (harness_process_running(process)) {
        if (!watch_next(-1, process->pidfd, until))
            return -1;
    }
    return process->exit_code;
}

static off_t stream_size(const stream *source)
{
    struct stat info;
    if (fstat(source->fd, &info) != 0)
        harness_fail("fstat: %s", strerror(errno));
    return info.st_size;
}

/* The bytes from `from` to the end, NUL-terminated, and their count. */
static char *stream_read(const stream *source, off_t from, size_t *ret_size)
{
    off_t size = stream_size(source) - from;
    if (size < 0 || size > (off_t)OUTPUT_MAX)
        harness_fail("%lld bytes of output are too many", (long long)size);
    char *text = malloc((size_t)size + 1);
    if (text == NULL)
        harness_fail("out of memory");
    size_t used = 0;
    while (used < (size_t)size) {
        ssize_t got = pread(source->fd, text + used, (size_t)size - used, from + (off_t)used);
        if (got <= 0)
            harness_fail("read output: %s", strerror(errno));
        used += (size_t)got;
    }
    text[used] = '\0';
    if (ret_size != NULL)
        *ret_size = used;
    return text;
}

/* The first whole line with `part` in it at or after *from, or NULL; *from moves behind the whole lines seen. */
static char *find_line(const stream *source, off_t *from, const char *part)
{
    size_t size;
    BASE_CLEANUP(free) char *text = stream_read(source, *from, &size);
    char *line = text;
    for (char *end; (end = memchr(line, '\n', size - (size_t)(line - text))) != NULL; line = end + 1) {
        if (memmem(line, (size_t)(end - line), part, strlen(part)) != NULL)
            return strndup(line, (size_t)(end - line));
    }
    *from += line - text;
    return NULL;
}

char *harness_process_wait_line(harness_process *process, const char *part, int64_t deadline_ms)
{
    int64_t until = base_monotonic_ms() + deadline_ms;
    off_t out = process->out.from;
    off_t err = process->err.from;
    for (;;) {
        bool running = harness_process_running(process); /* asked first: what it wrote before its end is still seen */
        char *line = find_line(&process->out, &out, part);
        if (line == NULL)
            line = find_line(&process->err, &err, part);
        if (line != NULL || !running)
            return line;
        if (!watch_next(process->notify, process->pidfd, until))
            return NULL;
    }
}

void harness_process_mark(harness_process *process)
{
    process->out.from = stream_size(&process->out);
    process->err.from = stream_size(&process->err);
}

char *harness_process_output(const harness_process *process)
{
    return stream_read(&process->out, 0, NULL);
}

char *harness_process_errors(const harness_process *process)
{
    return stream_read(&process->err, 0, NULL);
}

int harness_run(const char *const *argv, const char *const *environment, int64_t deadline_ms, char **ret_output,
                char **ret_errors)
{
    BASE_CLEANUP(harness_process_free)
    harness_process *process =
        harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
    int code = harness_process_wait(process, deadline_ms);
    if (ret_output != NULL)
        *ret_output = harness_process_output(process);
    if (ret_errors != NULL)
        *ret_errors = harness_process_errors(process);
    return code;
}
