#pragma once
/* Everything that runs during a chaos run: the three servers, two generators and two publishers, and a proxy on each way between them. */
#include "broker/topology.h"
#include "harness/nats_server.h"
#include "harness/postgres_server.h"
#include "harness/proxy.h"
#include "replica.h"
#include "schedule.h"

enum { WORLD_ACK_WAIT_MS = 2000, WORLD_WAIT_MS = 60000, WORLD_ADDRESS_MAX = 80, WORLD_KEY_MAX = 128 };

typedef struct world {
    harness_path folder; /* logs of the services */
    harness_nats *nats;
    harness_postgres *postgres;
    harness_database database;
    harness_process *node; /* NULL while it is down */
    harness_path node_state;
    uint16_t node_port;
    char address[WORLD_ADDRESS_MAX]; /* of the fee payer */
    char key[WORLD_KEY_MAX];         /* its setting */
    broker_names names;
    broker_connection *broker;         /* the tool's own, past the proxies */
    harness_proxy *links[CHAOS_LINKS]; /* NULL from generators to the node */
    replica services[CHAOS_SERVICES];
} world;

/* Starts everything and waits until it works; ends the program with a message otherwise. */
void world_start(world *w);
/* Ends everything, in any state. */
void world_done(world *w);

void world_start_node(world *w);
void world_kill_node(world *w);
/* Sets a fault of the node; NULL clears all. False: it did not listen. */
bool world_set_node_fault(world *w, const char *json);

/* First column of a query's first row as a number. */
int64_t world_number(const world *w, const char *sql);
