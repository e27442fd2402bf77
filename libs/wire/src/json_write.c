#include "base/hex.h"
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ENUM_NAME_MAX = 64 };

static base_code no_memory(const char *field, base_error *err)
{
    return base_fail(err, BASE_NO_MEMORY, "no memory for %s as JSON", field);
}

size_t wire_enum_prefix(const ProtobufCEnumDescriptor *type)
{
    static const char LAST[] = "UNSPECIFIED";
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);
    size_t length = zero != NULL ? strlen(zero->name) : 0;
    return length >= strlen(LAST) ? length - strlen(LAST) : 0;
}

static json_t *bytes_value(base_bytes data)
{
    BASE_CLEANUP(free) char *text = malloc(BASE_HEX_CHARS(data.size));
    if (text == NULL)
        return NULL;
    base_hex_encode(data, text);
    return json_stringn_nocheck(text, data.size * 2);
}

/* An unknown value, from a later version, is shown as its number. */
static json_t *enum_value(const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value == NULL)
        return json_integer(number);
    const char *from = value->name + wire_enum_prefix(type);
    char name[ENUM_NAME_MAX] = "";
    for (size_t i = 0; i + 1 < sizeof(name) && from[i] != '\0'; i++)
        name[i] = (char)tolower((unsigned char)from[i]);
    return json_string(name);
}

static json_t *unsigned_value(uint64_t number)
{
    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return json_string(text);
}

/* One value at `at`. Only the kinds of field that our messages have; another is a mistake of ours, found by the first test. */
static base_code write_value(const ProtobufCFieldDescriptor *field, const void *at, json_t **ret, base_error *err)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT32:
        *ret = unsigned_value(*(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *ret = unsigned_value(*(const uint64_t *)at);
        break;
    case PROTOBUF_C_TYPE_INT64:
        *ret = json_integer(*(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *ret = enum_value(field->descriptor, *(const int *)at);
        break;
    case PROTOBUF_C_TYPE_STRING:
        errno = 0; /* jansson does not say whether it lacked memory */
        *ret = json_string(*(const char *const *)at);
        if (*ret == NULL && errno != ENOMEM)
            return base_fail(err, BASE_INVALID, "%s is not valid UTF-8", field->name);
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *data = at;
        *ret = bytes_value(base_bytes_of(data->data, data->len));
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire_json_write(*(const ProtobufCMessage *const *)at, ret, err);
    default:
        return base_fail(err, BASE_INTERNAL, "%s has a type without a JSON form", field->name);
    }
    return *ret != NULL ? BASE_OK : no_memory(field->name, err);
}

static base_code write_repeated(const ProtobufCFieldDescriptor *field, const void *values, size_t count, json_t **ret,
                                base_error *err)
{
    if (field->type != PROTOBUF_C_TYPE_FIXED32)
        return base_fail(err, BASE_INTERNAL, "%s has a repeated type without a JSON form", field->name);
    BASE_CLEANUP(wire_json_done) json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *value = NULL;
        base_code code = write_value(field, (const uint32_t *)values + i, &value, err);
        if (code != BASE_OK)
            return code;
        if (json_array_append_new(array, value) != 0)
            return no_memory(field->name, err);
    }
    if (array == NULL)
        return no_memory(field->name, err);
    *ret = BASE_TAKE(array);
    return BASE_OK;
}

static bool is_default(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return **(const char *const *)at == '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len == 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(const ProtobufCMessage *const *)at == NULL;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return *(const uint64_t *)at == 0;
    default:
        return *(const uint32_t *)at == 0;
    }
}

/* NULL in *ret when the field is absent. */
static base_code write_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, json_t **ret,
                             base_error *err)
{
    const uint8_t *base = (const uint8_t *)message;
    const void *at = base + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
        return count > 0 ? write_repeated(field, *(const void *const *)at, count, ret, err) : BASE_OK;
    }
    bool absent = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0
                      ? *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id
                      : is_default(field, at);
    return absent ? BASE_OK : write_value(field, at, ret, err);
}

base_code wire_json_write(const ProtobufCMessage *message, json_t **ret, base_error *err)
{
    BASE_CLEANUP(wire_json_done) json_t *object = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        json_t *value = NULL;
        base_code code = write_field(message, field, &value, err);
        if (code != BASE_OK)
            return code;
        if (value != NULL && json_object_set_new(object, field->name, value) != 0)
            return no_memory(field->name, err);
    }
    if (object == NULL)
        return no_memory(message->descriptor->short_name, err);
    *ret = BASE_TAKE(object);
    return BASE_OK;
}
