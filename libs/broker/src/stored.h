#pragma once
/* Messages as a stream keeps them: their headers, their times, their JSON form. */
#include "api.h"
#include "broker/stream.h"

#define BROKER_STORED_HEADERS_MAX 64                             /* others may send more headers than we do */
#define BROKER_STORED_MAX         (64 * 1024 * 1024 + 64 * 1024) /* bytes: any message that a NATS server can store */

/* Seconds with up to nine decimals and "Z" or an offset, as Go writes them: 2026-01-02T03:04:05.678901234Z. Unix nanoseconds. */
BASE_MUST_CHECK bool broker_time_parse(const char *text, int64_t *ret_unix_ns);

/* Appends the headers of a block "NATS/1.0\r\nName: value\r\n…\r\n" to `ret`. BASE_INVALID when it is none; BASE_LIMIT. */
BASE_MUST_CHECK base_code broker_headers_parse(base_bytes block, broker_stored *ret, base_error *err);

/* Appends one header, copied. BASE_LIMIT over BROKER_STORED_HEADERS_MAX. */
BASE_MUST_CHECK base_code broker_stored_add_header(broker_stored *message, base_bytes name, base_bytes value,
                                                   base_error *err);

/* Reads {"subject","seq","hdrs","data","time"}; hdrs and data are base64. Releases *ret on failure. */
BASE_MUST_CHECK base_code broker_stored_parse(const json_t *message, broker_stored *ret, base_error *err);
