#pragma once
/* One service that is killed, paused and stopped, and started again each time; its log of all its lives is kept. */
#include "base/bytes.h"
#include "harness/folder.h"
#include "harness/process.h"

enum {
    REPLICA_SETTINGS_MAX = 24,
    REPLICA_SETTING_MAX = 256,
    REPLICA_GRACE_S = 10,        /* SHUTDOWN_GRACE_S of the services */
    REPLICA_OVERTIME_MS = 20000, /* beyond the grace, on a busy machine: then it hangs */
};

typedef struct replica {
    const char *name, *program;
    char settings[REPLICA_SETTINGS_MAX][REPLICA_SETTING_MAX];
    size_t setting_count;
    harness_path log;
    harness_process *process; /* NULL: down */
    bool held;                /* stays down until replica_start */
    int64_t stop_by_ms;       /* monotonic; 0: not asked to stop */
    uint64_t starts, kills, pauses, stops, forced_stops;
    uint64_t reports; /* lives in which a sanitizer found something; a killed process has no exit code that says so */
} replica;

/* Adds NAME=value. */
void replica_set(replica *r, const char *format, ...) BASE_PRINTF(2, 3);

void replica_start(replica *r);
void replica_kill(replica *r); /* stays down */
void replica_pause(replica *r);
void replica_resume(replica *r);
void replica_stop(replica *r); /* SIGTERM; replica_tend starts it again */

/* To be called often: starts again what has ended. A service that ended by itself or does not stop is a violation: its words are
 * printed, and counted in the result. */
size_t replica_tend(replica *r);
/* Waits until it runs and answers on its port. False after deadline_ms. */
bool replica_wait_ready(replica *r, int64_t deadline_ms);
/* Orderly, for good. False: it had to be killed. */
bool replica_end(replica *r);
void replica_done(replica *r); /* kills it */
