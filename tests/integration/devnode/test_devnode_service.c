/* The development node as a process: what it accepted survives kill -9, and its faults are what a client will meet. */
#include "base/clock.h"
#include "harness/folder.h"
#include "harness/http.h"
#include "harness/process.h"
#include "harness/wait.h"
#include "mina/payment.h"

#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BODY_MAX = 2048, STOP_MS = 10000 };

static mina_secret_key key;

/* A running node with the file it keeps. */
typedef struct devnode {
    harness_path folder;
    harness_process *process;
    uint16_t port;
} devnode;

static void start(devnode *d)
{
    const harness_path state = harness_path_in(&d->folder, "state");
    const mina_address address = mina_public_key_format(&key.public_key);
    char fund[MINA_ADDRESS_CHARS + 16];
    snprintf(fund, sizeof(fund), "%s=100", address.text);
    const char *const argv[] = {
        BINARY_DIR "/proofline-devnode", "--port", "0", "--block-ms", "0", "--state", state.text, "--fund", fund, NULL};
    d->process = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(d->process, "listening on 127.0.0.1:", HARNESS_START_MS);
    if (line == NULL)
        harness_fail("the node did not start");
    d->port = (uint16_t)strtoul(strrchr(line, ':') + 1, NULL, 10);
}

static int begin(void **state)
{
    static devnode d;
    d = (devnode){.folder = harness_folder_new("devnode")};
    start(&d);
    *state = &d;
    return 0;
}

static int end(void **state)
{
    devnode *d = *state;
    harness_process_stop(d->process, HARNESS_START_MS);
    harness_path_remove(&d->folder);
    return 0;
}

static mina_payment payment_of(uint32_t nonce)
{
    mina_payment payment = {
        .from = key.public_key, .to = key.public_key, .fee = 10000000, .nonce = nonce, .valid_until = UINT32_MAX};
    assert_int_equal(mina_memo_of(base_bytes_of("proof", 5), &payment.memo, NULL), BASE_OK);
    return payment;
}

static harness_http_reply send(const devnode *d, const mina_payment *payment)
{
    mina_signature signature;
    assert_int_equal(mina_payment_sign(payment, MINA_DEVNET, &key, &signature, NULL), BASE_OK);
    const mina_signature_text text = mina_signature_format(&signature);
    const mina_address address = mina_public_key_format(&payment->from);
    char body[BODY_MAX];
    snprintf(body, sizeof(body),
             "{\"query\":\"mutation($i:I!,$s:S){sendPayment(input:$i,signature:$s){payment{hash}}}\",\"variables\":{"
             "\"i\":{\"from\":\"%s\",\"to\":\"%s\",\"amount\":\"0\",\"fee\":\"10000000\",\"nonce\":\"%u\","
             "\"validUntil\":\"4294967295\",\"memo\":\"proof\"},\"s\":{\"field\":\"%s\",\"scalar\":\"%s\"}}}",
             address.text, address.text, payment->nonce, text.field, text.scalar);
    return harness_http_send("POST", d->port, "/graphql", "application/json", body);
}

static void control(const devnode *d, const char *path, const char *body)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", d->port, path, "application/json", body);
    if (reply.status != 200)
        harness_fail("%s answered %d: %s", path, reply.status, reply.status == 0 ? "" : reply.body);
}

/* Sends and expects the answer to hold `part`. */
static void send_says(const devnode *d, uint32_t nonce, const char *part)
{
    const mina_payment payment = payment_of(nonce);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = send(d, &payment);
    assert_int_equal(reply.status, 200);
    if (strstr(reply.body, part) == NULL)
        harness_fail("%s does not say %s", reply.body, part);
}

/* How often the payment with this nonce stands in a part of the chain, "pool" or "blocks". */
static size_t count_in(const devnode *d, const char *part, uint32_t nonce)
{
    const mina_payment payment = payment_of(nonce);
    const mina_transaction_hash hash = mina_payment_hash(&payment);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(d->port, "/control/chain");
    assert_int_equal(reply.status, 200);
    json_t *all = json_loads(reply.body, 0, NULL);
    char *text = json_dumps(json_object_get(all, part), JSON_COMPACT);
    size_t count = 0;
    for (const char *at = text; at != NULL && (at = strstr(at, hash.text)) != NULL; at++)
        count++;
    free(text);
    json_decref(all);
    return count;
}

static void what_was_accepted_is_there_after_kill_9(void **state)
{
    devnode *d = *state;
    send_says(d, 0, "\"hash\":\"5J");
    control(d, "/control/block", "");
    send_says(d, 1, "\"hash\":\"5J");
    send_says(d, 2, "\"hash\":\"5J");

    harness_process_signal(d->process, SIGKILL);
    assert_int_equal(harness_process_wait(d->process, STOP_MS), 128 + SIGKILL);
    harness_process_free(BASE_TAKE(d->process));
    start(d);

    assert_int_equal(count_in(d, "blocks", 0), 1);
    assert_int_equal(count_in(d, "pool", 0), 0);
    assert_int_equal(count_in(d, "pool", 1), 1);
    assert_int_equal(count_in(d, "pool", 2), 1);
    send_says(d, 0, "different from inferred nonce 3 or below minimum_nonce 1");
    send_says(d, 1, "Duplicate");
    send_says(d, 3, "\"hash\":\"5J");
    control(d, "/control/block", "{\"count\": 2}");
    assert_int_equal(count_in(d, "blocks", 1), 1);
    assert_int_equal(count_in(d, "blocks", 3), 1);
}

static void a_dropped_reply_leaves_the_payment_accepted(void **state)
{
    devnode *d = *state;
    control(d, "/control/faults", "{\"kind\":\"drop_reply\",\"next\":1,\"on\":\"send\"}");
    const mina_payment payment = payment_of(0);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply lost = send(d, &payment);
    assert_int_equal(lost.status, 0);
    assert_int_equal(count_in(d, "pool", 0), 1);
    send_says(d, 0, "Duplicate");
}

static void a_refused_connection_and_errors_accept_nothing(void **state)
{
    devnode *d = *state;
    const mina_payment payment = payment_of(0);
    control(d, "/control/faults", "{\"kind\":\"refuse\",\"next\":1}");
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply refused = send(d, &payment);
    assert_int_equal(refused.status, 0);
    control(d, "/control/faults", "{\"kind\":\"http_503\",\"next\":1}");
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply unavailable = send(d, &payment);
    assert_int_equal(unavailable.status, 503);
    control(d, "/control/faults", "{\"kind\":\"http_429\",\"next\":1}");
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply too_many = send(d, &payment);
    assert_int_equal(too_many.status, 429);
    control(d, "/control/faults", "{\"kind\":\"error\",\"text\":\"Daemon is bootstrapping\",\"next\":1}");
    send_says(d, 0, "{\"errors\":[{\"message\":\"Daemon is bootstrapping\"}]}");
    assert_int_equal(count_in(d, "pool", 0), 0);
    send_says(d, 0, "\"hash\":\"5J");
}

static void a_delay_holds_the_request_back(void **state)
{
    devnode *d = *state;
    control(d, "/control/faults", "{\"kind\":\"delay\",\"delay_ms\":300,\"next\":1}");
    int64_t before = base_monotonic_ms();
    send_says(d, 0, "\"hash\":\"5J");
    assert_true(base_monotonic_ms() - before >= 300);
}

static void money_comes_over_http(void **state)
{
    devnode *d = *state;
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key other = {0};
    assert_int_equal(mina_secret_key_generate(&other, NULL), BASE_OK);
    char body[256];
    snprintf(body, sizeof(body), "{\"address\":\"%s\",\"mina\":\"12.5\"}",
             mina_public_key_format(&other.public_key).text);
    control(d, "/control/fund", body);
    control(d, "/control/fund", body);
    snprintf(body, sizeof(body), "{\"query\":\"{account(publicKey:\\\"%s\\\"){balance{total}}}\"}",
             mina_public_key_format(&other.public_key).text);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", d->port, "/graphql", "application/json", body);
    assert_non_null(strstr(reply.body, "\"25000000000\""));
}

static void answers(const devnode *d, const char *method, const char *path, const char *body, int status,
                    const char *part)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send(method, d->port, path, "application/json", body);
    if (reply.status != status || strstr(reply.body, part) == NULL)
        harness_fail("%s %s %s answered %d: %s", method, path, body, reply.status, reply.body);
}

static void what_cannot_be_done_is_refused_in_words(void **state)
{
    const devnode *d = *state;
    answers(d, "GET", "/healthz", NULL, 200, "ok");
    answers(d, "GET", "/", NULL, 404, "there is /graphql");
    answers(d, "GET", "/graphql", NULL, 405, "POST");
    answers(d, "POST", "/graphql", "query", 400, "the body is not JSON");
    answers(d, "POST", "/graphql", "{\"query\":\"{\"}", 200, "\"errors\"");
    answers(d, "POST", "/control/block", "{", 400, "the body is not JSON");
    answers(d, "POST", "/control/nothing", "", 404, "no such control");
    answers(d, "PUT", "/control/block", "", 404, "no such control");
    answers(d, "POST", "/control/block", "{\"count\":0}", 400, "lies between 1 and");
    answers(d, "GET", "/control/chain", "{\"from\":0}", 400, "the height of a block");
    answers(d, "POST", "/control/fund", "{\"address\":\"B62\"}", 400, "wanted: {");
    answers(d, "POST", "/control/fund", "{\"address\":\"B62\",\"mina\":\"1\"}", 400, "Mina address");
    answers(d, "POST", "/control/faults", "{\"kind\":\"earthquake\"}", 400, "kind");
    char body[256];
    snprintf(body, sizeof(body), "{\"address\":\"%s\",\"mina\":\"much\"}",
             mina_public_key_format(&key.public_key).text);
    answers(d, "POST", "/control/fund", body, 400, "no amount in MINA");
    snprintf(body, sizeof(body), "{\"address\":\"%s\",\"mina\":\"18446744073.709551615\"}",
             mina_public_key_format(&key.public_key).text);
    answers(d, "POST", "/control/fund", body, 409, "cannot hold that much");
    answers(d, "GET", "/control/stats", NULL, 200, "\"height\":1");
}

static void a_request_that_is_too_large_is_refused(void **state)
{
    const devnode *d = *state;
    enum { SIZE = 600000 };
    BASE_CLEANUP(free) char *body = malloc(SIZE + 1);
    assert_non_null(body);
    memset(body, ' ', SIZE);
    body[SIZE] = '\0';
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", d->port, "/graphql", "application/json", body);
    assert_int_equal(reply.status, 413);
}

static void a_signal_stops_it_in_good_order(void **state)
{
    devnode *d = *state;
    send_says(d, 0, "\"hash\":\"5J");
    harness_process_signal(d->process, SIGTERM);
    assert_int_equal(harness_process_wait(d->process, STOP_MS), 0);
}

static void bad_options_are_named_and_end_with_2(void **state)
{
    (void)state;
    const char *const argv[] = {BINARY_DIR "/proofline-devnode", "--block-ms", "soon", NULL};
    char *errors = NULL;
    assert_int_equal(harness_run(argv, NULL, STOP_MS, NULL, &errors), 2);
    BASE_CLEANUP(free) char *text = errors;
    assert_non_null(strstr(text, "--block-ms"));
    static const struct {
        const char *option, *value, *said;
    } BAD[] = {
        {"--fund", "B62", "--fund: wanted ADDRESS=MINA"},
        {"--fund", "B62=1", "Mina address"},
        {"--network", "moon", "moon"},
        {"--minimum-fee", "1e9", "no amount in MINA"},
        {"--pool-max", "999999999", "--pool-max: \"999999999\" is not a whole number"},
        {"--port", NULL, "\"--port\" is no option, or lacks its value"},
        {"--colour", "red", "\"--colour\" is no option"},
        {"--no-sync", "please", "\"please\" is no option"},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        const char *const bad[] = {BINARY_DIR "/proofline-devnode", BAD[i].option, BAD[i].value, NULL};
        BASE_CLEANUP(free) char *said = NULL;
        assert_int_equal(harness_run(bad, NULL, STOP_MS, NULL, &said), 2);
        if (strstr(said, BAD[i].said) == NULL)
            harness_fail("%s: %s", BAD[i].option, said);
    }
    const char *const help[] = {BINARY_DIR "/proofline-devnode", "--help", NULL};
    assert_int_equal(harness_run(help, NULL, STOP_MS, NULL, NULL), 0);
    const char *const version[] = {BINARY_DIR "/proofline-devnode", "--version", NULL};
    assert_int_equal(harness_run(version, NULL, STOP_MS, NULL, NULL), 0);
}

static void what_keeps_it_from_starting_is_said(void **state)
{
    const devnode *d = *state;
    char port[8];
    snprintf(port, sizeof(port), "%u", d->port);
    const harness_path taken = harness_path_in(&d->folder, "state");
    const struct {
        const char *option, *value, *said;
    } BAD[] = {
        {"--port", port, "cannot listen on 127.0.0.1"},
        {"--bind", "localhost", "\"localhost\" is no IPv4 address"},
        {"--port-file", "/nonexistent/port", "--port-file: /nonexistent/port: No such file or directory"},
        {"--state", taken.text, "another process"},
        {"--state", "/nonexistent/state", "cannot open the state: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        const char *const argv[] = {BINARY_DIR "/proofline-devnode", "--port", "0", BAD[i].option, BAD[i].value, NULL};
        BASE_CLEANUP(free) char *said = NULL;
        assert_int_equal(harness_run(argv, NULL, STOP_MS, NULL, &said), 1);
        if (strstr(said, BAD[i].said) == NULL)
            harness_fail("%s: %s", BAD[i].option, said);
    }
}

static void every_option_is_taken(void **state)
{
    const devnode *d = *state;
    const harness_path port_file = harness_path_in(&d->folder, "port");
    const char *const argv[] = {BINARY_DIR "/proofline-devnode",
                                "--bind",
                                "127.0.0.1",
                                "--port",
                                "0",
                                "--port-file",
                                port_file.text,
                                "--network",
                                "mainnet",
                                "--minimum-fee",
                                "0.5",
                                "--pool-max",
                                "5",
                                "--block-ms",
                                "3600000",
                                "--no-sync",
                                NULL};
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(process, "listening on 127.0.0.1:", HARNESS_START_MS);
    if (line == NULL)
        harness_fail("the node did not start: %s", harness_process_errors(process));
    BASE_CLEANUP(base_buffer_done) base_buffer written = {.limit = 16};
    assert_int_equal(base_file_read(port_file.text, &written, NULL), BASE_OK);
    assert_int_equal(strncmp((const char *)written.data, strrchr(line, ':') + 1, written.size - 1), 0);
    const devnode other = {.port = (uint16_t)strtoul((const char *)written.data, NULL, 10)};
    answers(&other, "POST", "/graphql", "{\"query\":\"{networkID}\"}", 200, "mina:mainnet");
    harness_process_stop(process, STOP_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_accepted_is_there_after_kill_9, begin, end),
        cmocka_unit_test_setup_teardown(a_dropped_reply_leaves_the_payment_accepted, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_connection_and_errors_accept_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_delay_holds_the_request_back, begin, end),
        cmocka_unit_test_setup_teardown(money_comes_over_http, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_done_is_refused_in_words, begin, end),
        cmocka_unit_test_setup_teardown(what_keeps_it_from_starting_is_said, begin, end),
        cmocka_unit_test_setup_teardown(every_option_is_taken, begin, end),
        cmocka_unit_test_setup_teardown(a_request_that_is_too_large_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_signal_stops_it_in_good_order, begin, end),
        cmocka_unit_test(bad_options_are_named_and_end_with_2),
    };
    if (mina_secret_key_generate(&key, NULL) != BASE_OK)
        return EXIT_FAILURE;
    int failed = cmocka_run_group_tests_name("proofline-devnode", tests, NULL, NULL);
    mina_secret_key_done(&key);
    return failed;
}
