#pragma once
/* Every message as JSON and back, for people at a shell: protobuf's JSON names in snake_case, bytes as lower-case hex. */
#include "base/bytes.h"

/* `type` is a full protobuf name (wire/headers.h) or its last part. Appends one JSON object, pretty when asked. BASE_INVALID: unknown type or undecodable. */
BASE_MUST_CHECK base_code wire_json_from_message(const char *type, base_bytes data, bool pretty, base_buffer *ret,
                                                 base_error *err);
/* Appends the encoded message. BASE_INVALID names the field: unknown, wrong kind, out of range, or refused by the message's own rules. */
BASE_MUST_CHECK base_code wire_json_to_message(const char *type, base_bytes json, base_buffer *ret, base_error *err);
/* Known full names, NULL-terminated; static storage. */
const char *const *wire_json_types(void);
