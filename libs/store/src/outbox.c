#include "store/outbox.h"

#include "arena.h"
#include "messages.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define HEADERS_TEXT_MAX 4096 /* bytes of all headers of one row as stored */

typedef struct outbox_item {
    store_outbox_row row;
    const char *headers_text;
    size_t owner;
} outbox_item;

struct store_outbox {
    outbox_item *items;
    size_t count, capacity;
    int64_t begun_ms; /* when its first row was about to be added */
    store_arena texts;
};

base_code store_outbox_new(store_outbox **ret, base_error *err)
{
    store_outbox *outbox = calloc(1, sizeof(*outbox));
    if (outbox == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for outbox rows");
    *ret = outbox;
    return BASE_OK;
}

void store_outbox_free(store_outbox *outbox)
{
    if (outbox == NULL)
        return;
    store_arena_done(&outbox->texts);
    free(outbox->items);
    free(outbox);
}

size_t store_outbox_count(const store_outbox *outbox)
{
    return outbox->count;
}

const store_outbox_row *store_outbox_at(const store_outbox *outbox, size_t index)
{
    return &outbox->items[index].row;
}

static void begin(store_outbox *outbox)
{
    if (outbox->count == 0)
        outbox->begun_ms = base_boottime_ms();
}

int64_t store_outbox_age_ms(const store_outbox *outbox)
{
    return outbox->count == 0 ? 0 : base_boottime_ms() - outbox->begun_ms;
}

void store_outbox_clear(store_outbox *outbox)
{
    outbox->count = 0;
    store_arena_clear(&outbox->texts);
}

void store_outbox_cut(store_outbox *outbox, size_t count)
{
    if (count < outbox->count)
        outbox->count = count;
}

static outbox_item *next_item(store_outbox *outbox)
{
    if (outbox->count == outbox->capacity) {
        const size_t capacity = outbox->capacity == 0 ? 64 : outbox->capacity * 2;
        outbox_item *items = realloc(outbox->items, capacity * sizeof(*items));
        if (items == NULL)
            return NULL;
        outbox->items = items;
        outbox->capacity = capacity;
    }
    outbox_item *item = &outbox->items[outbox->count];
    *item = (outbox_item){0};
    return item;
}

static base_code no_memory(base_error *err)
{
    return base_fail(err, BASE_NO_MEMORY, "no memory for an outbox row");
}

/* Headers are stored as name and value on alternating lines, and read by cutting a copy of that text into pieces. */
static bool cut_headers(store_outbox *outbox, outbox_item *item)
{
    char *text = store_arena_copy(&outbox->texts, item->headers_text, strlen(item->headers_text));
    if (text == NULL)
        return false;
    char *rest = text;
    const char *name;
    while ((name = strsep(&rest, "\n")) != NULL && name[0] != '\0' && item->row.header_count < STORE_HEADERS_MAX) {
        const char *value = strsep(&rest, "\n");
        item->row.headers[item->row.header_count++] = (store_header){name, value == NULL ? "" : value};
    }
    return true;
}

base_code store_outbox_add(store_outbox *outbox, const store_message *message, base_error *err)
{
    begin(outbox);
    BASE_CLEANUP(base_buffer_done) base_buffer headers = {.limit = HEADERS_TEXT_MAX};
    for (size_t i = 0; i < message->header_count; i++) {
        if (message->headers[i].value[0] == '\0')
            continue; /* an empty header says nothing */
        base_code code =
            base_buffer_printf(&headers, err, "%s\n%s\n", message->headers[i].name, message->headers[i].value);
        if (code != BASE_OK)
            return code;
    }
    outbox_item *item = next_item(outbox);
    if (item == NULL)
        return no_memory(err);
    store_arena *texts = &outbox->texts;
    item->owner = message->owner;
    item->headers_text = store_arena_copy(texts, headers.data, headers.size);
    item->row.subject = store_arena_copy(texts, message->subject, strlen(message->subject));
    item->row.message_id = store_arena_copy(texts, message->message_id, strlen(message->message_id));
    const char *payload = store_arena_copy(texts, message->payload.data, message->payload.size);
    item->row.payload = base_bytes_of(payload, message->payload.size);
    if (item->headers_text == NULL || item->row.subject == NULL || item->row.message_id == NULL || payload == NULL ||
        !cut_headers(outbox, item))
        return no_memory(err);
    outbox->count++;
    return BASE_OK;
}

void store_outbox_params(const store_outbox *outbox, size_t first, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = first; i < outbox->count; i++)
        store_params_add_int64(params, (int64_t)outbox->items[i].owner);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = first; i < outbox->count; i++)
        store_params_add_text(params, outbox->items[i].row.subject);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = first; i < outbox->count; i++)
        store_params_add_text(params, outbox->items[i].row.message_id);
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = first; i < outbox->count; i++)
        store_params_add_text(params, outbox->items[i].headers_text);
    store_params_array(params, STORE_ELEMENT_BYTES);
    for (size_t i = first; i < outbox->count; i++)
        store_params_add_bytes(params, outbox->items[i].row.payload);
}

base_code store_outbox_settle(store_outbox *outbox, size_t first, const bool *fenced, const store_rows *rows,
                              size_t skip, base_error *err)
{
    const size_t stored = store_rows_count(rows) - skip;
    size_t kept = first;
    for (size_t i = first; i < outbox->count; i++) {
        if (fenced == NULL || !fenced[outbox->items[i].owner])
            outbox->items[kept++] = outbox->items[i];
    }
    outbox->count = kept;
    if (kept - first != stored) {
        outbox->count = first;
        return base_fail(err, BASE_INTERNAL, "Postgres stored %zu outbox rows of %zu", stored, kept - first);
    }
    for (size_t i = first; i < kept; i++)
        outbox->items[i].row.id = store_rows_int64(rows, skip + i - first, 0);
    return BASE_OK;
}

static base_code insert_and_commit(store_session *session, store_outbox *outbox, size_t first, base_error *err)
{
    static const store_statement INSERT_OUTBOX = {
        "insert_outbox",
        "INSERT INTO outbox (subject, message_id, headers, payload) "
        "SELECT m.subject, m.message_id, m.headers, m.payload "
        "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[]) "
        "WITH ORDINALITY AS m (owner, subject, message_id, headers, payload, ord) ORDER BY m.ord RETURNING id"};
    if (outbox->count == first)
        return store_query(session, STORE_FLIGHT_ENDS, &STORE_COMMIT, NULL, NULL, err);
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_outbox_params(outbox, first, &params);
    const store_step steps[] = {{&INSERT_OUTBOX, &params}, {&STORE_COMMIT, NULL}};
    store_rows rows[2] = {0};
    base_code code = store_flight(session, STORE_FLIGHT_ENDS, steps, 2, rows, err);
    if (code == BASE_OK)
        code = store_outbox_settle(outbox, first, NULL, &rows[0], 0, err);
    store_rows_done(&rows[0]);
    store_rows_done(&rows[1]);
    return code;
}

base_code store_outbox_end(store_session *session, base_code code, store_outbox *outbox, size_t first, base_error *err)
{
    if (code == BASE_OK)
        code = insert_and_commit(session, outbox, first, err);
    if (code != BASE_OK) {
        store_outbox_cut(outbox, first);
        store_session_abort(session);
    }
    return code;
}

base_code store_outbox_read(store_outbox *outbox, const store_rows *rows, base_error *err)
{
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        outbox_item *item = next_item(outbox);
        if (item == NULL)
            return no_memory(err);
        const char *copies[4];
        for (int column = 1; column <= 4; column++) {
            const base_bytes value = store_rows_bytes(rows, i, column);
            copies[column - 1] = store_arena_copy(&outbox->texts, value.data, value.size);
            if (copies[column - 1] == NULL)
                return no_memory(err);
        }
        item->row.id = store_rows_int64(rows, i, 0);
        item->row.subject = copies[0];
        item->row.message_id = copies[1];
        item->headers_text = copies[2];
        item->row.payload = base_bytes_of(copies[3], store_rows_bytes(rows, i, 4).size);
        if (!cut_headers(outbox, item))
            return no_memory(err);
        outbox->count++;
    }
    return BASE_OK;
}

base_code store_outbox_delete(store_session *session, const store_outbox *outbox, size_t first, size_t count,
                              base_error *err)
{
    /* The commit is not waited for: see the header. */
    static const store_statement DELETE_OUTBOX = {"delete_outbox",
                                                  "DELETE FROM outbox WHERE id = ANY ($1::bigint[]) "
                                                  "AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"};
    if (count == 0)
        return BASE_OK;
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_array(&params, STORE_ELEMENT_INT64);
    for (size_t i = first; i < first + count; i++)
        store_params_add_int64(&params, outbox->items[i].row.id);
    return store_query(session, STORE_FLIGHT_COMMITS, &DELETE_OUTBOX, &params, NULL, err);
}

/* Where the page ends is decided before any payload is read. */
static const store_statement FIND_STALE = {
    "find_stale_outbox",
    "SELECT id, subject, message_id, headers, payload FROM ("
    "SELECT n.*, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS bytes_before "
    "FROM (SELECT * FROM outbox WHERE id > $3::bigint AND "
    "(created_at <= clock_timestamp() - $1::bigint * interval '1 ms' OR created_at > clock_timestamp()) "
    "ORDER BY id LIMIT $2::bigint) AS n) AS page WHERE bytes_before < $4::bigint ORDER BY id"};

base_code store_outbox_find_stale(store_session *session, int64_t min_age_ms, int64_t after_id, size_t limit,
                                  store_outbox *ret, bool *ret_more, base_error *err)
{
    BASE_CLEANUP(store_params_done) store_params params = {0};
    store_params_int64(&params, min_age_ms);
    store_params_int64(&params, (int64_t)limit);
    store_params_int64(&params, after_id);
    store_params_int64(&params, STORE_OUTBOX_PAGE_BYTES);
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    begin(ret);
    base_code code = store_query(session, STORE_FLIGHT_READS, &FIND_STALE, &params, &rows, err);
    if (code != BASE_OK)
        return code;
    const size_t before = ret->count;
    code = store_outbox_read(ret, &rows, err);
    if (code != BASE_OK) {
        store_outbox_cut(ret, before);
        return code;
    }
    size_t bytes = 0;
    for (size_t i = before; i < ret->count; i++)
        bytes += ret->items[i].row.payload.size;
    *ret_more = ret->count - before == limit || bytes >= STORE_OUTBOX_PAGE_BYTES;
    return BASE_OK;
}

base_code store_outbox_backlog(store_session *session, int64_t *ret_rows, int64_t *ret_oldest_age_ms, base_error *err)
{
    static const store_statement BACKLOG = {
        "outbox_backlog", "SELECT count(*), coalesce(greatest((extract(epoch FROM clock_timestamp() - "
                          "(SELECT created_at FROM outbox ORDER BY id LIMIT 1)) * 1000)::bigint, 0), 0) FROM outbox"};
    BASE_CLEANUP(store_rows_done) store_rows rows = {0};
    const base_code code = store_query(session, STORE_FLIGHT_READS, &BACKLOG, NULL, &rows, err);
    if (code != BASE_OK)
        return code;
    *ret_rows = store_rows_int64(&rows, 0, 0);
    *ret_oldest_age_ms = store_rows_int64(&rows, 0, 1);
    return BASE_OK;
}
