#pragma once
/* Log records of a service: one line each on stderr, as JSON or as text for people.
 *
 * JSON: {"time":"2026-01-02T03:04:05.678Z","level":"info","service":"generator","event":"job_completed","attempt":2}.
 * Text: 2026-01-02T03:04:05.678Z INFO  generator job_completed attempt=2.
 * Any thread may log; each line is one write(2), so that lines of threads and processes never mix. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELEMETRY_LOG_LINE_MAX 8192 /* bytes; a longer line loses its last fields and says "truncated":true */
#define TELEMETRY_LOG_TEXT_MAX 2048 /* bytes of one escaped text value; the rest is cut */

typedef enum telemetry_level {
    TELEMETRY_TRACE,
    TELEMETRY_DEBUG,
    TELEMETRY_INFO,
    TELEMETRY_WARN,
    TELEMETRY_ERROR,
} telemetry_level;

typedef enum telemetry_format {
    TELEMETRY_AUTO, /* text when stderr is a terminal, else JSON */
    TELEMETRY_JSON,
    TELEMETRY_TEXT,
} telemetry_format;

/* One key and its value; keys and texts are borrowed for the call. Make them with the functions below. */
typedef struct telemetry_field {
    const char *key;
    enum { TELEMETRY_FIELD_TEXT = 1, TELEMETRY_FIELD_INT, TELEMETRY_FIELD_REAL, TELEMETRY_FIELD_BOOL } kind;
    union {
        const char *text;
        int64_t integer;
        double real;
        bool truth;
    };
} telemetry_field;

static inline telemetry_field telemetry_text(const char *key, const char *value) /* NULL is logged as null */
{
    return (telemetry_field){.key = key, .kind = TELEMETRY_FIELD_TEXT, .text = value};
}
static inline telemetry_field telemetry_int(const char *key, int64_t value)
{
    return (telemetry_field){.key = key, .kind = TELEMETRY_FIELD_INT, .integer = value};
}
static inline telemetry_field telemetry_real(const char *key, double value)
{
    return (telemetry_field){.key = key, .kind = TELEMETRY_FIELD_REAL, .real = value};
}
static inline telemetry_field telemetry_bool(const char *key, bool value)
{
    return (telemetry_field){.key = key, .kind = TELEMETRY_FIELD_BOOL, .truth = value};
}

/* The values of LOG_LEVEL and LOG_FORMAT, for a settings table; the parsers take one of them. An unknown word leaves *ret
 * alone and returns false. */
#define TELEMETRY_LEVEL_CHOICES  "trace|debug|info|warn|error"
#define TELEMETRY_FORMAT_CHOICES "auto|json|text"
bool telemetry_level_parse(const char *text, telemetry_level *ret);
bool telemetry_format_parse(const char *text, telemetry_format *ret);

/* Sets who logs, from which level on and in which form. Call once, before other threads start; `service` is borrowed for
 * ever. Before it: service "proofline", level info, form auto. */
void telemetry_log_init(const char *service, telemetry_level level, telemetry_format format);

/* True when a record of this level would be written; saves the making of costly fields. */
bool telemetry_log_enabled(telemetry_level level);

/* Writes one record. Text that is no UTF-8 gets U+FFFD in its place; control characters are escaped. Fields without a key
 * are left out. Failures to write are ignored: there is nobody to tell. */
void telemetry_log(telemetry_level level, const char *event, const telemetry_field *fields, size_t count);

/* TELEMETRY_LOG(TELEMETRY_INFO, "job_completed", telemetry_text("submission", hex), telemetry_int("attempt", 2)); */
#define TELEMETRY_LOG(level, event, ...)                                                                               \
    telemetry_log(level, event, (const telemetry_field[]){{0}, __VA_ARGS__},                                           \
                  sizeof((const telemetry_field[]){{0}, __VA_ARGS__}) / sizeof(telemetry_field))
