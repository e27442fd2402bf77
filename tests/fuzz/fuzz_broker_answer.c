/* Bytes as what a NATS server says: answers of JetStream's API, acknowledgements, stored messages and their headers, times, the reply
 * subjects of deliveries. */
#include "ack_subject.h"
#include "api.h"
#include "broker/topology.h"
#include "durable.h"
#include "fuzz.h"
#include "puback.h"
#include "stored.h"
#include "topology_config.h"

#include <inttypes.h>

static void api(base_bytes body, const json_t *root)
{
    BROKER_JSON *answer = NULL;
    base_error err = {0};
    base_code code = broker_api_read("stream S", body, &answer, &err);
    FUZZ_CHECK_WHY(code, err);
    FUZZ_CHECK((code == BASE_OK) == (answer != NULL));
    bool refused = json_object_get(root, "error") != NULL;
    FUZZ_CHECK((code == BASE_OK) == (json_is_object(root) && !refused));
    FUZZ_CHECK(json_is_object(root) || code == BASE_UNAVAILABLE);
    broker_durable_state state;
    broker_durable_fill(root, &state);
    FUZZ_CHECK(state.ack_wait_ms >= 0);
    FUZZ_CHECK(broker_json_uint(root, "seq") <= INT64_MAX);
}

static void puback(base_bytes body)
{
    broker_publish_result result;
    base_error err = {0};
    base_code code = broker_puback_parse(body, &result, &err);
    FUZZ_CHECK_WHY(code, err);
    FUZZ_CHECK(result.code == code);
    FUZZ_CHECK((code == BASE_OK) == (result.sequence > 0));
    FUZZ_CHECK(code == BASE_OK || !result.duplicate);
}

/* What is wanted is the first member, what there is the second. */
static void config(const json_t *root)
{
    json_t *wanted = json_object_get(root, "wanted");
    json_t *actual = json_object_get(root, "config");
    if (!json_is_object(wanted) || !json_is_object(actual))
        return;
    BASE_CLEANUP(base_buffer_done) base_buffer before = {.limit = SIZE_MAX / 4};
    BASE_CLEANUP(base_buffer_done) base_buffer after = {.limit = SIZE_MAX / 4};
    base_error err = {0};
    FUZZ_CHECK(broker_config_compare(actual, wanted, &before, &err) == BASE_OK);
    BROKER_JSON *merged = broker_config_merge(actual, wanted);
    FUZZ_CHECK(json_is_object(merged));
    FUZZ_CHECK(broker_config_compare(merged, wanted, &after, &err) == BASE_OK && after.size == 0);
    FUZZ_CHECK(before.size > 0 || json_equal(merged, actual) || json_object_size(merged) < json_object_size(actual));
}

static void check_headers(const broker_stored *message)
{
    FUZZ_CHECK(message->header_count <= BROKER_STORED_HEADERS_MAX);
    for (size_t i = 0; i < message->header_count; i++) {
        FUZZ_CHECK(message->headers[i].name != NULL && message->headers[i].value != NULL);
        FUZZ_CHECK(strchr(message->headers[i].name, ':') == NULL && strstr(message->headers[i].value, "\r\n") == NULL);
        FUZZ_CHECK(broker_stored_header(message, message->headers[i].name) != NULL);
    }
}

static void stored(const json_t *root)
{
    broker_stored message;
    base_error err = {0};
    const json_t *json = json_object_get(root, "message");
    base_code code = broker_stored_parse(json, &message, &err);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID || code == BASE_LIMIT);
    FUZZ_CHECK_WHY(code, err);
    if (code == BASE_OK) {
        FUZZ_CHECK(message.sequence > 0 && message.subject != NULL);
        const json_t *data = json_object_get(json, "data");
        FUZZ_CHECK(data == NULL || json_is_string(data));
        FUZZ_CHECK((message.payload.size == 0) == (data == NULL || json_string_length(data) == 0));
        check_headers(&message);
    } else {
        FUZZ_CHECK(message.subject == NULL && message.headers == NULL && message.payload.data == NULL);
    }
    broker_stored_done(&message);
}

static void headers(base_bytes block)
{
    BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
    base_error err = {0};
    base_code code = broker_headers_parse(block, &message, &err);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID || code == BASE_LIMIT);
    FUZZ_CHECK_WHY(code, err);
    FUZZ_CHECK(code != BASE_OK || memcmp(block.data, "NATS/1.0", 8) == 0);
    FUZZ_CHECK(code != BASE_LIMIT || message.header_count == BROKER_STORED_HEADERS_MAX);
    check_headers(&message);
}

/* In both forms that the server has, with any numbers. */
static void ack_subject(base_bytes input)
{
    BASE_CLEANUP(free) char *text = fuzz_text(input);
    broker_delivery_facts read;
    if (broker_ack_subject_parse(text, &read))
        FUZZ_CHECK(strncmp(text, "$JS.ACK.", 8) == 0 && read.stored_unix_ns >= 0);
    broker_delivery_facts made = {.deliveries = fuzz_number(&input, 1), .stream_sequence = fuzz_number(&input, 8)};
    made.consumer_sequence = fuzz_number(&input, 8);
    made.stored_unix_ns = (int64_t)(fuzz_number(&input, 8) & INT64_MAX);
    made.pending = fuzz_number(&input, 4);
    static const char *const STARTS[] = {"$JS.ACK.S.D", "$JS.ACK._.ACC.S.D"};
    for (size_t i = 0; i < 2; i++) {
        char subject[256];
        snprintf(subject, sizeof(subject), "%s.%" PRIu64 ".%" PRIu64 ".%" PRIu64 ".%" PRId64 ".%" PRIu64 "%s",
                 STARTS[i], made.deliveries, made.stream_sequence, made.consumer_sequence, made.stored_unix_ns,
                 made.pending, i == 0 ? "" : ".token");
        FUZZ_CHECK(broker_ack_subject_parse(subject, &read));
        FUZZ_CHECK(read.deliveries == made.deliveries && read.stream_sequence == made.stream_sequence);
        FUZZ_CHECK(read.consumer_sequence == made.consumer_sequence && read.pending == made.pending);
        FUZZ_CHECK(read.stored_unix_ns == made.stored_unix_ns);
    }
}

static void names(const char *text)
{
    broker_names found;
    base_error err = {0};
    base_code code = broker_names_of(text, &found, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code == BASE_OK)
        FUZZ_CHECK(broker_name_is_valid(found.stream_jobs) && broker_name_is_valid(found.stream_events) &&
                   broker_name_is_valid(found.stream_dead) && strstr(found.subject_generate, ".jobs.generate") != NULL);
    FUZZ_CHECK(!broker_name_is_valid(text) || strpbrk(text, " .*>/\\\t\r\n") == NULL);
    int64_t unix_ns = 0;
    if (broker_time_parse(text, &unix_ns))
        FUZZ_CHECK(strchr(text, 'T') != NULL && strchr(text, '-') != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes input = base_bytes_of(data, size);
    BASE_CLEANUP(free) char *text = fuzz_text(input);
    BROKER_JSON *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    api(input, root);
    puback(input);
    config(root);
    stored(root);
    headers(input);
    ack_subject(input);
    names(text);
    return 0;
}
