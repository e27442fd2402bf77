/* Text as a line of the development node's journal: what is read says what the JSON says, and is written and read again as the same. Also
 * as an amount of MINA. */
#include "amount.h"
#include "fuzz.h"
#include "journal_line.h"

#include <inttypes.h>
#include <jansson.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

static void check_number(const json_t *object, const char *key, uint64_t found)
{
    const json_t *value = json_object_get(object, key);
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, found);
    if (json_is_string(value))
        FUZZ_CHECK(strcmp(json_string_value(value), text) == 0);
    else
        FUZZ_CHECK(json_is_integer(value) && (uint64_t)json_integer_value(value) == found);
}

static void check_entry(const journal_entry *entry, const char *line)
{
    BASE_CLEANUP(json_decref) json_t *root = json_loads(line, 0, NULL);
    const json_t *send = json_object_get(root, "send");
    const mina_payment *payment = &entry->transaction.payment;
    switch (entry->kind) {
    case JOURNAL_FUND:
        check_number(json_object_get(root, "fund"), "amount", entry->amount);
        break;
    case JOURNAL_SEND:
        check_number(send, "amount", payment->amount);
        check_number(send, "fee", payment->fee);
        check_number(send, "nonce", payment->nonce);
        check_number(send, "validUntil", payment->valid_until);
        break;
    case JOURNAL_BLOCK:
        FUZZ_CHECK(json_integer_value(json_object_get(root, "block")) == entry->time_ms);
        break;
    }
}

static void entry(const char *line)
{
    journal_entry found;
    journal_entry again;
    BASE_CLEANUP(base_buffer_done) base_buffer once = {.limit = JOURNAL_LINE_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer twice = {.limit = JOURNAL_LINE_MAX};
    base_error err = {0};
    base_code code = journal_line_read(line, &found, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code != BASE_OK)
        return;
    check_entry(&found, line);
    FUZZ_CHECK(journal_line_write(&found, &once, &err) == BASE_OK);
    FUZZ_CHECK(journal_line_read((const char *)once.data, &again, &err) == BASE_OK);
    FUZZ_CHECK(journal_line_write(&again, &twice, &err) == BASE_OK);
    FUZZ_CHECK(base_bytes_equal(base_buffer_view(&once), base_buffer_view(&twice)));
    FUZZ_CHECK(strcmp(found.transaction.hash.text, again.transaction.hash.text) == 0);
}

static void amount(const char *text)
{
    uint64_t found = 0;
    uint64_t again = 0;
    base_error err = {0};
    base_code code = amount_parse(text, &found, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (code == BASE_OK)
        FUZZ_CHECK(amount_parse(amount_format(found).text, &again, &err) == BASE_OK && again == found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BASE_CLEANUP(free) char *text = fuzz_text(base_bytes_of(data, size));
    entry(text);
    amount(text);
    base_error err = {0};
    base_code code = journal_line_check_header(text, MINA_DEVNET, &err);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID || code == BASE_CONFLICT);
    FUZZ_CHECK_WHY(code, err);
    return 0;
}
