#pragma once
/* Says whether a whole Proofline kept its promises: reads Postgres, all streams and the devnode's chain, and reports in words what is wrong.
 *
 * Everything is read once and kept in tables: about a kilobyte for each submission. Rows are read with psql and not through libs/store,
 * so that no code of the services vouches for itself. The system must stand still while it is read: all work done, or the services stopped. */
#include "broker/topology.h"

#include <stdio.h>

#define CHECKER_VIOLATIONS_MAX 10000 /* kept in a report; the others are only counted */

/* One for each promise; checker_kind_name is what is printed. */
typedef enum checker_kind {
    CHECKER_SUBMISSION_LOST,    /* its message was accepted, and Postgres does not know it */
    CHECKER_NOT_TERMINAL,       /* neither complete nor rejected */
    CHECKER_ROW_UNREADABLE,     /* a row that the schema should have refused */
    CHECKER_EVENT_UNREADABLE,   /* or one whose subject tells something else than its content */
    CHECKER_EVENT_MISSING,      /* the numbers are not 1, 2, 3… */
    CHECKER_EVENT_CONTRADICTED, /* two with the same number and different content */
    CHECKER_EVENT_OF_NOBODY,    /* of a submission that Postgres does not know */
    CHECKER_HISTORY_ILLEGAL,    /* a step that no submission may take */
    CHECKER_ROW_NOT_AS_EVENTS,  /* the row says something else than the last event */
    CHECKER_NOT_LANDED,         /* complete, and its transaction is neither in the pool nor in a block */
    CHECKER_LANDED_TWICE,       /* more than one transaction for one submission */
    CHECKER_LANDED_THOUGH_REJECTED,
    CHECKER_ANCHORS_OTHER_PROOF,   /* landed, but not the stored proof, or not under the hash that the row names */
    CHECKER_TRANSACTION_OF_NOBODY, /* paid by a fee payer of ours for no proof of ours */
    CHECKER_TRANSACTION_ROW_WRONG, /* the row of a transaction and the chain contradict each other */
    CHECKER_NONCE_GAP,
    CHECKER_NONCE_REUSED,
    CHECKER_PROOF_MISSING, /* complete without one */
    CHECKER_PROOF_OF_NOBODY,
    CHECKER_PROOF_CORRUPT, /* the blob does not have its digest */
    CHECKER_PROVED_MORE_THAN_ONCE,
    CHECKER_OUTBOX_STALE,     /* a row that nobody publishes */
    CHECKER_JOBS_UNSETTLED,   /* messages that a durable has not settled */
    CHECKER_LETTER_MISSING,   /* a rejection or an undecodable message without its dead letter */
    CHECKER_LETTER_WRONG,     /* it does not hold the original bytes, or its headers contradict them */
    CHECKER_LETTER_OF_NOBODY, /* tells of a rejection that never happened */
    CHECKER_KINDS,
} checker_kind;

/* "submission_lost"; static storage. */
const char *checker_kind_name(checker_kind kind);

typedef struct checker_options {
    const char *database_url;
    broker_connection *broker; /* borrowed for the call */
    broker_names names;
    uint16_t node_port;      /* of the devnode */
    bool allow_pending;      /* the services were stopped with work left: what is pending is only counted */
    bool streams_were_lost;  /* all of JetStream was wiped: the first events, with their dead letters, may be gone */
    int64_t replays_allowed; /* times that one submission may have been proved anew after a rejection */
    int64_t outbox_age_ms;   /* older rows are violations; 0: 5000 */
} checker_options;

typedef struct checker_violation {
    checker_kind kind;
    char *text; /* one sentence with the ids; owned by the report */
} checker_violation;

typedef struct checker_report {
    size_t submissions, complete, rejected, pending;
    size_t jobs, events, letters;               /* messages */
    size_t duplicate_events, duplicate_letters; /* the same message again, byte for byte: allowed */
    size_t transactions;                        /* of our fee payers, in blocks and pool */
    size_t proofs;
    size_t violation_count;
    checker_violation *violations; /* the first CHECKER_VIOLATIONS_MAX of them */
} checker_report;
void checker_report_done(checker_report *report);
BASE_CLEANUP_VALUE(checker_report, checker_report_done);

/* Reads and judges everything; violations are no error. Fails the test (or ends the program) when psql fails; BASE_UNAVAILABLE and the like
 * for NATS and the node. The caller owns *ret. */
BASE_MUST_CHECK base_code checker_run(const checker_options *options, checker_report *ret, base_error *err);

/* One line for each violation, then "checked N submissions … : V violations". */
void checker_report_print(const checker_report *report, FILE *out);
/* One JSON object. */
void checker_report_print_json(const checker_report *report, FILE *out);
