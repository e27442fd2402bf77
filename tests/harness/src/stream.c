#include "harness/stream.h"

#include "api.h"
#include "harness/wait.h"

#include <stdio.h>

bool harness_stream_delete(broker_connection *connection, const char *stream, uint64_t sequence)
{
    base_error err = {0};
    char subject[128];
    snprintf(subject, sizeof(subject), "STREAM.MSG.DELETE.%.64s", stream);
    BROKER_JSON *request = json_pack("{s:I, s:b}", "seq", (json_int_t)sequence, "no_erase", 1);
    BROKER_JSON *answer = NULL;
    base_code code = broker_api(connection, "deletion of a message", subject, request, &answer, &err);
    if (code != BASE_OK && code != BASE_NOT_FOUND)
        harness_fail("message %llu of %s: %s", (unsigned long long)sequence, stream, err.message);
    return code == BASE_OK;
}
