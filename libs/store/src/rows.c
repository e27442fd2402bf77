#include "rows.h"

#include "base/hex.h"

#include <string.h>

void store_rows_done(store_rows *rows)
{
    PQclear(rows->result);
    rows->result = NULL;
}

size_t store_rows_count(const store_rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

bool store_rows_is_null(const store_rows *rows, size_t row, int column)
{
    return PQgetisnull(rows->result, (int)row, column) == 1;
}

base_bytes store_rows_bytes(const store_rows *rows, size_t row, int column)
{
    return base_bytes_of(PQgetvalue(rows->result, (int)row, column),
                         (size_t)PQgetlength(rows->result, (int)row, column));
}

int64_t store_rows_int64(const store_rows *rows, size_t row, int column)
{
    const base_bytes raw = store_rows_bytes(rows, row, column);
    if (raw.size != 8)
        return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | raw.data[i];
    return (int64_t)value;
}

bool store_rows_bool(const store_rows *rows, size_t row, int column)
{
    const base_bytes raw = store_rows_bytes(rows, row, column);
    return raw.size == 1 && raw.data[0] != 0;
}

void store_rows_text(const store_rows *rows, size_t row, int column, char *ret, size_t size)
{
    const base_bytes raw = store_rows_bytes(rows, row, column);
    const size_t length = raw.size < size ? raw.size : size - 1;
    memcpy(ret, raw.data, length);
    ret[length] = '\0';
}

base_code store_rows_hash(const store_rows *rows, size_t row, int column, base_sha256 *ret, base_error *err)
{
    char text[2 * BASE_SHA256_SIZE + 2];
    store_rows_text(rows, row, column, text, sizeof(text));
    return base_hex_decode("sha256_hash", text, ret->bytes, sizeof(ret->bytes), err);
}

base_code store_rows_status(const store_rows *rows, size_t row, int column, wire_status *ret, base_error *err)
{
    char text[64];
    store_rows_text(rows, row, column, text, sizeof(text));
    return wire_status_parse(text, ret, err);
}
