#pragma once
/* Which fault strikes what, when and for how long: all drawn from the seed before a run begins. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What faults strike. Each service reaches each server through a link of its own; generators have none to the node. */
enum {
    CHAOS_SERVICES = 4, /* generator-1, generator-2, publisher-1, publisher-2 */
    CHAOS_SERVERS = 3,  /* nats, postgres, node */
    CHAOS_LINKS = CHAOS_SERVICES * CHAOS_SERVERS,
    CHAOS_FAULTS_MAX = 20000,
};

typedef enum chaos_server { CHAOS_NATS, CHAOS_POSTGRES, CHAOS_NODE } chaos_server;

typedef enum chaos_kind {
    CHAOS_SERVICE_KILL,  /* SIGKILL; starts again at the end */
    CHAOS_SERVICE_PAUSE, /* SIGSTOP beyond the ack wait: a zombie when it goes on */
    CHAOS_SERVICE_TERM,  /* an orderly stop, as in a deploy; starts again once it has ended */
    CHAOS_NATS_STOP,
    CHAOS_NATS_KILL,
    CHAOS_NATS_PAUSE,
    CHAOS_POSTGRES_FAST,
    CHAOS_POSTGRES_IMMEDIATE,
    CHAOS_POSTGRES_KILL,
    CHAOS_POSTGRES_TERMINATE, /* ends all sessions */
    CHAOS_NODE_KILL,
    CHAOS_NODE_PAUSE,
    CHAOS_NODE_FAULT, /* the development node's own: errors, lost replies, delays */
    CHAOS_LINK_FIN,
    CHAOS_LINK_RST,
    CHAOS_LINK_STALL,
    CHAOS_LINK_SLOW,
    CHAOS_LINK_REFUSE,
    CHAOS_KINDS,
} chaos_kind;

/* `target` counts services for CHAOS_SERVICE_*, links for CHAOS_LINK_* (from CHAOS_LINKS on: all links to a server). */
typedef struct chaos_fault {
    int64_t at_ms, duration_ms; /* since the start of the run; a duration of 0 is a moment */
    chaos_kind kind;
    int target;
    int64_t detail; /* which fault of the node, which direction, how slow */
} chaos_fault;

typedef struct chaos_schedule {
    chaos_fault *list; /* by time; owned */
    size_t count;
    uint64_t hash; /* of its printed lines */
} chaos_schedule;

/* The same for the same seed and duration. Ends the program when memory is short. */
chaos_schedule chaos_schedule_draw(uint64_t seed, int64_t duration_ms);
void chaos_schedule_done(chaos_schedule *schedule);

/* One line without its end: "12.345 s  pause generator-2 for 3.100 s". */
typedef struct chaos_line {
    char text[256];
} chaos_line;
chaos_line chaos_fault_describe(const chaos_fault *fault);
void chaos_schedule_print(const chaos_schedule *schedule, FILE *out);

const char *chaos_service_name(int service);
static inline int chaos_link(int service, chaos_server server)
{
    return service * CHAOS_SERVERS + (int)server;
}
static inline bool chaos_is_publisher(int service)
{
    return service >= CHAOS_SERVICES / 2;
}

/* The body of POST /control/faults for a CHAOS_NODE_FAULT. Static storage. */
const char *chaos_node_fault(int64_t detail);
/* How slow a CHAOS_LINK_SLOW is. */
void chaos_slowness(int64_t detail, int64_t *ret_latency_ms, int64_t *ret_bytes_per_second);
