#include "harness/http.h"
#include "telemetry/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

static const telemetry_metric TABLE[] = {{.name = "things_total", .help = "Things.", .kind = TELEMETRY_COUNTER}};

typedef struct fixture {
    telemetry_metrics *metrics;
    telemetry_http *server;
    const char *broken; /* what the check complains about; NULL: ready */
} fixture;

static void check_ready(void *ctx, telemetry_readiness *readiness)
{
    const fixture *self = ctx;
    if (self->broken == NULL)
        return;
    telemetry_not_ready(readiness, self->broken, "no \"server\" at %s", "nats://127.0.0.1:4222");
    telemetry_not_ready(readiness, "postgres", "down");
}

static int start_server(void **state)
{
    static fixture self;
    self = (fixture){0};
    *state = &self;
    if (telemetry_metrics_new(TABLE, 1, &self.metrics, NULL) != BASE_OK)
        return 1;
    telemetry_http_options options = {
        .address = "127.0.0.1", .metrics = self.metrics, .ready = check_ready, .ctx = &self};
    return telemetry_http_new(&options, &self.server, NULL) != BASE_OK;
}

static int stop_server(void **state)
{
    fixture *self = *state;
    telemetry_http_free(self->server);
    telemetry_metrics_free(self->metrics);
    return 0;
}

static harness_http_reply ask(const fixture *self, const char *method, const char *path)
{
    return harness_http_send(method, telemetry_http_port(self->server), path, "text/plain",
                             strcmp(method, "POST") == 0 ? "some body" : NULL);
}

static void healthz_says_ok(void **state)
{
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = ask(*state, "GET", "/healthz");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "ok\n");
}

static void readyz_names_everything_that_is_not_ready(void **state)
{
    fixture *self = *state;
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply ready = ask(self, "GET", "/readyz");
    assert_int_equal(ready.status, 200);
    assert_string_equal(ready.body, "{\"ready\":true}\n");
    self->broken = "nats";
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = ask(self, "GET", "/readyz");
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.head, "application/json"));
    assert_string_equal(reply.body, "{\"ready\":false,\"not_ready\":{\"nats\":\"no \\\"server\\\" at "
                                    "nats://127.0.0.1:4222\",\"postgres\":\"down\"}}\n");
}

static void metrics_are_served_in_prometheus_format(void **state)
{
    fixture *self = *state;
    telemetry_add(self->metrics, 0, 3, NULL);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = ask(self, "GET", "/metrics");
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.head, "text/plain; version=0.0.4"));
    assert_non_null(strstr(reply.body, "\nthings_total 3\n"));
    assert_non_null(strstr(reply.body, "\nprocess_open_fds "));
}

static void other_paths_and_methods_are_refused(void **state)
{
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply missing = ask(*state, "GET", "/");
    assert_int_equal(missing.status, 404);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply refused = ask(*state, "POST", "/metrics");
    assert_int_equal(refused.status, 405);
    assert_non_null(strstr(refused.head, "Allow: GET, HEAD"));
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply head = ask(*state, "HEAD", "/healthz");
    assert_int_equal(head.status, 200);
    assert_string_equal(head.body, "");
}

/* Clients that connect and never finish their question: more than are let in, and none for ever. */
static void clients_that_never_finish_their_question_are_cut_off_and_block_nobody_for_long(void **state)
{
    enum { SLOW = TELEMETRY_HTTP_CONNECTIONS_MAX + 8 };
    const fixture *self = *state;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(telemetry_http_port(self->server)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval patience = {.tv_sec = 4L * TELEMETRY_HTTP_TIMEOUT_S};
    int clients[SLOW];
    for (size_t i = 0; i < SLOW; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(clients[i], (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(setsockopt(clients[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
        (void)!send(clients[i], "GET /healthz HTTP/1.1\r\nX: ", 27, MSG_NOSIGNAL);
    }
    for (size_t i = 0; i < TELEMETRY_HTTP_CONNECTIONS_MAX; i++) {
        char word;
        const ssize_t got = recv(clients[i], &word, 1, 0);
        assert_true(got >= 0 || errno == ECONNRESET); /* the end, or an answer that says so; not our own patience */
    }
    for (size_t i = 0; i < SLOW; i++)
        close(clients[i]);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply after = ask(self, "GET", "/healthz");
    assert_int_equal(after.status, 200);
}

static void a_taken_port_is_named_with_the_way_out(void **state)
{
    const fixture *self = *state;
    telemetry_http_options options = {
        .address = "127.0.0.1", .port = telemetry_http_port(self->server), .metrics = self->metrics};
    telemetry_http *second = NULL;
    base_error err;
    assert_int_equal(telemetry_http_new(&options, &second, &err), BASE_UNAVAILABLE);
    assert_null(second);
    char port[32];
    snprintf(port, sizeof(port), "127.0.0.1 port %u", options.port);
    assert_non_null(strstr(err.message, port));
    assert_non_null(strstr(err.message, "HTTP_PORT"));
}

static void a_wrong_address_is_invalid(void **state)
{
    const fixture *self = *state;
    telemetry_http_options options = {.address = "localhost:80", .metrics = self->metrics};
    telemetry_http *server = NULL;
    base_error err;
    assert_int_equal(telemetry_http_new(&options, &server, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "localhost:80"));
}

/* The mapped form of 127.0.0.1, so that the test needs no IPv6 network, only a kernel that knows such sockets. */
static void an_ipv6_address_is_served_too(void **state)
{
    const fixture *self = *state;
    telemetry_http_options options = {.address = "::ffff:127.0.0.1", .metrics = self->metrics};
    BASE_CLEANUP(telemetry_http_free) telemetry_http *server = NULL;
    base_error err;
    base_code code = telemetry_http_new(&options, &server, &err);
    if (code == BASE_UNAVAILABLE && strstr(err.message, "Address family not supported") != NULL)
        skip();
    assert_int_equal(code, BASE_OK);
    assert_int_not_equal(telemetry_http_port(server), 0);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_get(telemetry_http_port(server), "/readyz");
    assert_int_equal(reply.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(healthz_says_ok, start_server, stop_server),
        cmocka_unit_test_setup_teardown(readyz_names_everything_that_is_not_ready, start_server, stop_server),
        cmocka_unit_test_setup_teardown(metrics_are_served_in_prometheus_format, start_server, stop_server),
        cmocka_unit_test_setup_teardown(other_paths_and_methods_are_refused, start_server, stop_server),
        cmocka_unit_test_setup_teardown(clients_that_never_finish_their_question_are_cut_off_and_block_nobody_for_long,
                                        start_server, stop_server),
        cmocka_unit_test_setup_teardown(a_taken_port_is_named_with_the_way_out, start_server, stop_server),
        cmocka_unit_test_setup_teardown(a_wrong_address_is_invalid, start_server, stop_server),
        cmocka_unit_test_setup_teardown(an_ipv6_address_is_served_too, start_server, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
