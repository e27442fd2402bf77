#include "script_server.h"

#include "harness/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

struct script_server {
    const script_step *steps;
    size_t step_count;
    size_t at; /* of the thread */
    int listener;
    int stop; /* an eventfd, readable once the server shall end */
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    int requests, connections, closed;
    char last[SCRIPT_REQUEST_MAX];
};

static void count_one(script_server *server, int *counter)
{
    pthread_mutex_lock(&server->mutex);
    (*counter)++;
    pthread_mutex_unlock(&server->mutex);
}

static int read_counter(script_server *server, const int *counter)
{
    pthread_mutex_lock(&server->mutex);
    int value = *counter;
    pthread_mutex_unlock(&server->mutex);
    return value;
}

static const script_step *next_step(script_server *server)
{
    const script_step *step = &server->steps[server->at];
    if (server->at + 1 < server->step_count)
        server->at++;
    return step;
}

/* False when the server shall end. */
static bool wait_ready(script_server *server, int fd, short events)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = server->stop, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    return fds[1].revents == 0;
}

/* How many bytes a request with this beginning has; 0 while that cannot be known. */
static size_t request_size(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (end == NULL || length == NULL)
        return 0;
    return (size_t)(end - text) + 4 + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

/* False: the peer closed, or the server shall end. */
static bool read_request(script_server *server, int fd)
{
    char request[SCRIPT_REQUEST_MAX] = "";
    size_t size = 0;
    while (request_size(request) == 0 || size < request_size(request)) {
        if (size + 1 >= sizeof(request) || !wait_ready(server, fd, POLLIN))
            return false;
        ssize_t count = recv(fd, request + size, sizeof(request) - 1 - size, 0);
        if (count <= 0)
            return false;
        size += (size_t)count;
        request[size] = '\0';
    }
    pthread_mutex_lock(&server->mutex);
    memcpy(server->last, request, size + 1);
    server->requests++;
    pthread_mutex_unlock(&server->mutex);
    return true;
}

static bool send_bytes(script_server *server, int fd, const char *data, size_t size)
{
    while (size > 0) {
        if (!wait_ready(server, fd, POLLOUT))
            return false;
        ssize_t count = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            return false;
        data += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

static bool send_head(script_server *server, int fd, int status, size_t content_length)
{
    char head[256];
    int size = snprintf(head, sizeof(head),
                        "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\nLocation: "
                        "http://127.0.0.1:%u/elsewhere\r\nContent-Length: %zu\r\n\r\n",
                        status, server->port, content_length);
    return send_bytes(server, fd, head, (size_t)size);
}

static void flood(script_server *server, int fd)
{
    static const char SPACE[65536] = {' '};
    if (!send_head(server, fd, 200, SIZE_MAX / 4))
        return;
    while (send_bytes(server, fd, SPACE, sizeof(SPACE)))
        ;
}

/* True when the connection goes on. */
static bool act(script_server *server, int fd, const script_step *step)
{
    size_t size = step->body != NULL ? strlen(step->body) : 0;
    switch (step->act) {
    case SCRIPT_ANSWER:
    case SCRIPT_ANSWER_THEN_CLOSE:
        return send_head(server, fd, step->status, size) && send_bytes(server, fd, step->body, size) &&
               step->act == SCRIPT_ANSWER;
    case SCRIPT_CUT:
        (void)(send_head(server, fd, step->status, size) && send_bytes(server, fd, step->body, size / 2));
        return false;
    case SCRIPT_SILENCE: {
        /* Ends when the client gives up. */
        (void)wait_ready(server, fd, POLLIN);
        return false;
    }
    case SCRIPT_FLOOD:
        flood(server, fd);
        return false;
    case SCRIPT_CLOSE:
    case SCRIPT_HANG_UP:
        break;
    }
    return false;
}

static void serve(script_server *server, int fd)
{
    count_one(server, &server->connections);
    if (server->steps[server->at].act == SCRIPT_HANG_UP) {
        next_step(server);
        return;
    }
    while (read_request(server, fd) && act(server, fd, next_step(server)))
        ;
}

static void *run(void *ctx)
{
    script_server *server = ctx;
    while (wait_ready(server, server->listener, POLLIN)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        serve(server, fd);
        close(fd);
        count_one(server, &server->closed);
    }
    return NULL;
}

script_server *script_server_new(const script_step *steps, size_t count)
{
    script_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (server == NULL || (server->stop = eventfd(0, EFD_CLOEXEC)) < 0 ||
        (server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
        bind(server->listener, (struct sockaddr *)&address, size) != 0 || listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        harness_fail("cannot start a scripted server: %s", strerror(errno));
    server->port = ntohs(address.sin_port);
    server->steps = steps;
    server->step_count = count;
    pthread_mutex_init(&server->mutex, NULL);
    if (pthread_create(&server->thread, NULL, run, server) != 0)
        harness_fail("cannot start the thread of a scripted server");
    return server;
}

void script_server_free(script_server *server)
{
    if (server == NULL)
        return;
    const uint64_t one = 1;
    if (write(server->stop, &one, sizeof(one)) != (ssize_t)sizeof(one))
        harness_fail("cannot stop a scripted server: %s", strerror(errno));
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->stop);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

uint16_t script_server_port(const script_server *server)
{
    return server->port;
}

int script_server_requests(script_server *server)
{
    return read_counter(server, &server->requests);
}

int script_server_connections(script_server *server)
{
    return read_counter(server, &server->connections);
}

int script_server_closed(script_server *server)
{
    return read_counter(server, &server->closed);
}

char *script_server_last(script_server *server)
{
    pthread_mutex_lock(&server->mutex);
    char *copy = strdup(server->last);
    pthread_mutex_unlock(&server->mutex);
    return copy;
}
