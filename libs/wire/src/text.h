#pragma once
/* One line of UTF-8 (RFC 3629): what may stand in a reason. */
#include <stddef.h>

/* Length of the longest prefix of `text` that is whole characters, none of them a control character (C0, DEL, C1). */
size_t wire_line_prefix(const char *text, size_t length);
