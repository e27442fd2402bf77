#pragma once
/* Rows that a statement returned, read from Postgres' binary format. */
#include "base/bytes.h"
#include "wire/status.h"

#include <libpq-fe.h>

typedef struct store_rows {
    PGresult *result;
} store_rows;

void store_rows_done(store_rows *rows);
BASE_CLEANUP_VALUE(store_rows, store_rows_done);

size_t store_rows_count(const store_rows *rows);
/* Columns are trusted to have the type that the statement casts them to; null reads as zero, "" or no bytes. */
int64_t store_rows_int64(const store_rows *rows, size_t row, int column);
bool store_rows_bool(const store_rows *rows, size_t row, int column);
bool store_rows_is_null(const store_rows *rows, size_t row, int column);
/* Borrowed from the rows. */
base_bytes store_rows_bytes(const store_rows *rows, size_t row, int column);
/* Copies a text, cut to size − 1 bytes. */
void store_rows_text(const store_rows *rows, size_t row, int column, char *ret, size_t size);
BASE_MUST_CHECK base_code store_rows_hash(const store_rows *rows, size_t row, int column, base_sha256 *ret,
                                          base_error *err);
BASE_MUST_CHECK base_code store_rows_status(const store_rows *rows, size_t row, int column, wire_status *ret,
                                            base_error *err);
