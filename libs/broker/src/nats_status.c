#include "nats_status.h"

#include <stdio.h>
#include <string.h>

base_code broker_code_of(natsStatus status)
{
    switch (status) {
    case NATS_OK:
        return BASE_OK;
    case NATS_INVALID_ARG:
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_QUEUE_NAME:
    case NATS_SSL_ERROR:
        return BASE_INVALID;
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
        return BASE_DENIED;
    case NATS_MAX_PAYLOAD:
        return BASE_LIMIT;
    case NATS_NOT_FOUND:
        return BASE_NOT_FOUND;
    case NATS_TIMEOUT:
        return BASE_TIMEOUT;
    case NATS_NO_MEMORY:
        return BASE_NO_MEMORY;
    case NATS_NO_SERVER:
    case NATS_NOT_YET_CONNECTED:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_STALE_CONNECTION:
    case NATS_IO_ERROR:
    case NATS_DRAINING:
    case NATS_INSUFFICIENT_BUFFER: /* the reconnect buffer is full */
    case NATS_NO_RESPONDERS:
    case NATS_SECURE_CONNECTION_REQUIRED:
    case NATS_SECURE_CONNECTION_WANTED:
        return BASE_UNAVAILABLE;
    default:
        return BASE_INTERNAL;
    }
}

/* nats.c starts its messages with the place in its own source, "(conn.c:2088): ", which helps nobody. */
static const char *without_place(const char *message)
{
    const char *end = message[0] == '(' ? strstr(message, "): ") : NULL;
    return end == NULL ? message : end + strlen("): ");
}

base_code broker_fail(base_error *err, natsStatus status, const char *format, ...)
{
    char what[BASE_ERROR_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    const char *detail = nats_GetLastError(NULL);
    if (detail == NULL || detail[0] == '\0')
        detail = natsStatus_GetText(status);
    return base_fail(err, broker_code_of(status), "%s: %s", what, without_place(detail));
}
