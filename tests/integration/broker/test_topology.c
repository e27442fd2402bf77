/* Making, checking and changing streams and consumers on a real server. */
#include "scene.h"

#include <nats/nats.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

static harness_nats *server;
static broker_connection *connection;
static natsConnection *raw; /* an operator's own client */

static int start(void **state)
{
    (void)state;
    server = harness_nats_new(NULL);
    connection = scene_connect(server);
    return natsConnection_ConnectTo(&raw, harness_nats_url(server)) == NATS_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    natsConnection_Destroy(raw);
    broker_connection_free(connection);
    harness_nats_free(server);
    return 0;
}

typedef struct seen {
    char lines[4096];
} seen;

static void record(void *ctx, const char *kind, const char *name, const char *state, const char *differences)
{
    seen *reports = ctx;
    size_t used = strlen(reports->lines);
    snprintf(reports->lines + used, sizeof(reports->lines) - used, "%s %s %s %s\n", kind, name, state, differences);
}

static base_code apply(const broker_topology_options *options, seen *reports, base_error *err)
{
    *reports = (seen){0};
    return broker_topology_apply(connection, options, record, reports, err);
}

static base_code check(const broker_topology_options *options, seen *reports, base_error *err)
{
    *reports = (seen){0};
    return broker_topology_check(connection, options, record, reports, err);
}

static json_t *request(const char *subject, const char *body)
{
    natsMsg *answer = NULL;
    assert_int_equal(natsConnection_RequestString(&answer, raw, subject, body, SCENE_DEADLINE_MS), NATS_OK);
    json_t *root = json_loadb(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer), 0, NULL);
    natsMsg_Destroy(answer);
    assert_null(json_object_get(root, "error"));
    return root;
}

static void what_is_missing_is_reported_and_then_created(void **state)
{
    (void)state;
    broker_topology_options options = scene_topology_options("fresh", 0);
    seen reports;
    base_error err;
    assert_int_equal(check(&options, &reports, &err), BASE_NOT_FOUND);
    assert_non_null(strstr(err.message, "stream FRESH_JOBS"));
    assert_non_null(strstr(err.message, "proofctl topology apply"));
    assert_non_null(strstr(reports.lines, "consumer publisher missing"));
    scene_expect_ok(apply(&options, &reports, &err), &err);
    assert_non_null(strstr(reports.lines, "stream FRESH_JOBS created"));
    assert_non_null(strstr(reports.lines, "stream FRESH_EVENTS created"));
    assert_non_null(strstr(reports.lines, "stream FRESH_DEAD created"));
    assert_non_null(strstr(reports.lines, "consumer preparer created"));
    scene_expect_ok(check(&options, &reports, &err), &err);
    scene_expect_ok(apply(&options, &reports, &err), &err);
    assert_null(strstr(reports.lines, "updated"));
    assert_null(strstr(reports.lines, "created"));
}

static void a_difference_is_named_and_then_removed(void **state)
{
    (void)state;
    broker_topology_options options = scene_topology_options("change", 0);
    seen reports;
    base_error err;
    scene_expect_ok(apply(&options, &reports, &err), &err);
    options.ack_wait_ms = 5000;
    options.jobs_max_age_s = 3600;
    assert_int_equal(check(&options, &reports, &err), BASE_CONFLICT);
    assert_non_null(
        strstr(reports.lines, "stream CHANGE_JOBS differs max_age: 259200000000000 (wanted 3600000000000)"));
    assert_non_null(strstr(reports.lines, "consumer generator differs ack_wait: 30000000000 (wanted 5000000000)"));
    scene_expect_ok(apply(&options, &reports, &err), &err);
    assert_non_null(strstr(reports.lines, "consumer generator updated"));
    scene_expect_ok(check(&options, &reports, &err), &err);
}

static void settings_that_the_library_does_not_know_survive(void **state)
{
    (void)state;
    broker_topology_options options = scene_topology_options("keep", 0);
    seen reports;
    base_error err;
    scene_expect_ok(apply(&options, &reports, &err), &err);
    json_t *info = request("$JS.API.STREAM.INFO.KEEP_JOBS", "");
    json_t *config = json_object_get(info, "config");
    json_object_set_new(config, "description", json_string("of the operators"));
    json_object_set_new(config, "max_msgs_per_subject", json_integer(77));
    json_object_set_new(config, "max_age", json_integer(7200000000000));
    char *body = json_dumps(config, 0);
    json_decref(request("$JS.API.STREAM.UPDATE.KEEP_JOBS", body));
    free(body);
    json_decref(info);

    scene_expect_ok(apply(&options, &reports, &err), &err);
    assert_non_null(strstr(reports.lines, "stream KEEP_JOBS updated"));
    info = request("$JS.API.STREAM.INFO.KEEP_JOBS", "");
    config = json_object_get(info, "config");
    assert_string_equal(json_string_value(json_object_get(config, "description")), "of the operators");
    assert_int_equal(json_integer_value(json_object_get(config, "max_msgs_per_subject")), 77);
    assert_int_equal(json_integer_value(json_object_get(config, "max_age")), 259200000000000);
    json_decref(info);
}

static void a_change_that_the_server_refuses_is_an_error_with_its_words(void **state)
{
    (void)state;
    json_decref(request("$JS.API.STREAM.CREATE.MEMORY_JOBS",
                        "{\"name\":\"MEMORY_JOBS\",\"subjects\":[\"memory.jobs.generate\"],\"storage\":\"memory\","
                        "\"retention\":\"limits\"}"));
    broker_topology_options options = scene_topology_options("memory", 0);
    seen reports;
    base_error err;
    assert_int_not_equal(apply(&options, &reports, &err), BASE_OK);
    assert_non_null(strstr(err.message, "stream MEMORY_JOBS"));
    assert_non_null(strstr(err.message, "storage"));
}

static void without_a_server_nothing_is_claimed(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *own = harness_nats_new(NULL);
    BASE_CLEANUP(broker_connection_free) broker_connection *lonely = scene_connect(own);
    harness_nats_stop(own);
    scene_await_link(lonely, false);
    broker_topology_options options = scene_topology_options(NULL, 0);
    base_error err;
    assert_int_equal(broker_topology_check(lonely, &options, NULL, NULL, &err), BASE_UNAVAILABLE);
}

static void settings_that_no_server_could_take_are_refused_at_once(void **state)
{
    (void)state;
    broker_topology_options options = scene_topology_options("refused", 0);
    seen reports;
    base_error err;
    static const int64_t NO_REPLICAS[] = {-1, 2, 4, 6, 7};
    for (size_t i = 0; i < sizeof(NO_REPLICAS) / sizeof(NO_REPLICAS[0]); i++) {
        options.replicas = NO_REPLICAS[i];
        assert_int_equal(apply(&options, &reports, &err), BASE_INVALID);
        assert_non_null(strstr(err.message, "1, 3 or 5"));
    }
    options.replicas = 1;
    options.max_ack_pending = 0;
    assert_int_equal(apply(&options, &reports, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "max_ack_pending"));
    options = (broker_topology_options){.replicas = 1, .max_ack_pending = 1};
    assert_int_equal(apply(&options, &reports, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "names of the streams"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_reported_and_then_created),
        cmocka_unit_test(a_difference_is_named_and_then_removed),
        cmocka_unit_test(settings_that_the_library_does_not_know_survive),
        cmocka_unit_test(a_change_that_the_server_refuses_is_an_error_with_its_words),
        cmocka_unit_test(settings_that_no_server_could_take_are_refused_at_once),
        cmocka_unit_test(without_a_server_nothing_is_claimed),
    };
    return cmocka_run_group_tests(tests, start, end);
}
