#pragma once
/* Statements in flight: a session's connection, and sending several statements in one round trip. */
#include "params.h"
#include "rows.h"
#include "store/session.h"

#define STORE_STATEMENTS_MAX 64              /* prepared on one connection */
#define STORE_STEPS_MAX      6               /* statements of one flight */
#define STORE_OUT_OF_MEMORY  "out of memory" /* libpq's words for it, when it has room for any */
#define STORE_GRACE_MS       3000            /* how long past its own timeout a silent server is waited for */

/* A statement with a name under which each connection prepares it once. Static storage. */
typedef struct store_statement {
    const char *name;
    const char *sql;
} store_statement;

typedef struct store_step {
    const store_statement *statement;
    store_params *params; /* NULL: none */
} store_step;

extern const store_statement STORE_BEGIN, STORE_COMMIT, STORE_LOCK_SUBMISSIONS;

struct store_session {
    base_secret url, password; /* the second may be absent */
    char *application_name;
    int64_t connect_timeout_ms, statement_timeout_ms, lock_timeout_ms, lock_silence_ms;
    store_subjects subjects;
    PGconn *connection; /* NULL: none */
    const store_statement *prepared[STORE_STATEMENTS_MAX];
    size_t prepared_count;
    bool has_lock;    /* an advisory lock was seen on this very connection */
    int64_t heard_ms; /* boot time: when the last flight began that the server answered */
};

typedef enum store_flight_kind {
    STORE_FLIGHT_READS,   /* a loss has no effect */
    STORE_FLIGHT_BEGINS,  /* opens a transaction: a loss rolls it back */
    STORE_FLIGHT_ENDS,    /* goes on in the open transaction and commits it: a loss leaves its effect unknown */
    STORE_FLIGHT_COMMITS, /* a whole transaction, or one statement that writes: the same */
    STORE_FLIGHT_GOES_ON, /* goes on in the open transaction: a loss rolls it back */
} store_flight_kind;

/* Sends `count` steps at once and waits for all. On success results[i] (zeroed by the caller, owned by it) holds the rows of
 * step i. On failure an open transaction has been rolled back. */
BASE_MUST_CHECK base_code store_flight(store_session *session, store_flight_kind kind, const store_step *steps,
                                       size_t count, store_rows *results, base_error *err);

/* One statement by itself; `rows` may be NULL. */
BASE_MUST_CHECK base_code store_query(store_session *session, store_flight_kind kind, const store_statement *statement,
                                      store_params *params, store_rows *rows, base_error *err);

/* Ends an open transaction without effect, if there is one: for callers that fail between two flights. */
void store_session_abort(store_session *session);

/* Connects if there is no live connection. */
BASE_MUST_CHECK base_code store_session_connect(store_session *session, base_error *err);
/* Whether the connection has not closed and said nothing by itself. Does not ask the server. */
bool store_session_is_alive(const store_session *session);
/* Closes the connection; the next call makes a new one. */
void store_session_disconnect(store_session *session);

/* Runs statements by the simple protocol, waiting up to timeout_ms without the session's grace. For migrations. */
BASE_MUST_CHECK base_code store_session_script(store_session *session, const char *sql, int64_t timeout_ms,
                                               base_error *err);

/* Waits until the connection's socket is ready. BASE_TIMEOUT past deadline_ms (monotonic). */
BASE_MUST_CHECK base_code store_wait(PGconn *connection, short events, int64_t deadline_ms);
/* Fills *err from the connection's last message, as one line. */
base_code store_connection_fail(const PGconn *connection, base_code code, const char *what, base_error *err);
/* Fills *err from a statement's failed result. */
base_code store_result_fail(const PGresult *result, const char *what, base_error *err);
