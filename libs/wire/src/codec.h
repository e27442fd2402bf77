#pragma once
/* protobuf-c behind bounds: unpacking with little memory, packing into a buffer. */
#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

enum {
    WIRE_SCRATCH_SIZE = 8192,  /* bytes on the stack: a message without an image needs nothing else */
    WIRE_MEMORY_EXTRA = 65536, /* what a message may use beyond WIRE_MEMORY_FACTOR times its own size */
    WIRE_MEMORY_FACTOR = 2,
};

/* An unpacked message with the memory it lives in. Zero its `message` and `heap`, do not copy it. */
typedef struct wire_unpacked {
    ProtobufCMessage *message;
    ProtobufCAllocator allocator;
    size_t scratch_used;
    size_t heap_left; /* bytes that may still be taken from the heap, counted without giving back */
    bool too_much;    /* an allocation was refused by the bound */
    bool no_memory;   /* malloc failed */
    _Alignas(max_align_t) uint8_t scratch[WIRE_SCRATCH_SIZE];
} wire_unpacked;

/* Unpacks in place; `unpacked` is released with wire_unpacked_done. BASE_INVALID, BASE_NO_MEMORY. */
BASE_MUST_CHECK base_code wire_unpack(const ProtobufCMessageDescriptor *type, base_bytes data, wire_unpacked *unpacked,
                                      base_error *err);
void wire_unpacked_done(wire_unpacked *unpacked);
BASE_CLEANUP_VALUE(wire_unpacked, wire_unpacked_done);

/* Appends the encoding. BASE_INVALID over WIRE_MESSAGE_MAX, BASE_LIMIT, BASE_NO_MEMORY. */
BASE_MUST_CHECK base_code wire_pack(const ProtobufCMessage *message, base_buffer *ret, base_error *err);

static inline base_bytes wire_bytes(ProtobufCBinaryData data)
{
    return (base_bytes){data.data, data.len};
}

/* For packing only, which does not write. */
static inline ProtobufCBinaryData wire_binary(const uint8_t *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}
static inline char *wire_string(const char *text)
{
    return (char *)text;
}
