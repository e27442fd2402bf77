/* Making transactions: memo, bytes, hash and signature; nothing here talks to a node. */
#include "ledger/anchor.h"
#include "ledger/null.h"
#include "mina/payment.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET_KEY "EKEiSTLcuVbi6xj86GKwzJLikrECqezZLVKqyvTX2p52rCDGbRvx"
#define ADDRESS    "B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y"

BASE_CLEANUP_POINTER(json_t, json_decref);

static const ledger_statement STATEMENT = {.image = {{1, 2, 3}}, .proof = {{4, 5, 6}}, .format = "ecdsa-p256-sok-v1"};

static base_code try_new(const char *url, const char *network, const char *key, int64_t fee, ledger **ret,
                         base_error *err)
{
    BASE_CLEANUP(base_secret_done) base_secret secret = {0};
    assert_int_equal(base_secret_copy(base_bytes_of(key, strlen(key)), &secret, NULL), BASE_OK);
    const ledger_anchor_options options = {
        .node_url = url, .network = network, .private_key = &secret, .fee_nanomina = fee};
    return ledger_anchor_new(&options, ret, err);
}

static ledger *new_ledger(const char *network)
{
    ledger *made = NULL;
    base_error err = {0};
    if (try_new("http://127.0.0.1:9/graphql", network, SECRET_KEY, 1000000, &made, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return made;
}

/* base64.urlsafe_b64encode(hashlib.blake2b(b"proofline-anchor-v1" + image + proof, digest_size=24).digest()) in Python. */
static void the_memo_is_the_one_that_pythons_hashlib_gives(void **state)
{
    (void)state;
    base_sha256 image;
    base_digest proof;
    for (size_t i = 0; i < sizeof(image.bytes); i++) {
        image.bytes[i] = (uint8_t)i;
        proof.bytes[i] = (uint8_t)(0xff - i);
    }
    assert_string_equal(ledger_anchor_memo(&image, &proof).text, "FHvkoZIPR2DsgvPQrwbRKlVPcFugiskX");
    memset(&image, 0, sizeof(image));
    memset(&proof, 0, sizeof(proof));
    assert_string_equal(ledger_anchor_memo(&image, &proof).text, "55i6jAsZNDu_WMqHGvCEYL6kNjPvpyKu");
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

/* Reads the body back as a node would, without the code that wrote it. */
static void read_payload(const ledger_transaction *made, mina_payment *ret, mina_signature *ret_signature)
{
    BASE_CLEANUP(json_decref) json_t *body = json_loadb((const char *)made->payload.data, made->payload.size, 0, NULL);
    const json_t *variables = json_object_get(body, "variables");
    const json_t *input = json_object_get(variables, "input");
    const json_t *signature = json_object_get(variables, "signature");
    assert_non_null(strstr(text_at(body, "query"), "sendPayment"));
    const char *memo = text_at(input, "memo");
    *ret = (mina_payment){.amount = strtoull(text_at(input, "amount"), NULL, 10),
                          .fee = strtoull(text_at(input, "fee"), NULL, 10),
                          .nonce = (uint32_t)strtoul(text_at(input, "nonce"), NULL, 10),
                          .valid_until = (uint32_t)strtoul(text_at(input, "validUntil"), NULL, 10)};
    assert_int_equal(mina_public_key_parse(text_at(input, "from"), &ret->from, NULL), BASE_OK);
    assert_int_equal(mina_public_key_parse(text_at(input, "to"), &ret->to, NULL), BASE_OK);
    assert_int_equal(mina_memo_of(base_bytes_of(memo, strlen(memo)), &ret->memo, NULL), BASE_OK);
    assert_int_equal(
        mina_signature_parse(text_at(signature, "field"), text_at(signature, "scalar"), ret_signature, NULL), BASE_OK);
}

static void a_transaction_is_a_signed_payment_of_nothing_to_itself(void **state)
{
    (void)state;
    BASE_CLEANUP(ledger_free) ledger *anchor = new_ledger("devnet");
    assert_string_equal(ledger_fee_payer(anchor), ADDRESS);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = {0};
    assert_int_equal(ledger_make(anchor, &STATEMENT, 7, &made, NULL), BASE_OK);
    assert_int_equal(made.nonce, 7);
    assert_int_equal(made.fee_nanomina, 1000000);

    mina_payment payment;
    mina_signature signature;
    read_payload(&made, &payment, &signature);
    assert_true(mina_public_key_equal(&payment.from, &payment.to));
    assert_string_equal(mina_public_key_format(&payment.from).text, ADDRESS);
    assert_true(payment.amount == 0);
    assert_true(payment.fee == 1000000);
    assert_int_equal(payment.nonce, 7);
    assert_true(payment.valid_until == UINT32_MAX);
    base_bytes memo = mina_memo_content(&payment.memo);
    assert_int_equal(memo.size, 32);
    assert_memory_equal(memo.data, ledger_anchor_memo(&STATEMENT.image, &STATEMENT.proof).text, 32);
    assert_int_equal(mina_payment_verify(&payment, MINA_DEVNET, &signature, NULL), BASE_OK);
    assert_int_equal(mina_payment_verify(&payment, MINA_MAINNET, &signature, NULL), BASE_INVALID);
    assert_string_equal(made.hash, mina_payment_hash(&payment).text);
}

static void making_again_gives_the_same_bytes_and_another_nonce_gives_others(void **state)
{
    (void)state;
    BASE_CLEANUP(ledger_free) ledger *anchor = new_ledger("devnet");
    BASE_CLEANUP(ledger_free) ledger *elsewhere = new_ledger("devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction first = {0};
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction again = {0};
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction next = {0};
    assert_int_equal(ledger_make(anchor, &STATEMENT, 7, &first, NULL), BASE_OK);
    assert_int_equal(ledger_make(elsewhere, &STATEMENT, 7, &again, NULL), BASE_OK);
    assert_int_equal(ledger_make(anchor, &STATEMENT, 8, &next, NULL), BASE_OK);
    assert_true(base_bytes_equal(base_buffer_view(&first.payload), base_buffer_view(&again.payload)));
    assert_string_equal(first.hash, again.hash);
    assert_false(base_bytes_equal(base_buffer_view(&first.payload), base_buffer_view(&next.payload)));
    assert_string_not_equal(first.hash, next.hash);
}

static void a_transaction_publishes_its_own_statement_and_no_other(void **state)
{
    (void)state;
    BASE_CLEANUP(ledger_free) ledger *anchor = new_ledger("devnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = {0};
    assert_int_equal(ledger_make(anchor, &STATEMENT, 7, &made, NULL), BASE_OK);
    assert_true(ledger_publishes(anchor, base_buffer_view(&made.payload), &STATEMENT));
    ledger_statement other = STATEMENT;
    other.proof.bytes[31] ^= 1;
    assert_false(ledger_publishes(anchor, base_buffer_view(&made.payload), &other));
    assert_false(ledger_publishes(anchor, base_bytes_of("", 0), &STATEMENT));
    assert_int_equal(ledger_fee(anchor), 1000000);
}

static void a_transaction_for_mainnet_is_signed_for_mainnet(void **state)
{
    (void)state;
    BASE_CLEANUP(ledger_free) ledger *anchor = new_ledger("mainnet");
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction made = {0};
    assert_int_equal(ledger_make(anchor, &STATEMENT, 0, &made, NULL), BASE_OK);
    mina_payment payment;
    mina_signature signature;
    read_payload(&made, &payment, &signature);
    assert_int_equal(mina_payment_verify(&payment, MINA_MAINNET, &signature, NULL), BASE_OK);
}

static void a_nonce_outside_32_bits_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(ledger_free) ledger *anchor = new_ledger("devnet");
    ledger_transaction made = {0};
    base_error err = {0};
    assert_int_equal(ledger_make(anchor, &STATEMENT, -1, &made, &err), BASE_INVALID);
    assert_int_equal(ledger_make(anchor, &STATEMENT, UINT32_MAX, &made, &err), BASE_INVALID);
    assert_null(made.payload.data);
}

static void every_wrong_option_is_named_and_the_key_never_quoted(void **state)
{
    (void)state;
    ledger *made = NULL;
    base_error err = {0};
    assert_int_equal(try_new("ftp://x", "devnet", SECRET_KEY, 1, &made, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "URL"));
    assert_int_equal(try_new("http://x/", "moonnet", SECRET_KEY, 1, &made, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "moonnet"));
    assert_int_equal(try_new("http://x/", "devnet", SECRET_KEY, 0, &made, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "fee"));
    assert_int_equal(try_new("http://x/", "devnet", "EKEiSTLcuVbi", 1, &made, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "private key"));
    assert_null(strstr(err.message, "EKEi"));
    assert_null(made);
}

static void answers_have_distinct_names(void **state)
{
    (void)state;
    for (int i = LEDGER_ACCEPTED; i <= LEDGER_REJECTED; i++)
        for (int j = LEDGER_ACCEPTED; j < i; j++)
            assert_string_not_equal(ledger_answer_name((ledger_answer)i), ledger_answer_name((ledger_answer)j));
    assert_string_equal(ledger_answer_name(LEDGER_NONCE), "nonce");
}

#ifdef PROOFLINE_BENCH
static void the_null_ledger_takes_all_and_counts_nonces(void **state)
{
    (void)state;
    ledger *null = NULL;
    assert_int_equal(ledger_null_new(&null, NULL), BASE_OK);
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction a = {0};
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction b = {0};
    assert_int_equal(ledger_make(null, &STATEMENT, 41, &a, NULL), BASE_OK);
    assert_int_equal(ledger_make(null, &STATEMENT, 42, &b, NULL), BASE_OK);
    assert_string_not_equal(a.hash, b.hash);
    base_error err = {0};
    assert_int_equal(ledger_send(null, base_buffer_view(&b.payload), &err), LEDGER_ACCEPTED);
    assert_int_equal(ledger_send(null, base_buffer_view(&a.payload), &err), LEDGER_ACCEPTED);
    assert_int_equal(ledger_send(null, base_bytes_of("?", 1), &err), LEDGER_REJECTED);
    ledger_account account;
    assert_int_equal(ledger_find_account(null, &account, NULL), BASE_OK);
    assert_int_equal(account.inferred_nonce, 43);
    ledger_free(null);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memo_is_the_one_that_pythons_hashlib_gives),
        cmocka_unit_test(a_transaction_is_a_signed_payment_of_nothing_to_itself),
        cmocka_unit_test(making_again_gives_the_same_bytes_and_another_nonce_gives_others),
        cmocka_unit_test(a_transaction_publishes_its_own_statement_and_no_other),
        cmocka_unit_test(a_transaction_for_mainnet_is_signed_for_mainnet),
        cmocka_unit_test(a_nonce_outside_32_bits_is_refused),
        cmocka_unit_test(every_wrong_option_is_named_and_the_key_never_quoted),
        cmocka_unit_test(answers_have_distinct_names),
#ifdef PROOFLINE_BENCH
        cmocka_unit_test(the_null_ledger_takes_all_and_counts_nonces),
#endif
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
