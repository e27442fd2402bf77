/* Text as JSON of each of the four messages: what is accepted is shown, and what is shown gives the same bytes again. */
#include "fuzz.h"
#include "wire/json.h"
#include "wire/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (const char *const *type = wire_json_types(); *type != NULL; type++) {
        BASE_CLEANUP(base_buffer_done) base_buffer once = {.limit = WIRE_MESSAGE_MAX};
        base_error err = {0};
        base_code code = wire_json_to_message(*type, base_bytes_of(data, size), &once, &err);
        FUZZ_CHECK_ANSWER(code, err);
        if (code != BASE_OK)
            continue;
        BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = WIRE_JSON_MAX};
        BASE_CLEANUP(base_buffer_done) base_buffer twice = {.limit = WIRE_MESSAGE_MAX};
        FUZZ_CHECK(wire_json_from_message(*type, base_buffer_view(&once), size % 2 == 0, &json, &err) == BASE_OK);
        FUZZ_CHECK(wire_json_to_message(*type, base_buffer_view(&json), &twice, &err) == BASE_OK);
        FUZZ_CHECK(base_bytes_equal(base_buffer_view(&once), base_buffer_view(&twice)));
    }
    return 0;
}
