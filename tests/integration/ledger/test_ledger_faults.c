/* What the ledger makes of nodes that refuse, break off, stall, flood and complain. */
#include "script_server.h"

#include "base/clock.h"
#include "harness/folder.h"
#include "harness/port.h"
#include "harness/process.h"
#include "harness/wait.h"
#include "ledger/anchor.h"
#include "mina/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET_KEY "EKEiSTLcuVbi6xj86GKwzJLikrECqezZLVKqyvTX2p52rCDGbRvx"
#define TAKEN      "{\"data\":{\"sendPayment\":{\"payment\":{\"id\":\"x\",\"hash\":\"5Ju\",\"nonce\":0}}}}"
#define STATUS(network, sync)                                                                                          \
    "{\"data\":{\"networkID\":\"" network "\",\"syncStatus\":\"" sync                                                  \
    "\",\"bestChain\":[{\"protocolState\":{\"consensusState\":{\"blockHeight\":\"17\"}}}]}}"

enum { SHORT_TIMEOUT_MS = 1500, TIMEOUT_MS = 20000 }; /* in the short one a busy machine can send a request */

static const ledger_statement STATEMENT = {.image = {{1}}, .proof = {{2}}, .format = "ecdsa-p256-sok-v1"};

static ledger *ledger_trusting(const char *ca_file, const char *scheme, uint16_t port, int64_t timeout_ms)
{
    BASE_CLEANUP(base_secret_done) base_secret key = {0};
    assert_int_equal(base_secret_copy(base_bytes_of(SECRET_KEY, strlen(SECRET_KEY)), &key, NULL), BASE_OK);
    char url[64];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%u/graphql", scheme, port);
    const ledger_anchor_options options = {.node_url = url,
                                           .network = "devnet",
                                           .private_key = &key,
                                           .fee_nanomina = 1000000,
                                           .timeout_ms = timeout_ms,
                                           .tls_ca_file = ca_file};
    ledger *made = NULL;
    base_error err = {0};
    if (ledger_anchor_new(&options, &made, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return made;
}

static ledger *ledger_at(const char *scheme, uint16_t port, int64_t timeout_ms)
{
    return ledger_trusting(NULL, scheme, port, timeout_ms);
}

static ledger_answer send_one(ledger *anchor, base_error *ret_reason)
{
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = {0};
    assert_int_equal(ledger_make(anchor, &STATEMENT, 0, &made, NULL), BASE_OK);
    return ledger_send(anchor, base_buffer_view(&made.payload), ret_reason);
}

/* Sends once to a server that acts so; the reason must name `why` unless it was accepted. */
static void expect(const script_step *step, const char *scheme, int64_t timeout_ms, ledger_answer expected,
                   const char *why)
{
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(step, 1);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at(scheme, script_server_port(server), timeout_ms);
    base_error reason = {0};
    ledger_answer answer = send_one(anchor, &reason);
    if (answer != expected || strstr(reason.message, why) == NULL)
        fail_msg("%s instead of %s: \"%s\" (should name \"%s\")", ledger_answer_name(answer),
                 ledger_answer_name(expected), reason.message, why);
    assert_in_range(script_server_requests(server), 0, 1);
}

static void a_refused_connection_is_certainly_not_sent(void **state)
{
    (void)state;
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", harness_free_port(), TIMEOUT_MS);
    base_error reason = {0};
    assert_int_equal(send_one(anchor, &reason), LEDGER_UNAVAILABLE);
    assert_int_equal(reason.code, BASE_UNAVAILABLE);
    assert_int_equal(ledger_check(anchor, NULL, &reason), BASE_UNAVAILABLE);
}

static void a_failed_tls_handshake_is_certainly_not_sent(void **state)
{
    (void)state;
    expect(&(script_step){.act = SCRIPT_HANG_UP}, "https", TIMEOUT_MS, LEDGER_UNAVAILABLE, "127.0.0.1");
}

/* A TLS server with a certificate that it signed itself, which sends back what it gets: no HTTP, but proof of the handshake. */
static harness_process *start_tls_server(const char *key, const char *certificate, uint16_t *ret_port)
{
    const char *const make[] = {"openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-days",
                                "2",
                                "-keyout",
                                key,
                                "-out",
                                certificate,
                                "-subj",
                                "/CN=node",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                NULL};
    if (harness_run(make, NULL, HARNESS_START_MS, NULL, NULL) != 0)
        harness_fail("openssl cannot make a certificate");
    const char *const serve[] = {"openssl",   "s_server", "-accept", "127.0.0.1:0", "-cert",
                                 certificate, "-key",     key,       "-rev",        NULL};
    harness_process *server = harness_process_new(&(harness_process_options){.argv = serve});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(server, "ACCEPT ", HARNESS_START_MS);
    unsigned port = 0;
    if (line == NULL || sscanf(line, "ACCEPT 127.0.0.1:%u", &port) != 1)
        harness_fail("openssl s_server did not start");
    *ret_port = (uint16_t)port;
    return server;
}

static void only_a_node_with_a_trusted_certificate_gets_the_payment(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("tls");
    harness_path key = harness_path_in(&folder, "key.pem");
    harness_path certificate = harness_path_in(&folder, "certificate.pem");
    uint16_t port;
    BASE_CLEANUP(harness_process_free) harness_process *server = start_tls_server(key.text, certificate.text, &port);
    BASE_CLEANUP(ledger_free) ledger *stranger = ledger_at("https", port, TIMEOUT_MS);
    base_error reason = {0};
    assert_int_equal(send_one(stranger, &reason), LEDGER_UNAVAILABLE);
    assert_non_null(strstr(reason.message, "certificate"));

    BASE_CLEANUP(ledger_free) ledger *trusting = ledger_trusting(certificate.text, "https", port, TIMEOUT_MS);
    /* Past the handshake: what hinders now is that the server speaks no HTTP. It may say so before the body is on its way. */
    ledger_answer answer = send_one(trusting, &reason);
    assert_true(answer == LEDGER_UNKNOWN || answer == LEDGER_UNAVAILABLE);
    assert_non_null(strstr(reason.message, "HTTP/0.9"));
    assert_true(harness_process_running(server));
}

static void a_connection_closed_after_the_request_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    expect(&(script_step){.act = SCRIPT_CLOSE}, "http", TIMEOUT_MS, LEDGER_UNKNOWN, "127.0.0.1");
    expect(&(script_step){SCRIPT_CUT, 200, TAKEN}, "http", TIMEOUT_MS, LEDGER_UNKNOWN, "127.0.0.1");
}

static void a_lost_reply_on_a_kept_connection_is_not_repeated_behind_our_back(void **state)
{
    (void)state;
    static const script_step STEPS[] = {
        {SCRIPT_ANSWER, 200, TAKEN}, {SCRIPT_CLOSE, 0, NULL}, {SCRIPT_ANSWER, 200, TAKEN}};
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(STEPS, 3);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", script_server_port(server), TIMEOUT_MS);
    base_error reason = {0};
    assert_int_equal(send_one(anchor, &reason), LEDGER_ACCEPTED);
    assert_int_equal(send_one(anchor, &reason), LEDGER_UNKNOWN);
    assert_int_equal(script_server_requests(server), 2);
    assert_int_equal(send_one(anchor, &reason), LEDGER_ACCEPTED);
    assert_int_equal(script_server_requests(server), 3);
}

static void a_question_is_asked_again_on_a_new_connection(void **state)
{
    (void)state;
    static const script_step STEPS[] = {{SCRIPT_ANSWER, 200, STATUS("mina:devnet", "SYNCED")},
                                        {SCRIPT_CLOSE, 0, NULL},
                                        {SCRIPT_ANSWER, 200, STATUS("mina:devnet", "SYNCED")}};
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(STEPS, 3);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", script_server_port(server), TIMEOUT_MS);
    base_error err = {0};
    assert_int_equal(ledger_check(anchor, NULL, &err), BASE_OK);
    assert_int_equal(ledger_check(anchor, NULL, &err), BASE_OK);
    assert_int_equal(script_server_connections(server), 2);
}

static bool has_closed(void *ctx)
{
    return script_server_closed(ctx) == 1;
}

static void a_connection_closed_while_idle_costs_nothing(void **state)
{
    (void)state;
    static const script_step STEPS[] = {{SCRIPT_ANSWER_THEN_CLOSE, 200, TAKEN}, {SCRIPT_ANSWER, 200, TAKEN}};
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(STEPS, 2);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", script_server_port(server), TIMEOUT_MS);
    base_error reason = {0};
    assert_int_equal(send_one(anchor, &reason), LEDGER_ACCEPTED);
    assert_true(harness_wait_until(has_closed, server, TIMEOUT_MS));
    assert_int_equal(send_one(anchor, &reason), LEDGER_ACCEPTED);
    assert_int_equal(script_server_requests(server), 2);
}

static void http_statuses_tell_turned_away_from_unknown(void **state)
{
    (void)state;
    expect(&(script_step){SCRIPT_ANSWER, 429, "slow down"}, "http", TIMEOUT_MS, LEDGER_UNAVAILABLE, "HTTP 429");
    expect(&(script_step){SCRIPT_ANSWER, 404, "no"}, "http", TIMEOUT_MS, LEDGER_UNAVAILABLE, "HTTP 404");
    expect(&(script_step){SCRIPT_ANSWER, 500, TAKEN}, "http", TIMEOUT_MS, LEDGER_UNKNOWN, "HTTP 500");
    expect(&(script_step){SCRIPT_ANSWER, 503, "no"}, "http", TIMEOUT_MS, LEDGER_UNKNOWN, "HTTP 503");
    expect(&(script_step){SCRIPT_ANSWER, 200, "<html>"}, "http", TIMEOUT_MS, LEDGER_UNKNOWN, "no JSON");
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    expect(&(script_step){SCRIPT_ANSWER, 307, "there"}, "http", TIMEOUT_MS, LEDGER_UNAVAILABLE, "HTTP 307");
}

static void a_node_that_never_answers_is_left_after_the_timeout(void **state)
{
    (void)state;
    int64_t started = base_monotonic_ms();
    expect(&(script_step){.act = SCRIPT_SILENCE}, "http", SHORT_TIMEOUT_MS, LEDGER_UNKNOWN, "timed out");
    assert_in_range(base_monotonic_ms() - started, SHORT_TIMEOUT_MS - 10, TIMEOUT_MS);
}

static void an_endless_answer_is_cut_off(void **state)
{
    (void)state;
    expect(&(script_step){.act = SCRIPT_FLOOD}, "http", 60000, LEDGER_UNKNOWN, "over the maximum");
}

static void proxies_of_the_environment_are_not_used(void **state)
{
    (void)state;
    char proxy[64];
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", harness_free_port());
    setenv("http_proxy", proxy, 1);
    setenv("all_proxy", proxy, 1);
    expect(&(script_step){SCRIPT_ANSWER, 200, TAKEN}, "http", TIMEOUT_MS, LEDGER_ACCEPTED, "");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

static ledger_answer answer_for(mina_error_class class)
{
    switch (class) {
    case MINA_ERROR_UNAVAILABLE:
        return LEDGER_UNAVAILABLE;
    case MINA_ERROR_UNFUNDED:
        return LEDGER_UNFUNDED;
    case MINA_ERROR_NONCE:
        return LEDGER_NONCE;
    case MINA_ERROR_DUPLICATE:
        return LEDGER_ACCEPTED;
    case MINA_ERROR_REPLACED:
        return LEDGER_REPLACED;
    case MINA_ERROR_EXPIRED:
        return LEDGER_EXPIRED;
    case MINA_ERROR_PERMANENT:
        return LEDGER_REJECTED;
    case MINA_ERROR_TRANSIENT:
    case MINA_ERROR_OTHER:
        break;
    }
    return LEDGER_RETRY;
}

static void every_error_text_gets_its_answer(void **state)
{
    (void)state;
    enum { ROWS_MAX = 64, BODY_MAX = 512 };
    static char bodies[ROWS_MAX][BODY_MAX];
    static script_step steps[ROWS_MAX];
    size_t count;
    const mina_error_row *table = mina_error_table(&count);
    assert_in_range(count, 1, ROWS_MAX - 1);
    for (size_t i = 0; i <= count; i++) {
        snprintf(bodies[i], BODY_MAX,
                 "{\"data\":null,\"errors\":[{\"message\":\"Couldn't send user command: [\\\"%s\\\"]\",\"path\":"
                 "[\"sendPayment\"]}]}",
                 i < count ? table[i].text : "Never heard of");
        steps[i] = (script_step){SCRIPT_ANSWER, 200, bodies[i]};
    }
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(steps, count + 1);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", script_server_port(server), TIMEOUT_MS);
    for (size_t i = 0; i <= count; i++) {
        base_error reason = {0};
        const char *text = i < count ? table[i].text : "Never heard of";
        ledger_answer expected = i < count ? answer_for(table[i].class) : LEDGER_RETRY;
        ledger_answer answer = send_one(anchor, &reason);
        if (answer != expected || (answer != LEDGER_ACCEPTED && strstr(reason.message, text) == NULL))
            fail_msg("\"%s\" is %s: %s", text, ledger_answer_name(answer), reason.message);
    }
    assert_int_equal(script_server_connections(server), 1);
}

static void a_check_tells_the_wrong_network_from_a_node_that_is_not_ready(void **state)
{
    (void)state;
    static const script_step STEPS[] = {
        {SCRIPT_ANSWER, 200, STATUS("mina:mainnet", "SYNCED")},
        {SCRIPT_ANSWER, 200, STATUS("zeko:devnet", "SYNCED")},
        {SCRIPT_ANSWER, 200, STATUS("mina:devnet", "CATCHUP")},
        {SCRIPT_ANSWER, 200, STATUS("mina:testnet", "SYNCED")},
        {SCRIPT_ANSWER, 502, "bad gateway"},
    };
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(STEPS, 5);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", script_server_port(server), TIMEOUT_MS);
    base_error err = {0};
    int64_t height = 0;
    assert_int_equal(ledger_check(anchor, &height, &err), BASE_CONFLICT);
    assert_non_null(strstr(err.message, "mina:mainnet"));
    assert_int_equal(ledger_check(anchor, &height, &err), BASE_CONFLICT);
    assert_int_equal(ledger_check(anchor, &height, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "CATCHUP"));
    assert_int_equal(height, 0);
    assert_int_equal(ledger_check(anchor, &height, &err), BASE_OK);
    assert_int_equal(height, 17);
    assert_int_equal(ledger_check(anchor, &height, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "HTTP 502"));
}

static void one_request_finds_pooled_and_included_transactions(void **state)
{
    (void)state;
    static const script_step STEP = {
        SCRIPT_ANSWER, 200,
        "{\"data\":{\"pooledUserCommands\":[{\"hash\":\"5Ja\",\"memo\":\"E4\"}],\"bestChain\":[{\"transactions\":"
        "{\"userCommands\":[{\"hash\":\"5Jb\",\"memo\":\"E4\",\"failureReason\":null},{\"hash\":\"5Jc\",\"memo\":"
        "\"E4\",\"failureReason\":\"Overflow\"}]},\"protocolState\":{\"consensusState\":{\"blockHeight\":\"5\"}}}]}}"};
    BASE_CLEANUP(script_server_free) script_server *server = script_server_new(&STEP, 1);
    BASE_CLEANUP(ledger_free) ledger *anchor = ledger_at("http", script_server_port(server), TIMEOUT_MS);
    const char *const hashes[] = {"5Ja", "5Jb", "5Jc", "5Jd"};
    ledger_sighting seen[4];
    assert_int_equal(ledger_find(anchor, hashes, 4, 290, seen, NULL), BASE_OK);
    assert_int_equal(seen[0].place, LEDGER_POOLED);
    assert_int_equal(seen[1].place, LEDGER_INCLUDED);
    assert_int_equal(seen[1].block_height, 5);
    assert_int_equal(seen[2].place, LEDGER_FAILED);
    assert_string_equal(seen[2].reason, "Overflow");
    assert_int_equal(seen[3].place, LEDGER_NOWHERE);
    assert_int_equal(script_server_requests(server), 1);

    BASE_CLEANUP(free) char *request = script_server_last(server);
    assert_non_null(strstr(request, "POST /graphql HTTP/1.1"));
    assert_non_null(strcasestr(request, "Content-Type: application/json"));
    assert_non_null(strcasestr(request, "User-Agent: proofline"));
    assert_non_null(strstr(request, "\"variables\":{\"hashes\":[\"5Ja\",\"5Jb\",\"5Jc\",\"5Jd\"],\"blocks\":290}"));
    assert_int_equal(ledger_find(anchor, hashes, 0, 290, seen, NULL), BASE_OK);
    assert_int_equal(ledger_find(anchor, hashes, 4, 291, seen, NULL), BASE_INVALID);
    assert_int_equal(script_server_requests(server), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_is_certainly_not_sent),
        cmocka_unit_test(a_failed_tls_handshake_is_certainly_not_sent),
        cmocka_unit_test(only_a_node_with_a_trusted_certificate_gets_the_payment),
        cmocka_unit_test(a_connection_closed_after_the_request_leaves_the_outcome_unknown),
        cmocka_unit_test(a_lost_reply_on_a_kept_connection_is_not_repeated_behind_our_back),
        cmocka_unit_test(a_question_is_asked_again_on_a_new_connection),
        cmocka_unit_test(a_connection_closed_while_idle_costs_nothing),
        cmocka_unit_test(http_statuses_tell_turned_away_from_unknown),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_node_that_never_answers_is_left_after_the_timeout),
        cmocka_unit_test(an_endless_answer_is_cut_off),
        cmocka_unit_test(proxies_of_the_environment_are_not_used),
        cmocka_unit_test(every_error_text_gets_its_answer),
        cmocka_unit_test(a_check_tells_the_wrong_network_from_a_node_that_is_not_ready),
        cmocka_unit_test(one_request_finds_pooled_and_included_transactions),
    };
    return cmocka_run_group_tests_name("ledger faults", tests, NULL, NULL);
}
