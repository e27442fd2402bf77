#include "check.h"

#include <inttypes.h>

static const char *hash_at(const checker *c, uint32_t transaction)
{
    return transaction == CHECKER_NOBODY ? "none" : c->world.transactions.items[transaction].hash;
}

/* Exactly one transaction, of the proof that is stored, under the hash that the row names. */
static void judge_complete(checker *c, const checker_submission *submission)
{
    base_hex32 id = checker_id(submission);
    if (!submission->has_proof || submission->proofs_generated == 0)
        checker_say(c, CHECKER_PROOF_MISSING, "submission %s is complete, and %s", id.text,
                    submission->has_proof ? "no proof was ever made of it" : "has no proof");
    if (submission->landed == 0)
        checker_say(c, CHECKER_NOT_LANDED,
                    "submission %s is complete, and no transaction of it is on the chain: its row names %s", id.text,
                    hash_at(c, submission->transaction));
    if (submission->landed != 1 || !submission->has_proof)
        return;
    const checker_transaction *landed = &c->world.transactions.items[submission->landed_first];
    if (submission->transaction != submission->landed_first)
        checker_say(c, CHECKER_ANCHORS_OTHER_PROOF,
                    "submission %s names transaction %.60s, and %.60s is on the chain for it", id.text,
                    hash_at(c, submission->transaction), landed->hash);
    else if (!landed->has_current_memo)
        checker_say(c, CHECKER_ANCHORS_OTHER_PROOF, "transaction %s of submission %s does not anchor the stored proof",
                    landed->hash, id.text);
}

static void judge_rejected(checker *c, const checker_submission *submission)
{
    if (submission->landed > 0)
        checker_say(c, CHECKER_LANDED_THOUGH_REJECTED,
                    "submission %s is rejected (%.60s), and transaction %s of it is on the chain",
                    checker_id(submission).text, checker_reason_text(&c->world, submission->reason),
                    hash_at(c, submission->landed_first));
}

static void judge_proofs(checker *c, const checker_submission *submission)
{
    int64_t allowed = submission->rejections < c->options->replays_allowed ? (int64_t)submission->rejections
                                                                           : c->options->replays_allowed;
    if (submission->proofs_generated > 1 + allowed)
        checker_say(c, CHECKER_PROVED_MORE_THAN_ONCE,
                    "submission %s was proved more than once: %" PRId64 " times, with %" PRIu32
                    " rejections and %" PRId64 " replays allowed",
                    checker_id(submission).text, submission->proofs_generated, submission->rejections,
                    c->options->replays_allowed);
}

void checker_judge_outcome(checker *c, const checker_submission *submission)
{
    base_hex32 id = checker_id(submission);
    if (!submission->has_row) {
        if (submission->job_sequence != 0 && !c->options->allow_pending)
            checker_say(c, CHECKER_SUBMISSION_LOST,
                        "submission %s was accepted with job message %" PRIu64 ", and Postgres has no row of it",
                        id.text, submission->job_sequence);
        return;
    }
    c->report.submissions++;
    if (submission->landed > 1)
        checker_say(c, CHECKER_LANDED_TWICE,
                    "%" PRIu32 " transactions of submission %s are on the chain, the first is %s", submission->landed,
                    id.text, hash_at(c, submission->landed_first));
    judge_proofs(c, submission);
    switch (submission->status) {
    case WIRE_STATUS_COMPLETE:
        c->report.complete++;
        judge_complete(c, submission);
        break;
    case WIRE_STATUS_REJECTED:
        c->report.rejected++;
        judge_rejected(c, submission);
        break;
    case WIRE_STATUS_NONE:
    case WIRE_STATUS_AWAITING_REVIEW:
    case WIRE_STATUS_PROOF_GENERATION:
    case WIRE_STATUS_PROOF_PUBLISHING:
        c->report.pending++;
        if (!c->options->allow_pending)
            checker_say(c, CHECKER_NOT_TERMINAL, "submission %s is still %s", id.text,
                        wire_status_name(submission->status));
    }
}
