#include "submissions.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "evidence/key.h"
#include "evidence/witness.h"
#include "fatal.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 1024 /* bytes of one encoded message; it holds no image */
#define IMAGE_MAX   128

static size_t first_slot(const bench_submissions *set, const base_sha256 *sha256)
{
    size_t start;
    memcpy(&start, sha256->bytes, sizeof(start));
    return start & set->slot_mask;
}

static void insert(bench_submissions *set, size_t index)
{
    size_t slot = first_slot(set, &set->list[index].sha256);
    while (set->slots[slot] != 0)
        slot = (slot + 1) & set->slot_mask;
    set->slots[slot] = index + 1;
}

bench_submission *bench_submissions_find(const bench_submissions *set, const base_sha256 *sha256)
{
    for (size_t slot = first_slot(set, sha256); set->slots[slot] != 0; slot = (slot + 1) & set->slot_mask) {
        bench_submission *candidate = &set->list[set->slots[slot] - 1];
        if (memcmp(&candidate->sha256, sha256, sizeof(*sha256)) == 0)
            return candidate;
    }
    return NULL;
}

/* `salt` sets this set's images apart from those of every other. */
static base_code make_one(bench_submissions *set, size_t index, const char *salt, const evidence_private_key *key,
                          base_error *err)
{
    bench_submission *submission = &set->list[index];
    char image[IMAGE_MAX];
    int length = snprintf(image, sizeof(image), "image %zu of %s", index, salt);
    evidence_witness witness;
    evidence_witness_of(base_bytes_of(image, (size_t)length), &submission->sha256, &witness);
    evidence_signature signature;
    base_code code = evidence_sign(key, &submission->sha256, &signature, err);
    if (code != BASE_OK)
        return code;
    const evidence_public_key *signer = evidence_private_key_public(key);
    wire_generate_proof message = {
        .sha256 = submission->sha256,
        .final_round = {.message_word = witness.message_word, .round_constant = witness.round_constant},
        .submitted_unix_ms = base_unix_ms()};
    snprintf(message.correlation_id, sizeof(message.correlation_id), "%s", base_uuid_random().text);
    memcpy(message.final_round.state, witness.state, sizeof(witness.state));
    memcpy(message.final_round.initial_state, witness.initial_state, sizeof(witness.initial_state));
    memcpy(message.signature_r, signature.r, sizeof(signature.r));
    memcpy(message.signature_s, signature.s, sizeof(signature.s));
    memcpy(message.public_key_x, signer->x, sizeof(signer->x));
    memcpy(message.public_key_y, signer->y, sizeof(signer->y));
    submission->offset = set->bytes.size;
    code = wire_generate_proof_encode(&message, &set->bytes, err);
    submission->size = set->bytes.size - submission->offset;
    return code;
}

void bench_submissions_make(size_t count, bench_submissions *ret)
{
    size_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    *ret = (bench_submissions){.list = bench_allocate(count, sizeof(bench_submission)),
                               .count = count,
                               .bytes = {.limit = count * MESSAGE_MAX},
                               .slots = bench_allocate(slots, sizeof(size_t)),
                               .slot_mask = slots - 1};
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    base_error err = {0};
    bench_require(evidence_private_key_generate(&key, &err), &err, "make a key");
    base_uuid_text salt = base_uuid_random();
    for (size_t i = 0; i < count; i++) {
        bench_require(make_one(ret, i, salt.text, key, &err), &err, "make a submission");
        insert(ret, i);
    }
}

void bench_submissions_done(bench_submissions *set)
{
    free(set->list);
    free(set->slots);
    base_buffer_done(&set->bytes);
    *set = (bench_submissions){0};
}

base_bytes bench_submissions_message(const bench_submissions *set, size_t index)
{
    const bench_submission *submission = &set->list[index];
    return base_bytes_of(set->bytes.data + submission->offset, submission->size);
}
