#pragma once
/* Every message as JSON and back, for people at a shell: protobuf's JSON names in snake_case, bytes as lower-case hex. */
#include "base/bytes.h"

#define WIRE_JSON_MAX                                                                                                  \
    3000000 /* bytes of a message as JSON on input: hex of the largest image and room for line breaks */

/* 64-bit integers are numbers, or decimal strings beyond ±2^63; enum values are short and in lower case, "proof_generation"; fields that
 * have their default are left out. Reading also takes decimal strings for every integer and the full name of an enum value. */

/* `type` is a full protobuf name (wire/headers.h) or its last part. Appends one JSON object, pretty when asked. BASE_INVALID: unknown type, undecodable, or without any field of the type;
 * what decodes but breaks the message's rules is shown all the same, since dead letters are to be looked at. *ret is unchanged on failure. */
BASE_MUST_CHECK base_code wire_json_from_message(const char *type, base_bytes data, bool pretty, base_buffer *ret,
                                                 base_error *err);
/* Appends the encoded message. BASE_INVALID names the field: unknown, wrong kind, out of range, or refused by the message's own rules. */
BASE_MUST_CHECK base_code wire_json_to_message(const char *type, base_bytes json, base_buffer *ret, base_error *err);
/* Known full names, NULL-terminated; static storage. */
const char *const *wire_json_types(void);
