#include "evidence/key.h"
#include "private_key.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/pem.h>
#include <string.h>

/* Given as passphrase: with none libcrypto would ask for one on the terminal. */
static char no_passphrase[] = "";

static bool contains(base_bytes text, const char *word)
{
    return text.size > 0 && memmem(text.data, text.size, word, strlen(word)) != NULL;
}

static base_code open_pem(base_bytes pem, BIO **ret, base_error *err)
{
    if (pem.size > EVIDENCE_PEM_MAX)
        return base_fail(err, BASE_INVALID, "a key has at most %d bytes of PEM", EVIDENCE_PEM_MAX);
    *ret = BIO_new_mem_buf(pem.size > 0 ? (const void *)pem.data : "", (int)pem.size);
    return *ret != NULL ? BASE_OK : evidence_pkey_fail(err, BASE_NO_MEMORY, "no memory for a key");
}

base_code evidence_private_key_from_pem(base_bytes pem, evidence_private_key **ret, base_error *err)
{
    if (contains(pem, "ENCRYPTED"))
        return base_fail(err, BASE_INVALID, "the private key is encrypted: decrypt it with `openssl pkey` first");
    BASE_CLEANUP(BIO_free_all) BIO *bio = NULL;
    base_code code = open_pem(pem, &bio, err);
    if (code != BASE_OK)
        return code;
    errno = 0;
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase);
    if (pkey == NULL)
        return evidence_pkey_fail(err, BASE_INVALID,
                                  "not a private key in PEM (BEGIN PRIVATE KEY or BEGIN EC PRIVATE KEY)");
    return evidence_private_key_wrap(&pkey, ret, err);
}

base_code evidence_private_key_to_pem(const evidence_private_key *key, base_secret *ret, base_error *err)
{
    BASE_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_secmem()); /* wipes its bytes when freed */
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto cannot write a private key");
    char *pem = NULL;
    long size = BIO_get_mem_data(bio, &pem);
    return base_secret_copy(base_bytes_of(pem, size > 0 ? (size_t)size : 0), ret, err);
}

base_code evidence_public_key_from_pem(base_bytes pem, evidence_public_key *ret, base_error *err)
{
    BASE_CLEANUP(BIO_free_all) BIO *bio = NULL;
    base_code code = open_pem(pem, &bio, err);
    if (code != BASE_OK)
        return code;
    errno = 0;
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, no_passphrase);
    if (pkey == NULL)
        return evidence_pkey_fail(err, BASE_INVALID, "not a public key in PEM (BEGIN PUBLIC KEY)");
    return evidence_pkey_to_point(pkey, ret, err);
}

base_code evidence_public_key_parse(base_bytes text, evidence_public_key *ret, base_error *err)
{
    while (text.size > 0 && isspace(text.data[0]))
        text = base_bytes_of(text.data + 1, text.size - 1);
    while (text.size > 0 && isspace(text.data[text.size - 1]))
        text.size--;
    if (contains(text, "-----BEGIN"))
        return evidence_public_key_from_pem(text, ret, err);
    return evidence_public_key_from_hex(text, ret, err);
}

base_code evidence_public_key_to_pem(const evidence_public_key *key, base_buffer *ret, base_error *err)
{
    BASE_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
    base_code code = evidence_pkey_from_point(key, &pkey, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1)
        return evidence_pkey_fail(err, BASE_INTERNAL, "libcrypto cannot write a public key");
    char *pem = NULL;
    long size = BIO_get_mem_data(bio, &pem);
    return base_buffer_append(ret, base_bytes_of(pem, size > 0 ? (size_t)size : 0), err);
}
