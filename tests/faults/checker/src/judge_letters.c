#include "check.h"

#include <inttypes.h>
#include <string.h>

static int compare_sequence(const void *key, const void *item)
{
    uint64_t wanted = *(const uint64_t *)key, found = ((const checker_job *)item)->sequence;
    return (wanted > found) - (wanted < found);
}

/* The message that the letter is about, unless the stream has lost it. After the loss of a whole stream its numbers begin anew: a message
 * that came after the letter is another one. */
static checker_job *find_job(checker *c, const checker_letter *letter)
{
    if (c->world.jobs.count == 0)
        return NULL;
    checker_job *job = bsearch(&letter->job_sequence, c->world.jobs.items, c->world.jobs.count,
                               sizeof(*c->world.jobs.items), compare_sequence);
    return job != NULL && job->stored_unix_ns <= letter->stored_unix_ns ? job : NULL;
}

static bool has_bytes_of(const checker_letter *letter, const checker_job *job)
{
    return memcmp(&letter->content, &job->content, sizeof(letter->content)) == 0;
}

/* The same letter a second time: counted, and out of the way. */
static bool is_repetition(checker *c, const checker_submission *submission, checker_letter *letter)
{
    for (uint32_t at = submission->letters; &c->world.letters.items[at] != letter;
         at = c->world.letters.items[at].next) {
        const checker_letter *other = &c->world.letters.items[at];
        if (memcmp(&other->message_id, &letter->message_id, sizeof(other->message_id)) == 0 &&
            memcmp(&other->content, &letter->content, sizeof(other->content)) == 0)
            return true;
    }
    return false;
}

/* A sweep that ends a submission for its age has only the command that Postgres keeps, which holds a witness instead of an image. */
static bool is_from_sweep(const checker *c, const checker_letter *letter)
{
    return strcmp(checker_reason_text(&c->world, letter->reason), "expired") == 0;
}

static void inspect(checker *c, const checker_submission *submission, checker_letter *letter)
{
    if (is_repetition(c, submission, letter)) {
        c->report.duplicate_letters++;
        letter->is_matched = true;
        return;
    }
    const checker_job *job = find_job(c, letter);
    if (job != NULL && !has_bytes_of(letter, job) && !is_from_sweep(c, letter))
        checker_say(c, CHECKER_LETTER_WRONG,
                    "dead letter %" PRIu64 " of submission %s does not hold the bytes of job message %" PRIu64,
                    letter->stream_sequence, checker_id(submission).text, letter->job_sequence);
}

static bool take_letter(checker *c, const checker_submission *submission, uint32_t reason)
{
    for (uint32_t at = submission->letters; at != CHECKER_NOBODY; at = c->world.letters.items[at].next) {
        checker_letter *letter = &c->world.letters.items[at];
        if (!letter->is_matched && letter->reason == reason) {
            letter->is_matched = true;
            return true;
        }
    }
    return false;
}

/* The last one's letter may still be in the outbox of stopped services. */
static bool may_come(const checker *c, const checker_submission *submission, const checker_event *event)
{
    return c->options->allow_pending && event->sequence == (uint64_t)submission->event_sequence;
}

void checker_judge_letters(checker *c, checker_submission *submission)
{
    base_hex32 id = checker_id(submission);
    for (uint32_t at = submission->letters; at != CHECKER_NOBODY; at = c->world.letters.items[at].next)
        inspect(c, submission, &c->world.letters.items[at]);
    for (uint32_t at = submission->events; at != CHECKER_NOBODY; at = c->world.events.items[at].next) {
        const checker_event *event = &c->world.events.items[at];
        if (event->is_rejection && !take_letter(c, submission, event->reason) && !may_come(c, submission, event))
            checker_say(c, CHECKER_LETTER_MISSING,
                        "no dead letter tells of the rejection of submission %s (event %" PRIu64 ", %.60s)", id.text,
                        event->sequence, checker_reason_text(&c->world, event->reason));
    }
    if (submission->has_row && submission->status == WIRE_STATUS_REJECTED && submission->rejections == 0 &&
        !take_letter(c, submission, submission->reason) && !c->options->allow_pending && !submission->is_cut)
        checker_say(c, CHECKER_LETTER_MISSING, "no dead letter tells of the rejection of submission %s (%.60s)",
                    id.text, checker_reason_text(&c->world, submission->reason));
    for (uint32_t at = submission->letters; at != CHECKER_NOBODY; at = c->world.letters.items[at].next)
        if (!c->world.letters.items[at].is_matched && !submission->is_cut)
            checker_say(c, CHECKER_LETTER_OF_NOBODY,
                        "dead letter %" PRIu64 " tells of a rejection of submission %s (%.60s) that did not happen",
                        c->world.letters.items[at].stream_sequence, id.text,
                        checker_reason_text(&c->world, c->world.letters.items[at].reason));
}

/* Letters of messages that belong to no submission: found by the message's number. */
void checker_judge_stray_letters(checker *c)
{
    for (size_t i = 0; i < c->world.stray_letters.count; i++) {
        const checker_letter *letter = &c->world.stray_letters.items[i];
        checker_job *job = find_job(c, letter);
        if (job == NULL)
            continue;
        if (!has_bytes_of(letter, job))
            checker_say(c, CHECKER_LETTER_WRONG,
                        "dead letter %" PRIu64 " does not hold the bytes of job message %" PRIu64,
                        letter->stream_sequence, letter->job_sequence);
        else if (!job->wants_letter)
            c->report.duplicate_letters++;
        job->wants_letter = false;
    }
    for (size_t i = 0; i < c->world.jobs.count && !c->options->allow_pending; i++)
        if (c->world.jobs.items[i].wants_letter)
            checker_say(c, CHECKER_LETTER_MISSING,
                        "job message %" PRIu64 " can never be done, and no dead letter tells of it",
                        c->world.jobs.items[i].sequence);
}
