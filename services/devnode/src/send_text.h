#pragma once
/* What the daemon says of a payment that it does not take, word for word: clients branch on these texts. */
#include "devnode/node.h"
#include "devnode/schema.h"

json_t *send_text_wrong_signature(schema_call *call, const chain_transaction *transaction);
/* For every answer but CHAIN_ACCEPTED. */
json_t *send_text_refused(schema_call *call, const chain_transaction *transaction, const node_receipt *receipt,
                          uint64_t minimum_fee);
