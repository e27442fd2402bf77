#pragma once
/* What a service spends while something that it needs is away: log lines and processor time. */
#include "harness/process.h"

#include <stddef.h>

typedef struct effort {
    size_t lines; /* but for those that tell of work done: a proof generated, published, its transaction final */
    int64_t cpu_ms;
} effort;

/* Of a running service since its start. */
effort effort_read(const harness_process *service);
/* What it has spent since; prints it under `name`. */
effort effort_since(const effort *before, const harness_process *service, const char *name);
