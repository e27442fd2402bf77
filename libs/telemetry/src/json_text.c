#include "json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ESCAPE_MAX 8

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629, table 3-7 of Unicode), 0 when there is none. Reading stops at
 * the terminator, for it is no continuation byte. */
static size_t sequence_length(const uint8_t *p)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return is_continuation(p[1]) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        uint8_t low = p[0] == 0xe0 ? 0xa0 : 0x80;
        uint8_t high = p[0] == 0xed ? 0x9f : 0xbf; /* no surrogates */
        return p[1] >= low && p[1] <= high && is_continuation(p[2]) ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        uint8_t low = p[0] == 0xf0 ? 0x90 : 0x80;
        uint8_t high = p[0] == 0xf4 ? 0x8f : 0xbf; /* up to U+10FFFF */
        return p[1] >= low && p[1] <= high && is_continuation(p[2]) && is_continuation(p[3]) ? 4 : 0;
    }
    return 0;
}

/* Writes the escaped form of the character at p and returns its length; *ret_used is what it took from the text. */
static size_t escape_one(const uint8_t *p, char to[ESCAPE_MAX], size_t *ret_used)
{
    size_t length = sequence_length(p);
    *ret_used = length > 0 ? length : 1;
    if (length == 0)
        return (size_t)snprintf(to, ESCAPE_MAX, "\xef\xbf\xbd");
    if (p[0] == '"' || p[0] == '\\')
        return (size_t)snprintf(to, ESCAPE_MAX, "\\%c", p[0]);
    if (p[0] == '\n')
        return (size_t)snprintf(to, ESCAPE_MAX, "\\n");
    if (p[0] < 0x20 || p[0] == 0x7f)
        return (size_t)snprintf(to, ESCAPE_MAX, "\\u%04x", p[0]);
    memcpy(to, p, length);
    return length;
}

size_t json_text_escape(const char *text, char *to, size_t room, bool *ret_cut)
{
    size_t written = 0;
    const uint8_t *p = (const uint8_t *)text;
    while (*p != '\0') {
        char escaped[ESCAPE_MAX];
        size_t used;
        size_t length = escape_one(p, escaped, &used);
        if (written + length > room)
            break;
        memcpy(to + written, escaped, length);
        written += length;
        p += used;
    }
    if (ret_cut != NULL)
        *ret_cut = *p != '\0';
    return written;
}
