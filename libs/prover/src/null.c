#include "prover/null.h"

#include "prover/driver.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

typedef struct null_prover {
    struct prover base;
    size_t blob_size;
} null_prover;

static_assert(BASE_SHA256_SIZE == crypto_stream_chacha20_KEYBYTES, "the hash is the key of the keystream");

static void fill(const base_sha256 *hash, uint8_t *blob, size_t size)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    memcpy(blob, hash->bytes, sizeof(hash->bytes));
    crypto_stream_chacha20(blob + sizeof(hash->bytes), size - sizeof(hash->bytes), nonce, hash->bytes);
}

static base_code append_blob(const base_sha256 *hash, size_t size, base_buffer *ret, base_error *err)
{
    BASE_CLEANUP(free) uint8_t *blob = malloc(size);
    if (blob == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a proof of %zu bytes", size);
    fill(hash, blob, size);
    return base_buffer_append(ret, base_bytes_of(blob, size), err);
}

static base_code prove(struct prover *prover, const prover_statement *statement, base_buffer *ret_blob, base_error *err)
{
    const null_prover *null = (const null_prover *)prover;
    return append_blob(&statement->hash, null->blob_size, ret_blob, err);
}

static void release(struct prover *prover)
{
    free(prover);
}

static const prover_driver driver = {.format = PROVER_NULL_FORMAT, .prove = prove, .free = release};

base_code prover_null_new(size_t blob_size, struct prover **ret, base_error *err)
{
    if (blob_size < PROVER_NULL_BLOB_MIN || blob_size > PROVER_BLOB_MAX)
        return base_fail(err, BASE_INVALID, "a null proof has %d to %d bytes, not %zu", PROVER_NULL_BLOB_MIN,
                         PROVER_BLOB_MAX, blob_size);
    null_prover *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a prover");
    made->base.driver = &driver;
    made->blob_size = blob_size;
    *ret = &made->base;
    return BASE_OK;
}

base_code prover_null_verify(const prover_claim *claim, base_bytes blob, base_error *err)
{
    if (blob.size < PROVER_NULL_BLOB_MIN || blob.size > PROVER_BLOB_MAX)
        return base_fail(err, BASE_INVALID, "a null proof has no %zu bytes", blob.size);
    BASE_CLEANUP(base_buffer_done) base_buffer expected = {.limit = PROVER_BLOB_MAX};
    base_code code = append_blob(&claim->hash, blob.size, &expected, err);
    if (code == BASE_OK && !base_bytes_equal(blob, base_buffer_view(&expected)))
        return base_fail(err, BASE_INVALID, "the null proof is about another hash");
    return code;
}
