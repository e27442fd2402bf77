#include "proxy_flow.h"

#include "base/clock.h"
#include "harness/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SLICES_PER_SECOND 20 /* of a bounded flow: small enough to look even */

void flow_init(flow *f, int from, int to)
{
    *f = (flow){.from = from, .to = to, .chunks = calloc(FLOW_CHUNKS, sizeof(flow_chunk))};
    if (f->chunks == NULL)
        harness_fail("out of memory");
}

void flow_done(flow *f)
{
    free(f->chunks);
    *f = (flow){0};
}

bool flow_wants_bytes(const flow *f)
{
    return !f->ended && f->count < FLOW_CHUNKS;
}

int64_t flow_due_us(const flow *f)
{
    if (f->count == 0 || f->blocked)
        return INT64_MAX;
    int64_t due_us = f->chunks[f->first].due_us;
    return due_us > f->next_us ? due_us : f->next_us;
}

void flow_watch_init(flow_watch *watch, base_bytes wanted)
{
    *watch = (flow_watch){.size = wanted.size};
    if (wanted.size == 0 || wanted.size > sizeof(watch->wanted))
        harness_fail("a proxy watches for 1 to %zu bytes", sizeof(watch->wanted));
    memcpy(watch->wanted, wanted.data, wanted.size);
}

static void look(flow_watch *watch, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && watch->size > 0 && !watch->found; i++) {
        if (watch->filled == watch->size)
            memmove(watch->last, watch->last + 1, --watch->filled);
        watch->last[watch->filled++] = bytes[i];
        watch->found = watch->filled == watch->size && memcmp(watch->last, watch->wanted, watch->size) == 0;
    }
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

bool flow_read(flow *f, const flow_pace *pace)
{
    while (flow_wants_bytes(f)) {
        flow_chunk *chunk = &f->chunks[(f->first + f->count) % FLOW_CHUNKS];
        ssize_t got = recv(f->from, chunk->bytes, sizeof(chunk->bytes), MSG_DONTWAIT);
        if (got < 0)
            return would_block();
        if (got == 0) {
            f->ended = true;
            return true;
        }
        look(&f->watch, chunk->bytes, (size_t)got);
        if (f->swallows)
            continue;
        chunk->due_us = base_monotonic_us() + pace->latency_us;
        chunk->size = (size_t)got;
        chunk->sent = 0;
        f->count++;
    }
    return true;
}

/* Bytes of the first chunk that may go now. */
static size_t slice_of(const flow_chunk *chunk, const flow_pace *pace)
{
    size_t left = chunk->size - chunk->sent;
    size_t slice = (size_t)(pace->bytes_per_second / SLICES_PER_SECOND) + 1;
    return pace->bytes_per_second > 0 && slice < left ? slice : left;
}

static void account(flow *f, size_t sent, const flow_pace *pace)
{
    flow_chunk *chunk = &f->chunks[f->first];
    chunk->sent += sent;
    f->bytes += sent;
    if (pace->bytes_per_second > 0)
        f->next_us = base_monotonic_us() + (int64_t)sent * 1000000 / pace->bytes_per_second;
    if (chunk->sent < chunk->size)
        return;
    f->first = (f->first + 1) % FLOW_CHUNKS;
    f->count--;
}

bool flow_write(flow *f, const flow_pace *pace)
{
    f->blocked = false;
    while (flow_due_us(f) <= base_monotonic_us()) {
        const flow_chunk *chunk = &f->chunks[f->first];
        ssize_t sent = send(f->to, chunk->bytes + chunk->sent, slice_of(chunk, pace), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            f->blocked = would_block();
            return f->blocked;
        }
        account(f, (size_t)sent, pace);
    }
    if (f->ended && f->count == 0 && !f->finished) {
        f->finished = true;
        return shutdown(f->to, SHUT_WR) == 0;
    }
    return true;
}
