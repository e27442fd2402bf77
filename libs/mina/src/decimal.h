#pragma once
/* 256-bit numbers as decimal text. */
#include "field.h"

#include "mina/payment.h"

/* Without leading zeros; `ret` has room for MINA_DECIMAL_MAX digits and the terminator. */
void decimal_format(pallas_number number, char ret[static MINA_DECIMAL_MAX + 1]);

/* BASE_INVALID naming `what`: empty, anything but digits, or not below `limit`. */
BASE_MUST_CHECK base_code decimal_parse(const char *what, const char *text, pallas_number limit, pallas_number *ret,
                                        base_error *err);
