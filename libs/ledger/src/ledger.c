#include "driver.h"

void ledger_transaction_done(ledger_transaction *transaction)
{
    if (transaction == NULL)
        return;
    base_buffer_done(&transaction->payload);
    *transaction = (ledger_transaction){0};
}

const char *ledger_answer_name(ledger_answer answer)
{
    switch (answer) {
    case LEDGER_ACCEPTED:
        return "accepted";
    case LEDGER_UNAVAILABLE:
        return "unavailable";
    case LEDGER_UNKNOWN:
        return "unknown";
    case LEDGER_NONCE:
        return "nonce";
    case LEDGER_UNFUNDED:
        return "unfunded";
    case LEDGER_RETRY:
        return "retry";
    case LEDGER_EXPIRED:
        return "expired";
    case LEDGER_REPLACED:
        return "replaced";
    case LEDGER_REJECTED:
        return "rejected";
    }
    return "invalid";
}

const char *ledger_fee_payer(const ledger *self)
{
    return self->driver->fee_payer(self);
}

int64_t ledger_fee(const ledger *self)
{
    return self->driver->fee(self);
}

base_code ledger_check(ledger *self, int64_t *ret_height, base_error *err)
{
    return self->driver->check(self, ret_height, err);
}

base_code ledger_find_account(ledger *self, ledger_account *ret, base_error *err)
{
    return self->driver->find_account(self, ret, err);
}

base_code ledger_make(ledger *self, const ledger_statement *statement, int64_t nonce, ledger_transaction *ret,
                      base_error *err)
{
    return self->driver->make(self, statement, nonce, ret, err);
}

bool ledger_publishes(const ledger *self, base_bytes payload, const ledger_statement *statement)
{
    return self->driver->publishes(self, payload, statement);
}

ledger_answer ledger_send(ledger *self, base_bytes payload, base_error *ret_reason)
{
    return self->driver->send(self, payload, ret_reason);
}

base_code ledger_find(ledger *self, const char *const *hashes, size_t count, int64_t blocks, ledger_sighting *sightings,
                      base_error *err)
{
    return self->driver->find(self, hashes, count, blocks, sightings, err);
}

void ledger_end(ledger *self, int64_t after_ms)
{
    self->driver->end(self, after_ms);
}

void ledger_free(ledger *self)
{
    if (self != NULL)
        self->driver->free(self);
}
