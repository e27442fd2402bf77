#pragma once
/* The two directions of wire/json.h over protobuf-c's descriptors, so that a new field needs no code here. */
#include "base/bytes.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

static inline void wire_json_done(json_t *value)
{
    json_decref(value);
}
BASE_CLEANUP_POINTER(json_t, wire_json_done);

/* The part of an enum's value names that they share: that of value 0 without UNSPECIFIED (buf's lint keeps it so). */
size_t wire_enum_prefix(const ProtobufCEnumDescriptor *type);

/* Makes a JSON object of an unpacked message; the caller owns *ret. */
BASE_MUST_CHECK base_code wire_json_write(const ProtobufCMessage *message, json_t **ret, base_error *err);

/* Appends the encoding of a JSON object. Checks names, kinds and number ranges, and no more. */
BASE_MUST_CHECK base_code wire_json_read(const ProtobufCMessageDescriptor *type, const json_t *object, base_buffer *ret,
                                         base_error *err);
