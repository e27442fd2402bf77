/* Creators' keys in their text forms, signing, and the allow-list of signers. */
#include "base/hex.h"
#include "evidence/key.h"
#include "evidence/signers.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

BASE_CLEANUP_POINTER(BIO, BIO_free_all);
BASE_CLEANUP_POINTER(EVP_PKEY, EVP_PKEY_free);

static evidence_private_key *new_key(void)
{
    evidence_private_key *key = NULL;
    assert_int_equal(evidence_private_key_generate(&key, NULL), BASE_OK);
    return key;
}

static base_bytes bytes_of(const char *text)
{
    return base_bytes_of(text, strlen(text));
}

static base_bytes view(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    return base_bytes_of(data, (size_t)size);
}

static void a_signature_verifies_under_its_own_key_only(void **state)
{
    (void)state;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = new_key();
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *other = new_key();
    for (size_t i = 0; i < 50; i++) {
        base_sha256 hash;
        assert_int_equal(RAND_bytes(hash.bytes, sizeof(hash.bytes)), 1);
        evidence_signature signature;
        assert_int_equal(evidence_sign(key, &hash, &signature, NULL), BASE_OK);
        assert_int_equal(evidence_signature_verify(evidence_private_key_public(key), &hash, &signature, NULL), BASE_OK);
        assert_int_equal(evidence_signature_verify(evidence_private_key_public(other), &hash, &signature, NULL),
                         BASE_INVALID);
    }
}

static void a_private_key_survives_its_pem(void **state)
{
    (void)state;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = new_key();
    BASE_CLEANUP(base_secret_done) base_secret pem = {0};
    assert_int_equal(evidence_private_key_to_pem(key, &pem, NULL), BASE_OK);
    assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----\n", 28);
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *read = NULL;
    assert_int_equal(evidence_private_key_from_pem(base_bytes_of(pem.data, pem.size), &read, NULL), BASE_OK);
    assert_memory_equal(evidence_private_key_public(read), evidence_private_key_public(key),
                        sizeof(evidence_public_key));
    base_sha256 hash = {{7}};
    evidence_signature signature;
    assert_int_equal(evidence_sign(read, &hash, &signature, NULL), BASE_OK);
    assert_int_equal(evidence_signature_verify(evidence_private_key_public(key), &hash, &signature, NULL), BASE_OK);
}

static void a_sec1_private_key_is_read_also_after_its_parameters(void **state)
{
    (void)state;
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = EVP_EC_gen("P-256");
    BASE_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    BIO_puts(bio, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    base_error err = {0};
    assert_int_equal(evidence_private_key_from_pem(view(bio), &key, &err), BASE_OK);
    base_sha256 hash = {{1}};
    evidence_signature signature;
    assert_int_equal(evidence_sign(key, &hash, &signature, &err), BASE_OK);
    assert_int_equal(evidence_signature_verify(evidence_private_key_public(key), &hash, &signature, &err), BASE_OK);
}

static void refuses_private(base_bytes pem, const char *reason)
{
    evidence_private_key *key = NULL;
    base_error err = {0};
    assert_int_equal(evidence_private_key_from_pem(pem, &key, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, reason));
    assert_null(key);
}

static void private_keys_that_cannot_serve_are_refused_with_the_reason(void **state)
{
    (void)state;
    refuses_private(bytes_of(""), "not a private key in PEM");
    refuses_private(bytes_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "not a private key");
    char large[EVIDENCE_PEM_MAX + 1] = "";
    refuses_private(base_bytes_of(large, sizeof(large)), "at most 4096 bytes");

    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *p384 = EVP_EC_gen("P-384");
    BASE_CLEANUP(BIO_free_all) BIO *curve = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(curve, p384, NULL, NULL, 0, NULL, NULL), 1);
    refuses_private(view(curve), "not on the curve P-256");

    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BASE_CLEANUP(BIO_free_all) BIO *kind = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(kind, edwards, NULL, NULL, 0, NULL, NULL), 1);
    refuses_private(view(kind), "not on the curve P-256");

    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *p256 = EVP_EC_gen("P-256");
    BASE_CLEANUP(BIO_free_all) BIO *locked = BIO_new(BIO_s_mem());
    const char passphrase[] = "secret";
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(locked, p256, EVP_aes_128_cbc(), passphrase, 6, NULL, NULL), 1);
    refuses_private(view(locked), "encrypted");
    BASE_CLEANUP(BIO_free_all) BIO *public_half = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(public_half, p256), 1);
    refuses_private(view(public_half), "not a private key in PEM");
}

/* SEC 1 compressed form of a key in hex. */
static void compress(const evidence_public_key *key, char ret[67])
{
    snprintf(ret, 67, "%s%.64s", (key->y[31] & 1) != 0 ? "03" : "02", evidence_public_key_hex(key).text);
}

static void parses_as(base_bytes text, const evidence_public_key *expected)
{
    evidence_public_key key = {0};
    assert_int_equal(evidence_public_key_parse(text, &key, NULL), BASE_OK);
    assert_memory_equal(&key, expected, sizeof(key));
}

static void a_public_key_is_read_in_each_of_its_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        BASE_CLEANUP(evidence_private_key_free) evidence_private_key *secret = new_key();
        const evidence_public_key *key = evidence_private_key_public(secret);
        char text[160], compressed[67];
        snprintf(text, sizeof(text), " %s\n", evidence_public_key_hex(key).text);
        parses_as(bytes_of(text), key);
        snprintf(text, sizeof(text), "04%s", evidence_public_key_hex(key).text);
        parses_as(bytes_of(text), key);
        compress(key, compressed);
        parses_as(bytes_of(compressed), key);
        BASE_CLEANUP(base_buffer_done) base_buffer pem = {.limit = EVIDENCE_PEM_MAX};
        assert_int_equal(evidence_public_key_to_pem(key, &pem, NULL), BASE_OK);
        parses_as(base_buffer_view(&pem), key);
    }
}

static void texts_that_are_no_public_key_are_refused(void **state)
{
    (void)state;
    char hybrid[131], zeros[129], letters[129];
    memset(zeros, '0', 128);
    memset(letters, 'g', 128);
    zeros[128] = letters[128] = '\0';
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *secret = new_key();
    const evidence_public_key *own = evidence_private_key_public(secret);
    snprintf(hybrid, sizeof(hybrid), "%s%s", (own->y[31] & 1) != 0 ? "07" : "06", evidence_public_key_hex(own).text);
    const char *const bad[] = {"", "00", "04", "abc", zeros, letters, hybrid, "-----BEGIN PUBLIC KEY-----\nAAAA\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        evidence_public_key key;
        base_error err = {0};
        assert_int_equal(evidence_public_key_parse(bytes_of(bad[i]), &key, &err), BASE_INVALID);
        assert_true(err.message[0] != '\0');
    }
}

static void an_absent_list_allows_everyone(void **state)
{
    (void)state;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = new_key();
    const char *const empty[] = {NULL, "", " \n\t"};
    for (size_t i = 0; i < 3; i++) {
        evidence_signers signers;
        assert_int_equal(evidence_signers_parse(empty[i], &signers, NULL), BASE_OK);
        assert_int_equal(evidence_signers_allow(&signers, evidence_private_key_public(key), NULL), BASE_OK);
    }
    assert_int_equal(evidence_signers_allow(NULL, evidence_private_key_public(key), NULL), BASE_OK);
}

static void a_list_allows_its_keys_and_nobody_else(void **state)
{
    (void)state;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *a = new_key();
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *b = new_key();
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *stranger = new_key();
    char compressed[67], text[300];
    compress(evidence_private_key_public(b), compressed);
    snprintf(text, sizeof(text), "%s,\n %s,", evidence_public_key_hex(evidence_private_key_public(a)).text, compressed);
    BASE_CLEANUP(evidence_signers_done) evidence_signers signers = {0};
    assert_int_equal(evidence_signers_parse(text, &signers, NULL), BASE_OK);
    assert_int_equal(signers.count, 2);
    assert_int_equal(evidence_signers_allow(&signers, evidence_private_key_public(a), NULL), BASE_OK);
    assert_int_equal(evidence_signers_allow(&signers, evidence_private_key_public(b), NULL), BASE_OK);
    base_error err = {0};
    assert_int_equal(evidence_signers_allow(&signers, evidence_private_key_public(stranger), &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "not on the list"));
}

static void a_bad_list_says_which_key_is_bad(void **state)
{
    (void)state;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = new_key();
    char text[300];
    snprintf(text, sizeof(text), "%s feed", evidence_public_key_hex(evidence_private_key_public(key)).text);
    evidence_signers signers = {0};
    base_error err = {0};
    assert_int_equal(evidence_signers_parse(text, &signers, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "signer 2 (feed"));
    assert_null(signers.keys);
    assert_int_equal(evidence_signers_parse(text, &signers, NULL), BASE_INVALID);
    assert_int_equal(evidence_signers_parse(" , ,", &signers, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "no key"));
    char many[2 * (EVIDENCE_SIGNERS_MAX + 1) + 1];
    for (size_t i = 0; i <= EVIDENCE_SIGNERS_MAX; i++)
        memcpy(many + 2 * i, "a,", 2);
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(evidence_signers_parse(many, &signers, &err), BASE_LIMIT);
}

int main(void)
{
    if (base_process_harden(NULL) != BASE_OK) /* readies locked memory */
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_verifies_under_its_own_key_only),
        cmocka_unit_test(a_private_key_survives_its_pem),
        cmocka_unit_test(a_sec1_private_key_is_read_also_after_its_parameters),
        cmocka_unit_test(private_keys_that_cannot_serve_are_refused_with_the_reason),
        cmocka_unit_test(a_public_key_is_read_in_each_of_its_forms),
        cmocka_unit_test(texts_that_are_no_public_key_are_refused),
        cmocka_unit_test(an_absent_list_allows_everyone),
        cmocka_unit_test(a_list_allows_its_keys_and_nobody_else),
        cmocka_unit_test(a_bad_list_says_which_key_is_bad),
    };
    return cmocka_run_group_tests_name("evidence_key", tests, NULL, NULL);
}
