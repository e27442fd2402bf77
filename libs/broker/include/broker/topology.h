#pragma once
/* The streams and durable consumers that Proofline needs: their names, their settings, and making or checking them. */
#include "broker/connection.h"

#define BROKER_NAME_MAX 64

/* Names of everything, derived from two prefixes so that several installations can share a server. */
typedef struct broker_names {
    char stream_jobs[BROKER_NAME_MAX];      /* PROOFLINE_JOBS */
    char stream_events[BROKER_NAME_MAX];    /* PROOFLINE_EVENTS */
    char stream_dead[BROKER_NAME_MAX];      /* PROOFLINE_DEAD */
    char subject_generate[BROKER_NAME_MAX]; /* proofline.jobs.generate */
    char subject_prepare[BROKER_NAME_MAX];
    char subject_publish[BROKER_NAME_MAX];
    char subject_events[BROKER_NAME_MAX]; /* proofline.events: followed by .<sha256>.<status> */
    char subject_dead[BROKER_NAME_MAX];   /* proofline.dead: followed by .<stage> */
} broker_names;

#define BROKER_DURABLE_GENERATOR "generator"
#define BROKER_DURABLE_PREPARER  "preparer"
#define BROKER_DURABLE_PUBLISHER "publisher"
#define BROKER_ACK_WAIT_MS       30000

/* `prefix` (default "proofline") in lower case makes the subjects, in upper case the streams. BASE_INVALID: not [a-z][a-z0-9_]*, or too long. */
BASE_MUST_CHECK base_code broker_names_of(const char *prefix, broker_names *ret, base_error *err);

typedef struct broker_topology_options {
    broker_names names;
    int64_t replicas;        /* of each stream: 1, 3 or 5 (an even number survives no more losses); 0: 1 */
    int64_t ack_wait_ms;     /* of each consumer; 0: BROKER_ACK_WAIT_MS */
    int64_t max_ack_pending; /* of each consumer, over all instances together */
    int64_t jobs_max_age_s;  /* 0: 72 h */
    int64_t keep_max_age_s;  /* events and dead letters; 0: 30 d */
    int64_t wait_ms;         /* how long to ask again while a cluster elects or lacks a server; 0: not at all */
} broker_topology_options;

/* Called once per stream or consumer: what it is, "ok" | "missing" | "created" | "updated" | "differs", and, where it differs, which settings. */
typedef void broker_topology_report(void *ctx, const char *kind, const char *name, const char *state,
                                    const char *differences);

/* Creates what is missing and updates what differs, keeping settings that this library does not know. Safe to repeat.
 * BASE_UNAVAILABLE, BASE_TIMEOUT: JetStream did not answer, or has too few servers, and wait_ms (and the last request's time) are over. */
BASE_MUST_CHECK base_code broker_topology_apply(broker_connection *connection, const broker_topology_options *options,
                                                broker_topology_report *report, void *ctx, base_error *err);
/* Changes nothing. BASE_NOT_FOUND when something is missing, BASE_CONFLICT when something differs; the message names the
 * thing and says to run `proofctl topology apply`. */
BASE_MUST_CHECK base_code broker_topology_check(broker_connection *connection, const broker_topology_options *options,
                                                broker_topology_report *report, void *ctx, base_error *err);
