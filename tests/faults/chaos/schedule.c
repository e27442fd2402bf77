#include "schedule.h"

#include "harness/wait.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_MS = 1000,
    GAP_MIN_MS = 200,
    GAP_MAX_MS = 2200,
    BREATH_MS = 5000, /* now and then nothing new for a while, so that work flows between the blows */
    BREATH_PERCENT = 8,
    TRIES = 20,        /* to find a fault whose target is free */
    ROLL_PERCENT = 25, /* of the orderly stops are a rolling restart of all services */
    ROLL_STEP_MS = 1500,
    SETTLE_MS = 500, /* a target that was struck is left alone for this long */
};

/* What one fault at a time may strike, as bits. */
enum {
    BIT_SERVICE = 0,
    BIT_LINK = BIT_SERVICE + CHAOS_SERVICES,
    BIT_SERVER = BIT_LINK + CHAOS_LINKS,
    BITS = BIT_SERVER + CHAOS_SERVERS
};

typedef struct kind_row {
    const char *verb;
    int weight; /* of all weights together */
    int64_t min_ms, max_ms;
    int server; /* struck; -1: a service or link */
} kind_row;

static const kind_row KINDS[CHAOS_KINDS] = {
    [CHAOS_SERVICE_KILL] = {"kill", 18, 0, 3000, -1},
    [CHAOS_SERVICE_PAUSE] = {"pause", 10, 2500, 7000, -1},
    [CHAOS_SERVICE_TERM] = {"stop", 7, 0, 0, -1},
    [CHAOS_NATS_STOP] = {"stop nats", 3, 200, 4000, CHAOS_NATS},
    [CHAOS_NATS_KILL] = {"kill nats", 3, 200, 4000, CHAOS_NATS},
    [CHAOS_NATS_PAUSE] = {"pause nats", 2, 1000, 8000, CHAOS_NATS},
    [CHAOS_POSTGRES_FAST] = {"stop postgres (fast)", 2, 200, 4000, CHAOS_POSTGRES},
    [CHAOS_POSTGRES_IMMEDIATE] = {"stop postgres (immediate)", 2, 200, 4000, CHAOS_POSTGRES},
    [CHAOS_POSTGRES_KILL] = {"kill postgres", 2, 200, 4000, CHAOS_POSTGRES},
    [CHAOS_POSTGRES_TERMINATE] = {"terminate all sessions of postgres", 5, 0, 0, CHAOS_POSTGRES},
    [CHAOS_NODE_KILL] = {"kill the node", 5, 200, 5000, CHAOS_NODE},
    [CHAOS_NODE_PAUSE] = {"pause the node", 3, 1000, 8000, CHAOS_NODE},
    [CHAOS_NODE_FAULT] = {"let the node fail:", 16, 1000, 6000, CHAOS_NODE},
    [CHAOS_LINK_FIN] = {"end", 5, 0, 0, -1},
    [CHAOS_LINK_RST] = {"reset", 6, 0, 0, -1},
    [CHAOS_LINK_STALL] = {"stall", 8, 500, 12000, -1},
    [CHAOS_LINK_SLOW] = {"slow down", 5, 1000, 10000, -1},
    [CHAOS_LINK_REFUSE] = {"refuse and reset", 3, 500, 5000, -1},
};

static const char *const SERVICES[CHAOS_SERVICES] = {"generator-1", "generator-2", "publisher-1", "publisher-2"};
static const char *const SERVERS[CHAOS_SERVERS] = {"nats", "postgres", "node"};
static const char *const DIRECTIONS[] = {"towards the server", "towards the client", "both ways"};

/* What a node says when it cannot or will not for now, and what leaves open whether it did. Nothing that would be final. */
static const char *const NODE_FAULTS[] = {
    "{\"kind\":\"http_503\",\"on\":\"all\"}",
    "{\"kind\":\"http_503\",\"probability\":0.5}",
    "{\"kind\":\"http_429\",\"on\":\"all\",\"probability\":0.7}",
    "{\"kind\":\"refuse\",\"on\":\"all\",\"probability\":0.8}",
    "{\"kind\":\"refuse\",\"probability\":0.4}",
    "{\"kind\":\"drop_reply\"}",
    "{\"kind\":\"drop_reply\",\"probability\":0.5}",
    "{\"kind\":\"drop_reply\",\"on\":\"all\",\"probability\":0.6}",
    "{\"kind\":\"delay\",\"on\":\"all\",\"delay_ms\":700}",
    "{\"kind\":\"delay\",\"delay_ms\":4000,\"probability\":0.5}",
    "{\"kind\":\"error\",\"on\":\"all\",\"text\":\"Daemon is bootstrapping\"}",
    "{\"kind\":\"error\",\"on\":\"all\",\"text\":\"Could not find the transition "
    "frontier\",\"probability\":0.8}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: "
    "[\\\"Overloaded\\\"]\",\"probability\":0.7}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: Internal error while scheduling a user "
    "command\",\"probability\":0.5}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: "
    "[\\\"Insufficient_funds\\\"]\",\"probability\":0.5}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: "
    "[\\\"Fee_payer_account_not_found\\\"]\",\"probability\":0.3}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: "
    "[\\\"Invalid_nonce\\\"]\",\"probability\":0.5}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: Error creating user command: Error: "
    "Input nonce 3 "
    "either "
    "different from inferred nonce 9 or below minimum_nonce 9\",\"probability\":0.5}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: "
    "[\\\"Insufficient_replace_fee\\\"]\",\"probability\":0.3}",
    "{\"kind\":\"error\",\"text\":\"Couldn't send user command: "
    "[\\\"Duplicate\\\"]\",\"probability\":0.3}", /* and it is not there */
    "{\"kind\":\"error\",\"on\":\"all\",\"text\":\"Something that nobody has seen "
    "before\",\"probability\":0.4}",
};
enum { NODE_FAULT_COUNT = sizeof(NODE_FAULTS) / sizeof(NODE_FAULTS[0]) };

static const struct slowness {
    int64_t latency_ms, bytes_per_second;
} SLOWNESS[] = {{5, 0}, {50, 0}, {300, 0}, {1500, 0}, {0, 100000}, {20, 20000}};
enum { SLOWNESS_COUNT = sizeof(SLOWNESS) / sizeof(SLOWNESS[0]) };

typedef struct drawing {
    chaos_random random;
    chaos_schedule schedule;
    int64_t end_ms;
    int64_t free_ms[BITS]; /* when each target may be struck again */
} drawing;

static bool is_link_kind(chaos_kind kind)
{
    return kind >= CHAOS_LINK_FIN;
}

static chaos_kind draw_kind(chaos_random *random)
{
    int sum = 0;
    for (int i = 0; i < CHAOS_KINDS; i++)
        sum += KINDS[i].weight;
    int64_t left = chaos_random_between(random, 0, sum - 1);
    int kind = 0;
    while (left >= KINDS[kind].weight)
        left -= KINDS[kind++].weight;
    return (chaos_kind)kind;
}

/* One link that exists, or in one of four cases all to one server. */
static int draw_link(chaos_random *random)
{
    int server = (int)chaos_random_between(random, 0, CHAOS_SERVERS - 1);
    int service = (int)chaos_random_between(random, server == CHAOS_NODE ? CHAOS_SERVICES / 2 : 0, CHAOS_SERVICES - 1);
    bool all = chaos_random_between(random, 0, 3) == 0;
    return all ? CHAOS_LINKS + server : chaos_link(service, (chaos_server)server);
}

static int64_t draw_detail(chaos_random *random, chaos_kind kind)
{
    switch (kind) {
    case CHAOS_NODE_FAULT:
        return chaos_random_between(random, 0, NODE_FAULT_COUNT - 1);
    case CHAOS_LINK_STALL:
        return chaos_random_between(random, 1, 3);
    case CHAOS_LINK_SLOW:
        return chaos_random_between(random, 0, SLOWNESS_COUNT - 1);
    default:
        return 0;
    }
}

static chaos_fault draw_fault(chaos_random *random, int64_t at_ms)
{
    chaos_fault fault = {.at_ms = at_ms, .kind = draw_kind(random)};
    const kind_row *row = &KINDS[fault.kind];
    fault.duration_ms = chaos_random_between(random, row->min_ms, row->max_ms);
    if (row->server < 0)
        fault.target =
            is_link_kind(fault.kind) ? draw_link(random) : (int)chaos_random_between(random, 0, CHAOS_SERVICES - 1);
    fault.detail = draw_detail(random, fault.kind);
    return fault;
}

static uint32_t targets_of(const chaos_fault *fault)
{
    int server = KINDS[fault->kind].server;
    if (server >= 0)
        return 1U << (BIT_SERVER + server);
    if (!is_link_kind(fault->kind))
        return 1U << (BIT_SERVICE + fault->target);
    if (fault->target < CHAOS_LINKS)
        return 1U << (BIT_LINK + fault->target);
    uint32_t bits = 0;
    for (int service = 0; service < CHAOS_SERVICES; service++)
        bits |= 1U << (BIT_LINK + chaos_link(service, (chaos_server)(fault->target - CHAOS_LINKS)));
    return bits;
}

static bool is_free(const drawing *d, uint32_t bits, int64_t at_ms)
{
    for (int i = 0; i < BITS; i++)
        if ((bits >> i & 1) != 0 && d->free_ms[i] > at_ms)
            return false;
    return true;
}

static void add(drawing *d, const chaos_fault *fault)
{
    if (d->schedule.count == CHAOS_FAULTS_MAX)
        return;
    uint32_t bits = targets_of(fault);
    for (int i = 0; i < BITS; i++)
        if ((bits >> i & 1) != 0)
            d->free_ms[i] = fault->at_ms + fault->duration_ms + SETTLE_MS;
    d->schedule.list[d->schedule.count++] = *fault;
}

/* All services one after the other, as a deploy does. False when one of them is busy with another fault. */
static bool add_rolling_restart(drawing *d, int64_t at_ms)
{
    for (int i = 0; i < CHAOS_SERVICES; i++)
        if (!is_free(d, 1U << (BIT_SERVICE + i), at_ms + (int64_t)i * ROLL_STEP_MS) ||
            at_ms + (int64_t)i * ROLL_STEP_MS >= d->end_ms)
            return false;
    for (int i = 0; i < CHAOS_SERVICES; i++)
        add(d, &(chaos_fault){.at_ms = at_ms + (int64_t)i * ROLL_STEP_MS, .kind = CHAOS_SERVICE_TERM, .target = i});
    return true;
}

static void add_one(drawing *d, int64_t at_ms)
{
    for (int i = 0; i < TRIES; i++) {
        chaos_fault fault = draw_fault(&d->random, at_ms);
        bool rolls = chaos_random_between(&d->random, 1, 100) <= ROLL_PERCENT;
        if (fault.duration_ms > d->end_ms - at_ms)
            fault.duration_ms = d->end_ms - at_ms;
        if (fault.kind == CHAOS_SERVICE_TERM && rolls && add_rolling_restart(d, at_ms))
            return;
        if (!is_free(d, targets_of(&fault), at_ms))
            continue;
        add(d, &fault);
        return;
    }
}

static int by_time(const void *a, const void *b)
{
    const chaos_fault *first = a;
    const chaos_fault *second = b;
    if (first->at_ms != second->at_ms)
        return first->at_ms < second->at_ms ? -1 : 1;
    return first->kind != second->kind ? (int)first->kind - (int)second->kind : first->target - second->target;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t hash_lines(const chaos_schedule *schedule)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < schedule->count; i++) {
        chaos_line line = chaos_fault_describe(&schedule->list[i]);
        for (const char *c = line.text; *c != '\0'; c++)
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    }
    return hash;
}

chaos_schedule chaos_schedule_draw(uint64_t seed, int64_t duration_ms)
{
    drawing d = {.random = {seed}, .end_ms = duration_ms};
    d.schedule.list = calloc(CHAOS_FAULTS_MAX, sizeof(*d.schedule.list));
    if (d.schedule.list == NULL)
        harness_fail("out of memory");
    for (int64_t at_ms = FIRST_MS; at_ms < duration_ms;) {
        add_one(&d, at_ms);
        bool breathes = chaos_random_between(&d.random, 1, 100) <= BREATH_PERCENT;
        at_ms += breathes ? BREATH_MS : chaos_random_between(&d.random, GAP_MIN_MS, GAP_MAX_MS);
    }
    qsort(d.schedule.list, d.schedule.count, sizeof(*d.schedule.list), by_time);
    d.schedule.hash = hash_lines(&d.schedule);
    return d.schedule;
}

void chaos_schedule_done(chaos_schedule *schedule)
{
    free(schedule->list);
    *schedule = (chaos_schedule){0};
}

static chaos_line describe_target(const chaos_fault *fault)
{
    chaos_line line = {""};
    if (KINDS[fault->kind].server >= 0)
        snprintf(line.text, sizeof(line.text), "%s",
                 fault->kind == CHAOS_NODE_FAULT ? chaos_node_fault(fault->detail) : "");
    else if (!is_link_kind(fault->kind))
        snprintf(line.text, sizeof(line.text), "%s", SERVICES[fault->target]);
    else if (fault->target >= CHAOS_LINKS)
        snprintf(line.text, sizeof(line.text), "all links to %s", SERVERS[fault->target - CHAOS_LINKS]);
    else
        snprintf(line.text, sizeof(line.text), "the link from %s to %s", SERVICES[fault->target / CHAOS_SERVERS],
                 SERVERS[fault->target % CHAOS_SERVERS]);
    return line;
}

static chaos_line describe_detail(const chaos_fault *fault)
{
    chaos_line line = {""};
    if (fault->kind == CHAOS_LINK_STALL)
        snprintf(line.text, sizeof(line.text), " %s", DIRECTIONS[fault->detail - 1]);
    if (fault->kind == CHAOS_LINK_SLOW) {
        const struct slowness *slow = &SLOWNESS[fault->detail];
        snprintf(line.text, sizeof(line.text), " by %lld ms, %lld bytes/s", (long long)slow->latency_ms,
                 (long long)slow->bytes_per_second);
    }
    return line;
}

chaos_line chaos_fault_describe(const chaos_fault *fault)
{
    chaos_line line, target = describe_target(fault), detail = describe_detail(fault);
    int length = snprintf(line.text, sizeof(line.text), "%8.3f s  %s%s%s%s", (double)fault->at_ms / 1000,
                          KINDS[fault->kind].verb, target.text[0] != '\0' ? " " : "", target.text, detail.text);
    if (fault->duration_ms > 0 && length > 0 && (size_t)length < sizeof(line.text))
        snprintf(line.text + length, sizeof(line.text) - (size_t)length, " for %.3f s",
                 (double)fault->duration_ms / 1000);
    return line;
}

void chaos_schedule_print(const chaos_schedule *schedule, FILE *out)
{
    for (size_t i = 0; i < schedule->count; i++)
        fprintf(out, "%s\n", chaos_fault_describe(&schedule->list[i]).text);
    fprintf(out, "%zu faults, schedule %016llx\n", schedule->count, (unsigned long long)schedule->hash);
}

const char *chaos_service_name(int service)
{
    return SERVICES[service];
}

const char *chaos_node_fault(int64_t detail)
{
    return NODE_FAULTS[detail];
}

void chaos_slowness(int64_t detail, int64_t *ret_latency_ms, int64_t *ret_bytes_per_second)
{
    *ret_latency_ms = SLOWNESS[detail].latency_ms;
    *ret_bytes_per_second = SLOWNESS[detail].bytes_per_second;
}
