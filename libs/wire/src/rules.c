#include "rules.h"

#include "base/text.h"
#include "wire/messages.h"

#include <string.h>

static bool is_alnum(unsigned char c) /* not isalnum: the locale has no say here */
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_printable(unsigned char c)
{
    return c > ' ' && c < 0x7f;
}

static bool is_chain_id(unsigned char c)
{
    return is_alnum(c) || (c != '\0' && strchr("._:/-", c) != NULL);
}

static bool is_format(unsigned char c)
{
    return is_alnum(c) || c == '.' || c == '_' || c == '-';
}

static bool is_reason_code(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

const wire_text_rule WIRE_RULE_CORRELATION_ID = {"correlation_id", WIRE_CORRELATION_ID_MAX, false, is_printable,
                                                 "printable ASCII without spaces"};
const wire_text_rule WIRE_RULE_CHAIN_ID = {"chain_id", WIRE_CHAIN_ID_MAX, false, is_chain_id,
                                           "letters, digits and . _ : / -"};
const wire_text_rule WIRE_RULE_ZKAPP_ADDRESS = {"zkapp_address", WIRE_ADDRESS_MAX, false, is_alnum,
                                                "letters and digits"};
const wire_text_rule WIRE_RULE_PROOF_FORMAT = {"proof_format", WIRE_FORMAT_MAX, true, is_format,
                                               "letters, digits and . _ -"};
const wire_text_rule WIRE_RULE_REASON_CODE = {"reason_code", WIRE_REASON_CODE_MAX, false, is_reason_code,
                                              "a-z, 0-9 and _"};
const wire_text_rule WIRE_RULE_TRANSACTION_HASH = {"transaction_hash", WIRE_TRANSACTION_MAX, false, is_alnum,
                                                   "letters and digits"};

base_code wire_check_text(const wire_text_rule *rule, const char *value, base_error *err)
{
    size_t length = strnlen(value, rule->max + 1);
    if (length > rule->max)
        return base_fail(err, BASE_INVALID, "%s must be at most %zu bytes long", rule->field, rule->max);
    if (length == 0 && rule->required)
        return base_fail(err, BASE_INVALID, "%s must not be empty", rule->field);
    for (size_t i = 0; i < length; i++) {
        if (!rule->accepts((unsigned char)value[i]))
            return base_fail(err, BASE_INVALID, "%s must be %s, but byte %zu is 0x%02x", rule->field, rule->accepted,
                             i + 1, (unsigned)(unsigned char)value[i]);
    }
    return BASE_OK;
}

base_code wire_take_text(const wire_text_rule *rule, const char *value, char *ret, base_error *err)
{
    base_code code = wire_check_text(rule, value, err);
    if (code == BASE_OK)
        memcpy(ret, value, strlen(value) + 1);
    return code;
}

base_code wire_check_line(const char *field, const char *value, size_t max, base_error *err)
{
    size_t length = strnlen(value, max + 1);
    if (length > max)
        return base_fail(err, BASE_INVALID, "%s must be at most %zu bytes long", field, max);
    size_t clean = base_line_prefix(value, length);
    if (clean < length)
        return base_fail(err, BASE_INVALID, "%s must be UTF-8 without control characters, but byte %zu is 0x%02x",
                         field, clean + 1, (unsigned)(unsigned char)value[clean]);
    return BASE_OK;
}

base_code wire_check_time(const char *field, int64_t unix_ms, base_error *err)
{
    if (unix_ms < 0 || unix_ms > WIRE_TIME_MAX_MS)
        return base_fail(err, BASE_INVALID, "%s must be milliseconds from 1970 to 9999, not %lld", field,
                         (long long)unix_ms);
    return BASE_OK;
}

base_code wire_check_not_zero(const char *field, const uint8_t *value, size_t size, base_error *err)
{
    for (size_t i = 0; i < size; i++) {
        if (value[i] != 0)
            return BASE_OK;
    }
    return base_fail(err, BASE_INVALID, "%s must not be zero", field);
}

base_code wire_take_bytes(const char *field, base_bytes value, uint8_t *ret, size_t size, base_error *err)
{
    if (value.size != size)
        return base_fail(err, BASE_INVALID, "%s must be %zu bytes, not %zu", field, size, value.size);
    memcpy(ret, value.data, size);
    return BASE_OK;
}
