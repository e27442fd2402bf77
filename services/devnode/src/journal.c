#include "devnode/journal.h"

#include "journal_line.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

struct journal {
    int fd;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a sync has ended */
    int64_t size;
    int64_t synced; /* bytes that are on disk */
    bool syncing;   /* a caller is at it, without the lock */
    bool broken;    /* a failed write could not be undone, or a sync failed: the file must not grow any more */
    base_buffer line;
};

static base_code os_failed(base_error *err, const char *what)
{
    return base_fail(err, BASE_INTERNAL, "cannot %s the state: %s", what, strerror(errno));
}

static base_code write_all(int fd, base_bytes data, base_error *err)
{
    for (size_t done = 0; done < data.size;) {
        ssize_t wrote = write(fd, data.data + done, data.size - done);
        if (wrote < 0 && errno != EINTR)
            return os_failed(err, "write");
        if (wrote > 0)
            done += (size_t)wrote;
    }
    return BASE_OK;
}

/* Adds j->line, or leaves the file as it was. */
static base_code append_line(journal *j, base_error *err)
{
    if (j->broken)
        return base_fail(err, BASE_INTERNAL, "the state could not be written before: restart the node");
    if (j->size + (int64_t)j->line.size > JOURNAL_SIZE_MAX)
        return base_fail(err, BASE_LIMIT, "the state has reached %" PRId64 " bytes: begin a new one", JOURNAL_SIZE_MAX);
    base_code code = write_all(j->fd, base_buffer_view(&j->line), err);
    if (code == BASE_OK)
        j->size += (int64_t)j->line.size;
    else
        j->broken = ftruncate(j->fd, j->size) != 0 || lseek(j->fd, j->size, SEEK_SET) != j->size;
    return code;
}

base_code journal_append(journal *j, const journal_entry *entry, int64_t *ret_position, base_error *err)
{
    pthread_mutex_lock(&j->lock);
    base_buffer_clear(&j->line);
    base_code code = journal_line_write(entry, &j->line, err);
    if (code == BASE_OK)
        code = append_line(j, err);
    if (code == BASE_OK)
        *ret_position = j->size;
    pthread_mutex_unlock(&j->lock);
    return code;
}

/* With the lock, which it lets go while the disk works: whoever comes meanwhile waits and is served by the next sync. */
static base_code sync_all(journal *j, base_error *err)
{
    int64_t reached = j->size;
    j->syncing = true;
    pthread_mutex_unlock(&j->lock);
    base_code code = fdatasync(j->fd) == 0 ? BASE_OK : os_failed(err, "sync");
    pthread_mutex_lock(&j->lock);
    j->syncing = false;
    if (code == BASE_OK)
        j->synced = reached;
    else
        j->broken = true; /* what the kernel still holds of the file is unknown after a failed sync */
    pthread_cond_broadcast(&j->changed);
    return code;
}

base_code journal_sync(journal *j, int64_t position, base_error *err)
{
    base_code code = BASE_OK;
    pthread_mutex_lock(&j->lock);
    if (position == JOURNAL_ALL)
        position = j->size;
    while (code == BASE_OK && j->synced < position) {
        if (j->broken)
            code = base_fail(err, BASE_INTERNAL, "the state could not be written: restart the node");
        else if (j->syncing)
            pthread_cond_wait(&j->changed, &j->lock);
        else
            code = sync_all(j, err);
    }
    pthread_mutex_unlock(&j->lock);
    return code;
}

static base_code replay_line(const char *line, journal_replay *replay, void *ctx, base_error *err)
{
    journal_entry entry;
    base_code code = journal_line_read(line, &entry, err);
    return code == BASE_OK ? replay(ctx, &entry, err) : code;
}

/* Reads the whole lines; j->size ends behind the last of them. */
static base_code replay_all(journal *j, FILE *in, mina_network network, journal_replay *replay, void *ctx,
                            base_error *err)
{
    char line[JOURNAL_LINE_MAX];
    base_code code = BASE_OK;
    for (int64_t number = 1; code == BASE_OK && fgets(line, sizeof(line), in) != NULL; number++) {
        size_t length = strlen(line);
        if (length == 0 || line[length - 1] != '\n') {
            /* A crash cuts the last line short; nobody was told that it counts. */
            return fgetc(in) == EOF ? BASE_OK : base_fail(err, BASE_INVALID, "line %" PRId64 " is too long", number);
        }
        base_error why = {0};
        code = number == 1 ? journal_line_check_header(line, network, &why) : replay_line(line, replay, ctx, &why);
        if (code != BASE_OK)
            return base_fail(err, code, "line %" PRId64 ": %.150s", number, why.message);
        j->size += (int64_t)length;
    }
    if (code == BASE_OK && ferror(in))
        return os_failed(err, "read");
    return code;
}

static base_code replay_file(journal *j, mina_network network, journal_replay *replay, void *ctx, base_error *err)
{
    int copy = dup(j->fd);
    FILE *opened = copy < 0 ? NULL : fdopen(copy, "r");
    if (opened == NULL) {
        base_code code = os_failed(err, "read");
        if (copy >= 0)
            close(copy);
        return code;
    }
    base_code code = replay_all(j, opened, network, replay, ctx, err);
    (void)fclose(opened);
    if (code == BASE_OK && (ftruncate(j->fd, j->size) != 0 || lseek(j->fd, j->size, SEEK_SET) != j->size))
        return os_failed(err, "repair");
    return code;
}

/* A new file's name is on disk only when its folder is. */
static base_code sync_folder(const char *path, base_error *err)
{
    char folder[4096];
    if (strlen(path) >= sizeof(folder))
        return base_fail(err, BASE_LIMIT, "the path of the state is too long");
    memcpy(folder, path, strlen(path) + 1);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    BASE_CLEANUP(base_close) int fd = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? BASE_OK : os_failed(err, "sync the folder of");
}

static base_code open_file(journal *j, const char *path, base_error *err)
{
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return os_failed(err, "open");
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return base_fail(err, BASE_CONFLICT, "another process uses this state");
    return BASE_OK;
}

static base_code begin(journal *j, const char *path, mina_network network, base_error *err)
{
    base_buffer_clear(&j->line);
    base_code code = journal_line_header(network, &j->line, err);
    if (code == BASE_OK)
        code = append_line(j, err);
    if (code == BASE_OK)
        code = journal_sync(j, j->size, err);
    return code == BASE_OK ? sync_folder(path, err) : code;
}

base_code journal_open(const char *path, mina_network network, journal_replay *replay, void *ctx, journal **ret,
                       base_error *err)
{
    journal *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the journal");
    made->fd = -1;
    made->line.limit = JOURNAL_LINE_MAX;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    BASE_CLEANUP(journal_free) journal *j = made;
    base_error why = {0};
    base_code code = open_file(j, path, &why);
    if (code == BASE_OK)
        code = replay_file(j, network, replay, ctx, &why);
    if (code == BASE_OK && j->size == 0)
        code = begin(j, path, network, &why);
    if (code != BASE_OK)
        return base_fail(err, code, "%.60s: %.180s", path, why.message);
    *ret = BASE_TAKE(j);
    return BASE_OK;
}

void journal_free(journal *j)
{
    if (j == NULL)
        return;
    if (j->fd >= 0)
        close(j->fd);
    base_buffer_done(&j->line);
    pthread_cond_destroy(&j->changed);
    pthread_mutex_destroy(&j->lock);
    free(j);
}
