#pragma once
/* Secrets in memory that is locked (never swapped), left out of core dumps, and wiped when released. */
#include "base/bytes.h"

#define BASE_SECRET_MAX 4096 /* bytes of one secret */

/* NUL-terminated for use as a string; `size` does not count the terminator. Zero is an absent secret. */
typedef struct base_secret {
    char *data;
    size_t size;
} base_secret;

/* Copies `value`; the caller wipes its own copy. BASE_LIMIT over BASE_SECRET_MAX, BASE_NO_MEMORY (also when the lock limit is reached). */
BASE_MUST_CHECK base_code base_secret_copy(base_bytes value, base_secret *ret, base_error *err);
/* Reads a file, without its trailing line break. */
BASE_MUST_CHECK base_code base_secret_read(const char *path, base_secret *ret, base_error *err);
/* Wipes and releases. */
void base_secret_done(base_secret *secret);
BASE_CLEANUP_VALUE(base_secret, base_secret_done);

/* Overwrites memory in a way the compiler keeps. */
void base_wipe(void *data, size_t size);

/* Turns core dumps of this process off and readies libsodium. Call once, first in main(). */
BASE_MUST_CHECK base_code base_process_harden(base_error *err);
