#include "harness/http.h"

#include "base/bytes.h"
#include "harness/wait.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define TIMEOUT_S    10
#define REQUEST_MAX  ((size_t)1024 * 1024)
#define STATUS_START 9 /* characters before the number in "HTTP/1.1 200 OK" */

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool send_all(int fd, base_bytes data)
{
    for (size_t sent = 0; sent < data.size;) {
        ssize_t n = send(fd, data.data + sent, data.size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static void receive_all(int fd, base_buffer *reply)
{
    uint8_t part[16384];
    for (;;) {
        ssize_t n = recv(fd, part, sizeof(part), 0);
        if (n <= 0)
            return;
        if (base_buffer_append(reply, base_bytes_of(part, (size_t)n), NULL) != BASE_OK)
            harness_fail("the reply has over %d bytes", HARNESS_HTTP_REPLY_MAX);
    }
}

harness_http_reply harness_http_send(const char *method, uint16_t port, const char *path, const char *content_type,
                                     const char *body)
{
    BASE_CLEANUP(base_close) int fd = connect_to(port);
    if (fd < 0)
        return (harness_http_reply){0};
    /* HTTP/1.0, so that no reply comes in chunks. */
    BASE_CLEANUP(base_buffer_done) base_buffer request = {.limit = REQUEST_MAX};
    if (base_buffer_printf(&request, NULL, "%s %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n", method, path, port) != BASE_OK ||
        (body != NULL && base_buffer_printf(&request, NULL, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type,
                                            strlen(body)) != BASE_OK) ||
        base_buffer_printf(&request, NULL, "\r\n%s", body != NULL ? body : "") != BASE_OK)
        harness_fail("the request has over %zu bytes", REQUEST_MAX);
    BASE_CLEANUP(base_buffer_done) base_buffer received = {.limit = HARNESS_HTTP_REPLY_MAX};
    if (send_all(fd, base_buffer_view(&request)))
        receive_all(fd, &received);
    harness_http_reply reply = {.head = (char *)BASE_TAKE(received.data)};
    char *separator = reply.head != NULL ? strstr(reply.head, "\r\n\r\n") : NULL;
    if (separator == NULL || separator - reply.head < STATUS_START)
        return reply;
    separator[2] = '\0';
    reply.body = separator + 4;
    reply.status = (int)strtol(reply.head + STATUS_START, NULL, 10);
    return reply;
}

harness_http_reply harness_http_get(uint16_t port, const char *path)
{
    return harness_http_send("GET", port, path, NULL, NULL);
}

void harness_http_reply_done(harness_http_reply *reply)
{
    free(reply->head);
    *reply = (harness_http_reply){0};
}
