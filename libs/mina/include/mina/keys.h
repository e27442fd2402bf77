#pragma once
/* Mina's keys on the Pallas curve (y² = x³ + 5, cofactor 1) and their text forms. All functions are thread-safe. */
#include "base/secret.h"

#define MINA_FIELD_SIZE       32 /* bytes of a field element or scalar, little-endian everywhere in this library */
#define MINA_ADDRESS_CHARS    55 /* of a public key's text, B62… */
#define MINA_SECRET_KEY_CHARS 52 /* of a secret key's text, EK… */

/* A compressed point. One that was parsed or derived is on the curve. Plain value. */
typedef struct mina_public_key {
    uint8_t x[MINA_FIELD_SIZE];
    bool is_odd; /* the y coordinate */
} mina_public_key;

/* The text form of a public key, for use inside a call. */
typedef struct mina_address {
    char text[MINA_ADDRESS_CHARS + 1];
} mina_address;

/* A signing key; its scalar lives in locked memory. Zero is no key. Move it, do not copy it. */
typedef struct mina_secret_key {
    base_secret scalar; /* MINA_FIELD_SIZE bytes, 0 < scalar < group order */
    mina_public_key public_key;
    uint8_t public_y[MINA_FIELD_SIZE]; /* kept to spare each signature a square root */
} mina_secret_key;

mina_address mina_public_key_format(const mina_public_key *key);
bool mina_public_key_equal(const mina_public_key *a, const mina_public_key *b);

/* BASE_INVALID: no base58check, another version, or no point of the curve. */
BASE_MUST_CHECK base_code mina_public_key_parse(const char *text, mina_public_key *ret, base_error *err);

/* Whether mina_public_key_parse would take it. NULL is none. */
bool mina_is_address(const char *text);

/* From the system's random generator. The caller owns *ret. */
BASE_MUST_CHECK base_code mina_secret_key_generate(mina_secret_key *ret, base_error *err);
/* Reads EK… and derives the public key. BASE_INVALID never quotes the text. The caller owns *ret and wipes its text. */
BASE_MUST_CHECK base_code mina_secret_key_parse(const char *text, mina_secret_key *ret, base_error *err);
/* The EK… text, in locked memory that the caller owns. */
BASE_MUST_CHECK base_code mina_secret_key_format(const mina_secret_key *key, base_secret *ret, base_error *err);
/* Wipes and releases; the key is zero afterwards. */
void mina_secret_key_done(mina_secret_key *key);
BASE_CLEANUP_VALUE(mina_secret_key, mina_secret_key_done);
