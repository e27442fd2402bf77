#include "telemetry/http.h"

#include "json_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTION_MEMORY 16384
#define BACKLOG           64
#define TEXT_PLAIN        "text/plain; charset=utf-8"
#define TEXT_METRICS      "text/plain; version=0.0.4; charset=utf-8"
#define JSON              "application/json"
#define METHODS           "GET, HEAD"

struct telemetry_http {
    struct MHD_Daemon *daemon;
    uint16_t port;
    telemetry_http_options options;
};

struct telemetry_readiness {
    base_buffer entries; /* members of the JSON object not_ready */
    size_t count;
};

typedef struct answer {
    unsigned status;
    const char *type;
    base_buffer body;
} answer;

static void answer_done(answer *local)
{
    base_buffer_done(&local->body);
}
BASE_CLEANUP_VALUE(answer, answer_done);

void telemetry_not_ready(telemetry_readiness *readiness, const char *what, const char *format, ...)
{
    char reason[BASE_ERROR_MESSAGE];
    char quoted_what[64];
    char quoted_reason[2 * BASE_ERROR_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    size_t what_length = json_text_escape(what, quoted_what, sizeof(quoted_what), NULL);
    size_t reason_length = json_text_escape(reason, quoted_reason, sizeof(quoted_reason), NULL);
    /* Over the limit an entry is left out; the count still makes the answer 503. */
    (void)!base_buffer_printf(&readiness->entries, NULL, "%s\"%.*s\":\"%.*s\"", readiness->entries.size > 0 ? "," : "",
                              (int)what_length, quoted_what, (int)reason_length, quoted_reason);
    readiness->count++;
}

static base_code answer_ready(const telemetry_http *server, answer *ret)
{
    telemetry_readiness readiness = {.entries = {.limit = TELEMETRY_READY_MAX}};
    if (server->options.ready != NULL)
        server->options.ready(server->options.ctx, &readiness);
    BASE_CLEANUP(base_buffer_done) base_buffer entries = readiness.entries;
    ret->type = JSON;
    if (readiness.count == 0)
        return base_buffer_printf(&ret->body, NULL, "{\"ready\":true}\n");
    ret->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    return base_buffer_printf(&ret->body, NULL, "{\"ready\":false,\"not_ready\":{%.*s}}\n", (int)entries.size,
                              entries.data != NULL ? (const char *)entries.data : "");
}

static base_code answer_for(const telemetry_http *server, const char *path, const char *method, answer *ret)
{
    bool known = strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0 || strcmp(path, "/metrics") == 0;
    if (!known) {
        ret->status = MHD_HTTP_NOT_FOUND;
        return base_buffer_printf(&ret->body, NULL, "not found: there are /healthz, /readyz and /metrics\n");
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        ret->status = MHD_HTTP_METHOD_NOT_ALLOWED;
        return base_buffer_printf(&ret->body, NULL, "method not allowed\n");
    }
    if (strcmp(path, "/readyz") == 0)
        return answer_ready(server, ret);
    if (strcmp(path, "/healthz") == 0)
        return base_buffer_printf(&ret->body, NULL, "ok\n");
    ret->type = TEXT_METRICS;
    return telemetry_metrics_render(server->options.metrics, &ret->body, NULL);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, answer *reply)
{
    size_t size = reply->body.size;
    uint8_t *body = BASE_TAKE(reply->body.data);
    struct MHD_Response *response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(body);
        return MHD_NO; /* closes the connection */
    }
    enum MHD_Result queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    if (queued == MHD_YES && reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        queued = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, METHODS);
    if (queued == MHD_YES)
        queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* The signature is MHD's. An upload is swallowed piece by piece before the answer. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    static int started;
    (void)version;
    (void)upload;
    if (*state == NULL) {
        *state = &started;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    BASE_CLEANUP(answer_done)
    answer reply = {.status = MHD_HTTP_OK, .type = TEXT_PLAIN, .body = {.limit = TELEMETRY_HTTP_BODY_MAX}};
    if (answer_for(ctx, path, method, &reply) != BASE_OK) {
        base_buffer_clear(&reply.body);
        reply.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_answer(connection, &reply);
}

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static socklen_t parse_address(const char *text, uint16_t port, address *ret)
{
    *ret = (address){.v6 = {0}};
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(port);
        return sizeof(ret->v4);
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(port);
        return sizeof(ret->v6);
    }
    return 0;
}

/* A listening socket, so that a failure can say more than MHD does. -1 on failure. */
static int open_listener(const char *text, uint16_t port, base_code *code, base_error *err)
{
    address local;
    socklen_t size = parse_address(text, port, &local);
    if (size == 0) {
        *code = base_fail(err, BASE_INVALID, "%s is no IP address: set HTTP_BIND to one, such as 0.0.0.0", text);
        return -1;
    }
    int on = 1;
    BASE_CLEANUP(base_close) int fd = socket(local.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 || bind(fd, &local.any, size) != 0 ||
        listen(fd, BACKLOG) != 0) {
        *code = base_fail(err, BASE_UNAVAILABLE,
                          "cannot serve HTTP on %s port %u: %s; set HTTP_PORT to a free port (0 takes any)", text, port,
                          strerror(errno));
        return -1;
    }
    int opened = fd;
    fd = -1;
    return opened;
}

static uint16_t bound_port(int fd)
{
    address local = {.v6 = {0}};
    socklen_t size = sizeof(local);
    if (getsockname(fd, &local.any, &size) != 0)
        return 0;
    return ntohs(local.any.sa_family == AF_INET6 ? local.v6.sin6_port : local.v4.sin_port);
}

base_code telemetry_http_new(const telemetry_http_options *options, telemetry_http **ret, base_error *err)
{
    BASE_CLEANUP(telemetry_http_free) telemetry_http *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the HTTP server");
    server->options = *options;
    base_code code = BASE_OK;
    int fd = open_listener(options->address != NULL ? options->address : "0.0.0.0", options->port, &code, err);
    if (fd < 0)
        return code;
    server->port = bound_port(fd);
    /* From here on the socket is MHD's, and closed by it; whether also when the start fails differs between its versions,
     * so a failed start may leave one descriptor open, which is better than closing somebody else's. */
    server->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)TELEMETRY_HTTP_CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TELEMETRY_HTTP_TIMEOUT_S,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (server->daemon == NULL)
        return base_fail(err, BASE_INTERNAL, "the HTTP server does not start: %s", strerror(errno));
    *ret = BASE_TAKE(server);
    return BASE_OK;
}

void telemetry_http_free(telemetry_http *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    free(server);
}

uint16_t telemetry_http_port(const telemetry_http *server)
{
    return server->port;
}
