#include "base/hex.h"
#include "json.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VARINT = 0, DELIMITED = 2, FIXED32 = 5, VARINT_MAX = 10, PATH_MAX_TEXT = 96 };

/* A field with the path that leads to it, for messages: "signature.r". */
typedef struct field_place {
    const ProtobufCFieldDescriptor *field;
    char path[PATH_MAX_TEXT];
} field_place;

static base_code read_object(const ProtobufCMessageDescriptor *type, const char *path, const json_t *object,
                             base_buffer *ret, base_error *err);

static base_code put_varint(uint64_t value, base_buffer *ret, base_error *err)
{
    uint8_t bytes[VARINT_MAX];
    size_t size = 0;
    do {
        bytes[size++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    return base_buffer_append(ret, base_bytes_of(bytes, size), err);
}

static base_code put_fixed32(uint64_t value, base_buffer *ret, base_error *err)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    return base_buffer_append(ret, base_bytes_of(bytes, sizeof(bytes)), err);
}

static base_code put_tag(const field_place *place, unsigned kind, base_buffer *ret, base_error *err)
{
    return put_varint((uint64_t)place->field->id << 3 | kind, ret, err);
}

static base_code put_delimited(const field_place *place, base_bytes data, base_buffer *ret, base_error *err)
{
    base_code code = put_tag(place, DELIMITED, ret, err);
    if (code == BASE_OK)
        code = put_varint(data.size, ret, err);
    return code == BASE_OK ? base_buffer_append(ret, data, err) : code;
}

static base_code wrong_kind(const field_place *place, const char *wanted, base_error *err)
{
    return base_fail(err, BASE_INVALID, "%s must be %s", place->path, wanted);
}

/* Decimal digits only. False beyond 64 bits and for anything else. */
static bool parse_digits(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (unsigned)(text[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return length > 0;
}

static base_code read_unsigned(const field_place *place, const json_t *value, uint64_t max, uint64_t *ret,
                               base_error *err)
{
    uint64_t number = 0;
    bool valid = false;
    if (json_is_integer(value)) {
        valid = json_integer_value(value) >= 0;
        number = (uint64_t)json_integer_value(value);
    } else if (json_is_string(value)) {
        valid = parse_digits(json_string_value(value), &number);
    }
    if (!valid || number > max)
        return base_fail(err, BASE_INVALID, "%s must be a whole number from 0 to %llu", place->path,
                         (unsigned long long)max);
    *ret = number;
    return BASE_OK;
}

static base_code read_signed(const field_place *place, const json_t *value, uint64_t *ret, base_error *err)
{
    if (json_is_integer(value)) {
        *ret = (uint64_t)json_integer_value(value);
        return BASE_OK;
    }
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    bool negative = text[0] == '-';
    uint64_t size = 0;
    if (!parse_digits(text + negative, &size) || size > (uint64_t)INT64_MAX + negative)
        return wrong_kind(place, "a whole number of 64 bits", err);
    *ret = negative ? 0 - size : size;
    return BASE_OK;
}

static base_code read_enum(const field_place *place, const json_t *value, uint64_t *ret, base_error *err)
{
    const ProtobufCEnumDescriptor *type = place->field->descriptor;
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    size_t prefix = wire_enum_prefix(type);
    for (unsigned i = 0; i < type->n_values; i++) {
        if (strcmp(text, type->values[i].name) == 0 || strcasecmp(text, type->values[i].name + prefix) == 0) {
            *ret = (uint64_t)type->values[i].value;
            return BASE_OK;
        }
    }
    return base_fail(err, BASE_INVALID, "%s must be the name of a %s%s%.32s%s", place->path, type->short_name,
                     text[0] != '\0' ? ", not \"" : "", text, text[0] != '\0' ? "\"" : "");
}

static base_code read_scalar(const field_place *place, const json_t *value, uint64_t *ret, base_error *err)
{
    switch (place->field->type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT32:
        return read_unsigned(place, value, UINT32_MAX, ret, err);
    case PROTOBUF_C_TYPE_UINT64:
        return read_unsigned(place, value, UINT64_MAX, ret, err);
    case PROTOBUF_C_TYPE_INT64:
        return read_signed(place, value, ret, err);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(place, value, ret, err);
    default:
        return base_fail(err, BASE_INTERNAL, "%s has a type without a JSON form", place->path);
    }
}

/* Zero is left out, as protobuf has it for fields outside of a oneof; none of ours in a oneof is a number. */
static base_code read_number(const field_place *place, const json_t *value, base_buffer *ret, base_error *err)
{
    uint64_t number = 0;
    base_code code = read_scalar(place, value, &number, err);
    if (code != BASE_OK || number == 0)
        return code;
    bool fixed = place->field->type == PROTOBUF_C_TYPE_FIXED32;
    code = put_tag(place, fixed ? FIXED32 : VARINT, ret, err);
    if (code != BASE_OK)
        return code;
    return fixed ? put_fixed32(number, ret, err) : put_varint(number, ret, err);
}

static base_code read_words(const field_place *place, const json_t *value, base_buffer *ret, base_error *err)
{
    if (!json_is_array(value))
        return wrong_kind(place, "an array of numbers", err);
    BASE_CLEANUP(base_buffer_done) base_buffer packed = {.limit = WIRE_MESSAGE_MAX};
    for (size_t i = 0; i < json_array_size(value); i++) {
        uint64_t number = 0;
        base_code code = read_scalar(place, json_array_get(value, i), &number, err);
        if (code == BASE_OK)
            code = put_fixed32(number, &packed, err);
        if (code != BASE_OK)
            return code;
    }
    return packed.size > 0 ? put_delimited(place, base_buffer_view(&packed), ret, err) : BASE_OK;
}

static base_code read_text(const field_place *place, const json_t *value, base_buffer *ret, base_error *err)
{
    if (!json_is_string(value))
        return wrong_kind(place, "a string", err);
    base_bytes text = base_bytes_of(json_string_value(value), json_string_length(value));
    bool absent = text.size == 0 && (place->field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0;
    return absent ? BASE_OK : put_delimited(place, text, ret, err);
}

static base_code read_hex(const field_place *place, const json_t *value, base_buffer *ret, base_error *err)
{
    if (!json_is_string(value))
        return wrong_kind(place, "a string of hex characters", err);
    size_t length = json_string_length(value);
    if (length % 2 != 0)
        return wrong_kind(place, "an even number of hex characters", err);
    BASE_CLEANUP(free) uint8_t *data = malloc(length / 2 + 1);
    if (data == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %s", place->path);
    base_code code = base_hex_decode(place->path, json_string_value(value), data, length / 2, err);
    if (code != BASE_OK)
        return wrong_kind(place, "hex characters", err);
    bool absent = length == 0 && (place->field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0;
    return absent ? BASE_OK : put_delimited(place, base_bytes_of(data, length / 2), ret, err);
}

static base_code read_message(const field_place *place, const json_t *value, base_buffer *ret, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer inner = {.limit = WIRE_MESSAGE_MAX};
    base_code code = read_object(place->field->descriptor, place->path, value, &inner, err);
    return code == BASE_OK ? put_delimited(place, base_buffer_view(&inner), ret, err) : code;
}

static base_code read_field(const field_place *place, const json_t *value, base_buffer *ret, base_error *err)
{
    if (place->field->label == PROTOBUF_C_LABEL_REPEATED)
        return place->field->type == PROTOBUF_C_TYPE_FIXED32
                   ? read_words(place, value, ret, err)
                   : base_fail(err, BASE_INTERNAL, "%s has a repeated type without a JSON form", place->path);
    switch (place->field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return read_text(place, value, ret, err);
    case PROTOBUF_C_TYPE_BYTES:
        return read_hex(place, value, ret, err);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(place, value, ret, err);
    default:
        return read_number(place, value, ret, err);
    }
}

/* Fields of one oneof share the place where protobuf-c keeps the case. */
static base_code check_oneofs(const ProtobufCMessageDescriptor *type, const json_t *object, base_error *err)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *one = &type->fields[i];
        for (unsigned k = i + 1; k < type->n_fields; k++) {
            const ProtobufCFieldDescriptor *other = &type->fields[k];
            if ((one->flags & other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
                one->quantifier_offset == other->quantifier_offset && json_object_get(object, one->name) != NULL &&
                json_object_get(object, other->name) != NULL)
                return base_fail(err, BASE_INVALID, "%s and %s exclude each other", one->name, other->name);
        }
    }
    return BASE_OK;
}

static base_code check_names(const ProtobufCMessageDescriptor *type, const char *path, const json_t *object,
                             base_error *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, name, value)
    {
        if (protobuf_c_message_descriptor_get_field_by_name(type, name) == NULL)
            return base_fail(err, BASE_INVALID, "%s has no field \"%.64s\"", path[0] != '\0' ? path : type->short_name,
                             name);
    }
    return check_oneofs(type, object, err);
}

/* Goes by the descriptor, which is sorted by number, so that equal messages get equal bytes. Descends as deep as our types nest: twice. */
static base_code read_object(const ProtobufCMessageDescriptor *type, const char *path, const json_t *object,
                             base_buffer *ret, base_error *err)
{
    if (!json_is_object(object))
        return base_fail(err, BASE_INVALID, "%s must be a JSON object", path[0] != '\0' ? path : type->short_name);
    base_code code = check_names(type, path, object, err);
    for (unsigned i = 0; i < type->n_fields && code == BASE_OK; i++) {
        const json_t *value = json_object_get(object, type->fields[i].name);
        if (value == NULL)
            continue;
        field_place place = {.field = &type->fields[i]};
        snprintf(place.path, sizeof(place.path), "%s%s%s", path, path[0] != '\0' ? "." : "", type->fields[i].name);
        code = read_field(&place, value, ret, err);
    }
    return code;
}

base_code wire_json_read(const ProtobufCMessageDescriptor *type, const json_t *object, base_buffer *ret,
                         base_error *err)
{
    return read_object(type, "", object, ret, err);
}
