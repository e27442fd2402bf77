#include "stored.h"

#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADER_LINE      "NATS/1.0"
#define HEADER_BLOCK_MAX (1024 * 1024)
#define NS_PER_S         1000000000

void broker_stored_done(broker_stored *message)
{
    free(message->subject);
    base_buffer_done(&message->payload);
    for (size_t i = 0; i < message->header_count; i++) {
        free((void *)(uintptr_t)message->headers[i].name);
        free((void *)(uintptr_t)message->headers[i].value);
    }
    free(message->headers);
    memset(message, 0, sizeof(*message));
}

const char *broker_stored_header(const broker_stored *message, const char *name)
{
    for (size_t i = 0; i < message->header_count; i++)
        if (strcmp(message->headers[i].name, name) == 0)
            return message->headers[i].value;
    return NULL;
}

/* "05.678901234" after the minutes: the decimals. */
static const char *parse_fraction(const char *at, int64_t *ret_ns)
{
    *ret_ns = 0;
    if (*at != '.')
        return at;
    int64_t scale = NS_PER_S / 10;
    for (at++; *at >= '0' && *at <= '9'; at++) {
        *ret_ns += (*at - '0') * scale;
        scale /= 10;
    }
    return at;
}

/* "Z", or "+hh:mm" as Go writes an offset. */
static bool parse_offset(const char *at, int64_t *ret_s)
{
    *ret_s = 0;
    if (strcmp(at, "Z") == 0)
        return true;
    struct tm parts = {0};
    const char *end = *at == '+' || *at == '-' ? strptime(at + 1, "%H:%M", &parts) : NULL;
    if (end == NULL || *end != '\0')
        return false;
    *ret_s = (int64_t)(parts.tm_hour * 60 + parts.tm_min) * 60 * (*at == '-' ? -1 : 1);
    return true;
}

bool broker_time_parse(const char *text, int64_t *ret_unix_ns)
{
    struct tm parts = {0};
    const char *at = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (at == NULL)
        return false;
    int64_t ns = 0;
    int64_t offset_s = 0;
    if (!parse_offset(parse_fraction(at, &ns), &offset_s))
        return false;
    int64_t seconds = (int64_t)timegm(&parts) - offset_s;
    if (seconds > INT64_MAX / NS_PER_S - 1 || seconds < INT64_MIN / NS_PER_S + 1)
        return false;
    *ret_unix_ns = seconds * NS_PER_S + ns;
    return true;
}

base_code broker_stored_add_header(broker_stored *message, base_bytes name, base_bytes value, base_error *err)
{
    if (message->header_count == BROKER_STORED_HEADERS_MAX)
        return base_fail(err, BASE_LIMIT, "a message with more than %d headers", BROKER_STORED_HEADERS_MAX);
    broker_header *grown = realloc(message->headers, (message->header_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a header");
    message->headers = grown;
    char *own_name = strndup((const char *)name.data, name.size);
    char *own_value = strndup((const char *)value.data, value.size);
    if (own_name == NULL || own_value == NULL) {
        free(own_name);
        free(own_value);
        return base_fail(err, BASE_NO_MEMORY, "no memory for a header");
    }
    grown[message->header_count++] = (broker_header){own_name, own_value};
    return BASE_OK;
}

static base_code parse_header_line(base_bytes line, broker_stored *ret, base_error *err)
{
    const uint8_t *colon = memchr(line.data, ':', line.size);
    if (colon == NULL || colon == line.data)
        return base_fail(err, BASE_INVALID, "a header without a name");
    base_bytes name = base_bytes_of(line.data, (size_t)(colon - line.data));
    base_bytes value = base_bytes_of(colon + 1, line.size - name.size - 1);
    while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.size--;
    }
    return broker_stored_add_header(ret, name, value, err);
}

base_code broker_headers_parse(base_bytes block, broker_stored *ret, base_error *err)
{
    bool first = true;
    while (block.size > 0) {
        const uint8_t *end = memmem(block.data, block.size, "\r\n", 2);
        if (end == NULL)
            return base_fail(err, BASE_INVALID, "a header line without an end");
        base_bytes line = base_bytes_of(block.data, (size_t)(end - block.data));
        if (first &&
            (line.size < sizeof(HEADER_LINE) - 1 || memcmp(line.data, HEADER_LINE, sizeof(HEADER_LINE) - 1) != 0))
            return base_fail(err, BASE_INVALID, "headers that do not start with " HEADER_LINE);
        if (!first && line.size == 0)
            return BASE_OK;
        base_code code = first ? BASE_OK : parse_header_line(line, ret, err);
        if (code != BASE_OK)
            return code;
        first = false;
        block = base_bytes_of(end + 2, block.size - line.size - 2);
    }
    return base_fail(err, BASE_INVALID, "headers without an end");
}

static base_code decode(const json_t *message, const char *key, base_buffer *ret, base_error *err)
{
    const json_t *text = json_object_get(message, key);
    if (text == NULL)
        return BASE_OK;
    if (!json_is_string(text))
        return base_fail(err, BASE_INVALID, "JetStream's answer holds a message whose %s is no text", key);
    return base_base64_decode(json_string_value(text), json_string_length(text), ret, err);
}

static base_code fill(const json_t *message, broker_stored *ret, base_error *err)
{
    const char *subject = json_string_value(json_object_get(message, "subject"));
    ret->sequence = broker_json_uint(message, "seq");
    if (subject == NULL || ret->sequence == 0 ||
        !broker_time_parse(json_string_value(json_object_get(message, "time")), &ret->stored_unix_ns))
        return base_fail(err, BASE_INVALID, "JetStream's answer holds no message");
    ret->subject = strdup(subject);
    if (ret->subject == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a message");
    ret->payload.limit = BROKER_STORED_MAX;
    base_code code = decode(message, "data", &ret->payload, err);
    BASE_CLEANUP(base_buffer_done) base_buffer block = {.limit = HEADER_BLOCK_MAX};
    if (code == BASE_OK)
        code = decode(message, "hdrs", &block, err);
    if (code == BASE_OK && block.size > 0)
        code = broker_headers_parse(base_buffer_view(&block), ret, err);
    return code;
}

base_code broker_stored_parse(const json_t *message, broker_stored *ret, base_error *err)
{
    *ret = (broker_stored){0};
    base_code code = fill(message, ret, err);
    if (code != BASE_OK)
        broker_stored_done(ret);
    return code;
}
