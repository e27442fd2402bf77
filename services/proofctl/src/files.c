#include "files.h"

#include "base/hex.h"
#include "evidence/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { READ_CHUNK = 65536, OWNER_ONLY = 0600, EVERYONE = 0666 };

base_code ctl_stdin_read(base_buffer *ret, base_error *err)
{
    char chunk[READ_CHUNK];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return base_fail(err, BASE_INTERNAL, "standard input: %s", strerror(errno));
        if (got == 0)
            return BASE_OK;
        base_code code = base_buffer_append(ret, base_bytes_of(chunk, (size_t)got), err);
        if (code != BASE_OK)
            return code == BASE_LIMIT
                       ? base_fail(err, code, "standard input is longer than the %zu bytes allowed", ret->limit)
                       : code;
    }
}

static base_code write_all(int fd, const char *name, base_bytes data, base_error *err)
{
    for (size_t done = 0; done < data.size;) {
        ssize_t written = write(fd, data.data + done, data.size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return base_fail(err, BASE_INTERNAL, "%s: %s", name, strerror(errno));
        done += (size_t)written;
    }
    return BASE_OK;
}

static base_code write_and_close(int fd, const char *path, base_bytes data, base_error *err)
{
    base_code code = write_all(fd, path, data, err);
    if (close(fd) != 0 && code == BASE_OK)
        return base_fail(err, BASE_INTERNAL, "%s: %s", path, strerror(errno));
    return code;
}

base_code ctl_file_create_private(const char *path, base_bytes data, base_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OWNER_ONLY);
    if (fd < 0 && errno == EEXIST)
        return base_fail(err, BASE_CONFLICT, "%s exists and is not overwritten: name another file or remove it", path);
    if (fd < 0)
        return base_fail(err, BASE_DENIED, "%s cannot be created: %s", path, strerror(errno));
    base_code code = write_and_close(fd, path, data, err);
    if (code != BASE_OK)
        unlink(path); /* half a key is of no use to anyone */
    return code;
}

base_code ctl_file_write(const char *path, base_bytes data, base_error *err)
{
    if (path == NULL && isatty(STDOUT_FILENO) != 0)
        return base_fail(err, BASE_INVALID, "the output is binary and goes to a terminal: redirect it or name a file");
    if (path == NULL)
        return write_all(STDOUT_FILENO, "standard output", data, err);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, EVERYONE);
    if (fd < 0)
        return base_fail(err, BASE_DENIED, "%s cannot be written: %s", path, strerror(errno));
    return write_and_close(fd, path, data, err);
}

base_code ctl_sha256_of_file(const char *path, base_sha256 *ret, base_error *err)
{
    evidence_witness ignored;
    return evidence_witness_file(path, ret, &ignored, err);
}

base_code ctl_sha256_of_operand(const char *operand, base_sha256 *ret, base_error *err)
{
    if (base_hex_decode("SHA256", operand, ret->bytes, sizeof(ret->bytes), NULL) == BASE_OK)
        return BASE_OK;
    base_code code = ctl_sha256_of_file(operand, ret, err);
    return code == BASE_NOT_FOUND
               ? base_fail(err, code, "\"%.120s\" is neither a SHA-256 in hex nor a file that exists", operand)
               : code;
}
