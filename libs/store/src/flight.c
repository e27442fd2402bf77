#include "flight.h"

#include "base/clock.h"

#include <assert.h>
#include <poll.h>
#include <string.h>

const store_statement STORE_BEGIN = {"begin", "BEGIN"};
const store_statement STORE_COMMIT = {"commit", "COMMIT"};

/* Locks the rows of an array of hashes in the order of the array, which the caller has sorted: no two batches can wait for
 * each other. The locking subquery cannot be pulled up, so the nested loop keeps that order. Statements that follow in the
 * transaction see the rows as they are then. */
const store_statement STORE_LOCK_SUBMISSIONS = {
    "lock_submissions", "SELECT FROM unnest($1::text[]) AS r (sha), LATERAL ("
                        "SELECT 1 FROM submissions s WHERE s.sha256_hash = r.sha FOR NO KEY UPDATE) AS l"};

typedef struct flight {
    store_session *session;
    const store_step *steps;
    size_t count;
    bool prepares[STORE_STEPS_MAX];
    int64_t deadline_ms;
    base_error failure; /* the first statement that failed */
} flight;

static bool is_prepared(const store_session *session, const store_statement *statement)
{
    for (size_t i = 0; i < session->prepared_count; i++) {
        if (session->prepared[i] == statement)
            return true;
    }
    return false;
}

static bool comes_earlier(const flight *f, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (f->steps[i].statement == f->steps[index].statement)
            return true;
    }
    return false;
}

static bool send_step(PGconn *connection, const store_step *step, bool prepare)
{
    const store_statement *statement = step->statement;
    if (prepare && PQsendPrepare(connection, statement->name, statement->sql, 0, NULL) != 1)
        return false;
    const char *values[STORE_PARAMS_MAX];
    int lengths[STORE_PARAMS_MAX], formats[STORE_PARAMS_MAX];
    const size_t count = step->params == NULL ? 0 : step->params->count;
    for (size_t i = 0; i < count; i++) {
        values[i] = (const char *)step->params->buffer.data + step->params->slots[i].offset;
        lengths[i] = (int)step->params->slots[i].size;
        formats[i] = 1;
    }
    return PQsendQueryPrepared(connection, statement->name, (int)count, values, lengths, formats, 1) == 1;
}

static bool send_all(flight *f)
{
    PGconn *connection = f->session->connection;
    if (PQenterPipelineMode(connection) != 1)
        return false;
    for (size_t i = 0; i < f->count; i++) {
        f->prepares[i] = !is_prepared(f->session, f->steps[i].statement) && !comes_earlier(f, i);
        if (!send_step(connection, &f->steps[i], f->prepares[i]))
            return false;
    }
    return PQpipelineSync(connection) == 1;
}

/* Sends what is queued while taking in what the server answers meanwhile, so that neither side blocks the other. */
static base_code flush(PGconn *connection, int64_t deadline_ms)
{
    for (;;) {
        const int left = PQflush(connection);
        if (left <= 0)
            return left == 0 ? BASE_OK : BASE_UNAVAILABLE;
        const base_code code = store_wait(connection, POLLIN | POLLOUT, deadline_ms);
        if (code != BASE_OK)
            return code;
        if (PQconsumeInput(connection) != 1)
            return BASE_UNAVAILABLE;
    }
}

/* The end of a pipeline for which libpq had no memory: it has read it, and stays busy for ever all the same. */
static bool is_stuck(const PGconn *connection)
{
    return strstr(PQerrorMessage(connection), STORE_OUT_OF_MEMORY) != NULL;
}

static base_code next_result(PGconn *connection, int64_t deadline_ms, PGresult **ret)
{
    while (PQisBusy(connection) == 1) {
        if (is_stuck(connection))
            return BASE_UNAVAILABLE;
        const base_code code = store_wait(connection, POLLIN, deadline_ms);
        if (code != BASE_OK)
            return code;
        if (PQconsumeInput(connection) != 1)
            return BASE_UNAVAILABLE;
    }
    *ret = PQgetResult(connection);
    return BASE_OK;
}

static void judge(flight *f, size_t step, bool prepared, store_rows *result)
{
    const ExecStatusType status = PQresultStatus(result->result);
    store_session *session = f->session;
    if (prepared && status == PGRES_COMMAND_OK && session->prepared_count < STORE_STATEMENTS_MAX)
        session->prepared[session->prepared_count++] = f->steps[step].statement;
    if (status == PGRES_FATAL_ERROR && f->failure.code == BASE_OK)
        store_result_fail(result->result, f->steps[step].statement->name, &f->failure);
}

/* A failure without SQLSTATE is libpq's own, as when it has no memory for an answer: which answer comes next is uncertain then, and
 * one of them may never come. */
static bool was_lost(const PGresult *result)
{
    return PQresultStatus(result) == PGRES_FATAL_ERROR && PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL;
}

/* Each command answers with one result and then a null. */
static base_code receive_command(flight *f, size_t step, bool prepared, store_rows *ret)
{
    BASE_CLEANUP(store_rows_done) store_rows result = {0};
    PGconn *connection = f->session->connection;
    base_code code = next_result(connection, f->deadline_ms, &result.result);
    if (code != BASE_OK)
        return code;
    if (result.result == NULL)
        return BASE_UNAVAILABLE;
    judge(f, step, prepared, &result);
    if (was_lost(result.result))
        return BASE_UNAVAILABLE;
    BASE_CLEANUP(store_rows_done) store_rows end = {0};
    code = next_result(connection, f->deadline_ms, &end.result);
    if (code != BASE_OK)
        return code;
    if (end.result != NULL || PQstatus(connection) != CONNECTION_OK)
        return BASE_UNAVAILABLE;
    if (!prepared)
        ret->result = BASE_TAKE(result.result);
    return BASE_OK;
}

static base_code receive_all(flight *f, store_rows *results)
{
    for (size_t i = 0; i < f->count; i++) {
        base_code code = f->prepares[i] ? receive_command(f, i, true, &results[i]) : BASE_OK;
        if (code == BASE_OK)
            code = receive_command(f, i, false, &results[i]);
        if (code != BASE_OK)
            return code;
    }
    BASE_CLEANUP(store_rows_done) store_rows sync = {0};
    const base_code code = next_result(f->session->connection, f->deadline_ms, &sync.result);
    if (code != BASE_OK)
        return code;
    /* An error of the commit itself (a deferred check, a full disk) arrives here, in place of the sync. */
    if (PQresultStatus(sync.result) == PGRES_FATAL_ERROR) {
        if (f->failure.code == BASE_OK)
            store_result_fail(sync.result, "commit", &f->failure);
        return BASE_UNAVAILABLE;
    }
    return PQresultStatus(sync.result) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(f->session->connection) == 1
               ? BASE_OK
               : BASE_UNAVAILABLE;
}

/* The connection is of no more use. What was said last tells why. */
static base_code lost(flight *f, store_flight_kind kind, base_code code, base_error *err)
{
    const bool commits = kind == STORE_FLIGHT_ENDS || kind == STORE_FLIGHT_COMMITS;
    const base_code verdict = commits ? BASE_AMBIGUOUS : BASE_UNAVAILABLE;
    if (code == BASE_TIMEOUT)
        base_fail(err, verdict, "Postgres gave no answer in time");
    else if (f->failure.code != BASE_OK)
        base_fail(err, verdict, "%s", f->failure.message);
    else
        store_connection_fail(f->session->connection, verdict, "connection to Postgres lost", err);
    store_session_disconnect(f->session);
    return verdict;
}

static base_code ready_for(store_session *session, store_flight_kind kind, base_error *err)
{
    const bool inside = kind == STORE_FLIGHT_ENDS || kind == STORE_FLIGHT_GOES_ON;
    if (!inside) {
        store_session_abort(session);
        return store_session_connect(session, err);
    }
    if (session->connection == NULL || PQtransactionStatus(session->connection) != PQTRANS_INTRANS)
        return base_fail(err, BASE_UNAVAILABLE, "the transaction was lost with its connection");
    return BASE_OK;
}

static base_code close_params(const store_step *steps, size_t count, base_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const base_code code = steps[i].params == NULL ? BASE_OK : store_params_close(steps[i].params, err);
        if (code != BASE_OK)
            return code;
    }
    return BASE_OK;
}

static void drop_results(store_rows *results, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_rows_done(&results[i]);
}

/* A plan or statement that the server refuses for reasons of this connection's age goes away with the connection, and so does a server
 * that takes no writes: the way to the one that does may have been found meanwhile. */
static base_code refused(flight *f, base_error *err)
{
    if (f->failure.code == BASE_UNAVAILABLE &&
        (strstr(f->failure.message, "(0A000)") != NULL || strstr(f->failure.message, "(25006)") != NULL))
        store_session_disconnect(f->session);
    store_session_abort(f->session);
    if (err != NULL)
        *err = f->failure;
    return f->failure.code;
}

base_code store_flight(store_session *session, store_flight_kind kind, const store_step *steps, size_t count,
                       store_rows *results, base_error *err)
{
    assert(count > 0 && count <= STORE_STEPS_MAX);
    base_code code = close_params(steps, count, err);
    if (code == BASE_OK)
        code = ready_for(session, kind, err);
    if (code != BASE_OK) {
        store_session_abort(session);
        return code;
    }
    const int64_t began_ms = base_boottime_ms(); /* a suspended machine's server goes on counting */
    flight f = {.session = session, .steps = steps, .count = count};
    f.deadline_ms = base_monotonic_ms() + session->statement_timeout_ms + STORE_GRACE_MS;
    code = send_all(&f) ? flush(session->connection, f.deadline_ms) : BASE_UNAVAILABLE;
    if (code == BASE_OK)
        code = receive_all(&f, results);
    if (code == BASE_OK)
        session->heard_ms = began_ms;
    if (code == BASE_OK && f.failure.code == BASE_OK)
        return BASE_OK;
    drop_results(results, count);
    return code != BASE_OK ? lost(&f, kind, code, err) : refused(&f, err);
}

base_code store_query(store_session *session, store_flight_kind kind, const store_statement *statement,
                      store_params *params, store_rows *rows, base_error *err)
{
    store_rows unused = {0};
    const store_step step = {statement, params};
    const base_code code = store_flight(session, kind, &step, 1, rows == NULL ? &unused : rows, err);
    store_rows_done(&unused);
    return code;
}

/* Takes in every result of a simple query; the first failure counts. */
static base_code receive_script(PGconn *connection, int64_t deadline_ms, base_error *err)
{
    base_code first = BASE_OK;
    for (;;) {
        BASE_CLEANUP(store_rows_done) store_rows result = {0};
        const base_code code = next_result(connection, deadline_ms, &result.result);
        if (code != BASE_OK)
            return code == BASE_TIMEOUT
                       ? base_fail(err, BASE_UNAVAILABLE, "Postgres gave no answer in time")
                       : store_connection_fail(connection, BASE_UNAVAILABLE, "connection to Postgres lost", err);
        if (result.result == NULL)
            return first;
        if (PQresultStatus(result.result) == PGRES_FATAL_ERROR && first == BASE_OK)
            first = store_result_fail(result.result, "script", err);
    }
}

base_code store_session_script(store_session *session, const char *sql, int64_t timeout_ms, base_error *err)
{
    const int64_t deadline_ms = base_monotonic_ms() + timeout_ms;
    base_code code = BASE_UNAVAILABLE;
    if (PQsendQuery(session->connection, sql) == 1)
        code = flush(session->connection, deadline_ms);
    if (code != BASE_OK) {
        store_connection_fail(session->connection, BASE_UNAVAILABLE, "connection to Postgres lost", err);
        store_session_disconnect(session);
        return BASE_UNAVAILABLE;
    }
    code = receive_script(session->connection, deadline_ms, err);
    if (code != BASE_OK && PQtransactionStatus(session->connection) != PQTRANS_IDLE &&
        PQtransactionStatus(session->connection) != PQTRANS_INERROR)
        store_session_disconnect(session);
    return code;
}

void store_session_abort(store_session *session)
{
    if (session->connection == NULL)
        return;
    const PGTransactionStatusType status = PQtransactionStatus(session->connection);
    if (status == PQTRANS_IDLE)
        return;
    if (status == PQTRANS_UNKNOWN || PQpipelineStatus(session->connection) != PQ_PIPELINE_OFF ||
        store_session_script(session, "ROLLBACK", session->connect_timeout_ms, NULL) != BASE_OK)
        store_session_disconnect(session);
}
