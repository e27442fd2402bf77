#pragma once
/* The load: distinct images, really signed, with their messages encoded before any clock starts. */
#include "base/bytes.h"

/* Times are monotonic microseconds; 0: not yet. */
typedef struct bench_submission {
    base_sha256 sha256;
    size_t offset, size;  /* of its encoded GenerateProof in the set's bytes */
    int64_t published_us; /* when the publish call began; written by the publishing thread */
    int64_t completed_us; /* when the event `complete` arrived; written by the follower */
} bench_submission;

typedef struct bench_submissions {
    bench_submission *list;
    size_t count;
    base_buffer bytes;
    size_t *slots; /* open addressing by the first bytes of the hash: index + 1, 0 is free */
    size_t slot_mask;
} bench_submissions;

/* Makes `count` submissions signed by one fresh random key (libs/evidence). Ends the program on failure. */
void bench_submissions_make(size_t count, bench_submissions *ret);
void bench_submissions_done(bench_submissions *set);
BASE_CLEANUP_VALUE(bench_submissions, bench_submissions_done);

base_bytes bench_submissions_message(const bench_submissions *set, size_t index);
/* Borrowed; NULL when it is none of ours. */
bench_submission *bench_submissions_find(const bench_submissions *set, const base_sha256 *sha256);
