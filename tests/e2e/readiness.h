#pragma once
/* What a service says of itself on /readyz. */
#include "base/error.h"
#include "harness/process.h"

/* The port on which a service that has started answers. */
uint16_t readiness_port(harness_process *service);
/* True as soon as /readyz has this status and names `part` (NULL: says anything); false when deadline_ms passed. */
BASE_MUST_CHECK bool readiness_comes(uint16_t port, int status, const char *part, int64_t deadline_ms);
/* Waits for that, at most PIPELINE_WAIT_MS, else fails the test with what /readyz says. */
void readiness_wait(uint16_t port, int status, const char *part);
