#pragma once
/* One direction of a proxied connection: a bounded delay line between two non-blocking sockets. */
#include "harness/proxy.h"

#define FLOW_CHUNK_SIZE 16384
#define FLOW_CHUNKS     (HARNESS_PROXY_BUFFER / FLOW_CHUNK_SIZE)

typedef struct flow_pace {
    int64_t latency_us;
    int64_t bytes_per_second; /* 0: no bound */
} flow_pace;

typedef struct flow_chunk {
    int64_t due_us; /* monotonic */
    size_t size, sent;
    uint8_t bytes[FLOW_CHUNK_SIZE];
} flow_chunk;

/* Looks for a sequence of bytes in a stream. */
typedef struct flow_watch {
    size_t size; /* 0: looks for nothing */
    uint8_t wanted[HARNESS_PROXY_WATCHED];
    size_t filled;
    uint8_t last[HARNESS_PROXY_WATCHED]; /* bytes that passed */
    bool found;
} flow_watch;

void flow_watch_init(flow_watch *watch, base_bytes wanted);

/* Both sockets are borrowed. */
typedef struct flow {
    int from, to;
    flow_chunk *chunks; /* ring */
    size_t first, count;
    int64_t next_us; /* not before, for the bound on bytes per second */
    bool ended;      /* `from` has said so */
    bool finished;   /* and `to` has been told */
    bool blocked;    /* `to` takes no more for now */
    bool swallows;   /* what comes is not passed on */
    flow_watch watch;
    uint64_t bytes; /* passed on */
} flow;

void flow_init(flow *f, int from, int to);
void flow_done(flow *f);

bool flow_wants_bytes(const flow *f);
/* When something can be written, INT64_MAX: not by waiting alone. */
int64_t flow_due_us(const flow *f);

/* Move what can be moved now. False: the connection is broken. The clock is read after each byte has come or gone: a time from before
 * it would let bytes pass early that come while this thread has to wait for a processor. */
bool flow_read(flow *f, const flow_pace *pace);
bool flow_write(flow *f, const flow_pace *pace);
