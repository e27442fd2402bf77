#pragma once
/* A private Postgres cluster on a loopback port, with its data in a temporary folder.
 *
 * Making one takes a second or two: make one per test program (group setup) and a database per test. Root runs it as the
 * user postgres, or as 65534 where there is none. */
#include "base/own.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HARNESS_DATABASE_URL_MAX 160
#define HARNESS_SERVICE_PASSWORD "Secret@Postgres_7Vq9" /* of the role that services log in with */

typedef struct harness_postgres harness_postgres;

typedef struct harness_postgres_options {
    bool fsync_off;     /* quicker, and what a crash of the machine would lose is no longer tested */
    const char *config; /* extra lines for postgresql.conf; NULL: none */
} harness_postgres_options;

typedef enum harness_postgres_stop_mode {
    HARNESS_POSTGRES_FAST,      /* ends sessions, writes a checkpoint */
    HARNESS_POSTGRES_IMMEDIATE, /* ends without a checkpoint: the next start recovers */
    HARNESS_POSTGRES_KILL,      /* SIGKILL to the postmaster */
} harness_postgres_stop_mode;

/* Makes a cluster and waits until it accepts connections; fails the test otherwise. NULL options: the defaults. */
harness_postgres *harness_postgres_new(const harness_postgres_options *options);
/* Ends it at once. NULL is a no-op. */
void harness_postgres_free(harness_postgres *server);
BASE_CLEANUP_POINTER(harness_postgres, harness_postgres_free);

uint16_t harness_postgres_port(const harness_postgres *server);
pid_t harness_postgres_pid(const harness_postgres *server);
/* Folder of its Unix socket. Valid until freed. */
const char *harness_postgres_socket(const harness_postgres *server);

void harness_postgres_stop(harness_postgres *server, harness_postgres_stop_mode mode); /* no-op when it is down */
void harness_postgres_start(
    harness_postgres *server); /* on the same port and data; waits until it accepts connections */
void harness_postgres_restart(harness_postgres *server, harness_postgres_stop_mode mode);

/* One database; a plain value that needs no release, for it goes away with its cluster. */
typedef struct harness_database {
    char url[HARNESS_DATABASE_URL_MAX]; /* postgresql://proofline@127.0.0.1:PORT/NAME; proofline is a superuser */
} harness_database;

/* A new empty database. */
harness_database harness_database_new(harness_postgres *server);

/* The same database for a service: by a login role that is a member of proofline_service and has no right besides. `roles_file` is
 * the SQL that grants them, run here by the owner; the tables must be there. */
harness_database harness_database_as_service(const harness_database *database, const char *roles_file);
/* Lines for postgresql.conf: the owner is trusted, everyone else logs in with a password. */
const char *harness_postgres_password_config(void);

/* What the server has logged since its last start. The caller frees it. */
char *harness_postgres_log(const harness_postgres *server);

/* Runs SQL with psql and returns its rows, columns split by '|', one row a line, no line break at the end. Fails the test
 * when the statement fails. The caller frees the text. */
char *harness_database_query(const harness_database *database, const char *sql);
