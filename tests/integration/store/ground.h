#pragma once
/* What the tests of the store stand on: one cluster per program, one migrated database per test, and short ways to claim and commit. */
#include "harness/postgres_server.h"
#include "store/generation.h"
#include "store/migrate.h"
#include "store/publication.h"
#include "store/submissions.h"
#include "store/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern harness_postgres *ground_postgres;

/* Group setup and teardown: the cluster. */
int ground_start(void **state);
int ground_end(void **state);

/* One test's database with one session and one outbox list. */
typedef struct ground {
    harness_database database;
    store_session *session;
    store_outbox *pending;
} ground;

/* A fresh database, migrated. Ends the test on failure. */
ground *ground_new(void);
void ground_free(ground *g);
BASE_CLEANUP_POINTER(ground, ground_free);
store_session *ground_session(const ground *g); /* another one; the caller frees it */
store_session *ground_session_to(const char *url, int64_t statement_timeout_ms);

/* Runs SQL and compares its text. */
void ground_expect(const ground *g, const char *sql, const char *expected);
void ground_run(const ground *g, const char *sql);
/* Ends the session: a backend hands in what it has read when it ends. For questions to pg_stat_user_indexes and _tables. */
void ground_hand_in_statistics(ground *g);

/* Fails the test with the message when a call failed. */
void ground_ok(base_code code, const base_error *err);

wire_generate_proof ground_job(unsigned number);
const char *ground_hash(unsigned number); /* hex; static storage, valid until the fourth next call */

/* Claims or commits one job; `sequence` identifies the message. */
store_claim ground_claim_as(ground *g, store_session *session, unsigned number, uint64_t sequence, bool alone);
store_claim ground_claim(ground *g, unsigned number, uint64_t sequence);
/* Returns whether it was fenced. */
bool ground_commit(ground *g, unsigned number, uint64_t sequence, const store_claim *claim, store_outcome_kind kind);
bool ground_commit_as(ground *g, store_session *session, unsigned number, uint64_t sequence, const store_claim *claim,
                      store_outcome_kind kind);
/* Claims and generates, so that the submission awaits publishing. */
void ground_generate(ground *g, unsigned number, uint64_t sequence);

wire_publish_proof ground_command(unsigned number);
store_publish_batch *ground_publish_claim(ground *g, unsigned number, uint64_t sequence, bool alone);
store_publish_outcome ground_publish_outcome(const wire_publish_proof *job, const store_claim *claim, uint64_t sequence,
                                             store_outcome_kind kind);
bool ground_publish_commit(ground *g, const store_publish_outcome *outcome);
bool ground_publish_commit_in(ground *g, const store_lane *lane, const store_publish_outcome *outcome);

/* The value of a header of an outbox row, NULL when it has none. */
const char *ground_header(const store_outbox_row *row, const char *name);
