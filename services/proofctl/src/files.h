#pragma once
/* Files that proofctl reads and writes: images and their hashes, keys, results. */
#include "base/bytes.h"

/* Reads all of standard input, at most ret->limit bytes. */
BASE_MUST_CHECK base_code ctl_stdin_read(base_buffer *ret, base_error *err);
/* Writes a new file that only its owner may read. BASE_CONFLICT: it exists already; nothing is overwritten. */
BASE_MUST_CHECK base_code ctl_file_create_private(const char *path, base_bytes data, base_error *err);
/* Writes a file, replacing what is there; standard output when path is NULL, refused (BASE_INVALID) when that is a terminal. */
BASE_MUST_CHECK base_code ctl_file_write(const char *path, base_bytes data, base_error *err);
/* 64 hex characters are a SHA-256; anything else names an image whose SHA-256 is taken. */
BASE_MUST_CHECK base_code ctl_sha256_of_operand(const char *operand, base_sha256 *ret, base_error *err);
/* Of a file of any size. */
BASE_MUST_CHECK base_code ctl_sha256_of_file(const char *path, base_sha256 *ret, base_error *err);
