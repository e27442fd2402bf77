#pragma once
/* The publish stage: takes proofs, checks them, and puts each on the chain in a transaction that is stored before it is sent. */
#include "ledger/ledger.h"
#include "stage/worker.h"

typedef struct publisher_worker publisher_worker;

typedef struct publisher_worker_options {
    ledger *ledger;        /* taken over, also on failure */
    bool keep_proofs;      /* PROOF_RETENTION: as the receipt */
    int64_t confirmations; /* blocks */
    int64_t confirm_interval_s;
    int64_t missing_after_s; /* between the two looks that must agree */
    int64_t node_timeout_ms; /* the longest that the node is waited for at once */
} publisher_worker_options;

/* The caller owns *ret. */
BASE_MUST_CHECK base_code publisher_worker_new(stage_service *service, const publisher_worker_options *options,
                                               publisher_worker **ret, base_error *err);
/* After the service has run: gives the lane up. */
void publisher_worker_free(publisher_worker *worker);
BASE_CLEANUP_POINTER(publisher_worker, publisher_worker_free);
stage_worker *publisher_worker_stage(publisher_worker *worker);
