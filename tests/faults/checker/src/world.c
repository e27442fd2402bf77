#include "world.h"

#include "ledger/anchor.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024, FIRST_ITEMS = 64 };

_Static_assert(sizeof(ledger_memo) == 33, "a memo is a key with a terminator");

checker_content checker_content_of(base_bytes data)
{
    checker_content content;
    crypto_generichash(content.bytes, sizeof(content.bytes), data.data, data.size, NULL, 0);
    return content;
}

void *checker_room(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity == 0 ? FIRST_ITEMS : *capacity * 2;
    void *grown = count < CHECKER_NOBODY ? reallocarray(items, wanted, size) : NULL;
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

static uint64_t mix(const uint8_t key[32])
{
    uint64_t words[4];
    memcpy(words, key, sizeof(words));
    uint64_t mixed = 0;
    for (size_t i = 0; i < 4; i++) {
        mixed = (mixed ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        mixed ^= mixed >> 32;
    }
    return mixed;
}

/* The slot of the key, or the free one where it belongs. */
static size_t find_slot(const checker_table *table, const uint8_t key[32])
{
    size_t slot = mix(key) & (table->slots - 1);
    while (table->values[slot] != CHECKER_NOBODY && memcmp(table->keys[slot], key, sizeof(table->keys[slot])) != 0)
        slot = (slot + 1) & (table->slots - 1);
    return slot;
}

uint32_t checker_table_get(const checker_table *table, const uint8_t key[32])
{
    return table->slots == 0 ? CHECKER_NOBODY : table->values[find_slot(table, key)];
}

static void put(checker_table *table, const uint8_t key[32], uint32_t value)
{
    size_t slot = find_slot(table, key);
    memcpy(table->keys[slot], key, sizeof(table->keys[slot]));
    table->values[slot] = value;
    table->count++;
}

static void table_done(checker_table *table)
{
    free(table->keys);
    free(table->values);
    *table = (checker_table){0};
}

static base_code grow(checker_table *table, base_error *err)
{
    size_t slots = table->slots == 0 ? FIRST_SLOTS : table->slots * 2;
    checker_table grown = {
        .keys = calloc(slots, sizeof(*grown.keys)), .values = malloc(slots * sizeof(*grown.values)), .slots = slots};
    if (grown.keys == NULL || grown.values == NULL) {
        table_done(&grown);
        return base_fail(err, BASE_NO_MEMORY, "no memory for a table of %zu", slots);
    }
    for (size_t i = 0; i < slots; i++)
        grown.values[i] = CHECKER_NOBODY;
    for (size_t i = 0; i < table->slots; i++)
        if (table->values[i] != CHECKER_NOBODY)
            put(&grown, table->keys[i], table->values[i]);
    table_done(table);
    *table = grown;
    return BASE_OK;
}

base_code checker_table_add(checker_table *table, const uint8_t key[32], uint32_t value, base_error *err)
{
    if (2 * (table->count + 1) > table->slots) {
        base_code code = grow(table, err);
        if (code != BASE_OK)
            return code;
    }
    put(table, key, value);
    return BASE_OK;
}

base_code checker_submission_of(checker_world *world, const base_sha256 *sha256, uint32_t *ret, base_error *err)
{
    *ret = checker_table_get(&world->by_sha256, sha256->bytes);
    if (*ret != CHECKER_NOBODY)
        return BASE_OK;
    checker_submission *made;
    CHECKER_APPEND(&world->submissions, made, err);
    made->sha256 = *sha256;
    made->transaction = made->events = made->letters = made->landed_first = CHECKER_NOBODY;
    *ret = (uint32_t)(world->submissions.count - 1);
    return checker_table_add(&world->by_sha256, sha256->bytes, *ret, err);
}

base_code checker_transaction_of(checker_world *world, const char *hash, uint32_t *ret, base_error *err)
{
    *ret = CHECKER_NOBODY;
    if (hash[0] == '\0')
        return BASE_OK;
    if (strlen(hash) > WIRE_TRANSACTION_MAX)
        return base_fail(err, BASE_INVALID, "the hash of a transaction has over %d characters", WIRE_TRANSACTION_MAX);
    base_digest key = base_digest_of(base_bytes_of(hash, strlen(hash)));
    *ret = checker_table_get(&world->by_hash, key.bytes);
    if (*ret != CHECKER_NOBODY)
        return BASE_OK;
    checker_transaction *made;
    CHECKER_APPEND(&world->transactions, made, err);
    snprintf(made->hash, sizeof(made->hash), "%s", hash);
    made->row_submission = made->owner = CHECKER_NOBODY;
    *ret = (uint32_t)(world->transactions.count - 1);
    return checker_table_add(&world->by_hash, key.bytes, *ret, err);
}

base_code checker_memo_add(checker_world *world, uint32_t submission, const base_digest *proof, base_error *err)
{
    ledger_memo memo = ledger_anchor_memo(&world->submissions.items[submission].sha256, proof);
    const uint8_t *key = (const uint8_t *)memo.text;
    if (checker_table_get(&world->by_memo, key) != CHECKER_NOBODY)
        return BASE_OK;
    return checker_table_add(&world->by_memo, key, submission, err);
}

uint32_t checker_memo_get(const checker_world *world, const char *memo)
{
    return strlen(memo) == 32 ? checker_table_get(&world->by_memo, (const uint8_t *)memo) : CHECKER_NOBODY;
}

base_code checker_reason_of(checker_world *world, const char *code, uint32_t *ret, base_error *err)
{
    for (size_t i = 0; i < world->reasons.count; i++) {
        if (strcmp(world->reasons.items[i], code) == 0) {
            *ret = (uint32_t)i;
            return BASE_OK;
        }
    }
    if (world->reasons.count == CHECKER_REASONS_MAX) {
        *ret = CHECKER_REASONS_MAX - 1;
        return BASE_OK;
    }
    char **made;
    CHECKER_APPEND(&world->reasons, made, err);
    *ret = (uint32_t)(world->reasons.count - 1);
    *made = strdup(code);
    return *made != NULL ? BASE_OK : base_fail(err, BASE_NO_MEMORY, "no memory for a reason");
}

const char *checker_reason_text(const checker_world *world, uint32_t reason)
{
    return world->reasons.items[reason];
}

void checker_world_done(checker_world *world)
{
    for (size_t i = 0; i < world->reasons.count; i++)
        free(world->reasons.items[i]);
    table_done(&world->by_sha256);
    table_done(&world->by_hash);
    table_done(&world->by_memo);
    free(world->submissions.items);
    free(world->events.items);
    free(world->letters.items);
    free(world->stray_letters.items);
    free(world->jobs.items);
    free(world->transactions.items);
    free(world->spends.items);
    free(world->payers.items);
    free(world->reasons.items);
}
