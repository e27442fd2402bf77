#include "stage.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static int by_hash(const void *a, const void *b)
{
    const store_place *x = a, *y = b;
    return memcmp(x->sha256->bytes, y->sha256->bytes, BASE_SHA256_SIZE);
}

base_code store_places_sort(store_place *places, size_t count, base_error *err)
{
    if (count > STORE_BATCH_MAX)
        return base_fail(err, BASE_LIMIT, "a batch of %zu submissions is over the limit of %d", count, STORE_BATCH_MAX);
    qsort(places, count, sizeof(*places), by_hash);
    for (size_t i = 1; i < count; i++) {
        if (by_hash(&places[i - 1], &places[i]) == 0)
            return base_fail(err, BASE_INVALID, "submission %s is twice in one batch",
                             base_sha256_hex(places[i].sha256).text);
    }
    return BASE_OK;
}

void store_places_params(const store_place *places, size_t count, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_TEXT);
    for (size_t i = 0; i < count; i++)
        store_params_add_hash(params, places[i].sha256);
}

void store_places_owners(const store_place *places, size_t count, store_params *params)
{
    store_params_array(params, STORE_ELEMENT_INT64);
    for (size_t i = 0; i < count; i++)
        store_params_add_int64(params, (int64_t)places[i].index);
}

base_code store_claim_read(const store_rows *rows, size_t row, int column, store_claim *ret, base_error *err)
{
    ret->answer = (store_claim_answer)store_rows_int64(rows, row, column);
    ret->epoch = store_rows_int64(rows, row, column + 2);
    ret->event_sequence = store_rows_int64(rows, row, column + 3);
    ret->retries = store_rows_int64(rows, row, column + 4);
    ret->crashes = store_rows_int64(rows, row, column + 5);
    ret->accepted_unix_ms = store_rows_int64(rows, row, column + 6);
    ret->age_ms = store_rows_int64(rows, row, column + 7);
    ret->status = WIRE_STATUS_NONE;
    return store_rows_is_null(rows, row, column + 1) ? BASE_OK
                                                     : store_rows_status(rows, row, column + 1, &ret->status, err);
}

static wire_status status_after(const store_ending *ending)
{
    if (ending->kind == STORE_REJECTED)
        return WIRE_STATUS_REJECTED;
    return ending->stage == STORE_COMMAND_GENERATE ? WIRE_STATUS_PROOF_PUBLISHING : WIRE_STATUS_COMPLETE;
}

/* An event needs a code; a caller that forgot one must not fail its batch. */
static void clean_reason_code(const store_failure *failure, char ret[WIRE_REASON_CODE_MAX + 1])
{
    base_one_line(failure->reason_code, ret, WIRE_REASON_CODE_MAX + 1);
    if (ret[0] == '\0')
        snprintf(ret, WIRE_REASON_CODE_MAX + 1, "unspecified");
}

static base_code add_letter(const store_session *session, store_outbox *outbox, size_t owner,
                            const store_ending *ending, base_error *err)
{
    const store_dead_letter letter = {.stage = ending->stage,
                                      .sha256 = ending->sha256,
                                      .epoch = ending->claim->epoch,
                                      .attempts = ending->claim->retries + ending->claim->crashes + 1,
                                      .sequence = ending->identity->sequence,
                                      .reason_code = ending->failure->reason_code,
                                      .reason = ending->failure->reason,
                                      .subject = ending->failure->job_subject,
                                      .payload = ending->failure->job_payload};
    return store_add_dead_letter(session, outbox, owner, &letter, err);
}

base_code store_add_ending(const store_session *session, store_outbox *outbox, size_t owner, const store_ending *ending,
                           base_error *err)
{
    if (ending->kind != STORE_SUCCEEDED && ending->kind != STORE_REJECTED)
        return BASE_OK;
    wire_status_changed event = {
        .sha256 = *ending->sha256,
        .sequence = (uint64_t)ending->claim->event_sequence + 1,
        .status = status_after(ending),
        .previous_status =
            ending->stage == STORE_COMMAND_GENERATE ? WIRE_STATUS_PROOF_GENERATION : WIRE_STATUS_PROOF_PUBLISHING,
        .occurred_unix_ms = base_unix_ms(),
    };
    snprintf(event.correlation_id, sizeof(event.correlation_id), "%s", ending->correlation_id);
    if (ending->transaction_hash != NULL)
        snprintf(event.transaction_hash, sizeof(event.transaction_hash), "%s", ending->transaction_hash);
    if (ending->kind == STORE_REJECTED) {
        clean_reason_code(ending->failure, event.reason_code);
        base_one_line(ending->failure->reason, event.reason, sizeof(event.reason));
    }
    base_code code = store_add_event(session, outbox, owner, &event, err);
    if (code == BASE_OK && ending->kind == STORE_REJECTED)
        code = add_letter(session, outbox, owner, ending, err);
    return code;
}

static bool has_reason(store_outcome_kind kind)
{
    return kind == STORE_REJECTED || kind == STORE_RETRY;
}

void store_add_reason_code(store_params *params, store_outcome_kind kind, const store_failure *failure)
{
    if (!has_reason(kind)) {
        store_params_add_null(params);
        return;
    }
    char text[WIRE_REASON_CODE_MAX + 1];
    clean_reason_code(failure, text);
    store_params_add_text(params, text);
}

void store_add_reason(store_params *params, store_outcome_kind kind, const store_failure *failure)
{
    if (!has_reason(kind)) {
        store_params_add_null(params);
        return;
    }
    char text[WIRE_REASON_MAX + 1];
    base_one_line(failure->reason, text, sizeof(text));
    store_params_add_text(params, text);
}

base_code store_commit_read(const store_rows *rows, size_t count, bool *fenced, store_outbox *outbox, size_t first,
                            base_error *err)
{
    for (size_t i = 0; i < count; i++)
        fenced[i] = true;
    size_t written = 0;
    while (written < store_rows_count(rows) && store_rows_is_null(rows, written, 0)) {
        const int64_t owner = store_rows_int64(rows, written++, 1);
        if (owner < 0 || (uint64_t)owner >= count)
            return base_fail(err, BASE_INTERNAL, "Postgres names row %lld of %zu", (long long)owner, count);
        fenced[owner] = false;
    }
    return store_outbox_settle(outbox, first, fenced, rows, written, err);
}
