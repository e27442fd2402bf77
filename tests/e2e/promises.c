#include "harness/wait.h"
#include "pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static size_t count_strangers(const checker_report *report)
{
    size_t strangers = 0;
    for (size_t i = 0; i < report->violation_count && i < CHECKER_VIOLATIONS_MAX; i++)
        strangers += report->violations[i].kind == CHECKER_TRANSACTION_OF_NOBODY;
    return strangers;
}

checker_report pipeline_judge(pipeline *p, const pipeline_outcome *expected)
{
    base_error err = {0};
    checker_report report = {0};
    const checker_options options = {.database_url = p->database.url,
                                     .broker = p->broker,
                                     .names = p->names,
                                     .node_port = p->node_port,
                                     .streams_were_lost = expected->streams_were_lost,
                                     .replays_allowed = expected->replays_allowed};
    pipeline_wait_settled(p);
    if (checker_run(&options, &report, &err) != BASE_OK)
        harness_fail("the checker cannot read: %s", err.message);
    const size_t strangers = count_strangers(&report);
    checker_report numbers = report;
    numbers.violations = NULL;
    numbers.violation_count -= strangers;
    numbers.violation_count +=
        strangers > expected->strangers ? strangers - expected->strangers : expected->strangers - strangers;
    if (numbers.violation_count > 0 || strangers == 0)
        checker_report_print(&report, stderr);
    checker_report_done(&report);
    return numbers;
}

checker_report pipeline_check_promises(pipeline *p, const pipeline_outcome *expected)
{
    checker_report report = pipeline_judge(p, expected);
    if (report.violation_count > 0)
        harness_fail("%zu violations", report.violation_count);
    assert_int_equal(report.submissions, expected->complete + expected->rejected);
    assert_int_equal(report.complete, expected->complete);
    assert_int_equal(report.rejected, expected->rejected);
    return report;
}
