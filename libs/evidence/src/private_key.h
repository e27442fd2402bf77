#pragma once
/* The inside of a private key. */
#include "evidence/key.h"
#include "pkey.h"

struct evidence_private_key {
    EVP_PKEY *pkey;
    evidence_public_key public_key;
};

/* Takes *pkey (leaving NULL) after checking that it is a whole P-256 key pair. */
BASE_MUST_CHECK base_code evidence_private_key_wrap(EVP_PKEY **pkey, evidence_private_key **ret, base_error *err);
