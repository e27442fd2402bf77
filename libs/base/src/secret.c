#include "base/secret.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

base_code base_secret_copy(base_bytes value, base_secret *ret, base_error *err)
{
    if (value.size > BASE_SECRET_MAX)
        return base_fail(err, BASE_LIMIT, "a secret may have at most %d bytes", BASE_SECRET_MAX);
    if (sodium_init() < 0) /* harmless when repeated; without it sodium_malloc aborts */
        return base_fail(err, BASE_INTERNAL, "libsodium cannot start");
    char *data = sodium_malloc(value.size + 1);
    if (data == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no locked memory for a secret: raise `ulimit -l`");
    if (value.size > 0)
        memcpy(data, value.data, value.size);
    data[value.size] = '\0';
    *ret = (base_secret){data, value.size};
    return BASE_OK;
}

/* Files that end in a line break are what editors and `kubectl create secret --from-file` make. */
static size_t without_line_break(const base_secret *file)
{
    size_t size = file->size;
    while (size > 0 && (file->data[size - 1] == '\n' || file->data[size - 1] == '\r'))
        size--;
    return size;
}

/* Straight into locked memory, so that no other copy is ever made. BASE_LIMIT when the file fills `room`. */
static base_code read_into(const char *path, base_secret *room, base_error *err)
{
    BASE_CLEANUP(base_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        base_code code = errno == ENOENT ? BASE_NOT_FOUND : errno == EACCES ? BASE_DENIED : BASE_INTERNAL;
        return base_fail(err, code, "cannot open %s: %s", path, strerror(errno));
    }
    for (size_t size = 0; size < room->size;) {
        ssize_t count = read(fd, room->data + size, room->size - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return base_fail(err, BASE_INTERNAL, "cannot read %s: %s", path, strerror(errno));
        if (count == 0) {
            room->size = size;
            return BASE_OK;
        }
        size += (size_t)count;
    }
    return base_fail(err, BASE_LIMIT, "cannot read %s: more than the maximum of %d bytes", path, BASE_SECRET_MAX);
}

base_code base_secret_read(const char *path, base_secret *ret, base_error *err)
{
    BASE_CLEANUP(base_secret_done) base_secret file = {.size = BASE_SECRET_MAX + 1};
    if (sodium_init() < 0 || (file.data = sodium_malloc(file.size)) == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no locked memory for a secret: raise `ulimit -l`");
    base_code code = read_into(path, &file, err);
    if (code == BASE_OK)
        code = base_secret_copy(base_bytes_of(file.data, without_line_break(&file)), ret, err);
    return code;
}

void base_secret_done(base_secret *secret)
{
    if (secret == NULL)
        return;
    sodium_free(secret->data);
    *secret = (base_secret){0};
}

void base_wipe(void *data, size_t size)
{
    sodium_memzero(data, size);
}

base_code base_process_harden(base_error *err)
{
    if (sodium_init() < 0)
        return base_fail(err, BASE_INTERNAL, "libsodium cannot start");
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return base_fail(err, BASE_INTERNAL, "cannot turn core dumps off: %s", strerror(errno));
    return BASE_OK;
}
