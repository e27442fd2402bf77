#pragma once
/* A small blocking HTTP client for loopback addresses. */
#include "base/own.h"

#include <stdint.h>

#define HARNESS_HTTP_REPLY_MAX 33554432 /* bytes of a reply with its head */

/* `body` is NUL-terminated and points into `head`, which owns the memory. Status 0: no connection, or cut off in the head. */
typedef struct harness_http_reply {
    int status;
    char *head;
    char *body;
} harness_http_reply;

/* Sends one request to 127.0.0.1:port and reads to the end; gives up after 10 s. `body` NULL sends none. */
harness_http_reply harness_http_send(const char *method, uint16_t port, const char *path, const char *content_type,
                                     const char *body);
harness_http_reply harness_http_get(uint16_t port, const char *path);
void harness_http_reply_done(harness_http_reply *reply);
BASE_CLEANUP_VALUE(harness_http_reply, harness_http_reply_done);
