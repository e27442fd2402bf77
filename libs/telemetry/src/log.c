#include "telemetry/log.h"

#include "base/clock.h"
#include "json_text.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TAIL_MAX  32 /* room kept for what closes a line that was cut */
#define FIELD_MAX 64 /* bytes of a number as text */

static const char *service_name = "proofline";
static atomic_int least_level = TELEMETRY_INFO;
static atomic_int chosen_format = TELEMETRY_AUTO;

static const char *const LEVELS[] = {"trace", "debug", "info", "warn", "error"};
static const char *const LEVELS_PADDED[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};
static const char *const FORMATS[] = {"auto", "json", "text"};

/* A line in the making. Pieces are added whole or not at all. */
typedef struct line {
    char text[TELEMETRY_LOG_LINE_MAX];
    size_t used;
    bool cut;
} line;

static int find_word(const char *const *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0)
            return (int)i;
    }
    return -1;
}

bool telemetry_level_parse(const char *text, telemetry_level *ret)
{
    int found = find_word(LEVELS, sizeof(LEVELS) / sizeof(*LEVELS), text);
    if (found >= 0)
        *ret = (telemetry_level)found;
    return found >= 0;
}

bool telemetry_format_parse(const char *text, telemetry_format *ret)
{
    int found = find_word(FORMATS, sizeof(FORMATS) / sizeof(*FORMATS), text);
    if (found >= 0)
        *ret = (telemetry_format)found;
    return found >= 0;
}

void telemetry_log_init(const char *service, telemetry_level level, telemetry_format format)
{
    service_name = service;
    atomic_store(&least_level, (int)level);
    atomic_store(&chosen_format, (int)format);
}

bool telemetry_log_enabled(telemetry_level level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

static bool wants_text(void)
{
    int format = atomic_load_explicit(&chosen_format, memory_order_relaxed);
    if (format == TELEMETRY_AUTO)
        return isatty(STDERR_FILENO) == 1;
    return format == TELEMETRY_TEXT;
}

static void line_add(line *to, const char *piece, size_t length)
{
    if (to->cut || to->used + length > sizeof(to->text) - TAIL_MAX) {
        to->cut = true;
        return;
    }
    memcpy(to->text + to->used, piece, length);
    to->used += length;
}

static void line_add_text(line *to, const char *piece)
{
    line_add(to, piece, strlen(piece));
}

static void line_add_quoted(line *to, const char *text)
{
    char quoted[TELEMETRY_LOG_TEXT_MAX + 2];
    size_t length = json_text_escape(text, quoted + 1, TELEMETRY_LOG_TEXT_MAX, NULL);
    quoted[0] = '"';
    quoted[length + 1] = '"';
    line_add(to, quoted, length + 2);
}

/* True when a value may stand in the text form without quotes. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p > '~')
            return false;
    }
    return *text != '\0' && strlen(text) <= TELEMETRY_LOG_TEXT_MAX;
}

static void line_add_value(line *to, const telemetry_field *field, bool plain_allowed)
{
    char number[FIELD_MAX];
    switch (field->kind) {
    case TELEMETRY_FIELD_TEXT:
        if (field->text == NULL)
            line_add_text(to, "null");
        else if (plain_allowed && is_plain(field->text))
            line_add_text(to, field->text);
        else
            line_add_quoted(to, field->text);
        break;
    case TELEMETRY_FIELD_INT:
        snprintf(number, sizeof(number), "%lld", (long long)field->integer);
        line_add_text(to, number);
        break;
    case TELEMETRY_FIELD_REAL:
        snprintf(number, sizeof(number), "%.6g", field->real);
        line_add_text(to, isfinite(field->real) ? number : "null");
        break;
    case TELEMETRY_FIELD_BOOL:
        line_add_text(to, field->truth ? "true" : "false");
        break;
    }
}

/* Adds a field whole, or takes it back and marks the line as cut. */
static void line_add_field(line *to, const telemetry_field *field, bool text)
{
    size_t before = to->used;
    if (text) {
        line_add_text(to, " ");
        line_add_text(to, field->key);
        line_add_text(to, "=");
    } else {
        line_add_text(to, ",");
        line_add_quoted(to, field->key);
        line_add_text(to, ":");
    }
    line_add_value(to, field, text);
    if (to->cut)
        to->used = before;
}

static void line_start_json(line *to, telemetry_level level, const char *event)
{
    line_add_text(to, "{\"time\":\"");
    line_add_text(to, base_time_rfc3339(base_unix_ms()).text);
    line_add_text(to, "\",\"level\":\"");
    line_add_text(to, LEVELS[level]);
    line_add_text(to, "\",\"service\":");
    line_add_quoted(to, service_name);
    line_add_text(to, ",\"event\":");
    line_add_quoted(to, event);
}

static void line_start_text(line *to, telemetry_level level, const char *event)
{
    line_add_text(to, base_time_rfc3339(base_unix_ms()).text);
    line_add_text(to, " ");
    line_add_text(to, LEVELS_PADDED[level]);
    line_add_text(to, " ");
    line_add_text(to, service_name);
    line_add_text(to, " ");
    line_add_text(to, event);
}

/* Uses the room that line_add keeps free. */
static void line_close(line *to, bool text)
{
    const char *tail = text ? (to->cut ? " truncated=true\n" : "\n") : (to->cut ? ",\"truncated\":true}\n" : "}\n");
    memcpy(to->text + to->used, tail, strlen(tail));
    to->used += strlen(tail);
}

void telemetry_log(telemetry_level level, const char *event, const telemetry_field *fields, size_t count)
{
    if (!telemetry_log_enabled(level))
        return;
    bool text = wants_text();
    line record = {.used = 0};
    if (text)
        line_start_text(&record, level, event);
    else
        line_start_json(&record, level, event);
    for (size_t i = 0; i < count && !record.cut; i++) {
        if (fields[i].key != NULL)
            line_add_field(&record, &fields[i], text);
    }
    line_close(&record, text);
    (void)!write(STDERR_FILENO, record.text, record.used);
}
