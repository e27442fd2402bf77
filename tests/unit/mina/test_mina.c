/* Keys, payments, signatures and hashes against payments signed by mina-signer. */
#include "mina/base58.h"
#include "mina/payment.h"
#include "suites.h"

#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VECTORS = 40, THREADS = 4 };

/* The modulus p of the base field and the order q of the group, in decimal. */
#define P         "28948022309329048855892746252171976963363056481941560715954676764349967630337"
#define P_MINUS_1 "28948022309329048855892746252171976963363056481941560715954676764349967630336"
#define Q         "28948022309329048855892746252171976963363056481941647379679742748393362948097"
#define Q_MINUS_1 "28948022309329048855892746252171976963363056481941647379679742748393362948096"

typedef struct vector {
    const char *secret_key;
    const char *hash;
    const char *field;
    const char *scalar;
    mina_network network;
    mina_payment payment;
} vector;

static json_t *file;
static vector vectors[VECTORS];

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static uint64_t number_of(const json_t *object, const char *name)
{
    return strtoull(text_of(object, name), NULL, 10);
}

static void read_vector(const json_t *item, vector *ret)
{
    const json_t *payment = json_object_get(item, "payment");
    const json_t *signature = json_object_get(item, "signature");
    const char *memo = text_of(payment, "memo");
    *ret = (vector){
        .secret_key = text_of(item, "privateKey"),
        .hash = text_of(item, "hash"),
        .field = text_of(signature, "field"),
        .scalar = text_of(signature, "scalar"),
        .payment = {.amount = number_of(payment, "amount"),
                    .fee = number_of(payment, "fee"),
                    .nonce = (uint32_t)number_of(payment, "nonce"),
                    .valid_until = (uint32_t)number_of(payment, "validUntil")},
    };
    assert_int_equal(mina_network_parse(text_of(item, "network"), &ret->network, NULL), BASE_OK);
    assert_int_equal(mina_public_key_parse(text_of(payment, "from"), &ret->payment.from, NULL), BASE_OK);
    assert_int_equal(mina_public_key_parse(text_of(payment, "to"), &ret->payment.to, NULL), BASE_OK);
    assert_int_equal(mina_memo_of(base_bytes_of(memo, strlen(memo)), &ret->payment.memo, NULL), BASE_OK);
}

static int load_vectors(void **state)
{
    (void)state;
    file = json_load_file(FIXTURES_DIR "/mina/payments.json", 0, NULL);
    const json_t *items = json_object_get(file, "vectors");
    if (json_array_size(items) != VECTORS)
        return -1;
    for (size_t i = 0; i < VECTORS; i++)
        read_vector(json_array_get(items, i), &vectors[i]);
    return 0;
}

static int release_vectors(void **state)
{
    (void)state;
    json_decref(file);
    return 0;
}

static mina_signature sign_vector(const vector *v)
{
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    mina_signature signature = {{0}, {0}};
    base_error err = {0};
    if (mina_secret_key_parse(v->secret_key, &key, &err) != BASE_OK ||
        mina_payment_sign(&v->payment, v->network, &key, &signature, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return signature;
}

static void every_payment_gets_the_signature_that_mina_signer_gives(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        mina_signature signature = sign_vector(&vectors[i]);
        mina_signature_text text = mina_signature_format(&signature);
        assert_string_equal(text.field, vectors[i].field);
        assert_string_equal(text.scalar, vectors[i].scalar);
    }
}

static void every_payment_gets_the_hash_that_mina_signer_gives(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        assert_string_equal(mina_payment_hash(&vectors[i].payment).text, vectors[i].hash);
        assert_true(mina_is_transaction_hash(vectors[i].hash));
    }
}

static void every_signature_of_mina_signer_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        mina_signature signature;
        assert_int_equal(mina_signature_parse(vectors[i].field, vectors[i].scalar, &signature, NULL), BASE_OK);
        assert_int_equal(mina_payment_verify(&vectors[i].payment, vectors[i].network, &signature, NULL), BASE_OK);
    }
}

static void refuses(const vector *v, mina_payment changed, mina_network network)
{
    mina_signature signature;
    assert_int_equal(mina_signature_parse(v->field, v->scalar, &signature, NULL), BASE_OK);
    assert_int_equal(mina_payment_verify(&changed, network, &signature, NULL), BASE_INVALID);
}

static void a_payment_changed_in_any_field_is_refused(void **state)
{
    (void)state;
    const vector *v = &vectors[0];
    mina_payment changed = v->payment;
    changed.amount ^= 1;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.fee ^= UINT64_C(1) << 63;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.nonce ^= 1;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.valid_until ^= 1U << 31;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.to = v->payment.from;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.to.is_odd = !changed.to.is_odd;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.from.is_odd = !changed.from.is_odd;
    refuses(v, changed, v->network);
    changed = v->payment;
    changed.from = vectors[1].payment.from;
    refuses(v, changed, v->network);
    for (size_t i = 0; i < MINA_MEMO_SIZE; i++) {
        changed = v->payment;
        changed.memo.bytes[i] ^= 1;
        refuses(v, changed, v->network);
    }
    refuses(v, v->payment, v->network == MINA_DEVNET ? MINA_MAINNET : MINA_DEVNET);
}

static void a_signature_changed_in_any_byte_is_refused(void **state)
{
    (void)state;
    const vector *v = &vectors[1];
    mina_signature good;
    assert_int_equal(mina_signature_parse(v->field, v->scalar, &good, NULL), BASE_OK);
    for (size_t i = 0; i < MINA_FIELD_SIZE; i++) {
        mina_signature bad = good;
        bad.field[i] ^= 1;
        assert_int_equal(mina_payment_verify(&v->payment, v->network, &bad, NULL), BASE_INVALID);
        bad = good;
        bad.scalar[i] ^= 0x80;
        assert_int_equal(mina_payment_verify(&v->payment, v->network, &bad, NULL), BASE_INVALID);
    }
}

static void only_the_senders_key_signs(void **state)
{
    (void)state;
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key other = {0};
    assert_int_equal(mina_secret_key_generate(&other, NULL), BASE_OK);
    mina_signature signature;
    const mina_payment *payment = &vectors[0].payment;
    assert_int_equal(mina_payment_sign(payment, MINA_DEVNET, &other, &signature, NULL), BASE_INVALID);
    const mina_secret_key none = {.public_key = payment->from};
    assert_int_equal(mina_payment_sign(payment, MINA_DEVNET, &none, &signature, NULL), BASE_INVALID);
}

static void a_generated_key_signs_and_survives_its_text_form(void **state)
{
    (void)state;
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key again = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    assert_int_equal(mina_secret_key_generate(&key, NULL), BASE_OK);
    assert_int_equal(mina_secret_key_format(&key, &text, NULL), BASE_OK);
    assert_int_equal(strncmp(text.data, "EK", 2), 0);
    assert_int_equal(text.size, MINA_SECRET_KEY_CHARS);
    assert_int_equal(mina_secret_key_parse(text.data, &again, NULL), BASE_OK);
    assert_true(mina_public_key_equal(&key.public_key, &again.public_key));

    mina_payment payment = vectors[2].payment;
    payment.from = key.public_key;
    mina_signature signature;
    assert_int_equal(mina_payment_sign(&payment, MINA_MAINNET, &again, &signature, NULL), BASE_OK);
    assert_int_equal(mina_payment_verify(&payment, MINA_MAINNET, &signature, NULL), BASE_OK);
}

static void text_forms_of_the_vectors_come_back_unchanged(void **state)
{
    (void)state;
    const json_t *items = json_object_get(file, "vectors");
    for (size_t i = 0; i < VECTORS; i++) {
        const char *address = text_of(json_array_get(items, i), "publicKey");
        assert_string_equal(mina_public_key_format(&vectors[i].payment.from).text, address);
        assert_true(mina_is_address(address));
        BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
        BASE_CLEANUP(base_secret_done) base_secret text = {0};
        assert_int_equal(mina_secret_key_parse(vectors[i].secret_key, &key, NULL), BASE_OK);
        assert_true(mina_public_key_equal(&key.public_key, &vectors[i].payment.from));
        assert_int_equal(mina_secret_key_format(&key, &text, NULL), BASE_OK);
        assert_string_equal(text.data, vectors[i].secret_key);
        mina_memo memo;
        assert_int_equal(mina_memo_parse(mina_memo_format(&vectors[i].payment.memo).text, &memo, NULL), BASE_OK);
        assert_memory_equal(memo.bytes, vectors[i].payment.memo.bytes, MINA_MEMO_SIZE);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    assert_false(mina_is_address(NULL));
    assert_false(mina_is_address(""));
    assert_false(mina_is_address(vectors[0].secret_key));
    assert_false(mina_is_address(vectors[0].hash));
    mina_public_key key = vectors[0].payment.from;
    int on_curve = 0;
    for (int i = 0; i < 64; i++) { /* half of all x have no point: the text is well formed and still no address */
        key.x[0] = (uint8_t)i;
        on_curve += mina_is_address(mina_public_key_format(&key).text);
    }
    assert_in_range(on_curve, 10, 54);
    memset(key.x, 0xff, sizeof(key.x));
    base_error err = {0};
    assert_int_equal(mina_public_key_parse(mina_public_key_format(&key).text, &key, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "modulus"));
}

static void what_is_no_secret_key_is_refused_without_quoting_it(void **state)
{
    (void)state;
    mina_secret_key key;
    base_error err = {0};
    char wrong[MINA_SECRET_KEY_CHARS + 1];
    memcpy(wrong, vectors[0].secret_key, sizeof(wrong));
    wrong[MINA_SECRET_KEY_CHARS - 1] = wrong[MINA_SECRET_KEY_CHARS - 1] == '2' ? '3' : '2';
    assert_int_equal(mina_secret_key_parse(wrong, &key, &err), BASE_INVALID);
    assert_null(strstr(err.message, "EK"));
    assert_int_equal(mina_secret_key_parse("", &key, &err), BASE_INVALID);
    assert_int_equal(mina_secret_key_parse(mina_public_key_format(&vectors[0].payment.from).text, &key, &err),
                     BASE_INVALID);
}

typedef struct foreign_text {
    char text[MINA_BASE58_TEXT_MAX];
} foreign_text;

/* The base58check text of `size` bytes, as a careless or hostile program would make it. */
static foreign_text encoded(mina_base58_version version, const uint8_t *payload, size_t size)
{
    foreign_text text;
    assert_int_equal(mina_base58_encode(version, base_bytes_of(payload, size), text.text, sizeof(text.text), NULL),
                     BASE_OK);
    return text;
}

static void a_secret_number_outside_the_group_is_refused(void **state)
{
    (void)state;
    mina_secret_key key = {0};
    base_error err = {0};
    uint8_t payload[33] = {1}; /* the format's version, then the number: zero */
    assert_int_equal(mina_secret_key_parse(encoded(MINA_BASE58_SECRET_KEY, payload, 33).text, &key, &err),
                     BASE_INVALID);
    assert_non_null(strstr(err.message, "zero or not below the group's order"));
    memset(payload + 1, 0xff, 32);
    assert_int_equal(mina_secret_key_parse(encoded(MINA_BASE58_SECRET_KEY, payload, 33).text, &key, &err),
                     BASE_INVALID);
    memset(payload + 1, 0, 32);
    payload[1] = 7;
    payload[0] = 2;
    assert_int_equal(mina_secret_key_parse(encoded(MINA_BASE58_SECRET_KEY, payload, 33).text, &key, &err),
                     BASE_INVALID);
    assert_null(key.scalar.data);
    payload[0] = 1;
    assert_int_equal(mina_secret_key_parse(encoded(MINA_BASE58_SECRET_KEY, payload, 33).text, &key, &err), BASE_OK);
    mina_secret_key_done(&key);
    base_secret text = {0};
    assert_int_equal(mina_secret_key_format(&key, &text, &err), BASE_INVALID);
    assert_string_equal(err.message, "there is no private key");
}

static void an_address_or_memo_of_an_unknown_form_is_refused(void **state)
{
    (void)state;
    mina_public_key key;
    mina_memo memo = {{9}};
    base_error err = {0};
    uint8_t payload[35] = {1, 1};
    memcpy(payload + 2, vectors[0].payment.from.x, MINA_FIELD_SIZE);
    assert_int_equal(mina_public_key_parse(encoded(MINA_BASE58_PUBLIC_KEY, payload, 35).text, &key, &err), BASE_OK);
    static const struct {
        size_t at;
        uint8_t value;
    } WRONG[] = {{0, 2}, {1, 0}, {34, 2}};
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        uint8_t bad[35];
        memcpy(bad, payload, sizeof(bad));
        bad[WRONG[i].at] = WRONG[i].value;
        assert_int_equal(mina_public_key_parse(encoded(MINA_BASE58_PUBLIC_KEY, bad, 35).text, &key, &err),
                         BASE_INVALID);
        assert_string_equal(err.message, "Mina address: unknown format of a public key");
    }
    assert_int_equal(mina_memo_parse(vectors[0].hash, &memo, &err), BASE_INVALID);
    uint8_t content[MINA_MEMO_SIZE] = {2};
    assert_int_equal(mina_memo_parse(encoded(MINA_BASE58_MEMO, content, sizeof(content)).text, &memo, &err),
                     BASE_INVALID);
    assert_string_equal(err.message, "memo: unknown form");
    content[0] = 1;
    content[1] = MINA_MEMO_TEXT_MAX + 1; /* longer than there is room for */
    assert_int_equal(mina_memo_parse(encoded(MINA_BASE58_MEMO, content, sizeof(content)).text, &memo, &err),
                     BASE_INVALID);
    assert_int_equal(memo.bytes[0], 9);
}

static void a_signature_of_a_sender_that_is_no_point_is_refused(void **state)
{
    (void)state;
    mina_signature signature;
    assert_int_equal(mina_signature_parse(vectors[0].field, vectors[0].scalar, &signature, NULL), BASE_OK);
    mina_payment payment = vectors[0].payment;
    memset(payment.from.x, 0xff, MINA_FIELD_SIZE);
    base_error err = {0};
    assert_int_equal(mina_payment_verify(&payment, vectors[0].network, &signature, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "modulus"));
}

static void numbers_of_a_signature_stay_below_their_moduli(void **state)
{
    (void)state;
    mina_signature signature;
    assert_int_equal(mina_signature_parse(P_MINUS_1, Q_MINUS_1, &signature, NULL), BASE_OK);
    mina_signature_text text = mina_signature_format(&signature);
    assert_string_equal(text.field, P_MINUS_1);
    assert_string_equal(text.scalar, Q_MINUS_1);
    assert_int_equal(mina_signature_parse("0", "0", &signature, NULL), BASE_OK);
    assert_string_equal(mina_signature_format(&signature).field, "0");

    assert_int_equal(mina_signature_parse(P, "1", &signature, NULL), BASE_INVALID);
    assert_int_equal(mina_signature_parse("1", Q, &signature, NULL), BASE_INVALID);
    assert_int_equal(mina_signature_parse("1", P, &signature, NULL), BASE_OK);
    /* 2^256 wraps to zero in 256 bits. */
    const char *wraps = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    assert_int_equal(mina_signature_parse(wraps, "1", &signature, NULL), BASE_INVALID);
}

static void numbers_of_a_signature_are_digits_only(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "1.0"};
    mina_signature signature;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(mina_signature_parse(bad[i], "1", &signature, NULL), BASE_INVALID);
        assert_int_equal(mina_signature_parse("1", bad[i], &signature, NULL), BASE_INVALID);
    }
    char zeros[MINA_DECIMAL_MAX + 2];
    memset(zeros, '0', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';
    assert_int_equal(mina_signature_parse(zeros, "1", &signature, NULL), BASE_INVALID);
}

static void a_memo_has_at_most_32_bytes(void **state)
{
    (void)state;
    const char text[] = "123456789012345678901234567890123";
    mina_memo memo;
    assert_int_equal(mina_memo_of(base_bytes_of(text, 33), &memo, NULL), BASE_INVALID);
    assert_int_equal(mina_memo_of(base_bytes_of(text, 32), &memo, NULL), BASE_OK);
    base_bytes content = mina_memo_content(&memo);
    assert_int_equal(content.size, 32);
    assert_memory_equal(content.data, text, 32);
    assert_int_equal(mina_memo_of((base_bytes){0}, &memo, NULL), BASE_OK);
    assert_int_equal(mina_memo_content(&memo).size, 0);
    /* As Mina's documentation and explorers show the empty memo. */
    assert_string_equal(mina_memo_format(&memo).text, "E4YM2vTHhWEg66xpj52JErHUBU4pZ1yageL4TVDDpTTSsv8mK6YaH");
}

static void a_testnet_signs_as_devnet(void **state)
{
    (void)state;
    mina_network network = MINA_MAINNET;
    assert_int_equal(mina_network_parse("testnet", &network, NULL), BASE_OK);
    assert_int_equal(network, MINA_DEVNET);
    assert_int_equal(mina_network_parse("Mainnet", &network, NULL), BASE_INVALID);
    assert_string_equal(mina_network_name(MINA_MAINNET), "mainnet");
}

static void *sign_some(void *arg)
{
    bool *all_equal = arg;
    for (size_t i = 0; i < 10; i++) {
        BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
        mina_signature signature;
        if (mina_secret_key_parse(vectors[i].secret_key, &key, NULL) != BASE_OK ||
            mina_payment_sign(&vectors[i].payment, vectors[i].network, &key, &signature, NULL) != BASE_OK ||
            strcmp(mina_signature_format(&signature).scalar, vectors[i].scalar) != 0 ||
            mina_payment_verify(&vectors[i].payment, vectors[i].network, &signature, NULL) != BASE_OK)
            *all_equal = false;
    }
    return NULL;
}

static void threads_sign_and_verify_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    bool all_equal[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        all_equal[i] = true;
        assert_int_equal(pthread_create(&threads[i], NULL, sign_some, &all_equal[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(all_equal[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_payment_gets_the_signature_that_mina_signer_gives),
        cmocka_unit_test(every_payment_gets_the_hash_that_mina_signer_gives),
        cmocka_unit_test(every_signature_of_mina_signer_is_accepted),
        cmocka_unit_test(a_payment_changed_in_any_field_is_refused),
        cmocka_unit_test(a_signature_changed_in_any_byte_is_refused),
        cmocka_unit_test(only_the_senders_key_signs),
        cmocka_unit_test(a_generated_key_signs_and_survives_its_text_form),
        cmocka_unit_test(text_forms_of_the_vectors_come_back_unchanged),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(what_is_no_secret_key_is_refused_without_quoting_it),
        cmocka_unit_test(a_secret_number_outside_the_group_is_refused),
        cmocka_unit_test(an_address_or_memo_of_an_unknown_form_is_refused),
        cmocka_unit_test(a_signature_of_a_sender_that_is_no_point_is_refused),
        cmocka_unit_test(numbers_of_a_signature_stay_below_their_moduli),
        cmocka_unit_test(numbers_of_a_signature_are_digits_only),
        cmocka_unit_test(a_memo_has_at_most_32_bytes),
        cmocka_unit_test(a_testnet_signs_as_devnet),
        cmocka_unit_test(threads_sign_and_verify_side_by_side),
    };
    int failed = cmocka_run_group_tests_name("mina", tests, load_vectors, release_vectors);
    return failed + run_base58_tests();
}
