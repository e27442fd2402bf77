#pragma once
/* One line of UTF-8 (RFC 3629) without control characters (C0, DEL, C1): what may stand in a message, a reason or a header. */
#include <stddef.h>

/* Length of the longest prefix of `text` that is whole characters, none of them a control character. */
size_t base_line_prefix(const char *text, size_t length);

/* Writes `text` (a foreign error, say) as one line to ret[size], size > 0, cut at a whole character: control characters become
 * spaces, bytes that are no UTF-8 become '?'. */
void base_one_line(const char *text, char *ret, size_t size);
