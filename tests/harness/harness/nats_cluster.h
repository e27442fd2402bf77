#pragma once
/* Three private nats-servers with JetStream that form a cluster on loopback ports, each with a store of its own. */
#include "harness/nats_server.h"

#include <stddef.h>

#define HARNESS_NATS_CLUSTER_SIZE 3

typedef struct harness_nats_cluster harness_nats_cluster;

/* Starts the three servers. They have no leader yet when this returns, as after any start: whoever needs one waits or asks again. */
harness_nats_cluster *harness_nats_cluster_new(void);
/* Kills them. NULL is a no-op. */
void harness_nats_cluster_free(harness_nats_cluster *cluster);
BASE_CLEANUP_POINTER(harness_nats_cluster, harness_nats_cluster_free);

/* "nats://127.0.0.1:A,nats://127.0.0.1:B,nats://127.0.0.1:C"; the same after every restart. Valid until freed. */
const char *harness_nats_cluster_url(const harness_nats_cluster *cluster);

/* One of them, to be stopped, killed, wiped, started; borrowed. */
harness_nats *harness_nats_cluster_at(const harness_nats_cluster *cluster, size_t index);

/* The server that leads this stream, or this consumer of it (NULL: the stream), by the word of the leader itself. Waits until there is one. */
size_t harness_nats_cluster_leader(const harness_nats_cluster *cluster, const char *stream, const char *consumer);

/* Waits until all servers are up to date: each stream and consumer has a leader, and all its copies are current. All must be up. */
void harness_nats_cluster_wait_current(const harness_nats_cluster *cluster);

/* Messages of a stream in the store of this one server, which must be up. */
uint64_t harness_nats_cluster_messages(const harness_nats_cluster *cluster, size_t index, const char *stream);
