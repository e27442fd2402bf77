#pragma once
/* Amounts of money as people write them: in MINA, with at most nine decimals. */
#include "base/error.h"

#include <stdint.h>

typedef struct amount_text {
    char text[32];
} amount_text;

/* "12", "0.5", "1.000000001". BASE_INVALID for anything else and beyond 2^64 − 1 nanomina. */
BASE_MUST_CHECK base_code amount_parse(const char *text, uint64_t *ret_nanomina, base_error *err);
amount_text amount_format(uint64_t nanomina);
