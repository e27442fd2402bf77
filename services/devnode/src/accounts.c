#include "accounts.h"

enum { SLOTS = CHAIN_ACCOUNTS_MAX * 2 };

base_code accounts_init(accounts *a, base_error *err)
{
    a->slots = calloc(SLOTS, sizeof(*a->slots));
    a->count = 0;
    return a->slots == NULL ? base_fail(err, BASE_NO_MEMORY, "no memory for the accounts") : BASE_OK;
}

void accounts_done(accounts *a)
{
    free(a->slots);
    *a = (accounts){0};
}

/* The account's slot, or the free one where it belongs. x coordinates are as good as random. */
static chain_account *slot_of(const accounts *a, const mina_public_key *key)
{
    size_t at = ((size_t)key->x[0] | (size_t)key->x[1] << 8 | (size_t)key->x[2] << 16) % SLOTS;
    while (a->slots[at].exists && !mina_public_key_equal(&a->slots[at].key, key))
        at = (at + 1) % SLOTS;
    return &a->slots[at];
}

chain_account *accounts_find(const accounts *a, const mina_public_key *key)
{
    chain_account *slot = slot_of(a, key);
    return slot->exists ? slot : NULL;
}

chain_account *accounts_make(accounts *a, const mina_public_key *key)
{
    chain_account *slot = slot_of(a, key);
    if (slot->exists)
        return slot;
    if (a->count == CHAIN_ACCOUNTS_MAX)
        return NULL;
    a->count++;
    *slot = (chain_account){.key = *key, .exists = true};
    return slot;
}
