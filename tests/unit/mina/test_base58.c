/* Base58check and its edges. */
#include "suites.h"

#include "mina/base58.h"
#include "mina/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS "B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y"

enum { PUBLIC_KEY_PAYLOAD = 35 };

static void refuses(const char *text, const char *because)
{
    uint8_t payload[PUBLIC_KEY_PAYLOAD];
    base_error err = {0};
    assert_int_equal(mina_base58_decode("address", MINA_BASE58_PUBLIC_KEY, text, payload, sizeof(payload), &err),
                     BASE_INVALID);
    if (strstr(err.message, because) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, because);
}

static void what_was_encoded_decodes_to_the_same_bytes(void **state)
{
    (void)state;
    for (size_t size = 0; size <= MINA_BASE58_PAYLOAD_MAX; size++) {
        uint8_t payload[MINA_BASE58_PAYLOAD_MAX];
        for (size_t i = 0; i < size; i++)
            payload[i] = (uint8_t)(255 - i * size);
        char text[MINA_BASE58_TEXT_MAX];
        assert_int_equal(mina_base58_encode(MINA_BASE58_MEMO, base_bytes_of(payload, size), text, sizeof(text), NULL),
                         BASE_OK);
        uint8_t decoded[MINA_BASE58_PAYLOAD_MAX];
        assert_int_equal(mina_base58_decode("it", MINA_BASE58_MEMO, text, decoded, size, NULL), BASE_OK);
        assert_memory_equal(decoded, payload, size);
    }
}

static void a_bitcoin_address_with_a_zero_version_keeps_its_leading_one(void **state)
{
    (void)state;
    /* The genesis block's address: version 0, so the text starts with the digit for zero. */
    uint8_t hash[20];
    char text[MINA_BASE58_TEXT_MAX];
    assert_int_equal(mina_base58_decode("address", (mina_base58_version)0, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", hash,
                                        sizeof(hash), NULL),
                     BASE_OK);
    assert_int_equal(hash[0], 0x62);
    assert_int_equal(hash[19], 0x18);
    assert_int_equal(
        mina_base58_encode((mina_base58_version)0, base_bytes_of(hash, sizeof(hash)), text, sizeof(text), NULL),
        BASE_OK);
    assert_string_equal(text, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
}

static void a_text_that_is_wrong_is_refused_and_says_why(void **state)
{
    (void)state;
    refuses("", "empty");
    refuses("B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Z", "checksum");
    refuses("B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1", "checksum");
    refuses("B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1YY", "length");
    refuses("1" ADDRESS, "length");
    refuses("B62", "length");
    refuses("1111111", "length");
    refuses("O62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y", "character");
    refuses(" " ADDRESS, "character");
    refuses("B62qi\xc3\xa4", "character");
    char endless[1000];
    memset(endless, 'z', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    refuses(endless, "too long");
}

static void a_text_for_something_else_is_refused(void **state)
{
    (void)state;
    uint8_t payload[PUBLIC_KEY_PAYLOAD];
    base_error err = {0};
    assert_int_equal(mina_base58_decode("memo", MINA_BASE58_MEMO, ADDRESS, payload, sizeof(payload), &err),
                     BASE_INVALID);
    assert_non_null(strstr(err.message, "something else"));
}

static void what_does_not_fit_is_a_limit(void **state)
{
    (void)state;
    const uint8_t payload[MINA_BASE58_PAYLOAD_MAX + 1] = {1};
    char text[MINA_BASE58_TEXT_MAX];
    assert_int_equal(
        mina_base58_encode(MINA_BASE58_MEMO, base_bytes_of(payload, sizeof(payload)), text, sizeof(text), NULL),
        BASE_LIMIT);
    assert_int_equal(mina_base58_encode(MINA_BASE58_MEMO, base_bytes_of(payload, 32), text, 10, NULL), BASE_LIMIT);
}

int run_base58_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encoded_decodes_to_the_same_bytes),
        cmocka_unit_test(a_bitcoin_address_with_a_zero_version_keeps_its_leading_one),
        cmocka_unit_test(a_text_that_is_wrong_is_refused_and_says_why),
        cmocka_unit_test(a_text_for_something_else_is_refused),
        cmocka_unit_test(what_does_not_fit_is_a_limit),
    };
    return cmocka_run_group_tests_name("base58check", tests, NULL, NULL);
}
