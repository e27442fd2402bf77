#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* One row of RFC 3629's table 3-7 in Unicode: after a first byte from..to, `more` bytes, the first of them low..high. */
typedef struct utf8_row {
    uint8_t from, to, more, low, high;
} utf8_row;

static const utf8_row ROWS[] = {
    {0x20, 0x7e, 0, 0, 0},       {0xc2, 0xc2, 1, 0xa0, 0xbf}, /* U+0080..009F are control characters */
    {0xc3, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f},
    {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};
enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

/* Bytes of the character at text[0], 0 when it is none or a control character. */
static size_t character(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const utf8_row *row = &ROWS[i];
        if (text[0] < row->from || text[0] > row->to)
            continue;
        if (length < (size_t)row->more + 1 || (row->more > 0 && (text[1] < row->low || text[1] > row->high)))
            return 0;
        for (size_t k = 2; k <= row->more; k++) {
            if (text[k] < 0x80 || text[k] > 0xbf)
                return 0;
        }
        return (size_t)row->more + 1;
    }
    return 0;
}

size_t base_line_prefix(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t step = character((const uint8_t *)text + at, length - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

void base_one_line(const char *text, char *ret, size_t size)
{
    size_t length = strlen(text);
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        size_t step = character((const uint8_t *)text + at, length - at);
        if (written + (step > 0 ? step : 1) >= size)
            break;
        if (step > 0)
            memcpy(ret + written, text + at, step);
        else
            ret[written] = (unsigned char)text[at] < 0x80 ? ' ' : '?';
        written += step > 0 ? step : 1;
        at += step > 0 ? step : 1;
    }
    ret[written] = '\0';
}
