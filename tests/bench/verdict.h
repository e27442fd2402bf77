#pragma once
/* Whether a run did what it should: a fast pipeline that loses or repeats work has no figures. */
#include "follower.h"
#include "pipeline.h"

/* Ends the program unless this run made exactly `count` submissions, all complete, each with one proof generated, one event `complete`, no
 * retry and no crash, the outbox empty, and commits synced to disk; for a ledger with nonces also one transaction each, under adjoining nonces.
 * Returns the size of a stored proof in bytes. */
size_t bench_verdict(const bench_plan *plan, const bench_pipeline *pipeline, bench_follower *follower, size_t count);
