#include "evidence/witness.h"

#include "sha256.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { BLOCK = 64, LENGTH_AT = 56, READ_CHUNK = 65536 };

static_assert(sizeof(evidence_witness) == EVIDENCE_WITNESS_SIZE, "18 words without padding");

void evidence_hasher_init(evidence_hasher *hasher)
{
    *hasher = (evidence_hasher){0};
    memcpy(hasher->chain, evidence_sha256_initial, sizeof(hasher->chain));
}

void evidence_hasher_update(evidence_hasher *hasher, base_bytes data)
{
    if (data.size == 0)
        return;
    const uint8_t *at = data.data;
    size_t left = data.size;
    size_t filled = (size_t)(hasher->size % BLOCK);
    hasher->size += data.size;
    if (filled > 0) {
        size_t part = left < BLOCK - filled ? left : BLOCK - filled;
        memcpy(hasher->block + filled, at, part);
        at += part;
        left -= part;
        if (filled + part < BLOCK)
            return;
        evidence_sha256_compress(hasher->chain, hasher->block, &hasher->last);
    }
    for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
        evidence_sha256_compress(hasher->chain, at, &hasher->last);
    if (left > 0)
        memcpy(hasher->block, at, left);
}

static void store_words(const uint32_t words[8], base_sha256 *ret)
{
    for (size_t i = 0; i < 8; i++) {
        ret->bytes[4 * i] = (uint8_t)(words[i] >> 24);
        ret->bytes[4 * i + 1] = (uint8_t)(words[i] >> 16);
        ret->bytes[4 * i + 2] = (uint8_t)(words[i] >> 8);
        ret->bytes[4 * i + 3] = (uint8_t)words[i];
    }
}

void evidence_hasher_finish(evidence_hasher *hasher, base_sha256 *ret_hash, evidence_witness *ret_witness)
{
    static const uint8_t padding[BLOCK] = {0x80};
    uint64_t bits = hasher->size * 8;
    size_t filled = (size_t)(hasher->size % BLOCK);
    size_t pad = filled < LENGTH_AT ? LENGTH_AT - filled : BLOCK + LENGTH_AT - filled;
    evidence_hasher_update(hasher, base_bytes_of(padding, pad));
    uint8_t length[8];
    for (size_t i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    evidence_hasher_update(hasher, base_bytes_of(length, sizeof(length)));
    store_words(hasher->chain, ret_hash);
    *ret_witness = hasher->last;
}

void evidence_witness_of(base_bytes image, base_sha256 *ret_hash, evidence_witness *ret_witness)
{
    evidence_hasher hasher;
    evidence_hasher_init(&hasher);
    evidence_hasher_update(&hasher, image);
    evidence_hasher_finish(&hasher, ret_hash, ret_witness);
}

base_code evidence_witness_file(const char *path, base_sha256 *ret_hash, evidence_witness *ret_witness, base_error *err)
{
    BASE_CLEANUP(base_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        base_code code = errno == ENOENT ? BASE_NOT_FOUND : errno == EACCES ? BASE_DENIED : BASE_INTERNAL;
        return base_fail(err, code, "cannot open %s: %s", path, strerror(errno));
    }
    evidence_hasher hasher;
    evidence_hasher_init(&hasher);
    for (;;) {
        uint8_t chunk[READ_CHUNK];
        ssize_t count = read(fd, chunk, sizeof(chunk));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return base_fail(err, BASE_INTERNAL, "cannot read %s: %s", path, strerror(errno));
        if (count == 0)
            break;
        evidence_hasher_update(&hasher, base_bytes_of(chunk, (size_t)count));
    }
    evidence_hasher_finish(&hasher, ret_hash, ret_witness);
    return BASE_OK;
}

base_code evidence_witness_check(const evidence_witness *witness, const base_sha256 *hash, base_error *err)
{
    if (witness->round_constant != SHA256_LAST_CONSTANT)
        return base_fail(err, BASE_INVALID,
                         "witness: the round constant is not that of the last SHA-256 round (0xc67178f2)");
    uint32_t v[8];
    memcpy(v, witness->state, sizeof(v));
    evidence_sha256_round(v, witness->message_word, witness->round_constant);
    for (size_t i = 0; i < 8; i++)
        v[i] += witness->initial_state[i];
    base_sha256 reached;
    store_words(v, &reached);
    if (memcmp(reached.bytes, hash->bytes, sizeof(reached.bytes)) != 0)
        return base_fail(err, BASE_INVALID,
                         "witness: its last SHA-256 round does not end in the hash of the submission");
    return BASE_OK;
}
