#pragma once
/* The messages of proto/proofline/v1 as plain C values: decoded ones are valid in every field. */
#include "base/bytes.h"
#include "wire/status.h"

#define WIRE_MESSAGE_MAX                                                                                               \
    1000000 /* bytes of an encoded message: below NATS' default max_payload of 1 MiB with its headers */
#define WIRE_IMAGE_MAX          900000 /* bytes of an image sent inline */
#define WIRE_CORRELATION_ID_MAX 128
#define WIRE_ADDRESS_MAX        64
#define WIRE_CHAIN_ID_MAX       64
#define WIRE_FORMAT_MAX         64
#define WIRE_REASON_CODE_MAX    64
#define WIRE_REASON_MAX         1024
#define WIRE_TRANSACTION_MAX    128

/* The end of a SHA-256: everything a circuit needs to redo its last round (72 bytes). */
typedef struct wire_final_round {
    uint32_t state[8];         /* a..h before the last round of the last block */
    uint32_t initial_state[8]; /* the chaining value before the last block */
    uint32_t message_word;     /* W[63] */
    uint32_t round_constant;   /* K[63] */
} wire_final_round;

/* A job for the generator. */
typedef struct wire_generate_proof {
    base_sha256 sha256;
    char correlation_id[WIRE_CORRELATION_ID_MAX + 1]; /* "" when the producer gave none */
    bool has_image;                                   /* evidence is `image` instead of `final_round` */
    wire_final_round final_round;
    base_bytes
        image; /* 1..WIRE_IMAGE_MAX; after decoding it lives as long as the owner: see wire_generate_proof_decode */
    uint8_t signature_r[32], signature_s[32];   /* big-endian, not zero */
    uint8_t public_key_x[32], public_key_y[32]; /* big-endian, not zero */
    char zkapp_address[WIRE_ADDRESS_MAX + 1];   /* "" unless given */
    char chain_id[WIRE_CHAIN_ID_MAX + 1];       /* "" unless given */
    int64_t submitted_unix_ms;                  /* 0 unless given */
} wire_generate_proof;

/* A job for the publisher, and for the preparer of a zkApp transaction: the two messages have the same fields. */
typedef struct wire_publish_proof {
    base_sha256 sha256;
    char correlation_id[WIRE_CORRELATION_ID_MAX + 1];
    char proof_format[WIRE_FORMAT_MAX + 1];
    base_digest proof_digest;
    char zkapp_address[WIRE_ADDRESS_MAX + 1];
    char chain_id[WIRE_CHAIN_ID_MAX + 1];
    int64_t submitted_unix_ms;
} wire_publish_proof;

typedef struct wire_status_changed {
    base_sha256 sha256;
    char correlation_id[WIRE_CORRELATION_ID_MAX + 1];
    uint64_t sequence; /* of this submission's events: 1, 2, 3… */
    wire_status status;
    wire_status previous_status;                /* WIRE_STATUS_NONE for the first */
    char reason_code[WIRE_REASON_CODE_MAX + 1]; /* rejected only: stable, for programs */
    char reason[WIRE_REASON_MAX + 1];           /* rejected only: for people; encoding makes it one line of UTF-8 */
    char transaction_hash[WIRE_TRANSACTION_MAX + 1]; /* complete only */
    int64_t occurred_unix_ms;
} wire_status_changed;

/* Texts: correlation_id is printable ASCII without spaces; zkapp_address and transaction_hash are letters and digits; chain_id and
 * proof_format also have . _ - and chain_id : and /; reason_code is a-z, 0-9 and _. Times lie in 1970..9999. */

/* Decoding checks every length and range; BASE_INVALID names the field and the rule, BASE_NO_MEMORY says nothing about the message.
 * Unknown fields are ignored. Memory used is bounded by three times the message's size and 72 KiB. *ret is untouched on failure. On success
 * ret->image (when used) points into memory owned by *ret_owner, released with wire_owner_free; without an image *ret_owner is NULL. */
typedef struct wire_owner wire_owner;
void wire_owner_free(wire_owner *owner);
BASE_CLEANUP_POINTER(wire_owner, wire_owner_free);

BASE_MUST_CHECK base_code wire_generate_proof_decode(base_bytes data, wire_generate_proof *ret, wire_owner **ret_owner,
                                                     base_error *err);
BASE_MUST_CHECK base_code wire_publish_proof_decode(base_bytes data, wire_publish_proof *ret, base_error *err);
BASE_MUST_CHECK base_code wire_prepare_transaction_decode(base_bytes data, wire_publish_proof *ret, base_error *err);
BASE_MUST_CHECK base_code wire_status_changed_decode(base_bytes data, wire_status_changed *ret, base_error *err);

/* Encoding checks the same rules, and appends to *ret, which is unchanged on failure. Also BASE_LIMIT and BASE_NO_MEMORY from the buffer. */
BASE_MUST_CHECK base_code wire_generate_proof_encode(const wire_generate_proof *message, base_buffer *ret,
                                                     base_error *err);
BASE_MUST_CHECK base_code wire_publish_proof_encode(const wire_publish_proof *message, base_buffer *ret,
                                                    base_error *err);
BASE_MUST_CHECK base_code wire_prepare_transaction_encode(const wire_publish_proof *message, base_buffer *ret,
                                                          base_error *err);
BASE_MUST_CHECK base_code wire_status_changed_encode(const wire_status_changed *message, base_buffer *ret,
                                                     base_error *err);
