#pragma once
/* Runs of bytes: borrowed views, one growing buffer with a declared maximum, and the hashes that name things. */
#include "base/error.h"
#include "base/own.h"

#include <stdbool.h>
#include <stdint.h>

/* Borrowed; valid as long as its owner says. */
typedef struct base_bytes {
    const uint8_t *data;
    size_t size;
} base_bytes;

/* Owned, grows up to `limit` bytes. Zero with a limit is an empty buffer; data is always NUL-terminated once written. */
typedef struct base_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;
} base_buffer;

/* A SHA-256 of an image: the identity of a submission. */
#define BASE_SHA256_SIZE 32
typedef struct base_sha256 {
    uint8_t bytes[BASE_SHA256_SIZE];
} base_sha256;

/* BLAKE2b-256 of a proof blob. */
#define BASE_DIGEST_SIZE 32
typedef struct base_digest {
    uint8_t bytes[BASE_DIGEST_SIZE];
} base_digest;

static inline base_bytes base_bytes_of(const void *data, size_t size)
{
    return (base_bytes){(const uint8_t *)data, size};
}

bool base_bytes_equal(base_bytes a, base_bytes b);

/* BLAKE2b-256 without a key (RFC 7693), by libsodium. */
base_digest base_digest_of(base_bytes data);

/* Appends; BASE_LIMIT when the result would exceed buffer->limit, BASE_NO_MEMORY. The buffer is unchanged on failure. */
BASE_MUST_CHECK base_code base_buffer_append(base_buffer *buffer, base_bytes data, base_error *err);
BASE_MUST_CHECK base_code base_buffer_printf(base_buffer *buffer, base_error *err, const char *format, ...)
    BASE_PRINTF(3, 4);
static inline base_bytes base_buffer_view(const base_buffer *buffer)
{
    return (base_bytes){buffer->data, buffer->size};
}
/* Empties it and keeps the memory. */
void base_buffer_clear(base_buffer *buffer);
/* Releases the memory; the buffer may be used again. */
void base_buffer_done(base_buffer *buffer);
BASE_CLEANUP_VALUE(base_buffer, base_buffer_done);

/* Reads a whole file of at most buffer->limit bytes. BASE_NOT_FOUND, BASE_LIMIT, BASE_DENIED, BASE_INTERNAL; the message names the path. */
BASE_MUST_CHECK base_code base_file_read(const char *path, base_buffer *buffer, base_error *err);
