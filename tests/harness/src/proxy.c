#include "harness/proxy.h"

#include "base/clock.h"
#include "harness/port.h"
#include "harness/wait.h"
#include "proxy_flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { PORT_TRIES = 20, BACKLOG = 128, FDS_BEFORE = 2, FDS_MAX = FDS_BEFORE + 2 * HARNESS_PROXY_CONNECTIONS };

typedef struct connection {
    int client, server;
    flow to_server, to_client;
} connection;

/* What was commanded last. */
typedef struct command {
    unsigned stalled; /* directions */
    bool refuse, cut, quit;
    harness_proxy_cut_mode cut_mode;
    flow_pace pace;
    flow_watch ambush, ambush_end; /* what harness_proxy_swallow waits for, and until when */
} command;

struct harness_proxy {
    uint16_t port, target;
    int listener, wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    command wanted; /* this and the next four: under the lock */
    uint64_t wanted_number, obeyed_number;
    size_t last_cut;
    harness_proxy_counts counts;
    command now; /* the rest: of the proxy's thread */
    bool listening;
    connection *connections[HARNESS_PROXY_CONNECTIONS];
    size_t connection_count;
};

static int bind_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        harness_fail("make a socket: %s", strerror(errno));
    /* Two sockets may bind to one port as long as none listens: so listen at once. */
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What arrives in two pieces leaves in two pieces at once: Nagle's wait for the other side's delayed ack would add 40 ms to each. */
static void send_at_once(int fd)
{
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

/* With what was received and not read, close() resets by itself: so an orderly end reads it first. */
static void end_socket(int fd, harness_proxy_cut_mode mode)
{
    static const struct linger RESET = {.l_onoff = 1, .l_linger = 0};
    uint8_t unread[4096];
    if (mode == HARNESS_PROXY_RST)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &RESET, sizeof(RESET));
    else
        while (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) > 0)
            continue;
    close(fd);
}

static void end_connection(harness_proxy *proxy, size_t index, harness_proxy_cut_mode mode)
{
    connection *ended = proxy->connections[index];
    pthread_mutex_lock(&proxy->lock);
    proxy->counts.bytes_to_server += ended->to_server.bytes;
    proxy->counts.bytes_to_client += ended->to_client.bytes;
    pthread_mutex_unlock(&proxy->lock);
    flow_done(&ended->to_server);
    flow_done(&ended->to_client);
    end_socket(ended->client, mode);
    end_socket(ended->server, mode);
    free(ended);
    proxy->connections[index] = proxy->connections[--proxy->connection_count];
}

static size_t cut_all(harness_proxy *proxy, harness_proxy_cut_mode mode)
{
    size_t count = proxy->connection_count;
    while (proxy->connection_count > 0)
        end_connection(proxy, proxy->connection_count - 1, mode);
    return count;
}

/* On Linux shutdown() ends listening and keeps the port, and listen() takes it up again. */
static void listen_or_refuse(harness_proxy *proxy)
{
    if (proxy->now.refuse == !proxy->listening)
        return;
    int failed = proxy->now.refuse ? shutdown(proxy->listener, SHUT_RDWR) : listen(proxy->listener, BACKLOG);
    if (failed != 0)
        harness_fail("port %u: %s", proxy->port, strerror(errno));
    proxy->listening = !proxy->now.refuse;
}

/* Every connection looks for what was commanded last, from its own bytes on. */
static void lie_in_wait(harness_proxy *proxy)
{
    for (size_t i = 0; i < proxy->connection_count; i++)
        if (!proxy->connections[i]->to_client.swallows)
            proxy->connections[i]->to_server.watch = proxy->now.ambush;
}

static void obey(harness_proxy *proxy)
{
    uint64_t wakes;
    (void)!read(proxy->wake, &wakes, sizeof(wakes));
    pthread_mutex_lock(&proxy->lock);
    proxy->now = proxy->wanted;
    proxy->wanted.cut = false;
    uint64_t number = proxy->wanted_number;
    pthread_mutex_unlock(&proxy->lock);
    listen_or_refuse(proxy);
    lie_in_wait(proxy);
    size_t cut = proxy->now.cut ? cut_all(proxy, proxy->now.cut_mode) : 0;
    pthread_mutex_lock(&proxy->lock);
    proxy->counts.cut += cut;
    proxy->last_cut += cut;
    proxy->obeyed_number = number;
    pthread_cond_broadcast(&proxy->changed);
    pthread_mutex_unlock(&proxy->lock);
}

static void accept_one(harness_proxy *proxy)
{
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    pthread_mutex_lock(&proxy->lock);
    proxy->counts.accepted++;
    pthread_mutex_unlock(&proxy->lock);
    int server = connect_to(proxy->target);
    if (server < 0) {
        end_socket(client, HARNESS_PROXY_RST);
        return;
    }
    connection *made = calloc(1, sizeof(*made));
    if (made == NULL)
        harness_fail("out of memory");
    send_at_once(client);
    send_at_once(server);
    *made = (connection){.client = client, .server = server};
    flow_init(&made->to_server, client, server);
    flow_init(&made->to_client, server, client);
    made->to_server.watch = proxy->now.ambush;
    proxy->connections[proxy->connection_count++] = made;
}

/* poll() reports errors of a socket even when asked for nothing: one that may not move at all is left out. */
static struct pollfd interest(int fd, bool reads, bool writes)
{
    short events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    return (struct pollfd){.fd = events != 0 ? fd : -1, .events = events};
}

static size_t fill_fds(harness_proxy *proxy, struct pollfd *fds, int64_t *ret_due_us)
{
    bool up = (proxy->now.stalled & HARNESS_PROXY_TO_SERVER) == 0;
    bool down = (proxy->now.stalled & HARNESS_PROXY_TO_CLIENT) == 0;
    bool room = proxy->connection_count < HARNESS_PROXY_CONNECTIONS;
    fds[0] = interest(proxy->wake, true, false);
    fds[1] = interest(proxy->listener, proxy->listening && room, false);
    size_t count = FDS_BEFORE;
    *ret_due_us = INT64_MAX;
    for (size_t i = 0; i < proxy->connection_count; i++) {
        const connection *c = proxy->connections[i];
        fds[count++] = interest(c->client, up && flow_wants_bytes(&c->to_server), down && c->to_client.blocked);
        fds[count++] = interest(c->server, down && flow_wants_bytes(&c->to_client), up && c->to_server.blocked);
        if (up && flow_due_us(&c->to_server) < *ret_due_us)
            *ret_due_us = flow_due_us(&c->to_server);
        if (down && flow_due_us(&c->to_client) < *ret_due_us)
            *ret_due_us = flow_due_us(&c->to_client);
    }
    return count;
}

/* The first connection that says it gets no more answers; the others may go on. */
static void spring(harness_proxy *proxy, connection *c)
{
    c->to_client.swallows = true;
    c->to_client.watch = proxy->now.ambush_end;
    proxy->now.ambush.size = 0;
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.ambush.size = 0;
    pthread_mutex_unlock(&proxy->lock);
    lie_in_wait(proxy);
}

/* True: the answer that was to be lost is lost. */
static bool is_lost(harness_proxy *proxy, const connection *c)
{
    if (!c->to_client.swallows || !c->to_client.watch.found)
        return false;
    pthread_mutex_lock(&proxy->lock);
    proxy->counts.swallowed++;
    pthread_mutex_unlock(&proxy->lock);
    return true;
}

static bool move(flow *f, bool stalled, const flow_pace *pace)
{
    return stalled || (flow_read(f, pace) && flow_write(f, pace));
}

/* A loopback socket is quickly asked, so all are, whichever of them is ready. */
static void move_all(harness_proxy *proxy)
{
    const command *now = &proxy->now;
    for (size_t i = proxy->connection_count; i-- > 0;) {
        connection *c = proxy->connections[i];
        bool whole = move(&c->to_server, now->stalled & HARNESS_PROXY_TO_SERVER, &now->pace);
        if (c->to_server.watch.found && !c->to_client.swallows && now->ambush.size > 0)
            spring(proxy, c);
        whole = whole && move(&c->to_client, now->stalled & HARNESS_PROXY_TO_CLIENT, &now->pace);
        if (!whole || is_lost(proxy, c))
            end_connection(proxy, i, HARNESS_PROXY_RST);
        else if (c->to_server.finished && c->to_client.finished)
            end_connection(proxy, i, HARNESS_PROXY_FIN);
    }
}

static void wait_for_work(harness_proxy *proxy, struct pollfd *fds)
{
    int64_t due_us;
    size_t count = fill_fds(proxy, fds, &due_us);
    int64_t left_us = due_us - base_monotonic_us();
    if (left_us < 0)
        left_us = 0;
    struct timespec timeout = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
    if (ppoll(fds, count, due_us == INT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR)
        harness_fail("poll: %s", strerror(errno));
}

static void *run(void *ctx)
{
    harness_proxy *proxy = ctx;
    struct pollfd fds[FDS_MAX] = {0};
    while (!proxy->now.quit) {
        wait_for_work(proxy, fds);
        if (fds[0].revents != 0)
            obey(proxy);
        else if (fds[1].revents != 0)
            accept_one(proxy);
        move_all(proxy);
    }
    cut_all(proxy, HARNESS_PROXY_RST);
    return NULL;
}

harness_proxy *harness_proxy_new(uint16_t port)
{
    harness_proxy *proxy = calloc(1, sizeof(*proxy));
    if (proxy == NULL)
        harness_fail("out of memory");
    *proxy = (harness_proxy){.target = port, .listener = -1, .listening = true};
    for (int i = 0; i < PORT_TRIES && proxy->listener < 0; i++) {
        proxy->port = harness_free_port();
        proxy->listener = bind_to(proxy->port);
    }
    proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (proxy->listener < 0 || proxy->wake < 0)
        harness_fail("no port for a proxy: %s", strerror(errno));
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->changed, NULL);
    int failed = pthread_create(&proxy->thread, NULL, run, proxy);
    if (failed != 0)
        harness_fail("no thread for a proxy: %s", strerror(failed));
    return proxy;
}

/* With the lock held: returns when the proxy's thread has done what is wanted. */
static void await_obedience(harness_proxy *proxy)
{
    static const uint64_t ONE = 1;
    uint64_t number = ++proxy->wanted_number;
    (void)!write(proxy->wake, &ONE, sizeof(ONE));
    while (proxy->obeyed_number < number)
        pthread_cond_wait(&proxy->changed, &proxy->lock);
}

void harness_proxy_free(harness_proxy *proxy)
{
    if (proxy == NULL)
        return;
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.quit = true;
    await_obedience(proxy);
    pthread_mutex_unlock(&proxy->lock);
    pthread_join(proxy->thread, NULL);
    pthread_cond_destroy(&proxy->changed);
    pthread_mutex_destroy(&proxy->lock);
    close(proxy->listener);
    close(proxy->wake);
    free(proxy);
}

uint16_t harness_proxy_port(const harness_proxy *proxy)
{
    return proxy->port;
}

size_t harness_proxy_cut(harness_proxy *proxy, harness_proxy_cut_mode mode)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.cut = true;
    proxy->wanted.cut_mode = mode;
    proxy->last_cut = 0;
    await_obedience(proxy);
    size_t count = proxy->last_cut;
    pthread_mutex_unlock(&proxy->lock);
    return count;
}

void harness_proxy_stall(harness_proxy *proxy, harness_proxy_direction directions)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.stalled = directions;
    await_obedience(proxy);
    pthread_mutex_unlock(&proxy->lock);
}

void harness_proxy_slow(harness_proxy *proxy, int64_t latency_ms, int64_t bytes_per_second)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.pace = (flow_pace){latency_ms * 1000, bytes_per_second};
    await_obedience(proxy);
    pthread_mutex_unlock(&proxy->lock);
}

void harness_proxy_refuse(harness_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.refuse = true;
    await_obedience(proxy);
    pthread_mutex_unlock(&proxy->lock);
}

void harness_proxy_swallow(harness_proxy *proxy, base_bytes request, base_bytes answer_end)
{
    pthread_mutex_lock(&proxy->lock);
    flow_watch_init(&proxy->wanted.ambush, request);
    flow_watch_init(&proxy->wanted.ambush_end, answer_end);
    await_obedience(proxy);
    pthread_mutex_unlock(&proxy->lock);
}

void harness_proxy_heal(harness_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted.stalled = 0;
    proxy->wanted.refuse = false;
    proxy->wanted.pace = (flow_pace){0};
    await_obedience(proxy);
    pthread_mutex_unlock(&proxy->lock);
}

harness_proxy_counts harness_proxy_read_counts(harness_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    harness_proxy_counts counts = proxy->counts;
    pthread_mutex_unlock(&proxy->lock);
    return counts;
}
