#include "load.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hex.h"
#include "broker/publish.h"
#include "evidence/key.h"
#include "evidence/witness.h"
#include "harness/wait.h"
#include "random.h"
#include "wire/headers.h"
#include "wire/messages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    BATCH = 100, /* messages of one publication, at most */
    TICK_MS = 20,
    PUBLISH_MS = 3000,
    AGAIN_MS = 100,
    LAST_MS = 60000, /* to get the last ones through after the end */
    ITEMS_MAX = 4000000,
    MESSAGE_ID_MAX = 128,
    GARBAGE_MAX = 300, /* bytes */
    /* Out of a thousand messages: */
    FORGED = 15,
    DUPLICATE = 20,
    GARBAGE = 10,
};

typedef enum message_kind { HONEST, IS_FORGED, IS_DUPLICATE, IS_GARBAGE } message_kind;

typedef struct message {
    message_kind kind;
    base_sha256 sha256;
    base_buffer payload;
    char id[MESSAGE_ID_MAX];
} message;

struct load {
    broker_connection *broker;
    const broker_names *names;
    evidence_private_key *creator;
    chaos_random random;
    uint64_t seed;
    double per_second;
    pthread_t thread;
    bool joined;
    atomic_bool stopping;
    size_t made, forged; /* images */
    load_item *items;
    size_t count, capacity;
    load_totals totals;
    message batch[BATCH];
};

static void must(base_code code, const base_error *err)
{
    if (code != BASE_OK)
        harness_fail("load: %s (%s)", err->message, base_code_name(code));
}

/* The same image for the same number, signed anew each time. */
static void make_submission(load *l, size_t number, bool forged, message *ret)
{
    char image[96];
    base_error err = {0};
    evidence_witness witness;
    evidence_signature signature;
    wire_generate_proof job = {.submitted_unix_ms = base_unix_ms()};
    int length = snprintf(image, sizeof(image), "%simage %zu of the run with seed %llu", forged ? "forged " : "",
                          number, (unsigned long long)l->seed);
    evidence_witness_of(base_bytes_of(image, (size_t)length), &job.sha256, &witness);
    must(evidence_sign(l->creator, &job.sha256, &signature, &err), &err);
    memcpy(job.final_round.state, witness.state, sizeof(witness.state));
    memcpy(job.final_round.initial_state, witness.initial_state, sizeof(witness.initial_state));
    job.final_round.message_word = witness.message_word;
    job.final_round.round_constant = witness.round_constant;
    memcpy(job.signature_r, signature.r, sizeof(signature.r));
    memcpy(job.signature_s, signature.s, sizeof(signature.s));
    const evidence_public_key *key = evidence_private_key_public(l->creator);
    memcpy(job.public_key_x, key->x, sizeof(key->x));
    memcpy(job.public_key_y, key->y, sizeof(key->y));
    job.signature_s[31] ^= forged;
    snprintf(job.correlation_id, sizeof(job.correlation_id), "%s", base_uuid_random().text);
    must(wire_generate_proof_encode(&job, &ret->payload, &err), &err);
    ret->sha256 = job.sha256;
    snprintf(ret->id, sizeof(ret->id), "%s", base_sha256_hex(&job.sha256).text);
}

/* Nothing, noise, or a message cut short. */
static void make_garbage(load *l, message *ret)
{
    base_error err = {0};
    uint8_t noise[GARBAGE_MAX];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)chaos_random_next(&l->random);
    switch (chaos_random_between(&l->random, 0, 2)) {
    case 0:
        break;
    case 1:
        must(base_buffer_append(&ret->payload, base_bytes_of(noise, 1 + noise[0]), &err), &err);
        break;
    default:
        make_submission(l, 0, false, ret);
        ret->payload.size = ret->payload.size * 2 / 3;
    }
    snprintf(ret->id, sizeof(ret->id), "garbage.%s", base_uuid_random().text);
}

static void make_message(load *l, message *ret)
{
    int64_t chance = chaos_random_between(&l->random, 0, 999);
    base_buffer_clear(&ret->payload);
    ret->payload.limit = WIRE_MESSAGE_MAX;
    ret->kind = HONEST;
    if (chance < GARBAGE) {
        ret->kind = IS_GARBAGE;
        make_garbage(l, ret);
        return;
    }
    if (chance < GARBAGE + DUPLICATE && l->made > 0) { /* of an earlier image, under another message id */
        ret->kind = IS_DUPLICATE;
        make_submission(l, (size_t)chaos_random_between(&l->random, 0, (int64_t)l->made - 1), false, ret);
        size_t length = strlen(ret->id);
        snprintf(ret->id + length, sizeof(ret->id) - length, ".%s", base_uuid_random().text);
        return;
    }
    if (chance < GARBAGE + DUPLICATE + FORGED)
        ret->kind = IS_FORGED;
    make_submission(l, ret->kind == IS_FORGED ? l->forged++ : l->made++, ret->kind == IS_FORGED, ret);
}

static void remember(load *l, const message *accepted)
{
    l->totals.garbage += accepted->kind == IS_GARBAGE;
    l->totals.duplicates += accepted->kind == IS_DUPLICATE;
    l->totals.forged += accepted->kind == IS_FORGED;
    if (accepted->kind != HONEST && accepted->kind != IS_FORGED)
        return;
    l->totals.submissions++;
    if (l->count == l->capacity) {
        l->capacity = l->capacity > 0 ? 2 * l->capacity : 4096;
        l->items = l->capacity <= ITEMS_MAX ? realloc(l->items, l->capacity * sizeof(*l->items)) : NULL;
        if (l->items == NULL)
            harness_fail("load: too many submissions");
    }
    l->items[l->count++] = (load_item){accepted->sha256, accepted->kind == IS_FORGED};
}

/* Publishes until every message is acknowledged: one that was stored and not acknowledged is found by its id. */
static void publish(load *l, size_t count)
{
    broker_message messages[BATCH] = {0};
    broker_publish_result results[BATCH];
    static const broker_header TYPE = {WIRE_HEADER_TYPE, WIRE_TYPE_GENERATE_PROOF};
    for (size_t i = 0; i < count; i++)
        messages[i] = (broker_message){l->names->subject_generate, base_buffer_view(&l->batch[i].payload),
                                       l->batch[i].id, &TYPE, 1};
    base_error err = {0};
    int64_t stopping_ms = 0;
    while (broker_publish(l->broker, messages, count, PUBLISH_MS, results, &err) != BASE_OK) {
        if (stopping_ms == 0 && atomic_load(&l->stopping))
            stopping_ms = base_monotonic_ms();
        if (stopping_ms != 0 && base_monotonic_ms() - stopping_ms > LAST_MS)
            harness_fail("load: NATS takes nothing: %s", err.message);
        base_sleep_ms(AGAIN_MS);
    }
    for (size_t i = 0; i < count; i++)
        remember(l, &l->batch[i]);
}

static void *run(void *ctx)
{
    load *l = ctx;
    size_t sent = 0;
    int64_t start_ms = base_monotonic_ms();
    while (!atomic_load(&l->stopping)) {
        size_t due = (size_t)((double)(base_monotonic_ms() - start_ms) * l->per_second / 1000);
        size_t count = due - sent < BATCH ? due - sent : BATCH;
        for (size_t i = 0; i < count; i++)
            make_message(l, &l->batch[i]);
        if (count > 0)
            publish(l, count);
        else
            base_sleep_ms(TICK_MS);
        sent += count;
    }
    return NULL;
}

load *load_new(broker_connection *broker, const broker_names *names, uint64_t seed, double per_second)
{
    load *l = calloc(1, sizeof(*l));
    if (l == NULL)
        harness_fail("out of memory");
    l->broker = broker;
    l->names = names;
    l->seed = seed;
    l->random.state = ~seed; /* not the numbers of the schedule */
    l->per_second = per_second;
    base_error err = {0};
    must(evidence_private_key_generate(&l->creator, &err), &err);
    int failed = pthread_create(&l->thread, NULL, run, l);
    if (failed != 0)
        harness_fail("no thread for the load: %s", strerror(failed));
    return l;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(&((const load_item *)a)->sha256, &((const load_item *)b)->sha256, sizeof(base_sha256));
}

void load_stop(load *l)
{
    if (l->joined)
        return;
    atomic_store(&l->stopping, true);
    pthread_join(l->thread, NULL);
    l->joined = true;
    if (l->count > 0)
        qsort(l->items, l->count, sizeof(*l->items), by_hash);
}

const load_item *load_items(const load *l, size_t *ret_count)
{
    *ret_count = l->count;
    return l->items;
}

load_totals load_read_totals(const load *l)
{
    return l->totals;
}

void load_free(load *l)
{
    if (l == NULL)
        return;
    load_stop(l);
    for (size_t i = 0; i < BATCH; i++)
        base_buffer_done(&l->batch[i].payload);
    evidence_private_key_free(l->creator);
    free(l->items);
    free(l);
}
