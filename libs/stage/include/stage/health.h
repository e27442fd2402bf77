#pragma once
/* What a service depends on and whether it is there: read by /readyz, logged once per change. */
#include "base/error.h"
#include "base/own.h"
#include "telemetry/http.h"

#include <stdbool.h>

#define STAGE_HEALTH_PARTS 200 /* dependencies of one service: a few, and three of each worker thread */

typedef struct stage_health stage_health;

BASE_MUST_CHECK base_code stage_health_new(stage_health **ret, base_error *err);
void stage_health_free(stage_health *health);
BASE_CLEANUP_POINTER(stage_health, stage_health_free);

/* Adds a dependency, not ready until it is set, and returns its index; `name` must outlive the health. Any thread. */
size_t stage_health_add(stage_health *health, const char *name);
/* err NULL: it is there. Otherwise why it is not. Logs when the answer changes. Any thread. */
void stage_health_set(stage_health *health, size_t part, const base_error *err);
/* From now on the service is not ready because it stops. */
void stage_health_stop(stage_health *health);
/* Reports what is not ready: a telemetry_ready_check whose ctx is the health. */
void stage_health_report(void *health, telemetry_readiness *readiness);
