/* Text as each thing that Mina writes in base58check or decimal, and bytes as the payload of each. What is accepted is written again
 * as the same text, what is written is read again as the same bytes, and no message quotes a private key. */
#include "fuzz.h"
#include "mina/base58.h"
#include "mina/payment.h"

static const mina_base58_version VERSIONS[] = {MINA_BASE58_STATE_HASH,       MINA_BASE58_MEMO,
                                               MINA_BASE58_TRANSACTION_HASH, MINA_BASE58_SECRET_KEY,
                                               MINA_BASE58_SIGNATURE,        MINA_BASE58_PUBLIC_KEY};
enum { VERSION_COUNT = sizeof(VERSIONS) / sizeof(VERSIONS[0]), QUOTE = 12 };

/* No QUOTE characters in a row of a secret stand in the message about it; no word of our messages is that long. */
static void check_unquoted(const char *secret, const base_error *err)
{
    size_t length = strlen(secret);
    for (size_t i = 0; i + QUOTE <= length; i++) {
        char part[QUOTE + 1] = "";
        memcpy(part, secret + i, QUOTE);
        FUZZ_CHECK(strchr(part, ' ') != NULL || strstr(err->message, part) == NULL);
    }
}

static void base58_of_any_size(const char *text, mina_base58_version version)
{
    for (size_t size = 0; size <= MINA_BASE58_PAYLOAD_MAX; size++) {
        uint8_t payload[MINA_BASE58_PAYLOAD_MAX];
        char again[MINA_BASE58_TEXT_MAX];
        base_error err = {0};
        base_code code = mina_base58_decode("it", version, text, payload, size, &err);
        FUZZ_CHECK_ANSWER(code, err);
        if (code != BASE_OK)
            continue;
        FUZZ_CHECK(mina_base58_encode(version, base_bytes_of(payload, size), again, sizeof(again), &err) == BASE_OK);
        FUZZ_CHECK(strcmp(again, text) == 0);
    }
}

static void public_key(const char *text)
{
    mina_public_key key;
    base_error err = {0};
    base_code code = mina_public_key_parse(text, &key, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK(mina_is_address(text) == (code == BASE_OK));
    FUZZ_CHECK(code != BASE_OK || strcmp(mina_public_key_format(&key).text, text) == 0);
}

static void secret_key(const char *text)
{
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(base_secret_done) base_secret again = {0};
    base_error err = {0};
    base_code code = mina_secret_key_parse(text, &key, &err);
    FUZZ_CHECK_ANSWER(code, err);
    check_unquoted(text, &err);
    FUZZ_CHECK((code == BASE_OK) == (key.scalar.data != NULL));
    if (code != BASE_OK)
        return;
    FUZZ_CHECK(mina_secret_key_format(&key, &again, &err) == BASE_OK);
    FUZZ_CHECK(strcmp(again.data, text) == 0);
    public_key(mina_public_key_format(&key.public_key).text); /* the key that it gives is on the curve */
}

static void memo(const char *text)
{
    mina_memo found;
    base_error err = {0};
    base_code code = mina_memo_parse(text, &found, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code != BASE_OK)
        return;
    FUZZ_CHECK(strcmp(mina_memo_format(&found).text, text) == 0);
    base_bytes content = mina_memo_content(&found);
    FUZZ_CHECK(content.size <= MINA_MEMO_TEXT_MAX);
    mina_memo made;
    FUZZ_CHECK(mina_memo_of(content, &made, &err) == BASE_OK);
    FUZZ_CHECK(base_bytes_equal(mina_memo_content(&made), content));
}

static void decimals(const char *text)
{
    mina_signature signature;
    base_error err = {0};
    base_code code = mina_signature_parse(text, text, &signature, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code != BASE_OK)
        return;
    mina_signature_text again = mina_signature_format(&signature);
    const char *digits = text + strspn(text, "0");
    FUZZ_CHECK(strcmp(again.field, *digits == '\0' ? "0" : digits) == 0);
    FUZZ_CHECK(strcmp(again.scalar, again.field) == 0);
}

static void network(const char *text)
{
    mina_network found;
    base_error err = {0};
    base_code code = mina_network_parse(text, &found, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK(code != BASE_OK || strcmp(text, "testnet") == 0 || strcmp(mina_network_name(found), text) == 0);
}

/* The first byte chooses among what base58 can carry, the rest is the payload. */
static void payload(base_bytes input)
{
    mina_base58_version version = VERSIONS[fuzz_number(&input, 1) % VERSION_COUNT];
    char text[MINA_BASE58_TEXT_MAX];
    base_error err = {0};
    base_code code = mina_base58_encode(version, input, text, sizeof(text), &err);
    FUZZ_CHECK((code == BASE_OK) == (input.size <= MINA_BASE58_PAYLOAD_MAX));
    if (code != BASE_OK)
        return;
    uint8_t again[MINA_BASE58_PAYLOAD_MAX] = {0};
    FUZZ_CHECK(mina_base58_decode("it", version, text, again, input.size, &err) == BASE_OK);
    FUZZ_CHECK(base_bytes_equal(base_bytes_of(again, input.size), input));
    public_key(text);
    secret_key(text);
    memo(text);
    char small[8];
    code = mina_base58_encode(version, input, small, sizeof(small), &err);
    FUZZ_CHECK((code == BASE_OK) == (strlen(text) < sizeof(small)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    BASE_CLEANUP(free) char *text = fuzz_text(input);
    base58_of_any_size(text, VERSIONS[size % VERSION_COUNT]);
    public_key(text);
    secret_key(text);
    memo(text);
    decimals(text);
    network(text);
    payload(input);
    return 0;
}
