#include "devnode/http.h"

#include "control.h"
#include "devnode/api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { STACK_SIZE = 1 << 20, BACKLOG = 1024 };

struct http_server {
    struct MHD_Daemon *daemon;
    api api;
    control control;
    pthread_mutex_t lock;
    pthread_cond_t stopped; /* wakes delayed requests */
    bool stopping;
};

/* One request between its head and its end. */
typedef struct request {
    base_buffer body;
    bool too_large;
} request;

BASE_CLEANUP_POINTER(json_t, json_decref);

static enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned status, const char *type, char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (result == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Takes `body` over; without memory for it the connection is closed. */
static enum MHD_Result reply_json(struct MHD_Connection *connection, unsigned status, json_t *body)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text == NULL ? MHD_NO : reply_text(connection, status, "application/json", text);
}

static void wait_ms(http_server *server, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&server->lock);
    while (!server->stopping && pthread_cond_timedwait(&server->stopped, &server->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result reply_fault(struct MHD_Connection *connection, const fault_strike *strike)
{
    const char *text = strike->text;
    switch (strike->kind) {
    case FAULT_HTTP_503:
        return reply_json(connection, MHD_HTTP_SERVICE_UNAVAILABLE, api_error(*text == '\0' ? "unavailable" : text));
    case FAULT_HTTP_429:
        return reply_json(connection, MHD_HTTP_TOO_MANY_REQUESTS, api_error(*text == '\0' ? "slow down" : text));
    case FAULT_ERROR:
    case FAULT_LATE_ERROR:
        return reply_json(connection, MHD_HTTP_OK, api_error(text));
    case FAULT_NONE:
    case FAULT_REFUSE:
    case FAULT_DROP_REPLY:
    case FAULT_DELAY:
    case FAULT_LAG:
        break;
    }
    return MHD_NO; /* closes the connection */
}

static enum MHD_Result answer_document(http_server *server, struct MHD_Connection *connection,
                                       const graphql_document *document)
{
    fault_scope scope = document->is_mutation     ? FAULTS_ON_SEND
                        : api_is_lookup(document) ? FAULTS_ON_LOOKUP
                                                  : FAULTS_ON_OTHER;
    fault_strike strike = faults_draw(server->control.faults, scope);
    if (strike.kind != FAULT_NONE || strike.delay_ms > 0)
        atomic_fetch_add(&server->api.stats->faults, 1);
    if (strike.delay_ms > 0)
        wait_ms(server, strike.delay_ms);
    bool is_done = strike.kind == FAULT_NONE || strike.kind == FAULT_DROP_REPLY || strike.kind == FAULT_LATE_ERROR ||
                   strike.kind == FAULT_LAG;
    if (!is_done)
        return reply_fault(connection, &strike);
    api shown = server->api;
    shown.lags = strike.kind == FAULT_LAG;
    shown.lagging_blocks = (uint64_t)strike.blocks;
    json_t *answer = api_execute(&shown, document);
    if (strike.kind == FAULT_LATE_ERROR) {
        json_decref(answer);
        return reply_fault(connection, &strike);
    }
    if (strike.kind == FAULT_DROP_REPLY) {
        json_decref(answer);
        return MHD_NO;
    }
    return reply_json(connection, MHD_HTTP_OK, answer);
}

static enum MHD_Result answer_graphql(http_server *server, struct MHD_Connection *connection, base_bytes body)
{
    atomic_fetch_add(&server->api.stats->requests, 1);
    BASE_CLEANUP(json_decref)
    json_t *question = body.size == 0 ? NULL : json_loadb((const char *)body.data, body.size, 0, NULL);
    if (question == NULL)
        return reply_json(connection, MHD_HTTP_BAD_REQUEST, api_error("the body is not JSON"));
    base_error err = {0};
    BASE_CLEANUP(graphql_document_done) graphql_document document = {0};
    if (api_prepare(question, &document, &err) != BASE_OK)
        return reply_json(connection, MHD_HTTP_OK, api_error(err.message));
    return answer_document(server, connection, &document);
}

static enum MHD_Result answer(http_server *server, struct MHD_Connection *connection, const char *method,
                              const char *path, const request *r)
{
    if (r->too_large)
        return reply_json(connection, MHD_HTTP_CONTENT_TOO_LARGE, api_error("the request is too large"));
    base_bytes body = base_buffer_view(&r->body);
    if (strcmp(path, "/graphql") == 0)
        return strcmp(method, "POST") == 0
                   ? answer_graphql(server, connection, body)
                   : reply_json(connection, MHD_HTTP_METHOD_NOT_ALLOWED, api_error("GraphQL is asked by POST"));
    if (strncmp(path, "/control/", strlen("/control/")) == 0) {
        json_t *result = NULL;
        unsigned status = control_answer(&server->control, method, path, body, &result);
        return reply_json(connection, status, result);
    }
    if (strcmp(path, "/healthz") == 0)
        return reply_json(connection, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
    return reply_json(connection, MHD_HTTP_NOT_FOUND, api_error("there is /graphql, /control/… and /healthz"));
}

/* libmicrohttpd calls once with the head, then with parts of the body, then once more with none. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    (void)version;
    request *r = *state;
    if (r == NULL) {
        r = calloc(1, sizeof(*r));
        if (r == NULL)
            return MHD_NO;
        r->body.limit = HTTP_BODY_MAX;
        *state = r;
        return MHD_YES;
    }
    if (*size == 0)
        return answer(ctx, connection, method, path, r);
    if (base_buffer_append(&r->body, base_bytes_of(data, *size), NULL) != BASE_OK)
        r->too_large = true;
    *size = 0;
    return MHD_YES;
}

static void end_request(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
    (void)ctx, (void)connection, (void)why;
    request *r = *state;
    if (r == NULL)
        return;
    base_buffer_done(&r->body);
    free(r);
    *state = NULL;
}

static base_code listen_on(http_server *server, const http_options *options, base_error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    if (inet_pton(AF_INET, options->bind, &address.sin_addr) != 1)
        return base_fail(err, BASE_INVALID, "\"%.60s\" is no IPv4 address to listen on", options->bind);
    errno = 0;
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC, options->port,
        NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&address,
        MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_END);
    if (server->daemon == NULL)
        return base_fail(err, BASE_UNAVAILABLE, "cannot listen on %.60s:%d: %s", options->bind, options->port,
                         errno == 0 ? "the HTTP library does not say why" : strerror(errno));
    return BASE_OK;
}

base_code http_server_new(const http_options *options, http_server **ret, base_error *err)
{
    http_server *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the HTTP server");
    made->api = (api){.node = options->node, .stats = options->stats};
    made->control = (control){options->node, options->stats, options->faults};
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->stopped, &attributes);
    pthread_condattr_destroy(&attributes);

    BASE_CLEANUP(http_server_free) http_server *server = made;
    base_code code = listen_on(server, options, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(server);
    return code;
}

void http_server_free(http_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->stopped);
    pthread_mutex_unlock(&server->lock);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    pthread_cond_destroy(&server->stopped);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t http_server_port(const http_server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}
