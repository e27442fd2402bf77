#pragma once
/* A private nats-server with JetStream on a loopback port, with its store in a temporary folder. */
#include "base/own.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct harness_nats harness_nats;

/* Starts a server and waits until it is ready; fails the test otherwise. `config` holds extra lines of its configuration
 * file (authorization, tls, limits), NULL for none. */
harness_nats *harness_nats_new(const char *config);
/* Kills it. NULL is a no-op. */
void harness_nats_free(harness_nats *server);
BASE_CLEANUP_POINTER(harness_nats, harness_nats_free);

/* "nats://127.0.0.1:PORT"; the same after every restart. Valid until freed. */
const char *harness_nats_url(const harness_nats *server);
uint16_t harness_nats_port(const harness_nats *server);
pid_t harness_nats_pid(const harness_nats *server);
/* What it calls itself, unique among the servers of this program. Valid until freed. */
const char *harness_nats_name(const harness_nats *server);
bool harness_nats_is_up(const harness_nats *server);

/* What it has logged since its last start. The caller frees it. */
char *harness_nats_log(const harness_nats *server);

void harness_nats_stop(harness_nats *server); /* orderly, waits for its end; no-op when it is down */
/* Lame duck mode: sends its clients and the lead of its streams elsewhere, then ends; waits for its end. */
void harness_nats_retire(harness_nats *server);
void harness_nats_kill(harness_nats *server);  /* SIGKILL, waits for its end */
void harness_nats_start(harness_nats *server); /* again, on the same port and store; waits until ready */
void harness_nats_restart(harness_nats *server);
/* Replaces the extra configuration lines; they hold from the next start. */
void harness_nats_configure(harness_nats *server, const char *config);
/* Bounds what all streams together may take on disk, "8MB" for one, from the next start; the text is borrowed for good. */
void harness_nats_limit_store(harness_nats *server, const char *size);
/* Removes all streams and consumers from disk. The server must be down. */
void harness_nats_wipe(harness_nats *server);
/* Stops its clock without closing connections (SIGSTOP), and goes on (SIGCONT). */
void harness_nats_pause(harness_nats *server);
void harness_nats_resume(harness_nats *server);
