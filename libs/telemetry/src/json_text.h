#pragma once
/* Text as the inside of a JSON string. */
#include <stddef.h>

/* Writes `text` escaped, without quotes and terminator, into at most `room` bytes; what does not fit whole is left out.
 * Bytes that are no UTF-8 (RFC 3629) become U+FFFD. Returns the bytes written and sets *ret_cut when something was left
 * out (NULL allowed). */
size_t json_text_escape(const char *text, char *to, size_t room, _Bool *ret_cut);
