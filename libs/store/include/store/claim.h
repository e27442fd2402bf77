#pragma once
/* What both stages share: taking jobs by an epoch, and ending an attempt by a commit that only the latest claim may make. */
#include "store/outbox.h"
#include "wire/messages.h"

/* Identity of one stored message: a sequence alone starts again when a stream is wiped. */
typedef struct store_job_identity {
    uint64_t sequence;
    int64_t published_unix_ns;
} store_job_identity;

typedef enum store_claim_answer {
    STORE_CLAIMED,  /* ours: work on it and commit under `epoch` */
    STORE_SUSPECT,  /* an earlier attempt died with it: claim it again alone, so that it cannot take others along */
    STORE_ANSWERED, /* nothing to do: done, rejected by this very message, or in the hands of another message. Ack */
    STORE_UNKNOWN,  /* publish stage only: no such submission, or its proof is gone */
} store_claim_answer;

/* How jobs are claimed; flags. */
typedef enum store_claim_manner {
    STORE_CLAIM_TOGETHER = 0, /* suspects are answered STORE_SUSPECT and left alone */
    STORE_CLAIM_ALONE = 1,    /* suspects, too */
    /* The answer to the same claim was lost, and the messages are still ours: an attempt found open is taken for that claim's own, and
     * is no crash. */
    STORE_CLAIM_AGAIN = 2,
} store_claim_manner;

/* Whether a claim failed for what its jobs say or what their rows are, and not because of the state of the store. */
static inline bool store_claim_is_refused(base_code code)
{
    return code == BASE_INVALID || code == BASE_CONFLICT || code == BASE_LIMIT || code == BASE_INTERNAL;
}

/* What a claim says of one job. */
typedef struct store_claim {
    store_claim_answer answer;
    wire_status status;       /* before the claim; WIRE_STATUS_NONE for a new submission */
    int64_t epoch;            /* fences the commit */
    int64_t event_sequence;   /* of the last event written */
    int64_t retries;          /* counted failures of this stage so far */
    int64_t crashes;          /* attempts of this stage that ended without a word */
    int64_t accepted_unix_ms; /* when this life of the submission began */
    int64_t age_ms;           /* since then, by the clock of Postgres: ours may be wrong */
} store_claim;

typedef enum store_outcome_kind {
    STORE_SUCCEEDED,
    STORE_REJECTED, /* final: status rejected, event, dead letter */
    STORE_RETRY,    /* a counted failure: retries + 1, the attempt is closed */
    STORE_RELEASED, /* uncounted: the attempt is closed as if it had not been */
} store_outcome_kind;

/* Why an attempt failed. Texts borrowed for the call. */
typedef struct store_failure {
    const char *reason_code; /* stable, snake_case, for programs: "invalid_signature" */
    const char *reason;      /* for people, one line */
    base_bytes job_payload;  /* STORE_REJECTED: the original message, for the dead letter */
    const char *job_subject;
    bool drop_proof;        /* STORE_REJECTED in the publish stage: the blob is of no use */
    int64_t retry_delay_ms; /* STORE_RETRY, STORE_RELEASED: when the message comes again */
} store_failure;
