#pragma once
/* What every fuzz target needs: libFuzzer's entry, and a check that stays in every kind of build. */
#include "base/bytes.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* always returns 0 */

/* Ends the process, which libFuzzer reports with the input. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* What a decoder may answer to bytes from outside: yes, or no with a reason. */
#define FUZZ_CHECK_ANSWER(answer, why)                                                                                 \
    FUZZ_CHECK((answer) == BASE_OK ||                                                                                  \
               ((answer) == BASE_INVALID && (why).code == BASE_INVALID && (why).message[0] != '\0'))
