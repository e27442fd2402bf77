#include "ledger/null.h"

#include "driver.h"

#include "base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char FEE_PAYER[] = "null";

enum { PAYLOAD_MAX = 128 };

typedef struct null_ledger {
    ledger base;
    int64_t nonce; /* the next one */
} null_ledger;

static void free_null(ledger *self)
{
    free(self);
}

static const char *fee_payer(const ledger *self)
{
    (void)self;
    return FEE_PAYER;
}

static int64_t fee(const ledger *self)
{
    (void)self;
    return 0;
}

static base_code check(ledger *self, int64_t *ret_height, base_error *err)
{
    (void)self;
    (void)err;
    if (ret_height != NULL)
        *ret_height = 1;
    return BASE_OK;
}

static base_code find_account(ledger *self, ledger_account *ret, base_error *err)
{
    (void)err;
    const null_ledger *n = (const null_ledger *)self;
    *ret = (ledger_account){true, n->nonce, n->nonce, UINT64_MAX, 1};
    return BASE_OK;
}

static base_code make(ledger *self, const ledger_statement *statement, int64_t nonce, ledger_transaction *ret,
                      base_error *err)
{
    (void)self;
    BASE_CLEANUP(ledger_transaction_done)
    ledger_transaction made = {.nonce = nonce, .payload = {.limit = PAYLOAD_MAX}};
    base_hex32 image = base_sha256_hex(&statement->image);
    base_code code = base_buffer_printf(&made.payload, err, "%" PRId64 " %s", nonce, image.text);
    if (code != BASE_OK)
        return code;
    /* Unlike in every other transaction, and the same when it is made again. */
    snprintf(made.hash, sizeof(made.hash), "null%" PRId64 "x%s", nonce, image.text);
    *ret = made;
    made = (ledger_transaction){0};
    return BASE_OK;
}

static bool publishes(const ledger *self, base_bytes payload, const ledger_statement *statement)
{
    (void)self;
    base_hex32 image = base_sha256_hex(&statement->image);
    return memmem(payload.data, payload.size, image.text, strlen(image.text)) != NULL;
}

static ledger_answer send_payload(ledger *self, base_bytes payload, base_error *ret_reason)
{
    null_ledger *n = (null_ledger *)self;
    char text[PAYLOAD_MAX + 1];
    size_t size = payload.size < PAYLOAD_MAX ? payload.size : PAYLOAD_MAX;
    memcpy(text, payload.data, size);
    text[size] = '\0';
    char *end;
    int64_t nonce = strtoll(text, &end, 10);
    if (end == text) {
        base_fail(ret_reason, BASE_INVALID, "the null ledger did not make this payload");
        return LEDGER_REJECTED;
    }
    if (nonce >= n->nonce)
        n->nonce = nonce + 1;
    return LEDGER_ACCEPTED;
}

static base_code find(ledger *self, const char *const *hashes, size_t count, int64_t blocks, ledger_sighting *sightings,
                      base_error *err)
{
    (void)self;
    (void)hashes;
    (void)blocks;
    (void)err;
    for (size_t i = 0; i < count; i++)
        sightings[i] = (ledger_sighting){.place = LEDGER_INCLUDED, .tip_height = 1, .block_height = 1};
    return BASE_OK;
}

/* Nothing here waits. */
static void end(ledger *self, int64_t after_ms)
{
    (void)self;
    (void)after_ms;
}

static const ledger_driver NULL_DRIVER = {fee_payer, fee,          check, find_account, make,
                                          publishes, send_payload, find,  end,          free_null};

base_code ledger_null_new(ledger **ret, base_error *err)
{
    null_ledger *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a ledger");
    n->base.driver = &NULL_DRIVER;
    *ret = &n->base;
    return BASE_OK;
}
