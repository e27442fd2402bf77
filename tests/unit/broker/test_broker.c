/* The parts of the broker that need no server: subjects, acknowledgements, names, URLs, settings of streams. */
#include "ack_subject.h"
#include "api.h"
#include "dial.h"
#include "nats_status.h"
#include "puback.h"
#include "stored.h"
#include "topology_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_reply_subject_of_nine_tokens_is_read(void **state)
{
    (void)state;
    broker_delivery_facts facts;
    assert_true(broker_ack_subject_parse("$JS.ACK.PROOFLINE_JOBS.generator.3.42.57.1700000000123456789.7", &facts));
    assert_int_equal(facts.deliveries, 3);
    assert_int_equal(facts.stream_sequence, 42);
    assert_int_equal(facts.consumer_sequence, 57);
    assert_int_equal(facts.stored_unix_ns, 1700000000123456789);
    assert_int_equal(facts.pending, 7);
}

static void a_reply_subject_of_twelve_tokens_is_read(void **state)
{
    (void)state;
    broker_delivery_facts facts;
    assert_true(
        broker_ack_subject_parse("$JS.ACK.hub.ABCDEF.JOBS.generator.1.2.3.1700000000000000001.0.rAnDoM", &facts));
    assert_int_equal(facts.deliveries, 1);
    assert_int_equal(facts.stream_sequence, 2);
    assert_int_equal(facts.consumer_sequence, 3);
    assert_int_equal(facts.stored_unix_ns, 1700000000000000001);
    assert_true(broker_ack_subject_parse("$JS.ACK._.ABCDEF.JOBS.generator.1.9.3.17.0", &facts));
    assert_int_equal(facts.stream_sequence, 9);
}

static void other_subjects_are_not_taken_for_deliveries(void **state)
{
    (void)state;
    broker_delivery_facts facts = {.deliveries = 77};
    static const char *const BAD[] = {
        "",
        "_INBOX.abc.1",
        "$JS.ACK.",
        "$JS.ACK.S.C.1.2.3.4",
        "$JS.ACK.S.C.1.2.3.4.5.6",
        "$JS.ACK.S.C.x.2.3.4.5",
        "$JS.ACK.S.C.1..3.4.5",
        "$JS.ACK.S.C.1.2.3.99999999999999999999.5",
        "$JS.ACK.S.C.1.2.3.18446744073709551615.5",
        "$JS.ACK.S.C.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(broker_ack_subject_parse(BAD[i], &facts));
    assert_false(broker_ack_subject_parse(NULL, &facts));
    assert_int_equal(facts.deliveries, 77);
}

static base_code parse_puback(const char *json, broker_publish_result *ret, base_error *err)
{
    return broker_puback_parse(base_bytes_of(json, strlen(json)), ret, err);
}

static void an_acknowledgement_gives_sequence_and_duplicate(void **state)
{
    (void)state;
    broker_publish_result result;
    base_error err;
    assert_int_equal(parse_puback("{\"stream\":\"JOBS\",\"seq\":12}", &result, &err), BASE_OK);
    assert_int_equal(result.sequence, 12);
    assert_false(result.duplicate);
    assert_int_equal(
        parse_puback("{\"stream\":\"JOBS\", \"seq\":12,\"duplicate\": true,\"domain\":\"x\"}", &result, &err), BASE_OK);
    assert_true(result.duplicate);
}

static void refusals_of_a_publish_are_told_apart(void **state)
{
    (void)state;
    broker_publish_result result;
    base_error err;
    assert_int_equal(parse_puback("{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"maximum messages "
                                  "exceeded\"},\"stream\":\"S\",\"seq\":0}",
                                  &result, &err),
                     BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "maximum messages exceeded"));
    assert_int_equal(result.code, BASE_UNAVAILABLE);
    assert_int_equal(
        parse_puback("{\"error\":{\"code\":400,\"err_code\":10054,\"description\":\"too large\"}}", &result, &err),
        BASE_LIMIT);
    assert_int_equal(
        parse_puback("{\"error\":{\"code\":400,\"err_code\":10071,\"description\":\"wrong last\"}}", &result, &err),
        BASE_CONFLICT);
    assert_int_equal(parse_puback("{\"error\":{\"code\":400,\"err_code\":10002,\"description\":\"resource limits "
                                  "exceeded for account\"}}",
                                  &result, &err),
                     BASE_UNAVAILABLE);
    assert_int_equal(parse_puback("{\"error\":{\"code\":400,\"err_code\":10060}}", &result, &err), BASE_INVALID);
}

static void what_is_no_acknowledgement_leaves_the_outcome_open(void **state)
{
    (void)state;
    broker_publish_result result;
    static const char *const BAD[] = {"",
                                      "hello",
                                      "{}",
                                      "[1]",
                                      "{\"stream\":\"S\"}",
                                      "{\"seq\":1}",
                                      "{\"stream\":\"S\",\"seq\":0}",
                                      "{\"stream\":\"S\",\"seq\":-4}"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_int_equal(parse_puback(BAD[i], &result, NULL), BASE_AMBIGUOUS);
}

static void names_derive_from_the_prefix(void **state)
{
    (void)state;
    broker_names names;
    assert_int_equal(broker_names_of(NULL, &names, NULL), BASE_OK);
    assert_string_equal(names.stream_jobs, "PROOFLINE_JOBS");
    assert_string_equal(names.subject_publish, "proofline.jobs.publish");
    assert_int_equal(broker_names_of("team_2", &names, NULL), BASE_OK);
    assert_string_equal(names.stream_dead, "TEAM_2_DEAD");
    assert_string_equal(names.subject_events, "team_2.events");
}

static void bad_prefixes_are_refused(void **state)
{
    (void)state;
    broker_names names;
    static const char *const BAD[] = {
        "2x", "Team", "a.b", "a b", "a*", "_a", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_int_equal(broker_names_of(BAD[i], &names, NULL), BASE_INVALID);
}

static void several_servers_are_split_and_shown_without_credentials(void **state)
{
    (void)state;
    broker_servers servers;
    base_error err;
    assert_int_equal(broker_servers_parse("nats://joe:s3cret@one:4222, tls://tok@two:4223,three", &servers, &err),
                     BASE_OK);
    assert_int_equal(servers.count, 3);
    assert_true(servers.tls);
    assert_string_equal(servers.urls[1], "tls://tok@two:4223");
    assert_string_equal(broker_servers_public(&servers).text, "nats://one:4222, tls://two:4223, three");
}

static void bad_server_lists_are_refused_without_showing_credentials(void **state)
{
    (void)state;
    broker_servers servers;
    base_error err;
    char many[BROKER_SERVERS_MAX * 2 + 2];
    for (size_t i = 0; i < BROKER_SERVERS_MAX; i++)
        memcpy(many + 2 * i, "a,", 2);
    memcpy(many + (size_t)BROKER_SERVERS_MAX * 2, "a", 2);
    char longest[BROKER_URL_MAX + 1];
    memset(longest, 'a', BROKER_URL_MAX);
    longest[BROKER_URL_MAX] = '\0';
    const char *const bad[] = {NULL, "", "nats://a,,nats://b", "nats://a,", "nats://a b", many, longest};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(broker_servers_parse(bad[i], &servers, &err), BASE_INVALID);
    assert_int_equal(broker_servers_parse("http://joe:s3cret@one:4222", &servers, &err), BASE_INVALID);
    assert_string_equal(err.message, "NATS server 1: a NATS server's URL starts with nats:// or tls://");
}

/* What looks like a host or scheme in a broken URL may be a part of its password. */
static void a_server_list_cut_by_its_password_is_refused_without_showing_it(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "nats://joe:s3,cret@one:4222",
        "nats://one,joe:s3cret@nats://two",
        "nats://joe:a,s3cret://b@one",
        "joe:s3cret",
        "nats://joe:s3cret/x",
        "nats://[::1]:s3cret",
        "nats://a:b:s3cret",
        "nats://joe:pass@:4222",
        "nats://one:",
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        broker_servers servers;
        base_error err = {0};
        assert_int_equal(broker_servers_parse(BROKEN[i], &servers, &err), BASE_INVALID);
        assert_null(strstr(err.message, "s3"));
        assert_null(strstr(err.message, "cret"));
    }
    assert_string_equal(broker_url_public("nats://joe:p@ss/word@one:4222/x?token=s3cret").text, "nats://one:4222");
    assert_string_equal(broker_url_public("tls://[::1]:4222").text, "tls://[::1]:4222");
}

static broker_topology_options example_options(void)
{
    broker_topology_options options = {.replicas = 3, .max_ack_pending = 500, .jobs_max_age_s = 60};
    assert_int_equal(broker_names_of(NULL, &options.names, NULL), BASE_OK);
    return options;
}

static void differences_name_the_setting_and_both_values(void **state)
{
    (void)state;
    broker_topology_options options = example_options();
    BROKER_JSON *wanted = broker_config_jobs(&options);
    BROKER_JSON *actual = json_deep_copy(wanted);
    BASE_CLEANUP(base_buffer_done) base_buffer differences = {.limit = 4096};
    assert_int_equal(broker_config_compare(actual, wanted, &differences, NULL), BASE_OK);
    assert_int_equal(differences.size, 0);
    json_object_set_new(actual, "num_replicas", json_integer(1));
    json_object_del(actual, "allow_direct");
    assert_int_equal(broker_config_compare(actual, wanted, &differences, NULL), BASE_OK);
    assert_non_null(strstr((const char *)differences.data, "num_replicas: 1 (wanted 3)"));
    assert_non_null(strstr((const char *)differences.data, "allow_direct: not set (wanted true)"));
}

static void the_dedupe_window_never_exceeds_the_maximum_age(void **state)
{
    (void)state;
    broker_topology_options options = example_options();
    BROKER_JSON *jobs = broker_config_jobs(&options);
    assert_int_equal(json_integer_value(json_object_get(jobs, "duplicate_window")), 60 * (json_int_t)1000000000);
    BROKER_JSON *events = broker_config_events(&options);
    assert_int_equal(json_integer_value(json_object_get(events, "duplicate_window")), 120 * (json_int_t)1000000000);
}

static void merging_keeps_unknown_settings_and_drops_a_backoff_list(void **state)
{
    (void)state;
    broker_topology_options options = example_options();
    BROKER_JSON *wanted = broker_config_durable(&options, BROKER_DURABLE_GENERATOR, options.names.subject_generate);
    BROKER_JSON *actual = json_pack("{s:s, s:[I], s:{s:s}, s:I}", "durable_name", "generator", "backoff", (json_int_t)5,
                                    "metadata", "team", "blue", "ack_wait", (json_int_t)1);
    BASE_CLEANUP(base_buffer_done) base_buffer differences = {.limit = 4096};
    assert_int_equal(broker_config_compare(actual, wanted, &differences, NULL), BASE_OK);
    assert_non_null(strstr((const char *)differences.data, "backoff: [5] (wanted null)"));
    BROKER_JSON *merged = broker_config_merge(actual, wanted);
    assert_null(json_object_get(merged, "backoff"));
    assert_int_equal(json_integer_value(json_object_get(merged, "ack_wait")), BROKER_ACK_WAIT_MS * (json_int_t)1000000);
    assert_string_equal(json_string_value(json_object_get(json_object_get(merged, "metadata"), "team")), "blue");
    assert_int_equal(json_integer_value(json_object_get(actual, "ack_wait")), 1);
}

static void times_of_the_server_are_read_to_the_nanosecond(void **state)
{
    (void)state;
    int64_t ns = 0;
    assert_true(broker_time_parse("2023-11-14T22:13:20.123456789Z", &ns));
    assert_int_equal(ns, 1700000000123456789);
    assert_true(broker_time_parse("2023-11-14T22:13:20Z", &ns));
    assert_int_equal(ns, 1700000000000000000);
    assert_true(broker_time_parse("2023-11-15T00:13:20.5+02:00", &ns));
    assert_int_equal(ns, 1700000000500000000);
    assert_true(broker_time_parse("2023-11-14T20:43:20-01:30", &ns));
    assert_int_equal(ns, 1700000000000000000);
    static const char *const BAD[] = {
        "", "yesterday", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+2", "2023-11-14T22:13:20Zulu"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(broker_time_parse(BAD[i], &ns));
    assert_false(broker_time_parse(NULL, &ns));
}

static base_code parse_headers(const char *block, broker_stored *ret)
{
    return broker_headers_parse(base_bytes_of(block, strlen(block)), ret, NULL);
}

static void a_header_block_is_read(void **state)
{
    (void)state;
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    assert_int_equal(parse_headers("NATS/1.0\r\nNats-Msg-Id: a:b\r\nEmpty:\r\nX:y\r\n\r\n", &message), BASE_OK);
    assert_int_equal(message.header_count, 3);
    assert_string_equal(broker_stored_header(&message, "Nats-Msg-Id"), "a:b");
    assert_string_equal(broker_stored_header(&message, "Empty"), "");
    assert_string_equal(broker_stored_header(&message, "X"), "y");
    assert_null(broker_stored_header(&message, "x"));
}

static void broken_header_blocks_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "NATS/1.0",
                                      "NATS/1.0\r\n",
                                      "HTTP/1.0\r\nA: b\r\n\r\n",
                                      "NATS/1.0\r\nA: b",
                                      "NATS/1.0\r\nA: b\r\n",
                                      "NATS/1.0\r\n: b\r\n\r\n",
                                      "NATS/1.0\r\nAb\r\n\r\n"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
        assert_int_equal(parse_headers(BAD[i], &message), BASE_INVALID);
    }
    char many[16 + 70 * 6] = "NATS/1.0\r\n";
    for (int i = 0; i < 70; i++)
        memcpy(many + 10 + i * 5, "A:b\r\n", 6);
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    assert_int_equal(parse_headers(many, &message), BASE_LIMIT);
}

static void a_stored_message_is_read_from_json(void **state)
{
    (void)state;
    BROKER_JSON *json =
        json_loads("{\"subject\":\"a.b\",\"seq\":7,\"data\":\"AP8=\",\"time\":\"2023-11-14T22:13:20Z\"}", 0, NULL);
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    assert_int_equal(broker_stored_parse(json, &message, NULL), BASE_OK);
    assert_string_equal(message.subject, "a.b");
    assert_int_equal(message.sequence, 7);
    assert_int_equal(message.payload.size, 2);
    assert_int_equal(message.payload.data[1], 0xff);
    json_object_set_new(json, "data", json_string("!!"));
    BASE_CLEANUP(broker_stored_done) broker_stored broken = {0};
    assert_int_equal(broker_stored_parse(json, &broken, NULL), BASE_INVALID);
    assert_null(broken.subject);
    assert_int_equal(broker_stored_parse(NULL, &broken, NULL), BASE_INVALID);
}

static void every_status_of_the_client_library_has_its_code(void **state)
{
    (void)state;
    static const struct {
        natsStatus status;
        base_code code;
    } CASES[] = {
        {NATS_OK, BASE_OK},
        {NATS_INVALID_ARG, BASE_INVALID},
        {NATS_SSL_ERROR, BASE_INVALID},
        {NATS_CONNECTION_AUTH_FAILED, BASE_DENIED},
        {NATS_NOT_PERMITTED, BASE_DENIED},
        {NATS_MAX_PAYLOAD, BASE_LIMIT},
        {NATS_NOT_FOUND, BASE_NOT_FOUND},
        {NATS_TIMEOUT, BASE_TIMEOUT},
        {NATS_NO_MEMORY, BASE_NO_MEMORY},
        {NATS_NO_SERVER, BASE_UNAVAILABLE},
        {NATS_CONNECTION_DISCONNECTED, BASE_UNAVAILABLE},
        {NATS_INSUFFICIENT_BUFFER, BASE_UNAVAILABLE},
        {NATS_ILLEGAL_STATE, BASE_INTERNAL},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_int_equal(broker_code_of(CASES[i].status), CASES[i].code);
}

static void names_that_cannot_stand_in_a_subject_are_refused(void **state)
{
    (void)state;
    char longest[257];
    memset(longest, 'a', 256);
    longest[256] = '\0';
    const char *const bad[] = {NULL, "", "a b", "a.b", "a*", "a>", "a/b", "a\\b", "a\x7f", "a\n", longest};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(broker_name_is_valid(bad[i]));
    assert_true(broker_name_is_valid("PROOFLINE_JOBS"));
    assert_true(broker_name_is_valid(longest + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_subject_of_nine_tokens_is_read),
        cmocka_unit_test(a_reply_subject_of_twelve_tokens_is_read),
        cmocka_unit_test(other_subjects_are_not_taken_for_deliveries),
        cmocka_unit_test(an_acknowledgement_gives_sequence_and_duplicate),
        cmocka_unit_test(refusals_of_a_publish_are_told_apart),
        cmocka_unit_test(what_is_no_acknowledgement_leaves_the_outcome_open),
        cmocka_unit_test(every_status_of_the_client_library_has_its_code),
        cmocka_unit_test(names_that_cannot_stand_in_a_subject_are_refused),
        cmocka_unit_test(names_derive_from_the_prefix),
        cmocka_unit_test(bad_prefixes_are_refused),
        cmocka_unit_test(several_servers_are_split_and_shown_without_credentials),
        cmocka_unit_test(bad_server_lists_are_refused_without_showing_credentials),
        cmocka_unit_test(a_server_list_cut_by_its_password_is_refused_without_showing_it),
        cmocka_unit_test(differences_name_the_setting_and_both_values),
        cmocka_unit_test(the_dedupe_window_never_exceeds_the_maximum_age),
        cmocka_unit_test(times_of_the_server_are_read_to_the_nanosecond),
        cmocka_unit_test(a_header_block_is_read),
        cmocka_unit_test(broken_header_blocks_are_refused),
        cmocka_unit_test(a_stored_message_is_read_from_json),
        cmocka_unit_test(merging_keeps_unknown_settings_and_drops_a_backoff_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
