#include "harness/folder.h"

#include "harness/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REMOVE_FDS 16

static char root[64]; /* empty until the first folder */
static int folder_count;

/* Reads until the test program is gone, however it went, then removes its root. A server that dies at the same moment may
 * still write, hence the repetition. */
static const char *const JANITOR =
    "cat >/dev/null; n=0; while [ $n -lt 50 ]; do rm -rf -- \"$1\" && exit 0; n=$((n+1)); "
    "sleep 0.1; done";

static _Noreturn void become_janitor(int lifeline)
{
    /* Neither a child of the test nor in its session, so that whoever kills the test's family leaves this one alone. */
    if (setsid() < 0 || fork() != 0)
        _exit(0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(lifeline, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        _exit(1);
    execl("/bin/sh", "sh", "-c", JANITOR, "sh", root, (char *)NULL);
    _exit(1);
}

static void start_janitor(void)
{
    int lifeline[2];
    if (pipe2(lifeline, O_CLOEXEC) != 0)
        harness_fail("pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        harness_fail("fork: %s", strerror(errno));
    if (child == 0)
        become_janitor(lifeline[0]);
    close(lifeline[0]); /* the other end stays open until this process ends */
    waitpid(child, NULL, 0);
}

static void make_root(void)
{
    const char *base = getenv("TMPDIR");
    int length = snprintf(root, sizeof(root), "%s/proofline-XXXXXX", base != NULL ? base : "/tmp");
    if (length >= (int)sizeof(root)) /* too long for Unix sockets inside it */
        snprintf(root, sizeof(root), "/tmp/proofline-XXXXXX");
    if (mkdtemp(root) == NULL || chmod(root, 0711) != 0)
        harness_fail("make %s: %s", root, strerror(errno));
    if (getenv("HARNESS_KEEP") == NULL)
        start_janitor();
    else
        fprintf(stderr, "folders are kept in %s\n", root);
}

harness_path harness_folder_new(const char *name)
{
    if (root[0] == '\0')
        make_root();
    harness_path path;
    int length = snprintf(path.text, sizeof(path.text), "%s/%s-%d", root, name, ++folder_count);
    if (length >= (int)sizeof(path.text))
        harness_fail("the folder name %s is too long", name);
    if (mkdir(path.text, 0755) != 0)
        harness_fail("make %s: %s", path.text, strerror(errno));
    return path;
}

harness_path harness_path_in(const harness_path *folder, const char *name)
{
    harness_path path;
    int length = snprintf(path.text, sizeof(path.text), "%s/%s", folder->text, name);
    if (length >= (int)sizeof(path.text))
        harness_fail("the path %s/%s is too long", folder->text, name);
    return path;
}

void harness_file_write(const harness_path *path, const char *text)
{
    FILE *file = fopen(path->text, "we");
    if (file == NULL)
        harness_fail("write %s: %s", path->text, strerror(errno));
    bool written = fputs(text, file) >= 0;
    if (fclose(file) != 0 || !written)
        harness_fail("write %s: %s", path->text, strerror(errno));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void harness_path_remove(const harness_path *path)
{
    if (nftw(path->text, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        harness_fail("remove %s: %s", path->text, strerror(errno));
}
