/* Links to a real server: credentials, TLS, absence, loss and return. */
#include "scene.h"

#include "broker/stream.h"
#include "harness/folder.h"
#include "harness/process.h"
#include "harness/proxy.h"
#include "harness/wait.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static base_secret secret_of(const char *text)
{
    base_secret secret = {0};
    base_error err;
    scene_expect_ok(base_secret_copy(base_bytes_of(text, strlen(text)), &secret, &err), &err);
    return secret;
}

static base_code try_open(const broker_connection_options *options, base_error *err)
{
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_code code = broker_connection_open(options, &connection, err);
    if (code == BASE_OK)
        scene_expect_ok(broker_connection_check(connection, err), err);
    return code;
}

static void a_connection_says_where_it_is(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new("max_payload: 4096");
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    assert_string_equal(broker_connection_server(connection).text, harness_nats_url(server));
    assert_int_equal(broker_connection_max_payload(connection), 4096);
}

static void an_absent_server_is_named_in_the_error(void **state)
{
    (void)state;
    base_error err;
    broker_connection_options options = {.url = "nats://joe:s3cret@127.0.0.1:1"};
    assert_int_equal(try_open(&options, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "127.0.0.1:1"));
    assert_null(strstr(err.message, "s3cret"));
}

static void a_server_that_comes_later_is_waited_for(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    harness_nats_stop(server);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err;
    broker_connection_options options = {.url = harness_nats_url(server), .wait_for_server = true};
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    assert_int_equal(broker_connection_check(connection, &err), BASE_UNAVAILABLE);
    assert_string_equal(broker_connection_server(connection).text, "");
    assert_int_equal(broker_connection_max_payload(connection), 0);
    harness_nats_start(server);
    scene_await_link(connection, true);
}

static bool was_tried_again(void *ctx)
{
    return harness_proxy_read_counts(ctx).accepted > 1;
}

/* As behind a load balancer that is ahead of its servers: the connection is accepted, and the handshake never ends. */
static void a_server_that_accepts_and_says_nothing_is_waited_for_too(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    BASE_CLEANUP(harness_proxy_free) harness_proxy *proxy = harness_proxy_new(harness_nats_port(server));
    harness_proxy_stall(proxy, HARNESS_PROXY_BOTH);
    char url[64];
    snprintf(url, sizeof(url), "nats://127.0.0.1:%u", harness_proxy_port(proxy));
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err;
    broker_connection_options options = {.url = url, .wait_for_server = true};
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    assert_true(harness_wait_until(was_tried_again, proxy, SCENE_DEADLINE_MS));
    assert_int_equal(broker_connection_check(connection, &err), BASE_UNAVAILABLE);
    harness_proxy_heal(proxy);
    scene_await_link(connection, true);
    assert_string_equal(broker_connection_server(connection).text, url);
}

typedef struct changes {
    pthread_mutex_t mutex;
    int up, down;
} changes;

static void count_change(void *ctx, bool connected, const char *detail)
{
    changes *seen = ctx;
    assert_non_null(detail);
    pthread_mutex_lock(&seen->mutex);
    seen->up += connected;
    seen->down += !connected;
    pthread_mutex_unlock(&seen->mutex);
}

static bool came_back_twice(void *ctx)
{
    changes *seen = ctx;
    pthread_mutex_lock(&seen->mutex);
    bool done = seen->up == 2 && seen->down == 2;
    pthread_mutex_unlock(&seen->mutex);
    return done;
}

static void every_loss_and_return_of_the_link_is_told(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    changes seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err;
    broker_connection_options options = {
        .url = harness_nats_url(server), .on_change = count_change, .on_change_ctx = &seen};
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    for (int i = 0; i < 2; i++) {
        harness_nats_kill(server);
        scene_await_link(connection, false);
        assert_string_equal(broker_connection_server(connection).text, "");
        harness_nats_start(server);
        scene_await_link(connection, true);
    }
    assert_true(harness_wait_until(came_back_twice, &seen, SCENE_DEADLINE_MS));
}

static void user_and_password_are_used_and_wrong_ones_denied(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free)
    harness_nats *server = harness_nats_new("authorization { user: joe, password: s3cret }");
    BASE_CLEANUP(base_secret_done) base_secret right = secret_of("s3cret");
    BASE_CLEANUP(base_secret_done) base_secret wrong = secret_of("guess-1");
    base_error err;
    broker_connection_options options = {.url = harness_nats_url(server), .user = "joe", .password = &right};
    scene_expect_ok(try_open(&options, &err), &err);
    options.password = &wrong;
    assert_int_equal(try_open(&options, &err), BASE_DENIED);
    assert_null(strstr(err.message, "guess-1"));
    options.user = NULL;
    assert_int_equal(try_open(&options, &err), BASE_DENIED);
}

static void a_token_is_used(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new("authorization { token: \"t0ken\" }");
    BASE_CLEANUP(base_secret_done) base_secret token = secret_of("t0ken");
    base_error err;
    broker_connection_options options = {.url = harness_nats_url(server), .token = &token};
    scene_expect_ok(try_open(&options, &err), &err);
    options.token = NULL;
    assert_int_equal(try_open(&options, &err), BASE_DENIED);
}

static bool is_denied(void *ctx)
{
    return broker_connection_check(ctx, NULL) == BASE_DENIED;
}

static void credentials_refused_for_good_are_reported_as_denied(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free)
    harness_nats *server = harness_nats_new("authorization { user: joe, password: s3cret }");
    BASE_CLEANUP(base_secret_done) base_secret wrong = secret_of("guess-1");
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err;
    broker_connection_options options = {
        .url = harness_nats_url(server), .user = "joe", .password = &wrong, .wait_for_server = true};
    base_code code = broker_connection_open(&options, &connection, &err);
    if (code == BASE_OK)
        assert_true(harness_wait_until(is_denied, connection, SCENE_DEADLINE_MS));
    else
        assert_int_equal(code, BASE_DENIED);
}

static void bad_files_are_named(void **state)
{
    (void)state;
    base_error err;
    broker_connection_options options = {.url = "nats://127.0.0.1:1", .tls_ca_file = "/nonexistent/ca.pem"};
    assert_int_equal(try_open(&options, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "/nonexistent/ca.pem"));
    options = (broker_connection_options){.url = "nats://127.0.0.1:1", .credentials_file = "/nonexistent/x.creds"};
    assert_int_equal(try_open(&options, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "/nonexistent/x.creds"));
    options = (broker_connection_options){.url = "nats://127.0.0.1:1", .tls_certificate_file = "/etc/hostname"};
    assert_int_equal(try_open(&options, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "together"));
    options.tls_key_file = "/etc/hostname";
    assert_int_equal(try_open(&options, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "certificate /etc/hostname with key /etc/hostname"));
}

/* Opens a connection as the user joe with the password s3cret. */
static broker_connection *open_as_joe(const harness_nats *server)
{
    BASE_CLEANUP(base_secret_done) base_secret password = secret_of("s3cret");
    broker_connection *connection = NULL;
    base_error err;
    broker_connection_options options = {.url = harness_nats_url(server), .user = "joe", .password = &password};
    scene_expect_ok(broker_connection_open(&options, &connection, &err), &err);
    return connection;
}

static void a_server_without_jetstream_is_named(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new("jetstream: disabled");
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = scene_connect(server);
    broker_stream_state stream;
    base_error err;
    assert_int_equal(broker_stream_read_state(connection, "PROOFLINE_JOBS", &stream, &err), BASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "JetStream is off or not ready on"));
    assert_non_null(strstr(err.message, harness_nats_url(server)));
}

static void a_question_that_the_server_forbids_ends_with_its_complaint(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free)
    harness_nats *server = harness_nats_new("authorization { users: [ { user: joe, password: s3cret, permissions: { "
                                            "publish: { deny: [\"$JS.API.>\"] } } } ] }");
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = open_as_joe(server);
    broker_stream_state stream;
    base_error err;
    assert_int_equal(broker_stream_read_state(connection, "PROOFLINE_JOBS", &stream, &err), BASE_TIMEOUT);
    assert_non_null(strstr(err.message, "stream PROOFLINE_JOBS"));
    assert_non_null(strstr(err.message, "the server says: "));
    assert_non_null(strstr(err.message, "$JS.API.STREAM.INFO.PROOFLINE_JOBS"));
}

static void openssl(const char *const *argv)
{
    char *errors = NULL;
    int result = harness_run(argv, NULL, SCENE_DEADLINE_MS, NULL, &errors);
    if (result != 0)
        harness_fail("openssl: %s", errors);
    free(errors);
}

/* A self-signed certificate for 127.0.0.1 in cert.pem and key.pem. */
static harness_path make_certificate(void)
{
    harness_path folder = harness_folder_new("tls");
    harness_path key = harness_path_in(&folder, "key.pem");
    harness_path certificate = harness_path_in(&folder, "cert.pem");
    const char *argv[] = {"openssl",
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:P-256",
                          "-nodes",
                          "-subj",
                          "/CN=test",
                          "-addext",
                          "subjectAltName=IP:127.0.0.1",
                          "-days",
                          "2",
                          "-keyout",
                          key.text,
                          "-out",
                          certificate.text,
                          NULL};
    openssl(argv);
    return folder;
}

static void tls_is_verified_and_client_certificates_are_shown(void **state)
{
    (void)state;
    harness_path folder = make_certificate();
    harness_path key = harness_path_in(&folder, "key.pem");
    harness_path certificate = harness_path_in(&folder, "cert.pem");
    char config[1024];
    snprintf(config, sizeof(config), "tls { cert_file: \"%s\", key_file: \"%s\", ca_file: \"%s\", verify: true }",
             certificate.text, key.text, certificate.text);
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(config);
    base_error err;
    broker_connection_options options = {.url = harness_nats_url(server),
                                         .tls_ca_file = certificate.text,
                                         .tls_certificate_file = certificate.text,
                                         .tls_key_file = key.text};
    scene_expect_ok(try_open(&options, &err), &err);

    harness_path other = make_certificate();
    harness_path other_ca = harness_path_in(&other, "cert.pem");
    options.tls_ca_file = other_ca.text;
    assert_int_not_equal(try_open(&options, &err), BASE_OK); /* an authority that did not sign it */
    options.tls_ca_file = certificate.text;
    options.tls_certificate_file = options.tls_key_file = NULL;
    assert_int_not_equal(try_open(&options, &err), BASE_OK); /* no client certificate */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_says_where_it_is),
        cmocka_unit_test(an_absent_server_is_named_in_the_error),
        cmocka_unit_test(a_server_that_comes_later_is_waited_for),
        cmocka_unit_test(a_server_that_accepts_and_says_nothing_is_waited_for_too),
        cmocka_unit_test(every_loss_and_return_of_the_link_is_told),
        cmocka_unit_test(user_and_password_are_used_and_wrong_ones_denied),
        cmocka_unit_test(a_token_is_used),
        cmocka_unit_test(credentials_refused_for_good_are_reported_as_denied),
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(a_server_without_jetstream_is_named),
        cmocka_unit_test(a_question_that_the_server_forbids_ends_with_its_complaint),
        cmocka_unit_test(tls_is_verified_and_client_certificates_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
