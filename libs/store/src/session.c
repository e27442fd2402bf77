#include "flight.h"
#include "sqlstate.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS   5000
#define STATEMENT_TIMEOUT_MS 30000
#define LOCK_TIMEOUT_MS      5000
#define LOCK_SILENCE_MS      15000
#define UNREAD_MAX_MS        20000 /* how long the server keeps an answer for a client that does not read */
#define LAST_WORDS_MAX       4     /* reads of an idle connection: a server that shuts down says so before it closes */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

/* A special character that was not encoded shifts the rest of a password into the fields behind it. */
static bool is_misplaced(const PQconninfoOption *option)
{
    if (strcmp(option->keyword, "host") == 0)
        return option->val[0] != '/' && strchr(option->val, '@') != NULL;
    if (strcmp(option->keyword, "port") == 0)
        return strspn(option->val, "0123456789,") != strlen(option->val);
    return false;
}

/* libpq's own words about a bad URL may quote a part of the password, so they are not passed on. */
static base_code check_url(const char *url, base_error *err)
{
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &words);
    const bool lacked = words == NULL || strncmp(words, STORE_OUT_OF_MEMORY, strlen(STORE_OUT_OF_MEMORY)) == 0;
    PQfreemem(words);
    if (options == NULL && lacked)
        return base_fail(err, BASE_NO_MEMORY, "no memory to read the database URL");
    if (options == NULL)
        return base_fail(err, BASE_INVALID,
                         "the database URL is unreadable: postgresql://user:password@host:port/database, special "
                         "characters percent-encoded");
    base_code code = BASE_OK;
    for (const PQconninfoOption *o = options; o->keyword != NULL && code == BASE_OK; o++) {
        if (o->val != NULL && is_misplaced(o))
            code = base_fail(err, BASE_INVALID,
                             "the %s in the database URL looks like a part of the password: in a password '@' is "
                             "written %%40, ':' %%3A, '/' %%2F",
                             o->keyword);
    }
    for (PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (o->val != NULL)
            base_wipe(o->val, strlen(o->val));
    PQconninfoFree(options);
    return code;
}

base_code store_session_new(const store_session_options *options, store_session **ret, base_error *err)
{
    if (options->database_url == NULL)
        return base_fail(err, BASE_INVALID, "no database URL given");
    base_code code = check_url(options->database_url, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(store_session_free) store_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a database session");
    session->connect_timeout_ms = or_default(options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    session->statement_timeout_ms = or_default(options->statement_timeout_ms, STATEMENT_TIMEOUT_MS);
    session->lock_timeout_ms = or_default(options->lock_timeout_ms, LOCK_TIMEOUT_MS);
    session->lock_silence_ms = or_default(options->lock_silence_ms, LOCK_SILENCE_MS);
    session->subjects = options->subjects;
    session->application_name = strdup(options->application_name == NULL ? "proofline" : options->application_name);
    if (session->application_name == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a database session");
    code = base_secret_copy(base_bytes_of(options->database_url, strlen(options->database_url)), &session->url, err);
    const base_secret *password = options->password;
    if (code == BASE_OK && password != NULL && password->data != NULL)
        code = base_secret_copy(base_bytes_of(password->data, password->size), &session->password, err);
    if (code != BASE_OK)
        return code;
    *ret = BASE_TAKE(session);
    return BASE_OK;
}

void store_session_free(store_session *session)
{
    if (session == NULL)
        return;
    store_session_disconnect(session);
    base_secret_done(&session->url);
    base_secret_done(&session->password);
    free(session->application_name);
    free(session);
}

void store_session_disconnect(store_session *session)
{
    PQfinish(session->connection);
    session->connection = NULL;
    session->prepared_count = 0;
    session->has_lock = false;
}

base_code store_wait(PGconn *connection, short events, int64_t deadline_ms)
{
    for (;;) {
        const int64_t left = deadline_ms - base_monotonic_ms();
        if (left <= 0)
            return BASE_TIMEOUT;
        struct pollfd fd = {.fd = PQsocket(connection), .events = events};
        const int ready = poll(&fd, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (ready > 0)
            return BASE_OK;
        if (ready < 0 && errno != EINTR)
            return BASE_UNAVAILABLE;
    }
}

base_code store_connection_fail(const PGconn *connection, base_code code, const char *what, base_error *err)
{
    char words[BASE_ERROR_MESSAGE];
    base_one_line(PQerrorMessage(connection), words, sizeof(words));
    char *location = strstr(words, "LOCATION:"); /* in the server's source */
    if (location != NULL)
        *location = '\0';
    for (size_t end = strlen(words); end > 0 && words[end - 1] == ' '; end--)
        words[end - 1] = '\0';
    return base_fail(err, code, "%s: %s", what, words[0] == '\0' ? "connection lost" : words);
}

base_code store_result_fail(const PGresult *result, const char *what, base_error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const base_code code = store_sqlstate_code(sqlstate);
    char words[BASE_ERROR_MESSAGE];
    base_one_line(primary == NULL ? PQresultErrorMessage(result) : primary, words, sizeof(words));
    if (code == BASE_UNPREPARED)
        return base_fail(err, code, "the database is not migrated, run `proofctl migrate up`: %s: %s", what, words);
    if (code == BASE_DENIED)
        return base_fail(err, code,
                         "Postgres, %s: %s (what services need is granted by migrations/roles/proofline_service.sql)",
                         what, words);
    return base_fail(err, code, "Postgres, %s: %s (%s)", what, words, sqlstate == NULL ? "no SQLSTATE" : sqlstate);
}

static void drop_notice(void *ctx, const char *message)
{
    (void)ctx;
    (void)message; /* libraries do not write to stderr */
}

/* With PQERRORS_VERBOSE the server's messages read "FATAL:  28P01: …". */
static base_code connect_code(const PGconn *connection)
{
    const char *words = PQerrorMessage(connection);
    const bool denied = strstr(words, ":  28") != NULL || PQconnectionNeedsPassword(connection) == 1;
    return denied ? BASE_DENIED : BASE_UNAVAILABLE;
}

static base_code finish_connecting(PGconn *connection, int64_t deadline_ms, base_error *err)
{
    const bool started = PQstatus(connection) != CONNECTION_BAD;
    PostgresPollingStatusType next = started ? PGRES_POLLING_WRITING : PGRES_POLLING_FAILED;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED)
            return store_connection_fail(connection, connect_code(connection), "cannot connect to Postgres", err);
        const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (store_wait(connection, events, deadline_ms) != BASE_OK)
            return base_fail(err, BASE_UNAVAILABLE, "cannot connect to Postgres at %s: no answer in time",
                             PQhost(connection) == NULL ? "its address" : PQhost(connection));
        next = PQconnectPoll(connection);
    }
    return BASE_OK;
}

static PGconn *start_connecting(const store_session *session)
{
    char silence_ms[24];
    snprintf(silence_ms, sizeof(silence_ms), "%lld", (long long)(session->statement_timeout_ms + STORE_GRACE_MS));
    /* What stands before the URL is a default that the URL may override; what follows it is ours. */
    const char *const keywords[] = {"keepalives_idle",  "keepalives_interval", "keepalives_count",
                                    "tcp_user_timeout", "application_name",    "password",
                                    "dbname",           "client_encoding",     NULL};
    const char *name = session->application_name;
    const char *password = session->password.data; /* NULL: as if the keyword were not there */
    const char *const values[] = {"10", "5", "3", silence_ms, name, password, session->url.data, "UTF8", NULL};
    return PQconnectStartParams(keywords, values, 1);
}

/* The server's own eye on us: a machine that is gone, or a process that stands still with an answer unread, must not keep its
 * session with its locks. Why the planner is held back: the statements here are prepared once and run for the life of a connection, perhaps made
 * when the tables were empty. Each must go by the index for each row of its batch, however large the tables grow. */
static base_code configure(store_session *session, base_error *err)
{
    char sql[768];
    snprintf(sql, sizeof(sql),
             "SET statement_timeout = %lld; SET lock_timeout = %lld; SET idle_in_transaction_session_timeout = 15000; "
             "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
             "SET tcp_user_timeout = %d; "
             "SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; "
             "SET enable_seqscan = off; SET jit = off; SET work_mem = '32MB'",
             (long long)session->statement_timeout_ms, (long long)session->lock_timeout_ms, UNREAD_MAX_MS);
    return store_session_script(session, sql, session->connect_timeout_ms, err);
}

/* Learns of a connection that died while it was idle, so that a restarted server costs no failed call. */
bool store_session_is_alive(const store_session *session)
{
    PGconn *connection = session->connection;
    if (connection == NULL || PQstatus(connection) != CONNECTION_OK)
        return false;
    struct pollfd fd = {.fd = PQsocket(connection), .events = POLLIN};
    for (int i = 0; i < LAST_WORDS_MAX && poll(&fd, 1, 0) > 0; i++)
        if (PQconsumeInput(connection) != 1)
            return false;
    return PQstatus(connection) == CONNECTION_OK && PQisBusy(connection) == 0;
}

base_code store_session_connect(store_session *session, base_error *err)
{
    if (store_session_is_alive(session))
        return BASE_OK;
    store_session_disconnect(session);
    const int64_t deadline_ms = base_monotonic_ms() + session->connect_timeout_ms;
    session->connection = start_connecting(session);
    if (session->connection == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a Postgres connection");
    PQsetNoticeProcessor(session->connection, drop_notice, NULL);
    PQsetErrorVerbosity(session->connection, PQERRORS_VERBOSE);
    base_code code = finish_connecting(session->connection, deadline_ms, err);
    if (code == BASE_OK && PQsetnonblocking(session->connection, 1) != 0)
        code = base_fail(err, BASE_INTERNAL, "libpq refuses to work without blocking");
    if (code == BASE_OK)
        code = configure(session, err);
    if (code != BASE_OK)
        store_session_disconnect(session);
    return code;
}

base_code store_session_check(store_session *session, base_error *err)
{
    static const store_statement ASK = {"ask", "SELECT current_setting('transaction_read_only') = 'off'"};
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &ASK, NULL, &rows, err);
    if (code != BASE_OK || store_rows_bool(&rows, 0, 0))
        return code;
    store_session_disconnect(session); /* the next connection may lead to the primary */
    return base_fail(err, BASE_UNAVAILABLE, "Postgres takes no writes here: it is a standby, or read only");
}
