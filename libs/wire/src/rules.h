#pragma once
/* The rules that single fields obey, the same for encoding and decoding. Every error names the field and the rule. */
#include "base/bytes.h"

#define WIRE_TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

typedef struct wire_text_rule {
    const char *field;
    size_t max; /* bytes */
    bool required;
    bool (*accepts)(unsigned char c);
    const char *accepted; /* in words */
} wire_text_rule;

extern const wire_text_rule WIRE_RULE_CORRELATION_ID;
extern const wire_text_rule WIRE_RULE_CHAIN_ID;
extern const wire_text_rule WIRE_RULE_ZKAPP_ADDRESS;
extern const wire_text_rule WIRE_RULE_PROOF_FORMAT;
extern const wire_text_rule WIRE_RULE_REASON_CODE;
extern const wire_text_rule WIRE_RULE_TRANSACTION_HASH;

/* Reads at most rule->max + 1 bytes of `value`, which need not be terminated beyond them. */
BASE_MUST_CHECK base_code wire_check_text(const wire_text_rule *rule, const char *value, base_error *err);
/* Checks and copies to ret[rule->max + 1]. */
BASE_MUST_CHECK base_code wire_take_text(const wire_text_rule *rule, const char *value, char *ret, base_error *err);
/* Up to `max` bytes of UTF-8 without control characters. */
BASE_MUST_CHECK base_code wire_check_line(const char *field, const char *value, size_t max, base_error *err);
BASE_MUST_CHECK base_code wire_check_time(const char *field, int64_t unix_ms, base_error *err);
BASE_MUST_CHECK base_code wire_check_not_zero(const char *field, const uint8_t *value, size_t size, base_error *err);
/* Copies exactly `size` bytes to ret. */
BASE_MUST_CHECK base_code wire_take_bytes(const char *field, base_bytes value, uint8_t *ret, size_t size,
                                          base_error *err);
