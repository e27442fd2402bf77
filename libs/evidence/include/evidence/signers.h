#pragma once
/* The allow-list of signers (SIGNER_PUBLIC_KEYS): whose images are accepted. */
#include "evidence/signature.h"

#define EVIDENCE_SIGNERS_MAX 1024 /* keys of one list */

/* Zero, as from `= {0}`, allows everyone. Read-only once parsed, so any number of threads may ask it. */
typedef struct evidence_signers {
    evidence_public_key *keys;
    size_t count;
} evidence_signers;

/* Reads keys in any form of evidence_public_key_from_hex, separated by commas or white space. NULL, "" and white space alone
 * allow everyone. BASE_INVALID says which key is bad and how; also for a list of nothing but commas, which would silently let
 * everyone in. BASE_LIMIT over EVIDENCE_SIGNERS_MAX. *ret is untouched on failure; release it by evidence_signers_done. */
BASE_MUST_CHECK base_code evidence_signers_parse(const char *text, evidence_signers *ret, base_error *err);

/* BASE_OK when `key` is on the list, or the list (or `signers` itself) is absent; else BASE_INVALID. */
BASE_MUST_CHECK base_code evidence_signers_allow(const evidence_signers *signers, const evidence_public_key *key,
                                                 base_error *err);

void evidence_signers_done(evidence_signers *signers);
BASE_CLEANUP_VALUE(evidence_signers, evidence_signers_done);
