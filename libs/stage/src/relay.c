#include "stage/relay.h"

#include "base/fault.h"
#include "broker/publish.h"

_Static_assert(STORE_HEADERS_MAX <= BROKER_HEADERS_MAX, "every header of an outbox row can be published");

/* The rows of one call to the broker, in the broker's form. Too large for a stack. */
typedef struct relay_chunk {
    broker_message messages[BROKER_PUBLISH_BATCH_MAX];
    broker_header headers[BROKER_PUBLISH_BATCH_MAX][STORE_HEADERS_MAX];
    broker_publish_result results[BROKER_PUBLISH_BATCH_MAX];
} relay_chunk;

static void fill_message(relay_chunk *chunk, size_t at, const store_outbox_row *row)
{
    for (size_t h = 0; h < row->header_count; h++)
        chunk->headers[at][h] = (broker_header){row->headers[h].name, row->headers[h].value};
    chunk->messages[at] =
        (broker_message){row->subject, row->payload, row->message_id, chunk->headers[at], row->header_count};
}

/* Deletes the rows of the chunk that the server has stored, run by run; the others are published again later. */
static base_code delete_stored(store_session *store, const store_outbox *outbox, size_t first, size_t count,
                               const relay_chunk *chunk, base_error *err)
{
    base_code code = BASE_OK;
    for (size_t at = 0, end; at < count && code == BASE_OK; at = end + 1) {
        end = at;
        while (end < count && chunk->results[end].code == BASE_OK)
            end++;
        code = store_outbox_delete(store, outbox, first + at, end - at, err);
        if (code == BASE_OK && end > at)
            code = BASE_FAULT("relay.deleted", err);
    }
    return code;
}

static base_code check_age(const store_outbox *outbox, base_error *err)
{
    int64_t age_ms = store_outbox_age_ms(outbox);
    if (age_ms <= STAGE_RELAY_AGE_MAX_MS)
        return BASE_OK;
    return base_fail(err, BASE_UNAVAILABLE, "outbox rows in memory are %lld s old: left to the sweeper",
                     (long long)(age_ms / 1000));
}

static base_code relay_rows(broker_connection *broker, store_session *store, const store_outbox *outbox, size_t first,
                            size_t count, relay_chunk *chunk, base_error *err)
{
    for (size_t i = 0; i < count; i++) {
        fill_message(chunk, i, store_outbox_at(outbox, first + i));
        chunk->results[i] = (broker_publish_result){.code = BASE_UNAVAILABLE};
    }
    base_code code = BASE_FAULT("relay.publishing", err);
    if (code == BASE_OK)
        code = check_age(outbox, err);
    if (code == BASE_OK)
        code = broker_publish(broker, chunk->messages, count, STAGE_PUBLISH_TIMEOUT_MS, chunk->results, err);
    if (code == BASE_OK)
        code = BASE_FAULT("relay.published", err);
    base_error second = {0};
    base_code deleted = delete_stored(store, outbox, first, count, chunk, &second);
    if (code == BASE_OK && deleted != BASE_OK)
        return base_fail(err, deleted, "%s", second.message);
    return code;
}

base_code stage_relay(broker_connection *broker, store_session *store, store_outbox *outbox, base_error *err)
{
    size_t total = store_outbox_count(outbox);
    if (total == 0)
        return BASE_OK;
    BASE_CLEANUP(free) relay_chunk *chunk = malloc(sizeof(*chunk));
    base_code code = chunk != NULL ? BASE_OK : base_fail(err, BASE_NO_MEMORY, "no memory to publish %zu rows", total);
    for (size_t first = 0; code == BASE_OK && first < total; first += BROKER_PUBLISH_BATCH_MAX) {
        size_t count = total - first < BROKER_PUBLISH_BATCH_MAX ? total - first : BROKER_PUBLISH_BATCH_MAX;
        code = relay_rows(broker, store, outbox, first, count, chunk, err);
    }
    store_outbox_clear(outbox);
    return code;
}
