#include "base/bytes.h"
#include "base/clock.h"
#include "harness/port.h"
#include "harness/proxy.h"
#include "harness/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cmocka.h>

enum {
    WAIT_S = 20,
    QUIET_MS = 150, /* long enough for a byte that may pass to arrive */
    SLOW_MS = 120,
    LARGE = 4 * 1024 * 1024,
    SLOW_BYTES = 20000,
    SLOW_RATE = 50000,
};

/* The server and the client of one test are both the test itself. */
typedef struct ends {
    int listener, server, client;
    harness_proxy *proxy;
} ends;

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int new_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = WAIT_S};
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
    return fd;
}

static int dial(const ends *e)
{
    int fd = new_socket();
    struct sockaddr_in address = loopback(harness_proxy_port(e->proxy));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void start(ends *e)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    e->listener = new_socket();
    assert_int_equal(bind(e->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(e->listener, 8), 0);
    assert_int_equal(getsockname(e->listener, (struct sockaddr *)&address, &size), 0);
    e->proxy = harness_proxy_new(ntohs(address.sin_port));
    e->client = dial(e);
    assert_true(e->client >= 0);
    e->server = accept(e->listener, NULL, NULL);
    assert_true(e->server >= 0);
}

static void stop(ends *e)
{
    close(e->client);
    close(e->server);
    close(e->listener);
    harness_proxy_free(e->proxy);
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void assert_hears(int fd, const char *text)
{
    char heard[64] = {0};
    assert_int_equal(recv(fd, heard, strlen(text), MSG_WAITALL), (ssize_t)strlen(text));
    assert_string_equal(heard, text);
}

static bool hears_within(int fd, int ms)
{
    struct pollfd interest = {.fd = fd, .events = POLLIN};
    return poll(&interest, 1, ms) == 1;
}

static void bytes_and_ends_pass_in_both_directions(void **state)
{
    (void)state;
    ends e;
    char byte;
    start(&e);
    say(e.client, "question");
    assert_hears(e.server, "question");
    say(e.server, "answer");
    shutdown(e.server, SHUT_WR);
    assert_hears(e.client, "answer");
    assert_int_equal(recv(e.client, &byte, 1, 0), 0);
    say(e.client, "one way still"); /* half closed */
    assert_hears(e.server, "one way still");
    shutdown(e.client, SHUT_WR);
    assert_int_equal(recv(e.server, &byte, 1, 0), 0);
    stop(&e);
}

static void a_cut_ends_every_connection_and_the_next_one_works(void **state)
{
    (void)state;
    static const harness_proxy_cut_mode MODES[] = {HARNESS_PROXY_FIN, HARNESS_PROXY_RST};
    for (size_t i = 0; i < 2; i++) {
        ends e;
        char byte;
        start(&e);
        assert_int_equal(harness_proxy_cut(e.proxy, MODES[i]), 1);
        ssize_t got = recv(e.client, &byte, 1, 0);
        assert_int_equal(got, MODES[i] == HARNESS_PROXY_FIN ? 0 : -1);
        assert_true(got == 0 || errno == ECONNRESET);
        assert_true(recv(e.server, &byte, 1, 0) <= 0);
        int again = dial(&e);
        assert_true(again >= 0);
        int server = accept(e.listener, NULL, NULL);
        say(again, "again");
        assert_hears(server, "again");
        assert_int_equal(harness_proxy_read_counts(e.proxy).cut, 1);
        assert_int_equal(harness_proxy_read_counts(e.proxy).accepted, 2);
        close(again);
        close(server);
        stop(&e);
    }
}

static void a_stall_holds_bytes_and_ends_back_until_it_is_healed(void **state)
{
    (void)state;
    ends e;
    char byte;
    start(&e);
    harness_proxy_stall(e.proxy, HARNESS_PROXY_BOTH);
    say(e.client, "held back");
    shutdown(e.client, SHUT_WR);
    assert_false(hears_within(e.server, QUIET_MS));
    int second = dial(&e); /* accepted, and as mute */
    assert_true(second >= 0);
    harness_proxy_heal(e.proxy);
    assert_hears(e.server, "held back");
    assert_int_equal(recv(e.server, &byte, 1, 0), 0);
    close(second);
    stop(&e);
}

static void a_stall_of_one_direction_leaves_the_other(void **state)
{
    (void)state;
    ends e;
    start(&e);
    harness_proxy_stall(e.proxy, HARNESS_PROXY_TO_CLIENT);
    say(e.client, "request");
    assert_hears(e.server, "request");
    say(e.server, "reply");
    assert_false(hears_within(e.client, QUIET_MS));
    harness_proxy_stall(e.proxy, HARNESS_PROXY_TO_SERVER);
    assert_hears(e.client, "reply");
    say(e.client, "more");
    assert_false(hears_within(e.server, QUIET_MS));
    stop(&e);
}

static void refused_connections_are_accepted_again_on_the_same_port(void **state)
{
    (void)state;
    ends e;
    start(&e);
    harness_proxy_refuse(e.proxy);
    assert_int_equal(dial(&e), -1);
    assert_int_equal(errno, ECONNREFUSED);
    say(e.client, "the old one stays");
    assert_hears(e.server, "the old one stays");
    harness_proxy_heal(e.proxy);
    int again = dial(&e);
    assert_true(again >= 0);
    close(again);
    stop(&e);
}

static void a_slow_proxy_delays_and_keeps_to_its_rate(void **state)
{
    (void)state;
    ends e;
    uint8_t bytes[SLOW_BYTES] = {0};
    start(&e);
    harness_proxy_slow(e.proxy, SLOW_MS, 0);
    int64_t since = base_monotonic_ms();
    say(e.client, "late");
    assert_hears(e.server, "late");
    assert_true(base_monotonic_ms() - since >= SLOW_MS);
    harness_proxy_slow(e.proxy, 0, SLOW_RATE);
    since = base_monotonic_ms();
    assert_int_equal(send(e.client, bytes, sizeof(bytes), 0), sizeof(bytes));
    assert_int_equal(recv(e.server, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
    assert_true(base_monotonic_ms() - since >=
                900 * SLOW_BYTES / SLOW_RATE); /* the last slice need not be waited for */
    stop(&e);
}

static void *send_large(void *ctx)
{
    static uint8_t bytes[LARGE];
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    for (size_t sent = 0; sent < LARGE;) {
        ssize_t n = send(*(int *)ctx, bytes + sent, LARGE - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break; /* the receiver misses the rest */
        sent += (size_t)n;
    }
    return NULL;
}

static void much_more_than_the_buffers_hold_arrives_whole(void **state)
{
    (void)state;
    static uint8_t received[LARGE];
    ends e;
    pthread_t sender;
    start(&e);
    harness_proxy_slow(e.proxy, 1, 0);
    assert_int_equal(pthread_create(&sender, NULL, send_large, &e.client), 0);
    assert_false(hears_within(e.client, QUIET_MS)); /* nobody reads meanwhile: all buffers fill */
    assert_int_equal(recv(e.server, received, LARGE, MSG_WAITALL), LARGE);
    pthread_join(sender, NULL);
    for (size_t i = 0; i < LARGE; i++)
        assert_int_equal(received[i], (uint8_t)(i * 31 >> 3));
    stop(&e);
}

static void a_connection_without_a_server_is_reset(void **state)
{
    (void)state;
    ends e = {.proxy = harness_proxy_new(harness_free_port())};
    char byte;
    int fd = dial(&e);
    if (fd >= 0)
        assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(harness_proxy_read_counts(e.proxy).accepted, 1);
    close(fd);
    harness_proxy_free(e.proxy);
}

static bool has_swallowed(void *ctx)
{
    return harness_proxy_read_counts(ctx).swallowed == 1;
}

static base_bytes bytes(const char *text)
{
    return base_bytes_of(text, strlen(text));
}

static void an_answer_is_swallowed_once_and_its_request_is_not(void **state)
{
    (void)state;
    ends e;
    char byte;
    start(&e);
    harness_proxy_swallow(e.proxy, bytes("COMMIT"), bytes("done"));
    say(e.client, "BEGIN");
    assert_hears(e.server, "BEGIN");
    say(e.server, "done"); /* of the request before */
    assert_hears(e.client, "done");
    say(e.client, "COM");
    assert_hears(e.server, "COM");
    say(e.client, "MIT");
    assert_hears(e.server, "MIT");
    say(e.server, "not yet do");
    assert_false(hears_within(e.client, QUIET_MS));
    assert_int_equal(harness_proxy_read_counts(e.proxy).swallowed, 0);
    say(e.server, "ne");
    assert_int_equal(recv(e.client, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_true(harness_wait_until(has_swallowed, e.proxy, WAIT_S * 1000));

    close(e.client);
    close(e.server);
    e.client = dial(&e);
    e.server = accept(e.listener, NULL, NULL);
    say(e.client, "COMMIT");
    assert_hears(e.server, "COMMIT");
    say(e.server, "done");
    assert_hears(e.client, "done");
    stop(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_ends_pass_in_both_directions),
        cmocka_unit_test(a_cut_ends_every_connection_and_the_next_one_works),
        cmocka_unit_test(a_stall_holds_bytes_and_ends_back_until_it_is_healed),
        cmocka_unit_test(a_stall_of_one_direction_leaves_the_other),
        cmocka_unit_test(refused_connections_are_accepted_again_on_the_same_port),
        cmocka_unit_test(a_slow_proxy_delays_and_keeps_to_its_rate),
        cmocka_unit_test(much_more_than_the_buffers_hold_arrives_whole),
        cmocka_unit_test(a_connection_without_a_server_is_reset),
        cmocka_unit_test(an_answer_is_swallowed_once_and_its_request_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
