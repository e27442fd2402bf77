#include "decimal.h"

#include <string.h>

typedef unsigned __int128 wide;

/* Divides in place and returns the remainder. */
static unsigned divide_by_ten(pallas_number *number)
{
    wide remainder = 0;
    for (int i = 4; i-- > 0;) {
        wide step = remainder << 64 | number->limb[i];
        number->limb[i] = (uint64_t)(step / 10);
        remainder = step % 10;
    }
    return (unsigned)remainder;
}

static bool is_zero(const pallas_number *number)
{
    return (number->limb[0] | number->limb[1] | number->limb[2] | number->limb[3]) == 0;
}

void decimal_format(pallas_number number, char ret[static MINA_DECIMAL_MAX + 1])
{
    char digits[MINA_DECIMAL_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + divide_by_ten(&number));
    } while (!is_zero(&number));
    for (size_t i = 0; i < count; i++)
        ret[i] = digits[count - 1 - i];
    ret[count] = '\0';
}

/* Multiplies by ten and adds; false when the result outgrows 256 bits. */
static bool append_digit(pallas_number *number, unsigned digit)
{
    wide carry = digit;
    for (int i = 0; i < 4; i++) {
        carry += (wide)number->limb[i] * 10;
        number->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry == 0;
}

base_code decimal_parse(const char *what, const char *text, pallas_number limit, pallas_number *ret, base_error *err)
{
    size_t length = strnlen(text, MINA_DECIMAL_MAX + 1);
    if (length == 0 || length > MINA_DECIMAL_MAX)
        return base_fail(err, BASE_INVALID, "%s must be a decimal number of 1 to %d digits", what, MINA_DECIMAL_MAX);
    pallas_number number = {{0}};
    bool fits = true;
    for (size_t i = 0; i < length && fits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return base_fail(err, BASE_INVALID, "%s must be a decimal number: it holds something else", what);
        fits = append_digit(&number, (unsigned)(text[i] - '0'));
    }
    if (!fits || !pallas_number_less(number, limit))
        return base_fail(err, BASE_INVALID, "%s is not below its modulus", what);
    *ret = number;
    return BASE_OK;
}
