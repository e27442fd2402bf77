#include "codec.h"

#include "wire/messages.h"

#include <stddef.h>
#include <string.h>

enum { ALIGNMENT = _Alignof(max_align_t), VARINT_BITS_MAX = 64 };

static void *take(void *context, size_t size)
{
    wire_unpacked *unpacked = context;
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded >= size && rounded <= WIRE_SCRATCH_SIZE - unpacked->scratch_used) {
        void *result = unpacked->scratch + unpacked->scratch_used;
        unpacked->scratch_used += rounded;
        return result;
    }
    if (size > unpacked->heap_left) {
        unpacked->too_much = true;
        return NULL;
    }
    unpacked->heap_left -= size;
    void *result = malloc(size);
    unpacked->no_memory = unpacked->no_memory || result == NULL;
    return result;
}

static void give_back(void *context, void *memory)
{
    const wire_unpacked *unpacked = context;
    uintptr_t at = (uintptr_t)memory;
    uintptr_t scratch = (uintptr_t)unpacked->scratch;
    if (at < scratch || at >= scratch + WIRE_SCRATCH_SIZE)
        free(memory);
}

static uint64_t next_varint(base_bytes data, size_t *at)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < VARINT_BITS_MAX && *at < data.size; shift += 7) {
        uint8_t byte = data.data[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

/* protobuf-c keeps a string without its length, so that one with a NUL inside would read as a shorter one. Looks at the top
 * level only, where all our strings are; `data` has been unpacked, so its framing is sound. */
static base_code refuse_nul(const ProtobufCMessageDescriptor *type, base_bytes data, base_error *err)
{
    enum { VARINT, FIXED64, DELIMITED, FIXED32 = 5 };
    for (size_t at = 0; at < data.size;) {
        uint64_t tag = next_varint(data, &at);
        uint64_t size = 0;
        switch (tag & 7) {
        case VARINT:
            next_varint(data, &at);
            break;
        case FIXED64:
            size = 8;
            break;
        case FIXED32:
            size = 4;
            break;
        default:
            size = next_varint(data, &at);
            break;
        }
        if (size > data.size - at)
            return base_fail(err, BASE_INVALID, "not a %s: it is cut short", type->name);
        const ProtobufCFieldDescriptor *field =
            (tag & 7) == DELIMITED ? protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3)) : NULL;
        if (field != NULL && field->type == PROTOBUF_C_TYPE_STRING && size > 0 &&
            memchr(data.data + at, '\0', size) != NULL)
            return base_fail(err, BASE_INVALID, "%s must not contain the character NUL", field->name);
        at += size;
    }
    return BASE_OK;
}

base_code wire_unpack(const ProtobufCMessageDescriptor *type, base_bytes data, wire_unpacked *unpacked, base_error *err)
{
    unpacked->message = NULL;
    if (data.size > WIRE_MESSAGE_MAX)
        return base_fail(err, BASE_INVALID, "a message must be at most %d bytes, not %zu", WIRE_MESSAGE_MAX, data.size);
    unpacked->allocator = (ProtobufCAllocator){.alloc = take, .free = give_back, .allocator_data = unpacked};
    unpacked->scratch_used = 0;
    unpacked->heap_left = data.size * WIRE_MEMORY_FACTOR + WIRE_MEMORY_EXTRA;
    unpacked->too_much = unpacked->no_memory = false;
    static const uint8_t nothing[1];
    unpacked->message =
        protobuf_c_message_unpack(type, &unpacked->allocator, data.size, data.data != NULL ? data.data : nothing);
    if (unpacked->message != NULL)
        return refuse_nul(type, data, err);
    if (unpacked->no_memory)
        return base_fail(err, BASE_NO_MEMORY, "no memory to decode a %s of %zu bytes", type->name, data.size);
    if (unpacked->too_much)
        return base_fail(err, BASE_INVALID, "not a %s: it has too many fields", type->name);
    return base_fail(err, BASE_INVALID, "not a %s: it cannot be decoded as protobuf", type->name);
}

void wire_unpacked_done(wire_unpacked *unpacked)
{
    if (unpacked->message != NULL)
        protobuf_c_message_free_unpacked(unpacked->message, &unpacked->allocator);
    unpacked->message = NULL;
}

base_code wire_pack(const ProtobufCMessage *message, base_buffer *ret, base_error *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size > WIRE_MESSAGE_MAX)
        return base_fail(err, BASE_INVALID, "a message must be at most %d bytes, not %zu", WIRE_MESSAGE_MAX, size);
    uint8_t scratch[WIRE_SCRATCH_SIZE];
    BASE_CLEANUP(free) uint8_t *large = size > sizeof(scratch) ? malloc(size) : NULL;
    if (size > sizeof(scratch) && large == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory to encode %zu bytes", size);
    uint8_t *packed = large != NULL ? large : scratch;
    size = protobuf_c_message_pack(message, packed);
    return base_buffer_append(ret, base_bytes_of(packed, size), err);
}
