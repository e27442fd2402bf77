#pragma once
/* Outbox rows while they are made: appended to the caller's list, sent with the statement that writes the state, and given their ids. */
#include "flight.h"
#include "store/outbox.h"
#include "wire/messages.h"

typedef struct store_message {
    const char *subject;
    const char *message_id;
    const store_header *headers;
    size_t header_count;
    base_bytes payload;
    size_t owner; /* index of the submission in the batch: fenced together */
} store_message;

/* Copies `message` to the end of the list, without an id yet. */
BASE_MUST_CHECK base_code store_outbox_add(store_outbox *outbox, const store_message *message, base_error *err);
/* Drops rows from `count` on. */
void store_outbox_cut(store_outbox *outbox, size_t count);

/* Appends five arrays for the rows from `first` on: owner, subject, message id, headers, payload. */
void store_outbox_params(const store_outbox *outbox, size_t first, store_params *params);
/* Drops the rows from `first` on whose owner is fenced, and gives the others their ids: column 0 of `rows`
 * from row `skip` on, in order. BASE_INTERNAL when the numbers differ. fenced may be NULL: none is. */
BASE_MUST_CHECK base_code store_outbox_settle(store_outbox *outbox, size_t first, const bool *fenced,
                                              const store_rows *rows, size_t skip, base_error *err);
/* Ends a transaction whose steps came to `code`: when that is BASE_OK, inserts the rows from `first` on, if any, and commits. On any
 * failure they are dropped and the transaction is rolled back. Returns the first failure. */
BASE_MUST_CHECK base_code store_outbox_end(store_session *session, base_code code, store_outbox *outbox, size_t first,
                                           base_error *err);
/* Appends committed rows as read from the table: id, subject, message id, headers, payload. */
BASE_MUST_CHECK base_code store_outbox_read(store_outbox *outbox, const store_rows *rows, base_error *err);

typedef enum store_command { STORE_COMMAND_GENERATE, STORE_COMMAND_PUBLISH } store_command;

/* The event of a status change: subject <events>.<sha256>.<status>, message id <sha256>.<sequence>. */
BASE_MUST_CHECK base_code store_add_event(const store_session *session, store_outbox *outbox, size_t owner,
                                          const wire_status_changed *event, base_error *err);
/* A job for a stage, message id <sha256>.<stage>.<epoch>. */
BASE_MUST_CHECK base_code store_add_command(const store_session *session, store_outbox *outbox, size_t owner,
                                            store_command command, const base_sha256 *sha256, int64_t epoch,
                                            base_bytes payload, base_error *err);

typedef struct store_dead_letter {
    store_command stage;
    const base_sha256 *sha256;
    int64_t epoch;
    int64_t attempts;
    uint64_t sequence;
    const char *reason_code;
    const char *reason;
    const char *subject; /* where the job came from; NULL: the stage's own */
    base_bytes payload;
} store_dead_letter;
/* A rejected job for operators: subject <dead>.<stage>, message id <sha256>.dead.<epoch>. */
BASE_MUST_CHECK base_code store_add_dead_letter(const store_session *session, store_outbox *outbox, size_t owner,
                                                const store_dead_letter *letter, base_error *err);

/* The publish command of a submission, encoded: appended to `ret`. */
BASE_MUST_CHECK base_code store_publish_command(const wire_generate_proof *job, const char *format,
                                                const base_digest *digest, base_buffer *ret, base_error *err);
