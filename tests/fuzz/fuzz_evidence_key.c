/* Text as a creator's key (hex or PEM, public or private) and as a list of signers: what is accepted is written again as the same key,
 * and no message quotes a private key. */
#include "evidence/key.h"
#include "evidence/signers.h"
#include "fuzz.h"

enum { QUOTE = 20 }; /* characters in a row, longer than any word of our messages */

static bool are_equal(const evidence_public_key *a, const evidence_public_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Only a point of P-256 can be read back. */
static void check_point(const evidence_public_key *key)
{
    base_error err = {0};
    evidence_public_key again;
    evidence_public_key_text hex = evidence_public_key_hex(key);
    FUZZ_CHECK(evidence_public_key_from_hex(base_bytes_of(hex.text, strlen(hex.text)), &again, &err) == BASE_OK);
    FUZZ_CHECK(are_equal(key, &again));
}

static void public_key(base_bytes text)
{
    evidence_public_key key;
    evidence_public_key again;
    BASE_CLEANUP(base_buffer_done) base_buffer pem = {.limit = EVIDENCE_PEM_MAX};
    base_error err = {0};
    base_code code = evidence_public_key_parse(text, &key, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code != BASE_OK)
        return;
    check_point(&key);
    FUZZ_CHECK(evidence_public_key_to_pem(&key, &pem, &err) == BASE_OK);
    FUZZ_CHECK(evidence_public_key_from_pem(base_buffer_view(&pem), &again, &err) == BASE_OK);
    FUZZ_CHECK(are_equal(&key, &again));
}

static void check_unquoted(base_bytes secret, const base_error *err)
{
    size_t length = strlen(err->message);
    for (size_t i = 0; i + QUOTE <= length; i++)
        FUZZ_CHECK(memchr(err->message + i, ' ', QUOTE) != NULL ||
                   memmem(secret.data, secret.size, err->message + i, QUOTE) == NULL);
}

static void private_key(base_bytes text)
{
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *again = NULL;
    BASE_CLEANUP(base_secret_done) base_secret pem = {0};
    base_error err = {0};
    base_code code = evidence_private_key_from_pem(text, &key, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK((code == BASE_OK) == (key != NULL));
    if (code != BASE_OK) {
        check_unquoted(text, &err);
        return;
    }
    FUZZ_CHECK(evidence_private_key_to_pem(key, &pem, &err) == BASE_OK);
    FUZZ_CHECK(evidence_private_key_from_pem(base_bytes_of(pem.data, pem.size), &again, &err) == BASE_OK);
    FUZZ_CHECK(are_equal(evidence_private_key_public(key), evidence_private_key_public(again)));
    base_sha256 hash = {{1}};
    evidence_signature signature;
    FUZZ_CHECK(evidence_sign(key, &hash, &signature, &err) == BASE_OK);
    FUZZ_CHECK(evidence_signature_verify(evidence_private_key_public(again), &hash, &signature, &err) == BASE_OK);
}

/* Whoever is listed is allowed, and an empty list is never the reading of a text with something in it. */
static void signers(const char *text)
{
    BASE_CLEANUP(evidence_signers_done) evidence_signers list = {0};
    base_error err = {0};
    base_code code = evidence_signers_parse(text, &list, &err);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID || code == BASE_LIMIT);
    FUZZ_CHECK_WHY(code, err);
    if (code != BASE_OK) {
        FUZZ_CHECK(list.count == 0 && list.keys == NULL);
        return;
    }
    FUZZ_CHECK(list.count <= EVIDENCE_SIGNERS_MAX);
    FUZZ_CHECK((list.count == 0) == (text[strspn(text, " \t\r\n")] == '\0'));
    for (size_t i = 0; i < list.count; i++) {
        check_point(&list.keys[i]);
        FUZZ_CHECK(evidence_signers_allow(&list, &list.keys[i], &err) == BASE_OK);
    }
    evidence_public_key stranger = {{0}, {0}};
    code = evidence_signers_allow(&list, &stranger, &err);
    FUZZ_CHECK(code == (list.count == 0 ? BASE_OK : BASE_INVALID));
    FUZZ_CHECK_WHY(code, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    BASE_CLEANUP(free) char *text = fuzz_text(input);
    public_key(input);
    private_key(input);
    signers(text);
    return 0;
}
