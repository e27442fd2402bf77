#include "letters.h"

#include "wire/headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NEXT_TIMEOUT_MS = 2000 };

const char *ctl_letter_text(const broker_stored *letter, const char *header)
{
    const char *value = broker_stored_header(letter, header);
    return value == NULL ? "" : value;
}

static bool passes(const broker_stored *letter, const ctl_letter_filter *filter)
{
    return (filter->stage == NULL || strcmp(ctl_letter_text(letter, WIRE_HEADER_DEAD_STAGE), filter->stage) == 0) &&
           (filter->reason_code == NULL ||
            strcmp(ctl_letter_text(letter, WIRE_HEADER_DEAD_REASON_CODE), filter->reason_code) == 0);
}

/* The feed is silent: either the server is slow, or the last letters were deleted since the walk began. */
static base_code is_at_end(broker_connection *connection, const char *stream, const char *subject, uint64_t next,
                           uint64_t last, bool *ret, base_error *err)
{
    BASE_CLEANUP(broker_stored_done) broker_stored ahead = {0};
    base_code code = broker_stream_next(connection, stream, next, subject, &ahead, err);
    *ret = code == BASE_NOT_FOUND || (code == BASE_OK && ahead.sequence > last);
    return code == BASE_NOT_FOUND ? BASE_OK : code;
}

base_code ctl_letters_walk(broker_connection *connection, const broker_names *names, const ctl_letter_filter *filter,
                           ctl_letter_visit *visit, void *ctx, base_error *err)
{
    char subject[BROKER_NAME_MAX + 2];
    snprintf(subject, sizeof(subject), "%s.>", names->subject_dead);
    broker_stream_state state;
    base_code code = broker_stream_read_state(connection, names->stream_dead, &state, err);
    if (code != BASE_OK || state.messages == 0)
        return code;
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    code = broker_feed_open(connection, names->stream_dead, subject, state.first_sequence, &feed, err);
    bool is_ended = false;
    for (uint64_t next = state.first_sequence; code == BASE_OK && !is_ended && next <= state.last_sequence;) {
        BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
        code = broker_feed_next(feed, NEXT_TIMEOUT_MS, &letter, err);
        if (code == BASE_TIMEOUT) {
            code = is_at_end(connection, names->stream_dead, subject, next, state.last_sequence, &is_ended, err);
        } else if (code == BASE_OK) {
            next = letter.sequence + 1;
            if (letter.sequence <= state.last_sequence && passes(&letter, filter))
                code = visit(ctx, &letter, err);
        }
    }
    return code;
}
