#include "params.h"

#include "base/hex.h"

#include <string.h>

void store_params_done(store_params *params)
{
    base_buffer_done(&params->buffer);
    *params = (store_params){0};
}

static void append(store_params *params, const void *data, size_t size)
{
    if (params->failure.code != BASE_OK)
        return;
    params->buffer.limit = STORE_PARAMS_BYTES;
    base_error err = {0};
    if (base_buffer_append(&params->buffer, base_bytes_of(data, size), &err) != BASE_OK)
        params->failure = err;
}

static void put_uint32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put_int64(uint8_t to[8], int64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
}

static void append_uint32(store_params *params, uint32_t value)
{
    uint8_t raw[4];
    put_uint32(raw, value);
    append(params, raw, sizeof(raw));
}

/* Array header: dimensions, has-nulls, element type, length, lower bound. */
#define ARRAY_HEADER        20
#define ARRAY_LENGTH_OFFSET 12

static void end_array(store_params *params)
{
    if (!params->array_open)
        return;
    params->array_open = false;
    if (params->failure.code != BASE_OK)
        return;
    put_uint32(params->buffer.data + params->array_offset + ARRAY_LENGTH_OFFSET, params->array_length);
    params->slots[params->count - 1].size = params->buffer.size - params->array_offset;
}

static void begin(store_params *params)
{
    end_array(params);
    if (params->failure.code == BASE_OK && params->count == STORE_PARAMS_MAX)
        base_fail(&params->failure, BASE_INTERNAL, "a statement has more than %d parameters", STORE_PARAMS_MAX);
    if (params->failure.code != BASE_OK)
        return;
    params->slots[params->count].offset = params->buffer.size;
    params->slots[params->count].size = 0;
    params->count++;
}

static void scalar(store_params *params, const void *data, size_t size)
{
    begin(params);
    append(params, data, size);
    if (params->failure.code == BASE_OK)
        params->slots[params->count - 1].size = size;
}

void store_params_int64(store_params *params, int64_t value)
{
    uint8_t raw[8];
    put_int64(raw, value);
    scalar(params, raw, sizeof(raw));
}

void store_params_bool(store_params *params, bool value)
{
    const uint8_t raw = value ? 1 : 0;
    scalar(params, &raw, sizeof(raw));
}

void store_params_text(store_params *params, const char *value)
{
    scalar(params, value, strlen(value));
}

void store_params_array(store_params *params, store_element type)
{
    begin(params);
    params->array_open = true;
    params->array_offset = params->buffer.size;
    params->array_length = 0;
    const uint32_t header[ARRAY_HEADER / 4] = {1, 1, (uint32_t)type, 0, 1};
    for (size_t i = 0; i < ARRAY_HEADER / 4; i++)
        append_uint32(params, header[i]);
}

static void element(store_params *params, const void *data, size_t size)
{
    append_uint32(params, (uint32_t)size);
    append(params, data, size);
    params->array_length++;
}

void store_params_add_int64(store_params *params, int64_t value)
{
    uint8_t raw[8];
    put_int64(raw, value);
    element(params, raw, sizeof(raw));
}

void store_params_add_bool(store_params *params, bool value)
{
    const uint8_t raw = value ? 1 : 0;
    element(params, &raw, sizeof(raw));
}

void store_params_add_text(store_params *params, const char *value)
{
    element(params, value, strlen(value));
}

void store_params_add_bytes(store_params *params, base_bytes value)
{
    element(params, value.data, value.size);
}

void store_params_add_hash(store_params *params, const base_sha256 *value)
{
    element(params, base_sha256_hex(value).text, 2 * BASE_SHA256_SIZE);
}

void store_params_add_null(store_params *params)
{
    append_uint32(params, UINT32_MAX);
    params->array_length++;
}

base_code store_params_close(store_params *params, base_error *err)
{
    end_array(params);
    if (params->failure.code == BASE_OK)
        return BASE_OK;
    if (err != NULL)
        *err = params->failure;
    return params->failure.code;
}
