#pragma once
/* What went wrong: a code that a caller may branch on, and a sentence that an operator can act on. */
#include <stdarg.h>
#include <stddef.h>

#define BASE_MUST_CHECK    __attribute__((warn_unused_result))
#define BASE_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define BASE_ERROR_MESSAGE 256 /* bytes of a message with its terminator; a longer one is cut */

typedef enum base_code {
    BASE_OK = 0,
    BASE_INVALID,     /* this input can never be accepted */
    BASE_NOT_FOUND,   /* the thing named does not exist */
    BASE_CONFLICT,    /* it exists already, or a later claim owns it */
    BASE_DENIED,      /* credentials refused */
    BASE_LIMIT,       /* a named maximum was reached */
    BASE_UNPREPARED,  /* streams or tables have not been made: the message names the command that makes them */
    BASE_UNAVAILABLE, /* a dependency is down and nothing was done: try again later, uncounted */
    BASE_TIMEOUT,     /* no answer in time to a question without effects */
    BASE_AMBIGUOUS,   /* the effect may have happened: find out before repeating */
    BASE_TRANSIENT,   /* it failed this time: may be tried again, counted */
    BASE_CANCELLED,   /* the caller asked to stop */
    BASE_NO_MEMORY,
    BASE_INTERNAL, /* a library refused what it should not refuse */
} base_code;

/* Filled in by the function that failed, untouched otherwise. The message is one line of UTF-8 without control characters, whatever
 * foreign text went into it. Plain value: copy it freely. */
typedef struct base_error {
    base_code code;
    char message[BASE_ERROR_MESSAGE];
} base_error;

/* Sets *err (NULL allowed) and returns `code`, so that a failing function ends in one line. Never allocates. */
base_code base_fail(base_error *err, base_code code, const char *format, ...) BASE_PRINTF(3, 4);

/* The static analyzer sees one file at a time: this tells it that what fails does not go on as BASE_OK. */
#ifdef __clang_analyzer__
static inline base_code base_failed_with(base_code code, base_code returned)
{
    (void)returned;
    return code;
}
#define base_fail(err, code, ...) base_failed_with(code, base_fail(err, code, __VA_ARGS__))
#endif

/* Puts "<text>: " before the message already in *err and returns its code; BASE_INTERNAL when err is NULL, for then the code is unknown. */
base_code base_fail_within(base_error *err, const char *format, ...) BASE_PRINTF(2, 3);

/* Name of the code in lower case, "not_found"; static storage. */
const char *base_code_name(base_code code);
