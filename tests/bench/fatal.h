#pragma once
/* A benchmark that meets any failure has no result: it says why and ends. */
#include "base/error.h"

/* Ends the program unless `code` is BASE_OK; `what` says what was tried. */
void bench_require(base_code code, const base_error *err, const char *what);

/* Zeroed memory for `count` things of `size` bytes, or the end of the program. The caller frees it. */
void *bench_allocate(size_t count, size_t size);
