/* Bytes as the body of each of a node's answers: what is read keeps its limits and says what another reading of the JSON says. */
#include "fuzz.h"
#include "mina/answer.h"

#include <jansson.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

enum { HASHES = 4 };
static const char *const WANTED[HASHES] = {"5JuP", "5Jtx", "5JuP", ""};

static void check_question(base_code code, const base_error *err)
{
    FUZZ_CHECK(code == BASE_OK || code == BASE_UNAVAILABLE);
    FUZZ_CHECK_WHY(code, *err);
}

/* Whether the JSON says this number, as a number or in digits. */
static bool says(const json_t *value, uint64_t number)
{
    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value) == number;
    const char *text = json_string_value(value);
    return text != NULL && text[strspn(text, "0123456789")] == '\0' && strtoull(text, NULL, 10) == number;
}

static void status(base_bytes body)
{
    mina_node_status found;
    memset(&found, 0xff, sizeof(found));
    base_error err = {0};
    base_code code = mina_answer_status(body, &found, &err);
    check_question(code, &err);
    if (code != BASE_OK) {
        FUZZ_CHECK(found.height == -1); /* untouched */
        return;
    }
    FUZZ_CHECK(fuzz_is_line(found.network_id, sizeof(found.network_id)));
    FUZZ_CHECK(fuzz_is_line(found.sync_status, sizeof(found.sync_status)));
    FUZZ_CHECK(found.is_synced == (strcmp(found.sync_status, "SYNCED") == 0));
    FUZZ_CHECK(found.height >= 0 && (!found.is_synced || found.height > 0));
}

static void account(base_bytes body, const json_t *root)
{
    mina_account_state found;
    base_error err = {0};
    base_code code = mina_answer_account(body, &found, &err);
    check_question(code, &err);
    if (code != BASE_OK)
        return;
    const json_t *shown = json_object_get(json_object_get(root, "data"), "account");
    const json_t *inferred = json_object_get(shown, "inferredNonce");
    FUZZ_CHECK(found.exists == json_is_object(shown));
    if (!found.exists) {
        FUZZ_CHECK(found.nonce == 0 && found.inferred_nonce == 0 && found.balance == 0);
        return;
    }
    FUZZ_CHECK(says(json_object_get(shown, "nonce"), found.nonce));
    FUZZ_CHECK(json_is_null(inferred) ? found.inferred_nonce == found.nonce : says(inferred, found.inferred_nonce));
    FUZZ_CHECK(says(json_object_get(json_object_get(shown, "balance"), "total"), found.balance));
}

static bool are_equal(const mina_sighting *a, const mina_sighting *b)
{
    return a->is_pooled == b->is_pooled && a->block_height == b->block_height && a->has_failed == b->has_failed &&
           strcmp(a->reason, b->reason) == 0 && strcmp(a->memo, b->memo) == 0;
}

/* The order of the question changes no answer, and equal hashes have equal answers. */
static void sightings(base_bytes body)
{
    mina_sighting found[HASHES];
    mina_sighting backwards[HASHES];
    const char *reversed[HASHES];
    for (size_t i = 0; i < HASHES; i++)
        reversed[i] = WANTED[HASHES - 1 - i];
    base_error err = {0};
    base_code code = mina_answer_sightings(body, WANTED, HASHES, found, &err);
    check_question(code, &err);
    FUZZ_CHECK(mina_answer_sightings(body, reversed, HASHES, backwards, &err) == code);
    if (code != BASE_OK)
        return;
    for (size_t i = 0; i < HASHES; i++) {
        FUZZ_CHECK(are_equal(&found[i], &backwards[HASHES - 1 - i]));
        FUZZ_CHECK(found[i].block_height >= 0 && (!found[i].has_failed || found[i].block_height > 0));
        FUZZ_CHECK(fuzz_is_line(found[i].reason, sizeof(found[i].reason)));
        FUZZ_CHECK(fuzz_is_line(found[i].memo, sizeof(found[i].memo)));
        FUZZ_CHECK(found[i].has_failed || found[i].reason[0] == '\0');
    }
    FUZZ_CHECK(are_equal(&found[0], &found[2]));
}

/* A payment counts as taken only when the node shows it, as turned away only when nothing can have come of it. */
static void payment(base_bytes body, const json_t *root)
{
    static const long STATUSES[] = {0, 199, 200, 299, 302, 400, 404, 408, 429, 500, 503};
    const json_t *shown = json_object_get(json_object_get(json_object_get(root, "data"), "sendPayment"), "payment");
    bool shows_hash = json_is_string(json_object_get(shown, "hash"));
    bool has_errors = json_array_size(json_object_get(root, "errors")) > 0;
    for (size_t i = 0; i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++) {
        long http = STATUSES[i];
        bool from_graphql = http == 200 || http == 299 || http == 400;
        mina_receipt receipt = mina_answer_payment(http, body);
        FUZZ_CHECK((receipt.delivery == MINA_DELIVERY_TAKEN) == (from_graphql && shows_hash));
        FUZZ_CHECK((receipt.delivery == MINA_DELIVERY_REFUSED) == (from_graphql && !shows_hash && has_errors));
        FUZZ_CHECK(receipt.delivery != MINA_DELIVERY_TURNED_AWAY || (http >= 300 && http < 500 && http != 408));
        FUZZ_CHECK(receipt.delivery != MINA_DELIVERY_NOT_SENT);
        FUZZ_CHECK(receipt.delivery != MINA_DELIVERY_UNKNOWN || receipt.reason.code == BASE_AMBIGUOUS);
        FUZZ_CHECK(receipt.delivery == MINA_DELIVERY_TAKEN || receipt.reason.code != BASE_OK);
        FUZZ_CHECK(fuzz_is_line(receipt.reason.message, sizeof(receipt.reason.message)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_bytes body = base_bytes_of(data, size);
    BASE_CLEANUP(json_decref) json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    status(body);
    account(body, root);
    sightings(body);
    payment(body, root);
    return 0;
}
