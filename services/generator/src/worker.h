#pragma once
/* The generate stage: takes jobs, checks their evidence, proves, and commits proof, status and next command together. */
#include "evidence/signers.h"
#include "prover/prover.h"
#include "stage/worker.h"

typedef struct generator_worker generator_worker;

/* Takes over `prover` (also on failure); borrows `signers`. The caller owns *ret. */
BASE_MUST_CHECK base_code generator_worker_new(stage_service *service, struct prover *prover,
                                               const evidence_signers *signers, generator_worker **ret,
                                               base_error *err);
/* After the service has run. */
void generator_worker_free(generator_worker *worker);
BASE_CLEANUP_POINTER(generator_worker, generator_worker_free);
stage_worker *generator_worker_stage(generator_worker *worker);
