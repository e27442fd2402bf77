#pragma once
/* The bodies of GraphQL requests to a Mina node: pure functions, the same input gives the same bytes. */
#include "mina/payment.h"

#define MINA_REQUEST_MAX 65536 /* bytes of one body */

/* Appends the body of `sendPayment`: JSON {"query","variables"}, without white space, keys in a fixed order, every number a
 * decimal string. BASE_INVALID when the memo is not UTF-8 or empty by being a digest; BASE_LIMIT as the buffer says. */
BASE_MUST_CHECK base_code mina_request_payment(const mina_payment *payment, const mina_signature *signature,
                                               base_buffer *ret, base_error *err);

/* Appends the body of the question that mina_answer_status reads. */
BASE_MUST_CHECK base_code mina_request_status(base_buffer *ret, base_error *err);
/* … that mina_answer_account reads. */
BASE_MUST_CHECK base_code mina_request_account(const char *address, base_buffer *ret, base_error *err);
/* … that mina_answer_sightings reads: the pool and the last `blocks` blocks at once. BASE_INVALID outside 1..MINA_HASHES_MAX
 * hashes and 1..MINA_BLOCKS_MAX blocks. */
BASE_MUST_CHECK base_code mina_request_sightings(const char *const *hashes, size_t count, int64_t blocks,
                                                 base_buffer *ret, base_error *err);
