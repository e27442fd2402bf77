#pragma once
/* Parameters of one statement in Postgres' binary format: scalars, and arrays for set-based statements. */
#include "base/bytes.h"

#define STORE_PARAMS_MAX   24
#define STORE_PARAMS_BYTES (256 << 20) /* of all parameters of one statement */

/* Zero is empty. The first failure is kept and reported when the statement is sent, so that adding needs no checks. */
typedef struct store_params {
    base_buffer buffer;
    struct {
        size_t offset;
        size_t size;
    } slots[STORE_PARAMS_MAX];
    size_t count;
    size_t array_offset; /* of the open array's header, valid while array_open */
    uint32_t array_length;
    bool array_open;
    base_error failure;
} store_params;

void store_params_done(store_params *params);
BASE_CLEANUP_VALUE(store_params, store_params_done);

void store_params_int64(store_params *params, int64_t value);
void store_params_bool(store_params *params, bool value);
void store_params_text(store_params *params, const char *value);

/* Type numbers of Postgres (pg_type.dat) for the elements of an array. */
typedef enum store_element {
    STORE_ELEMENT_BOOL = 16,
    STORE_ELEMENT_BYTES = 17,
    STORE_ELEMENT_INT64 = 20,
    STORE_ELEMENT_TEXT = 25,
} store_element;

/* Begins an array; it ends where the next parameter begins. Only elements of its type may follow. */
void store_params_array(store_params *params, store_element type);
void store_params_add_int64(store_params *params, int64_t value);
void store_params_add_bool(store_params *params, bool value);
void store_params_add_text(store_params *params, const char *value);
void store_params_add_bytes(store_params *params, base_bytes value);
void store_params_add_hash(store_params *params, const base_sha256 *value); /* as text, in hex */
void store_params_add_null(store_params *params);

/* Ends an open array. Returns what failed so far. */
BASE_MUST_CHECK base_code store_params_close(store_params *params, base_error *err);
