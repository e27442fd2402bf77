#include "wire/json.h"

#include "base/memory.h"

#include "codec.h"
#include "json.h"
#include "proofline/v1/events.pb-c.h"
#include "proofline/v1/jobs.pb-c.h"
#include "wire/headers.h"
#include "wire/messages.h"

#include <string.h>

/* One type of message: its descriptor, and its own rules as a decoder whose result is dropped. */
typedef struct message_type {
    const ProtobufCMessageDescriptor *descriptor;
    base_code (*check)(base_bytes data, base_error *err);
} message_type;

static base_code check_generate_proof(base_bytes data, base_error *err)
{
    wire_generate_proof message;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    return wire_generate_proof_decode(data, &message, &owner, err);
}

static base_code check_prepare_transaction(base_bytes data, base_error *err)
{
    wire_publish_proof message;
    return wire_prepare_transaction_decode(data, &message, err);
}

static base_code check_publish_proof(base_bytes data, base_error *err)
{
    wire_publish_proof message;
    return wire_publish_proof_decode(data, &message, err);
}

static base_code check_status_changed(base_bytes data, base_error *err)
{
    wire_status_changed message;
    return wire_status_changed_decode(data, &message, err);
}

static const message_type TYPES[] = {
    {&proofline__v1__generate_proof__descriptor, check_generate_proof},
    {&proofline__v1__prepare_transaction__descriptor, check_prepare_transaction},
    {&proofline__v1__publish_proof__descriptor, check_publish_proof},
    {&proofline__v1__submission_status_changed__descriptor, check_status_changed},
};

const char *const *wire_json_types(void)
{
    static const char *const NAMES[] = {WIRE_TYPE_GENERATE_PROOF, WIRE_TYPE_PREPARE_TRANSACTION,
                                        WIRE_TYPE_PUBLISH_PROOF, WIRE_TYPE_STATUS_CHANGED, NULL};
    _Static_assert(sizeof(NAMES) / sizeof(NAMES[0]) == sizeof(TYPES) / sizeof(TYPES[0]) + 1, "one name for each type");
    return NAMES;
}

static base_code find_type(const char *name, const message_type **ret, base_error *err)
{
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        const ProtobufCMessageDescriptor *descriptor = TYPES[i].descriptor;
        if (strcmp(name, descriptor->name) == 0 || strcmp(name, descriptor->short_name) == 0) {
            *ret = &TYPES[i];
            return BASE_OK;
        }
    }
    return base_fail(err, BASE_INVALID, "\"%.64s\" is not the name of a message", name);
}

typedef struct print_sink {
    base_buffer *buffer;
    base_code code;
    base_error *err;
} print_sink;

static int sink_write(const char *text, size_t size, void *context)
{
    print_sink *sink = context;
    if (sink->code == BASE_OK) /* jansson goes on after a key that could not be written */
        sink->code = base_buffer_append(sink->buffer, base_bytes_of(text, size), sink->err);
    return sink->code == BASE_OK ? 0 : -1;
}

static base_code print(const json_t *object, bool pretty, base_buffer *ret, base_error *err)
{
    print_sink sink = {ret, BASE_OK, err};
    size_t before = ret->size;
    if (json_dump_callback(object, sink_write, &sink, pretty ? JSON_INDENT(2) : JSON_COMPACT) == 0 &&
        sink.code == BASE_OK)
        return BASE_OK;
    ret->size = before;
    if (ret->data != NULL)
        ret->data[before] = '\0';
    return sink.code != BASE_OK ? sink.code : base_fail(err, BASE_NO_MEMORY, "no memory to print JSON");
}

base_code wire_json_from_message(const char *type, base_bytes data, bool pretty, base_buffer *ret, base_error *err)
{
    const message_type *found = NULL;
    base_code code = find_type(type, &found, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(wire_unpacked_done) wire_unpacked unpacked;
    BASE_CLEANUP(wire_json_done) json_t *object = NULL;
    code = wire_unpack(found->descriptor, data, &unpacked, err);
    if (code == BASE_OK)
        code = wire_json_write(unpacked.message, &object, err);
    if (code == BASE_OK && json_object_size(object) == 0) /* every message must have some field */
        return base_fail(err, BASE_INVALID, "no field of a %s in %zu bytes", found->descriptor->short_name, data.size);
    return code == BASE_OK ? print(object, pretty, ret, err) : code;
}

/* At load time, when there is only one thread. */
__attribute__((constructor)) static void note_memory(void)
{
    json_set_alloc_funcs(base_noting_malloc, free);
}

base_code wire_json_to_message(const char *type, base_bytes json, base_buffer *ret, base_error *err)
{
    const message_type *found = NULL;
    base_code code = find_type(type, &found, err);
    if (code != BASE_OK)
        return code;
    if (json.size > WIRE_JSON_MAX)
        return base_fail(err, BASE_INVALID, "JSON must be at most %d bytes, not %zu", WIRE_JSON_MAX, json.size);
    json_error_t where;
    base_memory_forget();
    const char *text = json.size > 0 ? (const char *)json.data : "";
    BASE_CLEANUP(wire_json_done) json_t *object = json_loadb(text, json.size, JSON_REJECT_DUPLICATES, &where);
    if (base_memory_lacked())
        return base_fail(err, BASE_NO_MEMORY, "no memory to read JSON of %zu bytes", json.size);
    if (object == NULL)
        return base_fail(err, BASE_INVALID, "not valid JSON: %s (line %d, column %d)", where.text, where.line,
                         where.column);
    BASE_CLEANUP(base_buffer_done) base_buffer encoded = {.limit = WIRE_MESSAGE_MAX};
    code = wire_json_read(found->descriptor, object, &encoded, err);
    if (code == BASE_LIMIT)
        return base_fail(err, BASE_INVALID, "a message must be at most %d bytes", WIRE_MESSAGE_MAX);
    if (code == BASE_OK)
        code = found->check(base_buffer_view(&encoded), err);
    return code == BASE_OK ? base_buffer_append(ret, base_buffer_view(&encoded), err) : code;
}
