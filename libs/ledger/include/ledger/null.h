#pragma once
/* The `null` driver: a ledger that takes everything and keeps nothing but a nonce. It measures what the pipeline itself costs, and
 * exists only in builds for the bench. */
#include "ledger/ledger.h"

#ifdef PROOFLINE_BENCH
/* Its fee payer is a name that no Mina account can have. The caller owns *ret. */
BASE_MUST_CHECK base_code ledger_null_new(ledger **ret, base_error *err);
#endif
