#pragma once
/* A whole Proofline for one test: NATS, a database, a devnode, both services. Every failure fails the running test. */
#include "broker/stream.h"
#include "broker/topology.h"
#include "checker.h"
#include "evidence/key.h"
#include "harness/nats_cluster.h"
#include "harness/postgres_server.h"
#include "harness/process.h"
#include "store/submissions.h"

/* Only what hangs takes it: all else comes sooner, also on a machine that has much else to do. */
#define PIPELINE_WAIT_MS     180000
#define PIPELINE_ACK_WAIT_MS 2000 /* so that a killed worker's jobs come again soon */

/* Services under a sanitizer take this many times longer. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PIPELINE_SLACK 3
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PIPELINE_SLACK 3
#elif !defined(PIPELINE_SLACK)
#define PIPELINE_SLACK 1
#endif

/* A NATS that asks for credentials. Borrowed for the pipeline's life. */
typedef struct pipeline_access {
    const char *nats_config; /* of the server */
    const char *nats_user;
    base_secret nats_password;
} pipeline_access;

typedef struct pipeline {
    harness_nats *nats;            /* NULL with a cluster */
    harness_nats_cluster *cluster; /* NULL with a single server */
    harness_database database;     /* as its owner */
    harness_database service;      /* as the role of the services */
    const pipeline_access *access; /* NULL: a NATS that lets everybody in */
    harness_process *node, *generator, *publisher;
    uint16_t node_port;
    int64_t ack_wait_ms;
    broker_names names;
    broker_connection *broker;
    store_session *store;
    evidence_private_key *creator;
    char fee_payer_key[128]; /* FEE_PAYER_PRIVATE_KEY=… */
    char address[80];        /* of the fee payer */
    char node_state[128];    /* path of the devnode's state */
} pipeline;

/* One cluster serves all tests of a program: group set-up and tear-down, *state is the cluster. */
int pipeline_group_setup(void **state);
int pipeline_group_teardown(void **state);

/* Starts everything; the devnode makes a block every block_ms (0: on demand). */
void pipeline_start(pipeline *p, harness_postgres *cluster, int block_ms);
/* The same without the services. */
void pipeline_prepare(pipeline *p, harness_postgres *cluster, int block_ms);
void pipeline_prepare_with(pipeline *p, harness_postgres *cluster, int block_ms, const pipeline_access *access);
/* As pipeline_prepare, with a cluster of three NATS servers and streams of three replicas, which `proofctl topology apply` makes
 * while the cluster still elects. */
void pipeline_prepare_cluster(pipeline *p, harness_postgres *postgres, int block_ms);
/* Streams and consumers for the tests, once the server answers. */
void pipeline_make_topology(pipeline *p);
/* Another ack wait than PIPELINE_ACK_WAIT_MS, before any service starts. For tests in which a job must stay where it is while another
 * worker is idle: a busy machine may hold a heartbeat back for longer than two thirds of the short one. */
void pipeline_set_ack_wait(pipeline *p, int64_t ack_wait_ms);
/* Ends everything, in any state. */
void pipeline_stop(pipeline *p);

/* Services, under the role of services; `extra` is a NULL-terminated list of NAME=value, or NAME to leave a default out, or NULL. They
 * are waited for until they have started. */
void pipeline_start_generator(pipeline *p, const char *const *extra);
void pipeline_start_publisher(pipeline *p, const char *const *extra);
/* A service that the pipeline neither waits for nor ends: the caller owns it. */
harness_process *pipeline_launch(const pipeline *p, const char *program, const char *const *extra);
void pipeline_start_node(pipeline *p, int block_ms);
/* The node starts anew, with an empty chain and pool. */
void pipeline_reset_node(pipeline *p, int block_ms);
/* Another key with money of its own, for publishers started from now on. */
void pipeline_change_fee_payer(pipeline *p);

/* Signs bytes made from `seed` and publishes the job; returns the submission. */
base_sha256 pipeline_submit(pipeline *p, const char *seed);
/* As pipeline_submit, published again under the same message id until the server has acknowledged it. */
base_sha256 pipeline_submit_until_stored(pipeline *p, const char *seed);
/* As pipeline_submit, with a signature that does not verify. */
base_sha256 pipeline_submit_forged(pipeline *p, const char *seed);
/* `count` submissions of seeds "<prefix>0", "<prefix>1"…, published in one batch. */
void pipeline_submit_many(pipeline *p, const char *prefix, size_t count, base_sha256 *ret);
/* Publishes bytes as they are, without any header, on the generator's subject. */
void pipeline_publish_raw(pipeline *p, base_bytes payload);
/* The same on any subject of a stream; returns the sequence in it. */
uint64_t pipeline_publish_to(pipeline *p, const char *subject, base_bytes payload);

store_submission pipeline_get(pipeline *p, const base_sha256 *submission);
/* Waits until it has the status; returns the row. */
store_submission pipeline_wait(pipeline *p, const base_sha256 *submission, wire_status status);

/* Statuses of the submission's events in order, "proof_generation proof_publishing complete", checking their numbers. The caller frees it. */
char *pipeline_events(pipeline *p, const base_sha256 *submission);
/* Messages in a stream. */
uint64_t pipeline_messages(pipeline *p, const char *stream);
/* Waits until the generator's and publisher's durables have nothing pending or unsettled. */
void pipeline_wait_settled(pipeline *p);
/* What must have become of all work once it is done. */
typedef struct pipeline_outcome {
    size_t complete, rejected;
    size_t strangers;       /* payments of the fee payer that nobody submitted anything for */
    bool streams_were_lost; /* for these two see the checker's options */
    int64_t replays_allowed;
} pipeline_outcome;
/* Waits until all is settled, and has the checker judge whether every promise was kept; prints its report. Fails the test on any
 * violation and on other numbers than expected. Returns the report's numbers; there is nothing to release. */
checker_report pipeline_check_promises(pipeline *p, const pipeline_outcome *expected);
/* The same, and lets the caller look at the numbers: violations, too, except for the strangers expected. */
checker_report pipeline_judge(pipeline *p, const pipeline_outcome *expected);
/* First integer column of a query's only row. */
int64_t pipeline_number(pipeline *p, const char *sql);
/* Waits until that integer is at least so much. */
void pipeline_wait_number(pipeline *p, const char *sql, int64_t at_least);
/* A psql that holds a lock until pipeline_unlock: whoever needs the table stands still in the middle of a job. */
harness_process *pipeline_lock_table(pipeline *p, const char *table);
/* Ends the psql and its backend, which would sleep on. */
void pipeline_unlock(pipeline *p, harness_process *psql);
/* SIGKILL, and waits for the end. The process stays the caller's. */
void pipeline_kill(harness_process *process);

/* Sets a fault of the devnode: the body of POST /control/faults. NULL clears all. */
void pipeline_fault(pipeline *p, const char *json);
/* Waits until a fault has struck since the devnode started. */
void pipeline_wait_struck(pipeline *p);
void pipeline_make_block(pipeline *p);
/* How often the memo-carrying transactions of the fee payer stand in blocks and pool together. */
size_t pipeline_transactions_at_node(pipeline *p);
/* How often the node itself was asked to send a payment: what a fault answers in its place does not count. */
int64_t pipeline_sends_at_node(pipeline *p);
/* Runs proofctl with the pipeline's environment; returns its exit code. The caller frees *ret_output. */
int pipeline_proofctl(pipeline *p, const char *const *arguments, char **ret_output);
/* The same without waiting, with one more setting (NAME=value or NULL). The caller owns it. */
harness_process *pipeline_launch_proofctl(const pipeline *p, const char *const *arguments, const char *extra);
