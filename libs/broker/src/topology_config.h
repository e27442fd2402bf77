#pragma once
/* The settings that Proofline's streams and consumers must have, and how they differ from those they have. */
#include "api.h"
#include "broker/topology.h"

/* New references; NULL for want of memory. */
json_t *broker_config_jobs(const broker_topology_options *options);
json_t *broker_config_events(const broker_topology_options *options);
json_t *broker_config_dead(const broker_topology_options *options);
json_t *broker_config_durable(const broker_topology_options *options, const char *durable, const char *subject);

/* Appends "max_age: 10 (wanted 20); …" for every setting of `wanted` that `actual` has otherwise. A wanted null means: not set. */
BASE_MUST_CHECK base_code broker_config_compare(const json_t *actual, const json_t *wanted, base_buffer *differences,
                                                base_error *err);
/* A new object: all of `actual`, with the settings of `wanted` over it. NULL for want of memory. */
json_t *broker_config_merge(const json_t *actual, const json_t *wanted);
