#pragma once
/* Messages written in the same transaction as the state they tell of, until they are published. */
#include "store/session.h"

#define STORE_HEADERS_MAX 12

typedef struct store_header {
    const char *name;
    const char *value;
} store_header;

/* One committed row; everything is owned by the list that holds it. */
typedef struct store_outbox_row {
    int64_t id;
    const char *subject;
    const char *message_id;
    store_header headers[STORE_HEADERS_MAX];
    size_t header_count;
    base_bytes payload;
} store_outbox_row;

/* A growing list of rows. Calls that commit rows append them here, so that the caller publishes just those. */
typedef struct store_outbox store_outbox;
BASE_MUST_CHECK base_code store_outbox_new(store_outbox **ret, base_error *err);
void store_outbox_free(store_outbox *outbox);
BASE_CLEANUP_POINTER(store_outbox, store_outbox_free);
size_t store_outbox_count(const store_outbox *outbox);
const store_outbox_row *store_outbox_at(const store_outbox *outbox, size_t index);
/* Milliseconds since before any of its rows could be seen by others, also while the process or machine stood still; 0: it is empty. */
int64_t store_outbox_age_ms(const store_outbox *outbox);
/* Empties the list, keeping its memory. */
void store_outbox_clear(store_outbox *outbox);

/* Deletes rows [first, first + count) of the list from the table: they have been published. Asynchronous commit: a row that
 * reappears after a crash is published again under the same message id. */
BASE_MUST_CHECK base_code store_outbox_delete(store_session *session, const store_outbox *outbox, size_t first,
                                              size_t count, base_error *err);

/* Bytes of payloads after which a page of stale rows ends: what one sweep holds in memory, but for one message. */
#define STORE_OUTBOX_PAGE_BYTES (16 << 20)

/* Appends up to `limit` rows behind after_id (0: from the first) that have been waiting for at least min_age_ms, in the order of their ids
 * (which is the order of their transactions for one submission). *ret_more: the page is full, there may be others behind it. A row
 * of the future is one from before the server's clock was set back, and has waited. */
BASE_MUST_CHECK base_code store_outbox_find_stale(store_session *session, int64_t min_age_ms, int64_t after_id,
                                                  size_t limit, store_outbox *ret, bool *ret_more, base_error *err);
/* Number of rows and age of the oldest, for metrics. */
BASE_MUST_CHECK base_code store_outbox_backlog(store_session *session, int64_t *ret_rows, int64_t *ret_oldest_age_ms,
                                               base_error *err);
