#include "curve.h"

#include "field.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <pthread.h>

typedef struct curve {
    EC_GROUP *group; /* read-only after prepare(), so threads share it */
    BIGNUM *order;
} curve;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static curve pallas;

/* y of the generator (1, y), as the Pasta curves' specification gives it. */
static const char GENERATOR_Y[] = "1b74b5a30a12937c53dfa9f06378ee548f655bd4333d477119cf7a23caed2abb";

/* A frame of temporary numbers that are wiped when it ends. */
typedef BN_CTX curve_scratch;

static void curve_scratch_free(curve_scratch *scratch)
{
    if (scratch == NULL)
        return;
    BN_CTX_end(scratch);
    BN_CTX_free(scratch);
}
BASE_CLEANUP_POINTER(curve_scratch, curve_scratch_free);
BASE_CLEANUP_POINTER(EC_POINT, EC_POINT_clear_free);
BASE_CLEANUP_POINTER(EC_GROUP, EC_GROUP_free);
BASE_CLEANUP_POINTER(BIGNUM, BN_free);

static base_code libcrypto_failed(base_error *err)
{
    return base_fail(err, BASE_INTERNAL, "libcrypto failed in arithmetic on Pallas: out of memory?");
}

static curve_scratch *scratch_new(void)
{
    curve_scratch *scratch = BN_CTX_secure_new();
    if (scratch != NULL)
        BN_CTX_start(scratch);
    return scratch;
}

static BIGNUM *read_number(curve_scratch *scratch, const uint8_t bytes[static MINA_FIELD_SIZE])
{
    BIGNUM *number = BN_CTX_get(scratch);
    return number != NULL && BN_lebin2bn(bytes, MINA_FIELD_SIZE, number) != NULL ? number : NULL;
}

static BIGNUM *read_secret(curve_scratch *scratch, const uint8_t bytes[static MINA_FIELD_SIZE])
{
    BIGNUM *number = BN_CTX_get(scratch);
    if (number == NULL)
        return NULL;
    BN_set_flags(number, BN_FLG_CONSTTIME);
    return BN_lebin2bn(bytes, MINA_FIELD_SIZE, number);
}

static BIGNUM *number_of(pallas_number value)
{
    uint8_t bytes[MINA_FIELD_SIZE];
    pallas_number_write(value, bytes);
    return BN_lebin2bn(bytes, MINA_FIELD_SIZE, NULL);
}

static void prepare(void)
{
    BASE_CLEANUP(curve_scratch_free) curve_scratch *scratch = scratch_new();
    BASE_CLEANUP(BN_free) BIGNUM *p = number_of(PALLAS_P);
    BASE_CLEANUP(BN_free) BIGNUM *q = number_of(PALLAS_Q);
    BASE_CLEANUP(BN_free) BIGNUM *a = number_of((pallas_number){{0}});
    BASE_CLEANUP(BN_free) BIGNUM *b = number_of((pallas_number){{5}});
    BASE_CLEANUP(BN_free) BIGNUM *one = number_of((pallas_number){{1}});
    BIGNUM *y = NULL;
    if (scratch == NULL || p == NULL || q == NULL || a == NULL || b == NULL || one == NULL ||
        BN_hex2bn(&y, GENERATOR_Y) == 0)
        return;
    BASE_CLEANUP(BN_free) BIGNUM *generator_y = y;
    BASE_CLEANUP(EC_GROUP_free) EC_GROUP *group = EC_GROUP_new_curve_GFp(p, a, b, scratch);
    BASE_CLEANUP(EC_POINT_clear_free) EC_POINT *generator = group == NULL ? NULL : EC_POINT_new(group);
    if (generator == NULL || !EC_POINT_set_affine_coordinates(group, generator, one, generator_y, scratch) ||
        !EC_GROUP_set_generator(group, generator, q, one))
        return;
    pallas = (curve){BASE_TAKE(group), BASE_TAKE(q)};
}

/* NULL when memory ran out while the group was built. */
static const curve *curve_get(void)
{
    pthread_once(&once, prepare);
    return pallas.group == NULL ? NULL : &pallas;
}

static base_code write_point(const curve *c, curve_scratch *scratch, const EC_POINT *point, curve_point *ret,
                             base_error *err)
{
    if (EC_POINT_is_at_infinity(c->group, point))
        return base_fail(err, BASE_INVALID, "the point at infinity has no coordinates");
    BIGNUM *x = BN_CTX_get(scratch);
    BIGNUM *y = BN_CTX_get(scratch);
    if (y == NULL || !EC_POINT_get_affine_coordinates(c->group, point, x, y, scratch) ||
        BN_bn2lebinpad(x, ret->x, MINA_FIELD_SIZE) < 0 || BN_bn2lebinpad(y, ret->y, MINA_FIELD_SIZE) < 0)
        return libcrypto_failed(err);
    return BASE_OK;
}

base_code curve_multiply_base(const uint8_t scalar[static MINA_FIELD_SIZE], curve_point *ret, base_error *err)
{
    const curve *c = curve_get();
    BASE_CLEANUP(curve_scratch_free) curve_scratch *scratch = scratch_new();
    if (c == NULL || scratch == NULL)
        return libcrypto_failed(err);
    BASE_CLEANUP(EC_POINT_clear_free) EC_POINT *product = EC_POINT_new(c->group);
    const BIGNUM *number = read_secret(scratch, scalar);
    /* A multiple of the generator alone is what libcrypto computes by its constant-time ladder. */
    if (product == NULL || number == NULL || !EC_POINT_mul(c->group, product, number, NULL, NULL, scratch))
        return libcrypto_failed(err);
    return write_point(c, scratch, product, ret, err);
}

base_code curve_combine(const uint8_t s[static MINA_FIELD_SIZE], const uint8_t e[static MINA_FIELD_SIZE],
                        const curve_point *p, curve_point *ret, base_error *err)
{
    const curve *c = curve_get();
    BASE_CLEANUP(curve_scratch_free) curve_scratch *scratch = scratch_new();
    if (c == NULL || scratch == NULL)
        return libcrypto_failed(err);
    BASE_CLEANUP(EC_POINT_clear_free) EC_POINT *sum = EC_POINT_new(c->group);
    BASE_CLEANUP(EC_POINT_clear_free) EC_POINT *point = EC_POINT_new(c->group);
    const BIGNUM *forward = read_number(scratch, s);
    BIGNUM *back = read_number(scratch, e);
    const BIGNUM *x = read_number(scratch, p->x);
    const BIGNUM *y = read_number(scratch, p->y);
    if (sum == NULL || point == NULL || forward == NULL || back == NULL || x == NULL || y == NULL ||
        !BN_sub(back, c->order, back) || !EC_POINT_set_affine_coordinates(c->group, point, x, y, scratch) ||
        !EC_POINT_mul(c->group, sum, forward, point, back, scratch))
        return libcrypto_failed(err);
    return write_point(c, scratch, sum, ret, err);
}

base_code curve_decompress(const mina_public_key *key, curve_point *ret, base_error *err)
{
    if (!pallas_number_less(pallas_number_read(key->x), PALLAS_P))
        return base_fail(err, BASE_INVALID, "Mina address: its coordinate is not below the field's modulus");
    const curve *c = curve_get();
    BASE_CLEANUP(curve_scratch_free) curve_scratch *scratch = scratch_new();
    if (c == NULL || scratch == NULL)
        return libcrypto_failed(err);
    BASE_CLEANUP(EC_POINT_clear_free) EC_POINT *point = EC_POINT_new(c->group);
    const BIGNUM *x = read_number(scratch, key->x);
    if (point == NULL || x == NULL)
        return libcrypto_failed(err);
    ERR_set_mark(); /* a stale entry in the queue would look like a failure to this thread's next TLS call */
    bool on_curve = EC_POINT_set_compressed_coordinates(c->group, point, x, key->is_odd, scratch) == 1;
    ERR_pop_to_mark();
    if (!on_curve)
        return base_fail(err, BASE_INVALID, "Mina address: it is no point of the Pallas curve");
    return write_point(c, scratch, point, ret, err);
}

mina_public_key curve_compress(const curve_point *point)
{
    mina_public_key key = {.is_odd = (point->y[0] & 1) != 0};
    for (size_t i = 0; i < MINA_FIELD_SIZE; i++)
        key.x[i] = point->x[i];
    return key;
}

base_code curve_respond(const uint8_t k[static MINA_FIELD_SIZE], bool negate_k, const uint8_t e[static MINA_FIELD_SIZE],
                        const uint8_t secret[static MINA_FIELD_SIZE], uint8_t ret[static MINA_FIELD_SIZE],
                        base_error *err)
{
    const curve *c = curve_get();
    BASE_CLEANUP(curve_scratch_free) curve_scratch *scratch = scratch_new();
    if (c == NULL || scratch == NULL)
        return libcrypto_failed(err);
    BIGNUM *nonce = read_secret(scratch, k);
    const BIGNUM *challenge = read_number(scratch, e);
    const BIGNUM *key = read_secret(scratch, secret);
    BIGNUM *sum = BN_CTX_get(scratch);
    if (nonce == NULL || challenge == NULL || key == NULL || sum == NULL ||
        (negate_k && !BN_sub(nonce, c->order, nonce)))
        return libcrypto_failed(err);
    if (!BN_mod_mul(sum, challenge, key, c->order, scratch) || !BN_mod_add_quick(sum, sum, nonce, c->order) ||
        BN_bn2lebinpad(sum, ret, MINA_FIELD_SIZE) < 0)
        return libcrypto_failed(err);
    return BASE_OK;
}
