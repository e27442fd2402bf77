#pragma once
/* Journal entries as lines of JSON. */
#include "devnode/journal.h"

/* The line that begins a journal. */
BASE_MUST_CHECK base_code journal_line_header(mina_network network, base_buffer *ret, base_error *err);
/* BASE_CONFLICT when it names another network. */
BASE_MUST_CHECK base_code journal_line_check_header(const char *line, mina_network network, base_error *err);

/* Appends the entry and a line break. */
BASE_MUST_CHECK base_code journal_line_write(const journal_entry *entry, base_buffer *ret, base_error *err);
BASE_MUST_CHECK base_code journal_line_read(const char *line, journal_entry *ret, base_error *err);
