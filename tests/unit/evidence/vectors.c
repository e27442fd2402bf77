#include "vectors.h"

#include "base/hex.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void read_hex(const json_t *object, const char *name, uint8_t *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    assert_int_equal(base_hex_decode(name, text, ret, size, NULL), BASE_OK);
}

static uint32_t word_of(const json_t *number)
{
    assert_true(json_is_integer(number));
    return (uint32_t)json_integer_value(number);
}

static void read_vector(const json_t *json, vector *ret)
{
    ret->length = (size_t)json_integer_value(json_object_get(json, "length"));
    read_hex(json, "sha256", ret->hash.bytes, sizeof(ret->hash.bytes));
    for (size_t i = 0; i < 8; i++) {
        ret->witness.state[i] = word_of(json_array_get(json_object_get(json, "state"), i));
        ret->witness.initial_state[i] = word_of(json_array_get(json_object_get(json, "initial_state"), i));
    }
    ret->witness.message_word = word_of(json_object_get(json, "message_word"));
    ret->witness.round_constant = word_of(json_object_get(json, "round_constant"));
    const json_t *key = json_object_get(json, "public_key");
    read_hex(key, "x", ret->public_key.x, sizeof(ret->public_key.x));
    read_hex(key, "y", ret->public_key.y, sizeof(ret->public_key.y));
    const json_t *signature = json_object_get(json, "signature");
    read_hex(signature, "r", ret->signature.r, sizeof(ret->signature.r));
    read_hex(signature, "s", ret->signature.s, sizeof(ret->signature.s));
}

size_t vectors_load(vector **ret)
{
    json_error_t problem;
    json_t *file = json_load_file(FIXTURES_DIR "/witness/witness.json", 0, &problem);
    assert_non_null(file);
    const json_t *list = json_object_get(file, "vectors");
    size_t count = json_array_size(list);
    assert_int_equal(count, 18);
    *ret = calloc(count, sizeof(**ret));
    assert_non_null(*ret);
    for (size_t i = 0; i < count; i++)
        read_vector(json_array_get(list, i), &(*ret)[i]);
    json_decref(file);
    return count;
}

uint8_t *vector_image(size_t length)
{
    uint8_t *image = malloc(length + 1);
    assert_non_null(image);
    for (size_t i = 0; i < length; i++)
        image[i] = (uint8_t)(131 * i + 7 * length + 17 * (i >> 8));
    return image;
}
