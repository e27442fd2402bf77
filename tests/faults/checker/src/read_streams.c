#include "check.h"

#include "wire/headers.h"

#include <inttypes.h>
#include <string.h>

static base_code add_job(checker *c, const broker_stored *message, bool wants_letter, base_error *err)
{
    checker_job *job;
    CHECKER_APPEND(&c->world.jobs, job, err);
    *job = (checker_job){message->sequence, message->stored_unix_ns,
                         checker_content_of(base_buffer_view(&message->payload)), wants_letter};
    return BASE_OK;
}

/* A job for the generator: whoever decodes it owes its submission an end. */
static base_code visit_generate(checker *c, const broker_stored *message, base_error *err)
{
    wire_generate_proof job;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    base_error why;
    base_code code = wire_generate_proof_decode(base_buffer_view(&message->payload), &job, &owner, &why);
    if (code == BASE_NO_MEMORY)
        return base_fail(err, code, "%s", why.message);
    if (code != BASE_OK)
        return add_job(c, message, true, err);
    uint32_t index;
    code = checker_submission_of(&c->world, &job.sha256, &index, err);
    if (code != BASE_OK)
        return code;
    checker_submission *submission = &c->world.submissions.items[index];
    if (submission->job_sequence == 0)
        submission->job_sequence = message->sequence;
    return add_job(c, message, false, err);
}

/* A job for the publisher. One for a submission that does not exist is given up like one that cannot be read. */
static base_code visit_publish(checker *c, const broker_stored *message, base_error *err)
{
    wire_publish_proof job;
    base_error why;
    base_code code = wire_publish_proof_decode(base_buffer_view(&message->payload), &job, &why);
    if (code == BASE_NO_MEMORY)
        return base_fail(err, code, "%s", why.message);
    uint32_t index = code == BASE_OK ? checker_table_get(&c->world.by_sha256, job.sha256.bytes) : CHECKER_NOBODY;
    bool is_known = index != CHECKER_NOBODY && c->world.submissions.items[index].has_row;
    if (is_known)
        code = checker_memo_add(&c->world, index, &job.proof_digest, err);
    if (is_known && code != BASE_OK)
        return code;
    return add_job(c, message, !is_known, err);
}

static int by_sequence(const void *a, const void *b)
{
    const checker_job *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static base_code check_durable(checker *c, const char *durable, base_error *err)
{
    broker_durable_state state;
    base_code code = broker_durable_read_state(c->options->broker, c->options->names.stream_jobs, durable, &state, err);
    if (code == BASE_OK && !c->options->allow_pending && (state.pending > 0 || state.ack_pending > 0))
        checker_say(c, CHECKER_JOBS_UNSETTLED,
                    "durable %s has %" PRIu64 " messages not delivered and %" PRIu64
                    " not settled, after sequence %" PRIu64,
                    durable, state.pending, state.ack_pending, state.ack_floor_sequence);
    return code;
}

base_code checker_read_jobs(checker *c, base_error *err)
{
    const broker_names *names = &c->options->names;
    base_code code = checker_walk(c, names->stream_jobs, names->subject_generate, visit_generate, err);
    if (code == BASE_OK)
        code = checker_walk(c, names->stream_jobs, names->subject_publish, visit_publish, err);
    if (c->world.jobs.count > 0)
        qsort(c->world.jobs.items, c->world.jobs.count, sizeof(*c->world.jobs.items), by_sequence);
    c->report.jobs = c->world.jobs.count;
    const char *const durables[] = {BROKER_DURABLE_GENERATOR, BROKER_DURABLE_PREPARER, BROKER_DURABLE_PUBLISHER};
    for (size_t i = 0; i < 3 && code == BASE_OK; i++)
        code = check_durable(c, durables[i], err);
    return code;
}

static base_code add_event(checker *c, const broker_stored *message, const wire_status_changed *change, base_error *err)
{
    uint32_t index, transaction, reason;
    base_code code = checker_submission_of(&c->world, &change->sha256, &index, err);
    if (code == BASE_OK)
        code = checker_transaction_of(&c->world, change->transaction_hash, &transaction, err);
    if (code == BASE_OK)
        code = checker_reason_of(&c->world, change->reason_code, &reason, err);
    if (code != BASE_OK)
        return code;
    checker_event *event;
    CHECKER_APPEND(&c->world.events, event, err);
    checker_submission *submission = &c->world.submissions.items[index];
    *event = (checker_event){.next = submission->events,
                             .reason = reason,
                             .transaction = transaction,
                             .stream_sequence = message->sequence,
                             .sequence = change->sequence,
                             .status = change->status,
                             .previous = change->previous_status,
                             .content = checker_content_of(base_buffer_view(&message->payload))};
    submission->events = (uint32_t)(c->world.events.count - 1);
    return BASE_OK;
}

static base_code visit_event(checker *c, const broker_stored *message, base_error *err)
{
    c->report.events++;
    wire_status_changed change;
    base_error why;
    base_code code = wire_status_changed_decode(base_buffer_view(&message->payload), &change, &why);
    if (code == BASE_NO_MEMORY)
        return base_fail(err, code, "%s", why.message);
    if (code != BASE_OK) {
        checker_say(c, CHECKER_EVENT_UNREADABLE, "event message %" PRIu64 " on %.160s cannot be read: %.160s",
                    message->sequence, message->subject, why.message);
        return BASE_OK;
    }
    char subject[BROKER_NAME_MAX + 128];
    snprintf(subject, sizeof(subject), "%s.%s.%s", c->options->names.subject_events,
             base_sha256_hex(&change.sha256).text, wire_status_name(change.status));
    if (strcmp(subject, message->subject) != 0)
        checker_say(c, CHECKER_EVENT_UNREADABLE, "event message %" PRIu64 " is on %.160s and belongs on %s",
                    message->sequence, message->subject, subject);
    return add_event(c, message, &change, err);
}

base_code checker_read_events(checker *c, base_error *err)
{
    char subject[BROKER_NAME_MAX + 8];
    snprintf(subject, sizeof(subject), "%s.*.*", c->options->names.subject_events);
    return checker_walk(c, c->options->names.stream_events, subject, visit_event, err);
}

static const char *header(const broker_stored *message, const char *name)
{
    const char *value = broker_stored_header(message, name);
    return value != NULL ? value : "";
}

/* Whether the bytes of a letter are a message of its stage, of this submission. */
static bool decodes_to(const broker_stored *letter, const base_sha256 *sha256)
{
    const char *stage = header(letter, WIRE_HEADER_DEAD_STAGE);
    base_bytes payload = base_buffer_view(&letter->payload);
    base_error why;
    wire_publish_proof publish;
    if (strcmp(stage, "generate") == 0) {
        wire_generate_proof generate;
        BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
        return wire_generate_proof_decode(payload, &generate, &owner, &why) == BASE_OK &&
               memcmp(&generate.sha256, sha256, sizeof(*sha256)) == 0;
    }
    if (strcmp(stage, "publish") == 0)
        return wire_publish_proof_decode(payload, &publish, &why) == BASE_OK &&
               memcmp(&publish.sha256, sha256, sizeof(*sha256)) == 0;
    return wire_prepare_transaction_decode(payload, &publish, &why) == BASE_OK &&
           memcmp(&publish.sha256, sha256, sizeof(*sha256)) == 0;
}

static base_code fill_letter(checker *c, const broker_stored *message, checker_letter *ret, base_error *err)
{
    const char *id = header(message, "Nats-Msg-Id");
    *ret = (checker_letter){.next = CHECKER_NOBODY,
                            .stream_sequence = message->sequence,
                            .job_sequence = strtoull(header(message, WIRE_HEADER_DEAD_SEQUENCE), NULL, 10),
                            .stored_unix_ns = message->stored_unix_ns,
                            .content = checker_content_of(base_buffer_view(&message->payload)),
                            .message_id = checker_content_of(base_bytes_of(id, strlen(id)))};
    return checker_reason_of(&c->world, header(message, WIRE_HEADER_DEAD_REASON_CODE), &ret->reason, err);
}

static base_code add_letter(checker *c, const broker_stored *message, const char *hex, base_error *err)
{
    base_sha256 sha256;
    base_error why;
    if (base_hex_decode(WIRE_HEADER_DEAD_SHA256, hex, sha256.bytes, sizeof(sha256.bytes), &why) != BASE_OK) {
        checker_say(c, CHECKER_LETTER_WRONG, "dead letter %" PRIu64 " names \"%.80s\", which is no SHA-256",
                    message->sequence, hex);
        return BASE_OK;
    }
    if (!decodes_to(message, &sha256))
        checker_say(c, CHECKER_LETTER_WRONG,
                    "dead letter %" PRIu64 " of submission %s holds %zu bytes that are no %.20s job of that submission",
                    message->sequence, base_sha256_hex(&sha256).text, message->payload.size,
                    header(message, WIRE_HEADER_DEAD_STAGE));
    uint32_t index;
    base_code code = checker_submission_of(&c->world, &sha256, &index, err);
    if (code != BASE_OK)
        return code;
    checker_letter *letter;
    CHECKER_APPEND(&c->world.letters, letter, err);
    code = fill_letter(c, message, letter, err);
    letter->next = c->world.submissions.items[index].letters;
    c->world.submissions.items[index].letters = (uint32_t)(c->world.letters.count - 1);
    return code;
}

static base_code visit_letter(checker *c, const broker_stored *message, base_error *err)
{
    c->report.letters++;
    const char *hex = broker_stored_header(message, WIRE_HEADER_DEAD_SHA256);
    if (hex != NULL)
        return add_letter(c, message, hex, err);
    checker_letter *letter;
    CHECKER_APPEND(&c->world.stray_letters, letter, err);
    return fill_letter(c, message, letter, err);
}

base_code checker_read_letters(checker *c, base_error *err)
{
    char subject[BROKER_NAME_MAX + 8];
    snprintf(subject, sizeof(subject), "%s.*", c->options->names.subject_dead);
    return checker_walk(c, c->options->names.stream_dead, subject, visit_letter, err);
}
