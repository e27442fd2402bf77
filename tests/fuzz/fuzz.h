#pragma once
/* What every fuzz target needs: libFuzzer's entry, checks that stay in every kind of build, and ways to cut an input into parts. */
#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* always returns 0 */

/* Ends the process, which libFuzzer reports with the input. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Bytes of the character at text[0], by the definition of UTF-8 rather than by the table that the product has; 0: none, or a control
 * character. Reading stops at the terminator. */
static inline size_t fuzz_character(const uint8_t *text)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80         ? 1
                    : text[0] >> 5 == 0x6  ? 2
                    : text[0] >> 4 == 0xe  ? 3
                    : text[0] >> 3 == 0x1e ? 4
                                           : 0;
    uint32_t code = length <= 1 ? text[0] : text[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 0x2)
            return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool is_character = code >= LEAST[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return is_character && !is_control ? length : 0;
}

/* `text` ends within its `size` bytes and is one line of UTF-8 without control characters. */
static inline bool fuzz_is_line(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    if (length == size)
        return false;
    for (size_t at = 0, step = 0; at < length; at += step)
        if ((step = fuzz_character((const uint8_t *)text + at)) == 0)
            return false;
    return true;
}

/* A failure says why, in words that are fit for a log and a terminal. */
#define FUZZ_CHECK_WHY(answer, why)                                                                                    \
    FUZZ_CHECK((answer) == BASE_OK || ((why).code == (answer) && (why).message[0] != '\0' &&                           \
                                       fuzz_is_line((why).message, sizeof((why).message))))

/* What a decoder may answer to bytes from outside: yes, or no with a reason. */
#define FUZZ_CHECK_ANSWER(answer, why)                                                                                 \
    do {                                                                                                               \
        FUZZ_CHECK((answer) == BASE_OK || (answer) == BASE_INVALID);                                                   \
        FUZZ_CHECK_WHY(answer, why);                                                                                   \
    } while (0)

/* The input as a text that ends at its first NUL; the caller frees it. */
static inline char *fuzz_text(base_bytes input)
{
    char *text = strndup(input.size == 0 ? "" : (const char *)input.data, input.size);
    FUZZ_CHECK(text != NULL);
    return text;
}

/* Takes up to `size` bytes off the front of the input. */
static inline base_bytes fuzz_take(base_bytes *input, size_t size)
{
    base_bytes taken = base_bytes_of(input->data, size < input->size ? size : input->size);
    *input = base_bytes_of(input->data + taken.size, input->size - taken.size);
    return taken;
}

/* Takes a number of `size` bytes; what is missing counts as zero. */
static inline uint64_t fuzz_number(base_bytes *input, size_t size)
{
    base_bytes bytes = fuzz_take(input, size);
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.size; i++)
        number = number << 8 | bytes.data[i];
    return number;
}

/* Fills ret[size] from the input; what is missing becomes zero. */
static inline void fuzz_fill(base_bytes *input, void *ret, size_t size)
{
    base_bytes bytes = fuzz_take(input, size);
    memset(ret, 0, size);
    if (bytes.size > 0)
        memcpy(ret, bytes.data, bytes.size);
}
