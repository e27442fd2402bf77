/* What a process does that wakes up long after everybody else has gone on. */
#include "base/clock.h"
#include "harness/wait.h"
#include "pipeline.h"

#include <nats/nats.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WINDOW_S = 10, FROZEN_MS = 65000 }; /* of the dedupe window; longer than rows in memory are published */

static void must(natsStatus status)
{
    if (status != NATS_OK)
        harness_fail("%s", natsStatus_GetText(status));
}

/* What follows after two minutes by default, soon. */
static void shorten_dedupe_window(pipeline *p, const char *stream)
{
    natsConnection *nats = NULL;
    jsCtx *js = NULL;
    jsStreamInfo *info = NULL;
    must(natsConnection_ConnectTo(&nats, harness_nats_url(p->nats)));
    must(natsConnection_JetStream(&js, nats, NULL));
    must(js_GetStreamInfo(&info, js, stream, NULL, NULL));
    info->Config->Duplicates = (int64_t)WINDOW_S * 1000000000;
    must(js_UpdateStream(NULL, js, info->Config, NULL, NULL));
    jsStreamInfo_Destroy(info);
    jsCtx_Destroy(js);
    natsConnection_Destroy(nats);
}

static void a_process_frozen_after_its_commit_does_not_repeat_what_the_sweeper_has_published(void **state)
{
    static const char *const armed[] = {"PROOFLINE_FAULT=generator.committed:stall", NULL};
    pipeline p;
    pipeline_start(&p, *state, 0);
    shorten_dedupe_window(&p, p.names.stream_jobs);
    shorten_dedupe_window(&p, p.names.stream_events);
    pipeline_start_generator(&p, armed);
    harness_process *frozen = BASE_TAKE(p.generator);
    base_sha256 submission = pipeline_submit(&p, "published by the sweeper");
    BASE_CLEANUP(free) char *acts = harness_process_wait_line(frozen, "acts", PIPELINE_WAIT_MS);
    assert_non_null(acts);
    pipeline_start_generator(&p, NULL);
    pipeline_wait(&p, &submission, WIRE_STATUS_COMPLETE);
    base_sleep_ms(FROZEN_MS); /* the time that passes is what is tested */
    harness_process_resume(frozen);
    BASE_CLEANUP(free) char *refused = harness_process_wait_line(frozen, "relay_failed", PIPELINE_WAIT_MS);
    assert_non_null(refused);
    checker_report report = pipeline_check_promises(&p, &(pipeline_outcome){.complete = 1});
    assert_int_equal(report.events, 3);
    assert_int_equal(report.jobs, 2);
    harness_process_free(frozen);
    pipeline_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_frozen_after_its_commit_does_not_repeat_what_the_sweeper_has_published),
    };
    return cmocka_run_group_tests(tests, pipeline_group_setup, pipeline_group_teardown);
}
