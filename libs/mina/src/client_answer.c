#include "mina/answer.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

BASE_CLEANUP_POINTER(json_t, json_decref);

enum {
    NODE_TEXT_MAX = 200, /* bytes with terminator of the node's own words in a message */
    HTTP_REQUEST_TIMEOUT = 408,
};

/* The daemon repeats the whole command before it says what is wrong with it: "… {…} Error: <reason>". */
static const char *essence(const char *message)
{
    const char *last = message;
    for (const char *at = message; (at = strstr(at, " Error: ")) != NULL; at++)
        last = at + strlen(" Error: ");
    return last;
}

/* The first error's message; NULL when the answer has no errors. Borrowed from `root`. */
static const char *error_message(const json_t *root)
{
    const json_t *errors = json_object_get(root, "errors");
    if (json_array_size(errors) == 0)
        return NULL;
    const char *message = json_string_value(json_object_get(json_array_get(errors, 0), "message"));
    return message != NULL ? message : "(an error without a message)";
}

/* At load time, when there is only one thread. */
__attribute__((constructor)) static void note_memory(void)
{
    json_set_alloc_funcs(base_noting_malloc, free);
}

static base_code parse(base_bytes body, json_t **ret, base_error *err)
{
    json_error_t problem;
    base_memory_forget();
    BASE_CLEANUP(json_decref)
    json_t *root = json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, &problem);
    if (base_memory_lacked())
        return base_fail(err, BASE_NO_MEMORY, "no memory to read the node's answer of %zu bytes", body.size);
    if (root == NULL) {
        char text[NODE_TEXT_MAX];
        base_one_line(problem.text, text, sizeof(text));
        return base_fail(err, BASE_UNAVAILABLE, "the node's answer is no JSON: %s", text);
    }
    *ret = BASE_TAKE(root);
    return BASE_OK;
}

static base_code fail_shape(const json_t *root, const char *field, base_error *err)
{
    const char *message = error_message(root);
    if (message == NULL)
        return base_fail(err, BASE_UNAVAILABLE, "the node's answer lacks a usable `%s`", field);
    char text[NODE_TEXT_MAX];
    base_one_line(essence(message), text, sizeof(text));
    return base_fail(err, BASE_UNAVAILABLE, "the node says: %s", text);
}

/* A whole number from 0 to max, as JSON number or decimal string. */
static bool read_number(const json_t *value, uint64_t max, uint64_t *ret)
{
    uint64_t number = 0;
    if (json_is_integer(value)) {
        if (json_integer_value(value) < 0)
            return false;
        number = (uint64_t)json_integer_value(value);
    } else {
        const char *text = json_string_value(value);
        if (text == NULL || *text == '\0')
            return false;
        for (; *text != '\0'; text++)
            if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, UINT64_C(10), &number) ||
                __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
                return false;
    }
    if (number > max)
        return false;
    *ret = number;
    return true;
}

static bool read_height(const json_t *block, int64_t *ret)
{
    const json_t *consensus = json_object_get(json_object_get(block, "protocolState"), "consensusState");
    uint64_t height;
    if (!read_number(json_object_get(consensus, "blockHeight"), INT64_MAX, &height) || height == 0)
        return false;
    *ret = (int64_t)height;
    return true;
}

base_code mina_answer_status(base_bytes body, mina_node_status *ret, base_error *err)
{
    BASE_CLEANUP(json_decref) json_t *root = NULL;
    base_code code = parse(body, &root, err);
    if (code != BASE_OK)
        return code;
    const json_t *data = json_object_get(root, "data");
    const char *network = json_string_value(json_object_get(data, "networkID"));
    const char *sync = json_string_value(json_object_get(data, "syncStatus"));
    if (network == NULL || strlen(network) >= MINA_NETWORK_ID_MAX)
        return fail_shape(root, "networkID", err);
    if (sync == NULL || strlen(sync) >= MINA_SYNC_STATUS_MAX)
        return fail_shape(root, "syncStatus", err);
    /* A node that is still bootstrapping answers these two, and an error for its chain. */
    mina_node_status status = {.is_synced = strcmp(sync, "SYNCED") == 0};
    bool has_height = read_height(json_array_get(json_object_get(data, "bestChain"), 0), &status.height);
    if (status.is_synced && !has_height)
        return fail_shape(root, "bestChain", err);
    base_one_line(network, status.network_id, sizeof(status.network_id));
    base_one_line(sync, status.sync_status, sizeof(status.sync_status));
    *ret = status;
    return BASE_OK;
}

base_code mina_answer_account(base_bytes body, mina_account_state *ret, base_error *err)
{
    BASE_CLEANUP(json_decref) json_t *root = NULL;
    base_code code = parse(body, &root, err);
    if (code != BASE_OK)
        return code;
    const json_t *account = json_object_get(json_object_get(root, "data"), "account");
    if (json_is_null(account) && error_message(root) == NULL) {
        *ret = (mina_account_state){0};
        return BASE_OK;
    }
    uint64_t nonce;
    uint64_t inferred;
    uint64_t balance;
    uint64_t height;
    if (!read_number(json_object_get(account, "nonce"), UINT32_MAX, &nonce))
        return fail_shape(root, "account.nonce", err);
    const json_t *inferred_nonce = json_object_get(account, "inferredNonce");
    if (json_is_null(inferred_nonce))
        inferred = nonce;
    else if (!read_number(inferred_nonce, UINT32_MAX, &inferred))
        return fail_shape(root, "account.inferredNonce", err);
    const json_t *money = json_object_get(account, "balance");
    if (!read_number(json_object_get(money, "total"), UINT64_MAX, &balance))
        return fail_shape(root, "account.balance", err);
    if (!read_number(json_object_get(money, "blockHeight"), INT64_MAX, &height))
        height = 0;
    *ret = (mina_account_state){true, (uint32_t)nonce, (uint32_t)inferred, balance, (int64_t)height};
    return BASE_OK;
}

/* What is looked for, sorted by hash: hundreds of hashes meet tens of thousands of commands. */
typedef struct wanted {
    const char *hash;
    mina_sighting *sighting;
} wanted;

static int compare_wanted(const void *a, const void *b)
{
    return strcmp(((const wanted *)a)->hash, ((const wanted *)b)->hash);
}

/* The sighting of the command's hash; NULL when it is not among those asked for. */
static mina_sighting *find_wanted(const json_t *command, const wanted *list, size_t count)
{
    const wanted key = {.hash = json_string_value(json_object_get(command, "hash"))};
    if (key.hash == NULL)
        return NULL;
    size_t low = 0; /* the first row that is not before the key: equal hashes are filled in by their first */
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (compare_wanted(&list[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && compare_wanted(&list[low], &key) == 0 ? list[low].sighting : NULL;
}

static void note_memo(const json_t *command, mina_sighting *sighting)
{
    const char *memo = json_string_value(json_object_get(command, "memo"));
    if (memo != NULL && strlen(memo) < sizeof(sighting->memo))
        base_one_line(memo, sighting->memo, sizeof(sighting->memo));
}

/* False when the block is not as the schema has it: an inclusion must not be overlooked. */
static bool note_block(const json_t *block, const wanted *list, size_t count, int64_t *tip_height)
{
    int64_t height;
    const json_t *commands = json_object_get(json_object_get(block, "transactions"), "userCommands");
    if (!read_height(block, &height) || !json_is_array(commands))
        return false;
    if (height > *tip_height)
        *tip_height = height;
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const json_t *command = json_array_get(commands, i);
        const json_t *failure = json_object_get(command, "failureReason");
        if (!json_is_string(json_object_get(command, "hash")) || (!json_is_null(failure) && !json_is_string(failure)))
            return false;
        mina_sighting *sighting = find_wanted(command, list, count);
        if (sighting == NULL)
            continue;
        sighting->block_height = height;
        sighting->has_failed = json_is_string(failure);
        if (sighting->has_failed)
            base_one_line(json_string_value(failure), sighting->reason, sizeof(sighting->reason));
        note_memo(command, sighting);
    }
    return true;
}

static void note_pool(const json_t *pool, const wanted *list, size_t count)
{
    for (size_t i = 0; i < json_array_size(pool); i++) {
        const json_t *command = json_array_get(pool, i);
        mina_sighting *sighting = find_wanted(command, list, count);
        if (sighting == NULL)
            continue;
        sighting->is_pooled = true;
        note_memo(command, sighting);
    }
}

base_code mina_answer_sightings(base_bytes body, const char *const *hashes, size_t count, mina_sighting *sightings,
                                base_error *err)
{
    if (count > MINA_HASHES_MAX)
        return base_fail(err, BASE_INVALID, "more than %d transactions at once", MINA_HASHES_MAX);
    BASE_CLEANUP(json_decref) json_t *root = NULL;
    base_code code = parse(body, &root, err);
    if (code != BASE_OK)
        return code;
    const json_t *data = json_object_get(root, "data");
    const json_t *pool = json_object_get(data, "pooledUserCommands");
    const json_t *chain = json_object_get(data, "bestChain");
    if (!json_is_array(pool))
        return fail_shape(root, "pooledUserCommands", err);
    if (json_array_size(chain) == 0)
        return fail_shape(root, "bestChain", err);

    wanted list[MINA_HASHES_MAX];
    for (size_t i = 0; i < count; i++) {
        sightings[i] = (mina_sighting){0};
        list[i] = (wanted){hashes[i], &sightings[i]};
    }
    qsort(list, count, sizeof(list[0]), compare_wanted);
    note_pool(pool, list, count);
    int64_t tip_height = 0;
    for (size_t i = 0; i < json_array_size(chain); i++)
        if (!note_block(json_array_get(chain, i), list, count, &tip_height))
            return fail_shape(root, "bestChain", err);
    for (size_t i = 0; i < count; i++)
        sightings[i].tip_height = tip_height;
    for (size_t i = 1; i < count; i++)
        if (compare_wanted(&list[i], &list[i - 1]) == 0)
            *list[i].sighting = *list[i - 1].sighting;
    return BASE_OK;
}

static mina_receipt refused(const char *message)
{
    mina_receipt receipt = {MINA_DELIVERY_REFUSED, mina_error_classify(essence(message)), {0}};
    if (receipt.error_class == MINA_ERROR_OTHER)
        receipt.error_class = mina_error_classify(message);
    char text[NODE_TEXT_MAX];
    base_one_line(essence(message), text, sizeof(text));
    base_fail(&receipt.reason, BASE_TRANSIENT, "%s", text);
    return receipt;
}

/* The answer of the node's own GraphQL: HTTP 200, or 400 for a request that it does not understand. */
static mina_receipt read_payment(long http_status, base_bytes body)
{
    mina_receipt receipt = {.delivery = http_status == 400 ? MINA_DELIVERY_TURNED_AWAY : MINA_DELIVERY_UNKNOWN};
    BASE_CLEANUP(json_decref) json_t *root = NULL;
    if (parse(body, &root, &receipt.reason) != BASE_OK) {
        base_fail_within(&receipt.reason, "HTTP %ld", http_status);
        return receipt;
    }
    const json_t *sent = json_object_get(json_object_get(root, "data"), "sendPayment");
    if (json_is_string(json_object_get(json_object_get(sent, "payment"), "hash")))
        return (mina_receipt){.delivery = MINA_DELIVERY_TAKEN};
    const char *message = error_message(root);
    if (message != NULL)
        return refused(message);
    base_fail(&receipt.reason, BASE_UNAVAILABLE, "HTTP %ld: the node's answer holds neither a payment nor an error",
              http_status);
    return receipt;
}

mina_receipt mina_answer_payment(long http_status, base_bytes body)
{
    mina_receipt receipt = {0};
    if ((http_status >= 200 && http_status < 300) || http_status == 400) {
        receipt = read_payment(http_status, body);
    } else {
        bool never_read = http_status >= 300 && http_status < 500 && http_status != HTTP_REQUEST_TIMEOUT;
        receipt.delivery = never_read ? MINA_DELIVERY_TURNED_AWAY : MINA_DELIVERY_UNKNOWN;
        base_fail(&receipt.reason, BASE_UNAVAILABLE, "HTTP %ld from the node", http_status);
    }
    if (receipt.delivery == MINA_DELIVERY_UNKNOWN)
        receipt.reason.code = BASE_AMBIGUOUS;
    else if (receipt.delivery == MINA_DELIVERY_TURNED_AWAY)
        receipt.reason.code = BASE_UNAVAILABLE;
    return receipt;
}
