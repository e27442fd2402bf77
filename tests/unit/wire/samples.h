#pragma once
/* Valid messages as C values, and messages made byte by byte, as a producer with mistakes would send them. */
#include "wire/messages.h"

/* Fields of protobuf by hand. They fail the running test when the buffer is full. */
void raw_varint(base_buffer *out, uint32_t number, uint64_t value);
void raw_fixed32(base_buffer *out, uint32_t number, uint32_t value);
void raw_fixed64(base_buffer *out, uint32_t number, uint64_t value);
void raw_bytes(base_buffer *out, uint32_t number, base_bytes value);
void raw_text(base_buffer *out, uint32_t number, const char *value);

wire_generate_proof sample_generate_proof(void);
wire_publish_proof sample_publish_proof(void);
wire_status_changed sample_status_changed(void);

/* Everything that can be wrong with a GenerateProof. sample_parts() is right in all. */
typedef struct generate_parts {
    base_bytes sha256, correlation_id, chain_id, zkapp_address;
    int64_t submitted_at_unix_ms;
    bool has_signature, has_public_key;
    base_bytes r, s, x, y;
    bool has_final_round, unpacked;
    size_t states, initial_states;
    bool has_image;
    base_bytes image;
} generate_parts;

generate_parts sample_parts(void);
void raw_generate_proof(const generate_parts *parts, base_buffer *out);

base_bytes text_bytes(const char *text);

extern const char LONG_TEXT[201]; /* 200 times the letter a */

/* Fails the running test unless `code` is BASE_INVALID with exactly this message. */
void assert_refused(base_code code, const base_error *err, const char *message);
