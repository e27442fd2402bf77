#include "amount.h"

#include "mina/payment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DECIMALS = 9 };

/* Appends one digit; false when the number outgrows 64 bits. */
static bool append_digit(uint64_t *number, char digit)
{
    return digit >= '0' && digit <= '9' && !__builtin_mul_overflow(*number, 10, number) &&
           !__builtin_add_overflow(*number, (uint64_t)(digit - '0'), number);
}

base_code amount_parse(const char *text, uint64_t *ret_nanomina, base_error *err)
{
    size_t whole = strcspn(text, ".");
    const char *fraction = text[whole] == '.' ? text + whole + 1 : "";
    size_t decimals = strlen(fraction);
    uint64_t number = 0;
    bool good = whole > 0 && decimals <= DECIMALS && (text[whole] == '\0' || decimals > 0);
    for (size_t i = 0; good && i < whole; i++)
        good = append_digit(&number, text[i]);
    for (size_t i = 0; good && i < DECIMALS; i++)
        good = append_digit(&number, i < decimals ? fraction[i] : '0');
    if (!good)
        return base_fail(err, BASE_INVALID, "\"%.40s\" is no amount in MINA, such as 12 or 0.5", text);
    *ret_nanomina = number;
    return BASE_OK;
}

amount_text amount_format(uint64_t nanomina)
{
    amount_text amount;
    int length = snprintf(amount.text, sizeof(amount.text), "%" PRIu64 ".%09" PRIu64, nanomina / MINA_NANOMINA,
                          nanomina % MINA_NANOMINA);
    while (amount.text[length - 1] == '0')
        amount.text[--length] = '\0';
    if (amount.text[length - 1] == '.')
        amount.text[length - 1] = '\0';
    return amount;
}
