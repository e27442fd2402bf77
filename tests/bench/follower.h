#pragma once
/* Reads the event stream on a thread of its own and notes when each submission became complete. */
#include "broker/connection.h"
#include "submissions.h"

typedef struct bench_follower bench_follower;

/* Sees every event from now on. Borrows both; nobody else reads completed_us of `set` but after bench_follower_wait. */
bench_follower *bench_follower_new(broker_connection *connection, const bench_submissions *set);
/* Waits until `complete` submissions are complete or timeout_ms has passed; returns how many are. */
size_t bench_follower_wait(bench_follower *follower, size_t complete, int64_t timeout_ms);
/* Events `complete` seen a second time for one submission, or for a submission that is not ours. */
size_t bench_follower_strays(bench_follower *follower);
/* Ends the thread. NULL is a no-op. */
void bench_follower_free(bench_follower *follower);
BASE_CLEANUP_POINTER(bench_follower, bench_follower_free);
