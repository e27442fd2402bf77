#include "check.h"

enum { NEXT_MS = 200 }; /* after which silence is asked for its reason */

/* The feed is silent: the last messages on the subject lie behind us, or were deleted. */
static base_code is_at_end(checker *c, const char *stream, const char *subject, uint64_t next, uint64_t last, bool *ret,
                           base_error *err)
{
    BASE_CLEANUP(broker_stored_done) broker_stored ahead = {0};
    base_code code = broker_stream_next(c->options->broker, stream, next, subject, &ahead, err);
    *ret = code == BASE_NOT_FOUND || (code == BASE_OK && ahead.sequence > last);
    return code == BASE_NOT_FOUND ? BASE_OK : code;
}

/* What lies between the two is walked; what comes meanwhile is not. */
static base_code find_bounds(checker *c, const char *stream, uint64_t *ret_first, uint64_t *ret_last, base_error *err)
{
    broker_stream_state state;
    base_code code = broker_stream_read_state(c->options->broker, stream, &state, err);
    if (code != BASE_OK)
        return code;
    *ret_first = state.first_sequence > 0 ? state.first_sequence : 1;
    *ret_last = state.messages == 0 ? 0 : state.last_sequence;
    return BASE_OK;
}

base_code checker_walk(checker *c, const char *stream, const char *subject, checker_visit *visit, base_error *err)
{
    uint64_t next, last;
    bool ended = false;
    base_code code = find_bounds(c, stream, &next, &last, err);
    if (code == BASE_OK && last >= next)
        code = is_at_end(c, stream, subject, next, last, &ended, err);
    if (code != BASE_OK || last < next || ended)
        return code;
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    code = broker_feed_open(c->options->broker, stream, subject, next, &feed, err);
    while (code == BASE_OK && !ended && next <= last) {
        BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
        code = broker_feed_next(feed, NEXT_MS, &message, err);
        if (code == BASE_TIMEOUT) {
            code = is_at_end(c, stream, subject, next, last, &ended, err);
        } else if (code == BASE_OK) {
            next = message.sequence + 1;
            code = message.sequence <= last ? visit(c, &message, err) : BASE_OK;
        }
    }
    return code;
}
