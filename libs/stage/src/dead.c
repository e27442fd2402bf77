#include "stage/dead.h"

#include "base/clock.h"
#include "broker/publish.h"
#include "broker/topology.h"
#include "stage/relay.h"
#include "wire/headers.h"

#include <inttypes.h>
#include <stdio.h>

enum { SUBJECT_MAX = BROKER_NAME_MAX + 32, NUMBER_MAX = 24, ID_MAX = 96, FACTS_MAX = 4096 };

/* A header value is one line: what a hostile message put into an error text must not add lines of its own. */
static void copy_line(char *ret, size_t size, const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0' && length + 1 < size; length++) {
        unsigned char c = (unsigned char)text[length];
        ret[length] = c < ' ' || c == 0x7f ? '?' : text[length];
    }
    ret[length] = '\0';
}

base_code stage_dead_publish(broker_connection *broker, const char *subject_dead, const char *stage,
                             const broker_job *job, const char *code, const char *reason, base_error *err)
{
    char subject[SUBJECT_MAX], id[ID_MAX], sequence[NUMBER_MAX], attempts[NUMBER_MAX], text[BASE_ERROR_MESSAGE];
    snprintf(subject, sizeof(subject), "%s.%s", subject_dead, stage);
    snprintf(id, sizeof(id), "dead.%" PRIu64 ".%" PRId64, job->stream_sequence, job->published_unix_ns);
    snprintf(sequence, sizeof(sequence), "%" PRIu64, job->stream_sequence);
    snprintf(attempts, sizeof(attempts), "%" PRIu64, job->deliveries);
    copy_line(text, sizeof(text), reason);
    base_time_text now = base_time_rfc3339(base_unix_ms());
    const broker_header headers[] = {
        {WIRE_HEADER_DEAD_STAGE, stage},       {WIRE_HEADER_DEAD_REASON_CODE, code},
        {WIRE_HEADER_DEAD_REASON, text},       {WIRE_HEADER_DEAD_SUBJECT, job->subject},
        {WIRE_HEADER_DEAD_SEQUENCE, sequence}, {WIRE_HEADER_DEAD_ATTEMPTS, attempts},
        {WIRE_HEADER_DEAD_AT, now.text},
    };
    broker_message message = {subject, job->payload, id, headers, sizeof(headers) / sizeof(headers[0])};
    broker_publish_result result;
    /* No fault point: stage_worker_bury has them around both tries. */
    base_code stored = broker_publish(broker, &message, 1, STAGE_PUBLISH_TIMEOUT_MS, &result, err);
    if (stored != BASE_LIMIT || job->payload.size <= FACTS_MAX)
        return stored;
    message.payload.size -= FACTS_MAX; /* as large as the server takes without the facts: its end is cut off */
    return broker_publish(broker, &message, 1, STAGE_PUBLISH_TIMEOUT_MS, &result, err);
}
