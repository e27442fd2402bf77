#include "base/error.h"

#include "base/text.h"

#include <stdio.h>

/* Room to see that a message is too long before it is cut, so that it is cut at a whole character (of up to 4 bytes). */
#define DRAFT_SIZE (BASE_ERROR_MESSAGE + 3)

#undef base_fail /* the analyzer has a macro of this name */

base_code base_fail(base_error *err, base_code code, const char *format, ...)
{
    if (err == NULL)
        return code;
    /* Formatted apart first: an argument may be the old message itself. */
    char draft[DRAFT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(draft, sizeof(draft), format, args);
    va_end(args);
    err->code = code;
    base_one_line(draft, err->message, sizeof(err->message));
    return code;
}

base_code base_fail_within(base_error *err, const char *format, ...)
{
    if (err == NULL)
        return BASE_INTERNAL;
    char draft[DRAFT_SIZE];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(draft, sizeof(draft), format, args);
    va_end(args);
    if (length > 0 && (size_t)length < sizeof(draft))
        snprintf(draft + length, sizeof(draft) - (size_t)length, ": %s", err->message);
    base_one_line(draft, err->message, sizeof(err->message));
    return err->code;
}

const char *base_code_name(base_code code)
{
    switch (code) {
    case BASE_OK:
        return "ok";
    case BASE_INVALID:
        return "invalid";
    case BASE_NOT_FOUND:
        return "not_found";
    case BASE_CONFLICT:
        return "conflict";
    case BASE_DENIED:
        return "denied";
    case BASE_LIMIT:
        return "limit";
    case BASE_UNPREPARED:
        return "unprepared";
    case BASE_UNAVAILABLE:
        return "unavailable";
    case BASE_TIMEOUT:
        return "timeout";
    case BASE_AMBIGUOUS:
        return "ambiguous";
    case BASE_TRANSIENT:
        return "transient";
    case BASE_CANCELLED:
        return "cancelled";
    case BASE_NO_MEMORY:
        return "no_memory";
    case BASE_INTERNAL:
        return "internal";
    }
    return "unknown";
}
