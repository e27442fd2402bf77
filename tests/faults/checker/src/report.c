#include "check.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

static const char *const NAMES[CHECKER_KINDS] = {
    [CHECKER_SUBMISSION_LOST] = "submission_lost",
    [CHECKER_NOT_TERMINAL] = "not_terminal",
    [CHECKER_ROW_UNREADABLE] = "row_unreadable",
    [CHECKER_EVENT_UNREADABLE] = "event_unreadable",
    [CHECKER_EVENT_MISSING] = "event_missing",
    [CHECKER_EVENT_CONTRADICTED] = "event_contradicted",
    [CHECKER_EVENT_OF_NOBODY] = "event_of_nobody",
    [CHECKER_HISTORY_ILLEGAL] = "history_illegal",
    [CHECKER_ROW_NOT_AS_EVENTS] = "row_not_as_events",
    [CHECKER_NOT_LANDED] = "not_landed",
    [CHECKER_LANDED_TWICE] = "landed_twice",
    [CHECKER_LANDED_THOUGH_REJECTED] = "landed_though_rejected",
    [CHECKER_ANCHORS_OTHER_PROOF] = "anchors_other_proof",
    [CHECKER_TRANSACTION_OF_NOBODY] = "transaction_of_nobody",
    [CHECKER_TRANSACTION_ROW_WRONG] = "transaction_row_wrong",
    [CHECKER_NONCE_GAP] = "nonce_gap",
    [CHECKER_NONCE_REUSED] = "nonce_reused",
    [CHECKER_PROOF_MISSING] = "proof_missing",
    [CHECKER_PROOF_OF_NOBODY] = "proof_of_nobody",
    [CHECKER_PROOF_CORRUPT] = "proof_corrupt",
    [CHECKER_PROVED_MORE_THAN_ONCE] = "proved_more_than_once",
    [CHECKER_OUTBOX_STALE] = "outbox_stale",
    [CHECKER_JOBS_UNSETTLED] = "jobs_unsettled",
    [CHECKER_LETTER_MISSING] = "letter_missing",
    [CHECKER_LETTER_WRONG] = "letter_wrong",
    [CHECKER_LETTER_OF_NOBODY] = "letter_of_nobody",
};

const char *checker_kind_name(checker_kind kind)
{
    return NAMES[kind];
}

/* Keeps the text; false without memory. */
static bool keep(checker_report *report, checker_kind kind, const char *text)
{
    if (report->violations == NULL)
        report->violations = calloc(CHECKER_VIOLATIONS_MAX, sizeof(*report->violations));
    char *copy = report->violations == NULL ? NULL : strdup(text);
    if (copy == NULL)
        return false;
    report->violations[report->violation_count++] = (checker_violation){kind, copy};
    return true;
}

void checker_say(checker *c, checker_kind kind, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (c->report.violation_count >= CHECKER_VIOLATIONS_MAX)
        c->report.violation_count++;
    else if (!keep(&c->report, kind, text))
        c->is_out_of_memory = true;
}

static size_t kept(const checker_report *report)
{
    return report->violation_count < CHECKER_VIOLATIONS_MAX ? report->violation_count : CHECKER_VIOLATIONS_MAX;
}

void checker_report_done(checker_report *report)
{
    for (size_t i = 0; report->violations != NULL && i < kept(report); i++)
        free(report->violations[i].text);
    free(report->violations);
    *report = (checker_report){0};
}

void checker_report_print(const checker_report *report, FILE *out)
{
    for (size_t i = 0; i < kept(report); i++)
        fprintf(out, "%s: %s\n", NAMES[report->violations[i].kind], report->violations[i].text);
    if (kept(report) < report->violation_count)
        fprintf(out, "and %zu more\n", report->violation_count - kept(report));
    fprintf(
        out,
        "checked %zu submissions (%zu complete, %zu rejected, %zu pending), %zu jobs, %zu events (%zu of them again), "
        "%zu dead letters (%zu of them again), %zu proofs, %zu transactions: %zu violations\n",
        report->submissions, report->complete, report->rejected, report->pending, report->jobs, report->events,
        report->duplicate_events, report->letters, report->duplicate_letters, report->proofs, report->transactions,
        report->violation_count);
}

void checker_report_print_json(const checker_report *report, FILE *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < kept(report); i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "kind", NAMES[report->violations[i].kind], "text",
                                              report->violations[i].text));
    json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "submissions",
                            (json_int_t)report->submissions, "complete", (json_int_t)report->complete, "rejected",
                            (json_int_t)report->rejected, "pending", (json_int_t)report->pending, "jobs",
                            (json_int_t)report->jobs, "events", (json_int_t)report->events, "duplicate_events",
                            (json_int_t)report->duplicate_events, "dead_letters", (json_int_t)report->letters,
                            "duplicate_dead_letters", (json_int_t)report->duplicate_letters, "proofs",
                            (json_int_t)report->proofs, "transactions", (json_int_t)report->transactions,
                            "violation_count", (json_int_t)report->violation_count, "violations", list);
    (void)json_dumpf(all, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(all);
}
