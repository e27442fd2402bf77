#include "messages.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"
#include "wire/headers.h"

#include <stdio.h>
#include <string.h>

#define SUBJECT_MAX    512
#define MESSAGE_ID_MAX 128
#define NUMBER_MAX     24
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

base_code store_add_event(const store_session *session, store_outbox *outbox, size_t owner,
                          const wire_status_changed *event, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {.limit = WIRE_MESSAGE_MAX};
    base_code code = wire_status_changed_encode(event, &payload, err);
    if (code != BASE_OK)
        return code;
    const base_hex32 hash = base_sha256_hex(&event->sha256);
    char subject[SUBJECT_MAX], id[MESSAGE_ID_MAX];
    snprintf(subject, sizeof(subject), "%s.%s.%s", session->subjects.events, hash.text,
             wire_status_name(event->status));
    snprintf(id, sizeof(id), "%s.%llu", hash.text, (unsigned long long)event->sequence);
    const store_header headers[] = {{WIRE_HEADER_CONTENT_TYPE, WIRE_CONTENT_TYPE},
                                    {WIRE_HEADER_TYPE, WIRE_TYPE_STATUS_CHANGED}};
    const store_message message = {subject, id, headers, ARRAY_COUNT(headers), base_buffer_view(&payload), owner};
    return store_outbox_add(outbox, &message, err);
}

static const char *command_type(store_command command)
{
    return command == STORE_COMMAND_GENERATE ? WIRE_TYPE_GENERATE_PROOF : WIRE_TYPE_PUBLISH_PROOF;
}

static const char *command_stage(store_command command)
{
    return command == STORE_COMMAND_GENERATE ? "generate" : "publish";
}

static const char *command_subject(const store_session *session, store_command command)
{
    return command == STORE_COMMAND_GENERATE ? session->subjects.generate : session->subjects.publish;
}

base_code store_add_command(const store_session *session, store_outbox *outbox, size_t owner, store_command command,
                            const base_sha256 *sha256, int64_t epoch, base_bytes payload, base_error *err)
{
    char id[MESSAGE_ID_MAX];
    snprintf(id, sizeof(id), "%s.%s.%lld", base_sha256_hex(sha256).text, command_stage(command), (long long)epoch);
    const store_header headers[] = {{WIRE_HEADER_CONTENT_TYPE, WIRE_CONTENT_TYPE},
                                    {WIRE_HEADER_TYPE, command_type(command)}};
    const store_message message = {
        command_subject(session, command), id, headers, ARRAY_COUNT(headers), payload, owner};
    return store_outbox_add(outbox, &message, err);
}

base_code store_add_dead_letter(const store_session *session, store_outbox *outbox, size_t owner,
                                const store_dead_letter *letter, base_error *err)
{
    const base_hex32 hash = base_sha256_hex(letter->sha256);
    char subject[SUBJECT_MAX], id[MESSAGE_ID_MAX], from[SUBJECT_MAX], sequence[NUMBER_MAX], attempts[NUMBER_MAX];
    char reason_code[WIRE_REASON_CODE_MAX + 1], reason[WIRE_REASON_MAX + 1];
    snprintf(subject, sizeof(subject), "%s.%s", session->subjects.dead, command_stage(letter->stage));
    snprintf(id, sizeof(id), "%s.dead.%lld", hash.text, (long long)letter->epoch);
    snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)letter->sequence);
    snprintf(attempts, sizeof(attempts), "%lld", (long long)letter->attempts);
    base_one_line(letter->subject == NULL ? command_subject(session, letter->stage) : letter->subject, from,
                  sizeof(from));
    base_one_line(letter->reason_code, reason_code, sizeof(reason_code));
    base_one_line(letter->reason, reason, sizeof(reason));
    const base_time_text now = base_time_rfc3339(base_unix_ms());
    const store_header headers[] = {
        {WIRE_HEADER_CONTENT_TYPE, WIRE_CONTENT_TYPE},
        {WIRE_HEADER_TYPE, command_type(letter->stage)},
        {WIRE_HEADER_DEAD_STAGE, command_stage(letter->stage)},
        {WIRE_HEADER_DEAD_REASON_CODE, reason_code},
        {WIRE_HEADER_DEAD_REASON, reason},
        {WIRE_HEADER_DEAD_SUBJECT, from},
        {WIRE_HEADER_DEAD_SEQUENCE, sequence},
        {WIRE_HEADER_DEAD_SHA256, hash.text},
        {WIRE_HEADER_DEAD_ATTEMPTS, attempts},
        {WIRE_HEADER_DEAD_AT, now.text},
    };
    const store_message message = {subject, id, headers, ARRAY_COUNT(headers), letter->payload, owner};
    return store_outbox_add(outbox, &message, err);
}

base_code store_publish_command(const wire_generate_proof *job, const char *format, const base_digest *digest,
                                base_buffer *ret, base_error *err)
{
    wire_publish_proof command = {
        .sha256 = job->sha256, .proof_digest = *digest, .submitted_unix_ms = job->submitted_unix_ms};
    snprintf(command.proof_format, sizeof(command.proof_format), "%s", format);
    memcpy(command.correlation_id, job->correlation_id, sizeof(command.correlation_id));
    memcpy(command.zkapp_address, job->zkapp_address, sizeof(command.zkapp_address));
    memcpy(command.chain_id, job->chain_id, sizeof(command.chain_id));
    return wire_publish_proof_encode(&command, ret, err);
}
