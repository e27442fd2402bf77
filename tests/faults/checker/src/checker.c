#include "check.h"

static base_code read_all(checker *c, base_error *err)
{
    base_code code = checker_read_database(c, err);
    if (code == BASE_OK)
        code = checker_read_jobs(c, err);
    if (code == BASE_OK)
        code = checker_read_events(c, err);
    if (code == BASE_OK)
        code = checker_read_letters(c, err);
    if (code == BASE_OK)
        code = checker_read_chain(c, err);
    return code;
}

static void judge_all(checker *c)
{
    for (size_t i = 0; i < c->world.submissions.count; i++) {
        checker_submission *submission = &c->world.submissions.items[i];
        checker_judge_history(c, submission);
        checker_judge_letters(c, submission);
        checker_judge_outcome(c, submission);
    }
    checker_judge_stray_letters(c);
    checker_judge_transactions(c);
    checker_judge_nonces(c);
}

base_code checker_run(const checker_options *options, checker_report *ret, base_error *err)
{
    checker c = {.options = options};
    base_code code = read_all(&c, err);
    if (code == BASE_OK)
        judge_all(&c);
    checker_world_done(&c.world);
    if (code == BASE_OK && c.is_out_of_memory)
        code = base_fail(err, BASE_NO_MEMORY, "no memory for all that is wrong");
    if (code == BASE_OK)
        *ret = c.report;
    else
        checker_report_done(&c.report);
    return code;
}
