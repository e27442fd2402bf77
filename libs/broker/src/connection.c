#include "dial.h"
#include "link.h"
#include "nats_status.h"

#include "base/clock.h"
#include "base/own.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define CLOSE_FLUSH_MS 1000
#define CLOSE_WAIT_MS  10000 /* for the last callback of nats.c */
#define EXIT_WAIT_MS   1000  /* for the threads of nats.c, at exit */

struct broker_connection {
    natsConnection *nats;
    broker_replies replies;
    broker_condition condition; /* guards all that follows */
    broker_listener *listeners;
    bool connected, closed, denied;
    char reason[BASE_ERROR_MESSAGE]; /* why not connected */
    broker_server_text server, complaint;
    int64_t max_payload;
    pthread_mutex_t flushing;
    broker_server_text servers; /* all of them, for messages */
    void (*on_change)(void *ctx, bool connected, const char *detail);
    void *on_change_ctx;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static natsStatus library_status;

static void close_library(void)
{
    (void)nats_CloseAndWait(EXIT_WAIT_MS);
}

static void open_library(void)
{
    library_status = nats_Open(-1);
    if (library_status == NATS_OK)
        atexit(close_library);
}

static void note_server(broker_connection *connection, natsConnection *nats)
{
    char url[BROKER_URL_MAX] = "";
    (void)natsConnection_GetConnectedUrl(nats, url, sizeof(url));
    int64_t max_payload = natsConnection_GetMaxPayload(nats);
    BROKER_HOLD(&connection->condition);
    connection->server = broker_url_public(url);
    connection->connected = true;
    connection->denied = false;
    connection->reason[0] = '\0';
    if (max_payload > 0)
        connection->max_payload = max_payload;
}

/* The connection goes on trying in the background; what kept it from the first try is all that nats.c will say. */
static void note_first_failure(broker_connection *connection)
{
    const char *last = NULL;
    natsStatus status = natsConnection_GetLastError(connection->nats, &last);
    BROKER_HOLD(&connection->condition);
    if (connection->connected || last == NULL || last[0] == '\0')
        return;
    connection->denied = status == NATS_CONNECTION_AUTH_FAILED;
    snprintf(connection->reason, sizeof(connection->reason), "%s", last);
}

static void tell_change(broker_connection *connection, bool connected, const char *detail)
{
    {
        BROKER_HOLD(&connection->condition);
        for (broker_listener *listener = connection->listeners; listener != NULL; listener = listener->next)
            listener->on_link(listener->ctx, connected);
    }
    if (connection->on_change != NULL)
        connection->on_change(connection->on_change_ctx, connected, detail);
}

static void on_connected(natsConnection *nats, void *ctx)
{
    broker_connection *connection = ctx;
    note_server(connection, nats);
    tell_change(connection, true, broker_connection_server(connection).text);
}

static void on_disconnected(natsConnection *nats, void *ctx)
{
    broker_connection *connection = ctx;
    const char *last = NULL;
    (void)natsConnection_GetLastError(nats, &last);
    char detail[BASE_ERROR_MESSAGE];
    snprintf(detail, sizeof(detail), "%s", last == NULL || last[0] == '\0' ? "connection lost" : last);
    {
        BROKER_HOLD(&connection->condition);
        connection->connected = false;
        connection->server.text[0] = '\0';
        memcpy(connection->reason, detail, sizeof(detail));
    }
    broker_replies_break(&connection->replies);
    tell_change(connection, false, detail);
}

/* By our own close, or because a server has refused the credentials twice in a row: then nats.c gives up. */
static void on_closed(natsConnection *nats, void *ctx)
{
    broker_connection *connection = ctx;
    const char *last = NULL;
    natsStatus status = natsConnection_GetLastError(nats, &last);
    BROKER_HOLD(&connection->condition);
    connection->connected = false;
    connection->denied = status == NATS_CONNECTION_AUTH_FAILED;
    snprintf(connection->reason, sizeof(connection->reason), "%s", last == NULL || last[0] == '\0' ? "closed" : last);
    connection->closed = true;
    broker_condition_wake(&connection->condition);
}

/* Without a handler nats.c would print these to stderr. */
static void on_error(natsConnection *nats, natsSubscription *subscription, natsStatus status, void *ctx)
{
    (void)subscription;
    broker_connection *connection = ctx;
    const char *last = NULL;
    (void)natsConnection_GetLastError(nats, &last);
    BROKER_HOLD(&connection->condition);
    snprintf(connection->complaint.text, sizeof(connection->complaint.text), "%s",
             last == NULL || last[0] == '\0' ? natsStatus_GetText(status) : last);
}

static natsStatus set_callbacks(natsOptions *nats, broker_connection *connection, bool wait_for_server)
{
    natsStatus status = natsOptions_SetDisconnectedCB(nats, on_disconnected, connection);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectedCB(nats, on_connected, connection);
    if (status == NATS_OK)
        status = natsOptions_SetClosedCB(nats, on_closed, connection);
    if (status == NATS_OK)
        status = natsOptions_SetErrorHandler(nats, on_error, connection);
    if (status == NATS_OK && wait_for_server)
        status = natsOptions_SetRetryOnFailedConnect(nats, true, on_connected, connection);
    return status;
}

static base_code dial(broker_connection *connection, const broker_connection_options *options, base_error *err)
{
    broker_servers servers;
    base_code code = broker_servers_parse(options->url, &servers, err);
    if (code != BASE_OK)
        return code;
    connection->servers = broker_servers_public(&servers);
    natsOptions *nats = NULL;
    code = broker_dial_options(options, &servers, &nats, err);
    base_wipe(&servers, sizeof(servers));
    if (code != BASE_OK)
        return code;
    natsStatus status = set_callbacks(nats, connection, options->wait_for_server);
    if (status == NATS_OK)
        status = natsConnection_Connect(&connection->nats, nats);
    natsOptions_Destroy(nats);
    if (status == NATS_NOT_YET_CONNECTED) {
        note_first_failure(connection);
        return BASE_OK;
    }
    if (status == NATS_OK) {
        note_server(connection, connection->nats);
        return BASE_OK;
    }
    return broker_fail(err, status, "NATS at %s", connection->servers.text);
}

static base_code init_connection(broker_connection *connection, const broker_connection_options *options,
                                 base_error *err)
{
    connection->on_change = options->on_change;
    connection->on_change_ctx = options->on_change_ctx;
    snprintf(connection->reason, sizeof(connection->reason), "not connected yet");
    base_code code = broker_condition_init(&connection->condition, err);
    if (code != BASE_OK)
        return code;
    code = broker_replies_init(&connection->replies, err);
    if (code == BASE_OK && pthread_mutex_init(&connection->flushing, NULL) == 0)
        return BASE_OK;
    if (code == BASE_OK) {
        (void)broker_replies_done(&connection->replies);
        code = base_fail(err, BASE_NO_MEMORY, "cannot make a mutex");
    }
    broker_condition_done(&connection->condition);
    return code;
}

base_code broker_link_failure(broker_connection *connection, base_code code, base_error *err)
{
    if (!natsConnection_IsClosed(connection->nats))
        return code;
    {
        BROKER_HOLD(&connection->condition);
        int64_t deadline = base_monotonic_ms() + CLOSE_WAIT_MS;
        while (!connection->closed)
            if (!broker_condition_wait(&connection->condition, deadline))
                return code;
    }
    return broker_connection_check(connection, err);
}

base_code broker_connection_open(const broker_connection_options *options, broker_connection **ret, base_error *err)
{
    pthread_once(&library_once, open_library);
    if (library_status != NATS_OK)
        return broker_fail(err, library_status, "cannot start the NATS library");
    broker_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a connection");
    base_code code = init_connection(connection, options, err);
    if (code != BASE_OK) {
        free(connection);
        return code;
    }
    BASE_CLEANUP(broker_connection_free) broker_connection *opened = connection;
    code = dial(opened, options, err);
    if (code != BASE_OK)
        return code;
    code = broker_replies_subscribe(&opened->replies, opened->nats, err);
    if (code != BASE_OK)
        return broker_link_failure(opened, code, err);
    *ret = BASE_TAKE(opened);
    return BASE_OK;
}

/* nats.c calls back from its own thread until the connection is closed, so our memory must outlive that. */
static bool close_link(broker_connection *connection)
{
    if (connection->nats == NULL)
        return broker_replies_done(&connection->replies);
    if (broker_connection_check(connection, NULL) == BASE_OK)
        (void)natsConnection_FlushTimeout(connection->nats, CLOSE_FLUSH_MS);
    natsConnection_Close(connection->nats);
    {
        BROKER_HOLD(&connection->condition);
        int64_t deadline = base_monotonic_ms() + CLOSE_WAIT_MS;
        while (!connection->closed)
            if (!broker_condition_wait(&connection->condition, deadline))
                return false;
    }
    if (!broker_replies_done(&connection->replies))
        return false;
    natsConnection_Destroy(connection->nats);
    return true;
}

void broker_connection_free(broker_connection *connection)
{
    if (connection == NULL)
        return;
    if (!close_link(connection))
        return; /* a thread of nats.c still holds it: better leaked than used after free */
    pthread_mutex_destroy(&connection->flushing);
    broker_condition_done(&connection->condition);
    free(connection);
}

base_code broker_connection_check(broker_connection *connection, base_error *err)
{
    BROKER_HOLD(&connection->condition);
    if (connection->connected)
        return BASE_OK;
    if (connection->denied)
        return base_fail(err, BASE_DENIED, "NATS at %s refuses the credentials: %s", connection->servers.text,
                         connection->reason);
    return base_fail(err, BASE_UNAVAILABLE, "no connection to NATS at %s: %s", connection->servers.text,
                     connection->reason);
}

broker_server_text broker_connection_server(broker_connection *connection)
{
    BROKER_HOLD(&connection->condition);
    return connection->server;
}

int64_t broker_connection_max_payload(broker_connection *connection)
{
    BROKER_HOLD(&connection->condition);
    return connection->max_payload;
}

void broker_link_listen(broker_connection *connection, broker_listener *listener)
{
    BROKER_HOLD(&connection->condition);
    listener->next = connection->listeners;
    connection->listeners = listener;
    listener->on_link(listener->ctx, connection->connected);
}

void broker_link_unlisten(broker_connection *connection, broker_listener *listener)
{
    BROKER_HOLD(&connection->condition);
    broker_listener **at = &connection->listeners;
    while (*at != NULL && *at != listener)
        at = &(*at)->next;
    if (*at != NULL)
        *at = listener->next;
}

natsConnection *broker_link_nats(broker_connection *connection)
{
    return connection->nats;
}

broker_replies *broker_link_replies(broker_connection *connection)
{
    return &connection->replies;
}

/* nats.c writes at once only with a PING. One at a time: its 3.4.1 lends the same PONG slot to two threads that flush. */
void broker_link_flush(broker_connection *connection)
{
    if (broker_connection_check(connection, NULL) != BASE_OK)
        return;
    pthread_mutex_lock(&connection->flushing);
    (void)natsConnection_FlushTimeout(connection->nats, BROKER_FLUSH_MS);
    pthread_mutex_unlock(&connection->flushing);
}

broker_server_text broker_link_complaint(broker_connection *connection)
{
    BROKER_HOLD(&connection->condition);
    return connection->complaint;
}
