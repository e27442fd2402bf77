#pragma once
/* One run of the checker: its options, what it has read, and what it has to say. */
#include "checker.h"
#include "world.h"

#include "base/hex.h"
#include "broker/stream.h"

typedef struct checker {
    const checker_options *options;
    checker_world world;
    checker_report report;
    bool is_out_of_memory; /* something could not be said */
} checker;

/* Adds a violation. */
void checker_say(checker *c, checker_kind kind, const char *format, ...) BASE_PRINTF(3, 4);

/* Reading, in this order: later ones look up what earlier ones have found. */
BASE_MUST_CHECK base_code checker_read_database(checker *c, base_error *err);
BASE_MUST_CHECK base_code checker_read_jobs(checker *c, base_error *err);
BASE_MUST_CHECK base_code checker_read_events(checker *c, base_error *err);
BASE_MUST_CHECK base_code checker_read_letters(checker *c, base_error *err);
BASE_MUST_CHECK base_code checker_read_chain(checker *c, base_error *err);

/* Visits every message that the stream holds on `subject`; `visit` may fail. */
typedef base_code checker_visit(checker *c, const broker_stored *message, base_error *err);
BASE_MUST_CHECK base_code checker_walk(checker *c, const char *stream, const char *subject, checker_visit *visit,
                                       base_error *err);

/* Judging what was read. */
void checker_judge_history(checker *c, checker_submission *submission);
void checker_judge_outcome(checker *c, const checker_submission *submission);
void checker_judge_letters(checker *c, checker_submission *submission);
void checker_judge_stray_letters(checker *c);
void checker_judge_transactions(checker *c);
void checker_judge_nonces(checker *c);

static inline base_hex32 checker_id(const checker_submission *submission)
{
    return base_sha256_hex(&submission->sha256);
}
