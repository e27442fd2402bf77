#pragma once
/* What a driver of this library provides: one function per call of ledger/ledger.h, with the same meaning. */
#include "ledger/ledger.h"

typedef struct ledger_driver {
    const char *(*fee_payer)(const ledger *self);
    int64_t (*fee)(const ledger *self);
    base_code (*check)(ledger *self, int64_t *ret_height, base_error *err);
    base_code (*find_account)(ledger *self, ledger_account *ret, base_error *err);
    base_code (*make)(ledger *self, const ledger_statement *statement, int64_t nonce, ledger_transaction *ret,
                      base_error *err);
    bool (*publishes)(const ledger *self, base_bytes payload, const ledger_statement *statement);
    ledger_answer (*send)(ledger *self, base_bytes payload, base_error *ret_reason);
    base_code (*find)(ledger *self, const char *const *hashes, size_t count, int64_t blocks, ledger_sighting *sightings,
                      base_error *err);
    void (*end)(ledger *self, int64_t after_ms);
    void (*free)(ledger *self);
} ledger_driver;

/* First member of every driver's own struct. */
struct ledger {
    const ledger_driver *driver;
};
