#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST_CAPACITY = 256, READ_CHUNK = 65536 };

bool base_bytes_equal(base_bytes a, base_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

base_digest base_digest_of(base_bytes data)
{
    base_digest digest;
    crypto_generichash(digest.bytes, sizeof(digest.bytes), data.data, data.size, NULL, 0);
    return digest;
}

/* Makes room for `more` bytes and the terminator. */
static base_code reserve(base_buffer *buffer, size_t more, base_error *err)
{
    if (more > buffer->limit - buffer->size)
        return base_fail(err, BASE_LIMIT, "more than the maximum of %zu bytes", buffer->limit);
    size_t needed = buffer->size + more + 1;
    if (needed <= buffer->capacity)
        return BASE_OK;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu bytes", capacity);
    buffer->data = data;
    buffer->capacity = capacity;
    return BASE_OK;
}

base_code base_buffer_append(base_buffer *buffer, base_bytes data, base_error *err)
{
    base_code code = reserve(buffer, data.size, err);
    if (code != BASE_OK)
        return code;
    if (data.size > 0)
        memcpy(buffer->data + buffer->size, data.data, data.size);
    buffer->size += data.size;
    buffer->data[buffer->size] = '\0';
    return BASE_OK;
}

base_code base_buffer_printf(base_buffer *buffer, base_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    base_code code =
        length < 0 ? base_fail(err, BASE_INTERNAL, "cannot format text") : reserve(buffer, (size_t)length, err);
    if (code == BASE_OK) {
        vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
    return code;
}

void base_buffer_clear(base_buffer *buffer)
{
    buffer->size = 0;
    if (buffer->data != NULL)
        buffer->data[0] = '\0';
}

void base_buffer_done(base_buffer *buffer)
{
    if (buffer == NULL)
        return;
    free(buffer->data);
    buffer->data = NULL;
    buffer->size = buffer->capacity = 0;
}

base_code base_file_read(const char *path, base_buffer *buffer, base_error *err)
{
    BASE_CLEANUP(base_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        base_code code = errno == ENOENT ? BASE_NOT_FOUND : errno == EACCES ? BASE_DENIED : BASE_INTERNAL;
        return base_fail(err, code, "cannot open %s: %s", path, strerror(errno));
    }
    for (;;) {
        uint8_t chunk[READ_CHUNK];
        ssize_t count = read(fd, chunk, sizeof(chunk));
        if (count < 0 && errno == EINTR)
            continue;
        base_code code = BASE_OK;
        if (count < 0)
            code = base_fail(err, BASE_INTERNAL, "cannot read %s: %s", path, strerror(errno));
        else if (base_buffer_append(buffer, base_bytes_of(chunk, (size_t)count), err) != BASE_OK)
            code = base_fail_within(err, "cannot read %s", path);
        sodium_memzero(chunk, sizeof(chunk)); /* the file may hold a key */
        if (code != BASE_OK || count == 0)
            return code;
    }
}
