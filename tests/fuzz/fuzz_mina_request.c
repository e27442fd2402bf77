/* Any payment, address and list of hashes as a request to a node: what is made is JSON that says exactly this, whatever the text. */
#include "fuzz.h"
#include "mina/answer.h"
#include "mina/request.h"

#include <inttypes.h>
#include <jansson.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

enum { HASHES_MAX = MINA_HASHES_MAX + 2 };

/* The body as JSON, which has a query and variables and nothing behind it. */
static json_t *read_body(const base_buffer *body)
{
    FUZZ_CHECK(body->size <= MINA_REQUEST_MAX);
    json_t *root = json_loadb((const char *)body->data, body->size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK(json_object_size(root) == 2);
    FUZZ_CHECK(json_is_string(json_object_get(root, "query")));
    FUZZ_CHECK(json_is_object(json_object_get(root, "variables")));
    return root;
}

static void check_text(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));
    FUZZ_CHECK(text != NULL && strcmp(text, wanted) == 0);
}

static void check_number(const json_t *object, const char *key, uint64_t wanted)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, wanted);
    check_text(object, key, text);
}

static void check_payment(const base_buffer *body, const mina_payment *payment)
{
    BASE_CLEANUP(json_decref) json_t *root = read_body(body);
    const json_t *variables = json_object_get(root, "variables");
    const json_t *input = json_object_get(variables, "input");
    check_text(input, "from", mina_public_key_format(&payment->from).text);
    check_text(input, "to", mina_public_key_format(&payment->to).text);
    check_number(input, "amount", payment->amount);
    check_number(input, "fee", payment->fee);
    check_number(input, "nonce", payment->nonce);
    check_number(input, "validUntil", payment->valid_until);
    const json_t *memo = json_object_get(input, "memo");
    base_bytes text = base_bytes_of(json_string_value(memo), json_string_length(memo));
    FUZZ_CHECK(base_bytes_equal(text, mina_memo_content(&payment->memo)));
    FUZZ_CHECK(json_object_size(json_object_get(variables, "signature")) == 2);
}

static void payment(base_bytes input)
{
    mina_payment made = {.amount = fuzz_number(&input, 8), .fee = fuzz_number(&input, 8)};
    made.nonce = (uint32_t)fuzz_number(&input, 4);
    made.valid_until = (uint32_t)fuzz_number(&input, 4);
    fuzz_fill(&input, made.from.x, sizeof(made.from.x));
    made.to = made.from;
    made.to.is_odd = true;
    base_bytes memo = fuzz_take(&input, MINA_MEMO_TEXT_MAX + 1);
    base_error err = {0};
    base_code code = mina_memo_of(memo, &made.memo, &err);
    FUZZ_CHECK(code == (memo.size <= MINA_MEMO_TEXT_MAX ? BASE_OK : BASE_INVALID));
    if (code != BASE_OK)
        return;
    mina_signature signature;
    memcpy(signature.field, made.from.x, sizeof(signature.field));
    memcpy(signature.scalar, made.from.x, sizeof(signature.scalar));
    BASE_CLEANUP(base_buffer_done) base_buffer once = {.limit = MINA_REQUEST_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer twice = {.limit = MINA_REQUEST_MAX};
    code = mina_request_payment(&made, &signature, &once, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK(mina_request_payment(&made, &signature, &twice, &err) == code);
    FUZZ_CHECK(base_bytes_equal(base_buffer_view(&once), base_buffer_view(&twice)));
    if (code == BASE_OK)
        check_payment(&once, &made);
}

static void account(const char *address)
{
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_error err = {0};
    base_code code = mina_request_account(address, &body, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK((code == BASE_OK) == mina_is_address(address));
    if (code != BASE_OK)
        return;
    BASE_CLEANUP(json_decref) json_t *root = read_body(&body);
    check_text(json_object_get(root, "variables"), "publicKey", address);
}

/* Each line of the text is a hash. */
static size_t split(char *text, const char *hashes[HASHES_MAX])
{
    size_t count = 0;
    for (char *at = text; at != NULL && count < HASHES_MAX; count++)
        hashes[count] = strsep(&at, "\n");
    return count;
}

static void sightings(char *text, int64_t blocks)
{
    const char *hashes[HASHES_MAX];
    size_t count = split(text, hashes);
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_error err = {0};
    base_code code = mina_request_sightings(hashes, count, blocks, &body, &err);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID || code == BASE_LIMIT);
    FUZZ_CHECK_WHY(code, err);
    bool is_allowed = count <= MINA_HASHES_MAX && blocks >= 1 && blocks <= MINA_BLOCKS_MAX;
    FUZZ_CHECK(is_allowed || code == BASE_INVALID);
    if (code != BASE_OK) {
        FUZZ_CHECK(body.size == 0);
        return;
    }
    BASE_CLEANUP(json_decref) json_t *root = read_body(&body);
    const json_t *variables = json_object_get(root, "variables");
    const json_t *list = json_object_get(variables, "hashes");
    FUZZ_CHECK(json_integer_value(json_object_get(variables, "blocks")) == blocks);
    FUZZ_CHECK(json_array_size(list) == count);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(strcmp(json_string_value(json_array_get(list, i)), hashes[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    payment(input);
    BASE_CLEANUP(free) char *text = fuzz_text(input);
    account(text);
    int64_t blocks = (int64_t)(size % (MINA_BLOCKS_MAX + 3)) - 1;
    sightings(text, blocks);
    return 0;
}
