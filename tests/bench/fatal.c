#include "fatal.h"

#include "harness/wait.h"

#include <stdlib.h>

void bench_require(base_code code, const base_error *err, const char *what)
{
    if (code != BASE_OK)
        harness_fail("%s: %s (%s)", what, err->message, base_code_name(code));
}

void *bench_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        harness_fail("no memory for %zu times %zu bytes", count, size);
    return memory;
}
