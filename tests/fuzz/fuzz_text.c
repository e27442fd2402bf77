/* Text as what base and wire read: one line of UTF-8, hex, base64, the name of a status. What is accepted is written again as it was. */
#include "base/hex.h"
#include "base/text.h"
#include "fuzz.h"
#include "wire/status.h"

#include <sodium.h>

enum { SIZES = 34 };

static void one_line(const char *text)
{
    size_t length = strlen(text);
    size_t clean = base_line_prefix(text, length);
    FUZZ_CHECK(clean <= length && base_line_prefix(text, clean) == clean);
    FUZZ_CHECK((clean == length) == fuzz_is_line(text, length + 1));
    FUZZ_CHECK(clean == length || fuzz_character((const uint8_t *)text + clean) == 0);
    BASE_CLEANUP(free) char *line = malloc(length + 1);
    for (size_t size = 1; size <= length + 1; size += 1 + length / 16) {
        base_one_line(text, line, size);
        size_t written = strnlen(line, size);
        FUZZ_CHECK(written < size && fuzz_is_line(line, size));
        FUZZ_CHECK(written + 4 > size - 1 ||
                   written == length); /* only the room ends it, but for a character that is cut */
        FUZZ_CHECK(memcmp(line, text, written < clean ? written : clean) == 0);
    }
    base_error err = {0};
    (void)base_fail(&err, BASE_INVALID, "%s", text);
    FUZZ_CHECK(clean < length || strncmp(err.message, text, strlen(err.message)) == 0);
    (void)base_fail_within(&err, "%s", text);
    FUZZ_CHECK(fuzz_is_line(err.message, sizeof(err.message)));
}

static void hex(const char *text)
{
    for (size_t size = 0; size < SIZES; size++) {
        uint8_t bytes[SIZES];
        char again[BASE_HEX_CHARS(SIZES)];
        base_error err = {0};
        base_code code = base_hex_decode("it", text, bytes, size, &err);
        FUZZ_CHECK_ANSWER(code, err);
        if (code != BASE_OK)
            continue;
        base_hex_encode(base_bytes_of(bytes, size), again);
        FUZZ_CHECK(strcasecmp(again, text) == 0);
    }
}

/* libsodium's own text of the bytes. The caller frees it. */
static char *encoded(base_bytes data)
{
    size_t size = sodium_base64_ENCODED_LEN(data.size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    FUZZ_CHECK(text != NULL);
    return sodium_bin2base64(text, size, data.data, data.size, sodium_base64_VARIANT_ORIGINAL);
}

static void base64(base_bytes input)
{
    const char *text = input.size == 0 ? "" : (const char *)input.data;
    BASE_CLEANUP(base_buffer_done) base_buffer bytes = {.limit = input.size};
    base_error err = {0};
    base_code code = base_base64_decode(text, input.size, &bytes, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code == BASE_OK) {
        BASE_CLEANUP(free) char *again = encoded(base_buffer_view(&bytes));
        FUZZ_CHECK(base_bytes_equal(base_bytes_of(again, strlen(again)), input));
    }
    base_buffer_clear(&bytes);
    BASE_CLEANUP(free) char *whole = encoded(input);
    FUZZ_CHECK(base_base64_decode(whole, strlen(whole), &bytes, &err) == BASE_OK);
    FUZZ_CHECK(base_bytes_equal(base_buffer_view(&bytes), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    BASE_CLEANUP(free) char *text = fuzz_text(input);
    one_line(text);
    hex(text);
    base64(input);
    wire_status status;
    base_error err = {0};
    base_code code = wire_status_parse(text, &status, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK(code != BASE_OK || strcmp(wire_status_name(status), text) == 0);
    return 0;
}
