#include "mina/client.h"

#include "base/clock.h"
#include "base/text.h"
#include "mina/request.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_KEPT = 1048576 }; /* bytes of an answer's memory that the next one uses again */

struct mina_client {
    CURL *curl;
    struct curl_slist *headers;
    base_buffer answer;
    _Atomic int64_t end_ms; /* monotonic: nothing is asked any more; 0: no end is set */
    bool is_oversized;      /* the answer at hand went over MINA_CLIENT_ANSWER_MAX */
    char place[MINA_CLIENT_PLACE_MAX];
    char problem[CURL_ERROR_SIZE]; /* curl's words */
};

BASE_CLEANUP_POINTER(CURLU, curl_url_cleanup);
BASE_CLEANUP_POINTER(char, curl_free);

/* A body on its way out. curl asks for a second reading when a kept-alive connection turns out to be dead. */
typedef struct outgoing {
    base_bytes body;
    size_t at;
    bool has_started; /* some of it was given to curl: it may have left */
    bool may_repeat;
} outgoing;

static size_t read_body(char *ret, size_t size, size_t count, void *ctx)
{
    outgoing *out = ctx;
    size_t room = size * count;
    size_t rest = out->body.size - out->at;
    size_t taken = rest < room ? rest : room;
    if (taken > 0)
        memcpy(ret, out->body.data + out->at, taken);
    out->at += taken;
    out->has_started = true;
    return taken;
}

static int rewind_body(void *ctx, curl_off_t offset, int origin)
{
    outgoing *out = ctx;
    bool is_within = origin == SEEK_SET && offset >= 0 && (uint64_t)offset <= out->body.size;
    if (!is_within || (out->has_started && !out->may_repeat))
        return CURL_SEEKFUNC_FAIL;
    out->at = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t write_answer(char *data, size_t size, size_t count, void *ctx)
{
    mina_client *client = ctx;
    client->is_oversized = size * count > client->answer.limit - client->answer.size;
    if (base_buffer_append(&client->answer, base_bytes_of(data, size * count), NULL) != BASE_OK)
        return 0; /* ends the exchange with CURLE_WRITE_ERROR */
    return size * count;
}

static bool has_ended(const mina_client *client)
{
    int64_t end_ms = atomic_load(&client->end_ms);
    return end_ms != 0 && base_monotonic_ms() >= end_ms;
}

/* curl calls this at least once a second, whatever it waits for. */
static int on_progress(void *ctx, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    (void)to_get;
    (void)got;
    (void)to_send;
    (void)sent;
    return has_ended(ctx);
}

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK ? text : NULL;
}

/* Checks the URL and keeps what of it may be shown: an URL can carry credentials and API keys. */
static base_code read_place(const char *text, char *ret, base_error *err)
{
    BASE_CLEANUP(curl_url_cleanup) CURLU *url = curl_url();
    if (url == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a Mina client");
    CURLUcode read = text == NULL ? CURLUE_BAD_HANDLE : curl_url_set(url, CURLUPART_URL, text, 0);
    if (read == CURLUE_OUT_OF_MEMORY)
        return base_fail(err, BASE_NO_MEMORY, "no memory to read the node's URL");
    if (read != CURLUE_OK)
        return base_fail(err, BASE_INVALID, "the node's URL is none: it looks like http://host:3085/graphql");
    errno = 0; /* a part that is missing looks like one without memory */
    BASE_CLEANUP(curl_free) char *scheme = url_part(url, CURLUPART_SCHEME);
    BASE_CLEANUP(curl_free) char *host = url_part(url, CURLUPART_HOST);
    BASE_CLEANUP(curl_free) char *port = url_part(url, CURLUPART_PORT);
    if (errno == ENOMEM)
        return base_fail(err, BASE_NO_MEMORY, "no memory to read the node's URL");
    if (scheme == NULL || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) || host == NULL || port == NULL)
        return base_fail(err, BASE_INVALID, "the node's URL must begin with http:// or https:// and name a host");
    char place[MINA_CLIENT_PLACE_MAX];
    snprintf(place, sizeof(place), "%s:%s", host, port);
    base_one_line(place, ret, MINA_CLIENT_PLACE_MAX); /* curl takes bytes in a host that are no UTF-8 */
    return BASE_OK;
}

static long milliseconds(int64_t value, long fallback)
{
    return value <= 0 ? fallback : value > INT32_MAX ? INT32_MAX : (long)value;
}

static CURLcode set_limits(CURL *curl, const mina_client_options *options)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, options->url);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (code == CURLE_OK && options->tls_ca_file != NULL)
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, options->tls_ca_file);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* HTTP/2 repeats refused streams */
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     milliseconds(options->connect_timeout_ms, MINA_CLIENT_CONNECT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(options->timeout_ms, MINA_CLIENT_TIMEOUT_MS));
    return code;
}

static base_code add_headers(mina_client *client, base_error *err)
{
    static const char *const HEADERS[] = {"Content-Type: application/json", "Accept: application/json",
                                          "Expect:" /* no 100-continue round trip */};
    for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
        struct curl_slist *longer = curl_slist_append(client->headers, HEADERS[i]);
        if (longer == NULL)
            return base_fail(err, BASE_NO_MEMORY, "no memory for a Mina client");
        client->headers = longer;
    }
    return BASE_OK;
}

static void set_transfer(mina_client *client)
{
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "proofline");
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->problem);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

base_code mina_client_new(const mina_client_options *options, mina_client **ret, base_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    BASE_CLEANUP(mina_client_free) mina_client *client = calloc(1, sizeof(*client));
    if (client == NULL || (client->curl = curl_easy_init()) == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a Mina client");
    client->answer.limit = MINA_CLIENT_ANSWER_MAX;
    base_code code = read_place(options->url, client->place, err);
    if (code == BASE_OK)
        code = add_headers(client, err);
    if (code != BASE_OK)
        return code;
    CURLcode set = set_limits(client->curl, options);
    if (set == CURLE_OUT_OF_MEMORY)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a Mina client");
    if (set != CURLE_OK)
        return base_fail(err, BASE_INVALID, "libcurl cannot be set up for %s: %s", client->place,
                         curl_easy_strerror(set));
    set_transfer(client);
    *ret = BASE_TAKE(client);
    return BASE_OK;
}

void mina_client_free(mina_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    base_buffer_done(&client->answer);
    free(client);
}

void mina_client_end(mina_client *client, int64_t after_ms)
{
    atomic_store(&client->end_ms, base_monotonic_ms() + after_ms);
}

const char *mina_client_place(const mina_client *client)
{
    return client->place;
}

/* One exchange; the answer is in client->answer. BASE_UNAVAILABLE: the body never left. BASE_AMBIGUOUS: it may have. */
static base_code exchange(mina_client *client, base_bytes body, bool may_repeat, long *ret_status, base_error *err)
{
    if (has_ended(client))
        return base_fail(err, BASE_UNAVAILABLE, "node %s: not asked any more, for we stop", client->place);
    outgoing out = {.body = body, .may_repeat = may_repeat};
    if (client->answer.capacity > ANSWER_KEPT)
        base_buffer_done(&client->answer);
    base_buffer_clear(&client->answer);
    client->is_oversized = false;
    client->problem[0] = '\0';
    curl_easy_setopt(client->curl, CURLOPT_READDATA, &out);
    curl_easy_setopt(client->curl, CURLOPT_SEEKDATA, &out);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    CURLcode code = curl_easy_perform(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_READDATA, NULL);
    curl_easy_setopt(client->curl, CURLOPT_SEEKDATA, NULL);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, ret_status);
    if (code == CURLE_OK)
        return BASE_OK;
    base_code failure = out.has_started ? BASE_AMBIGUOUS : BASE_UNAVAILABLE;
    if (client->is_oversized)
        return base_fail(err, failure, "node %s: the answer is over the maximum of %d bytes", client->place,
                         MINA_CLIENT_ANSWER_MAX);
    const char *problem = client->problem[0] != '\0' ? client->problem : curl_easy_strerror(code);
    return base_fail(err, failure, "node %s: %s", client->place, problem);
}

/* A question: whatever hinders a usable answer is BASE_UNAVAILABLE. */
static base_code ask(mina_client *client, const base_buffer *body, base_error *err)
{
    long http_status = 0;
    if (exchange(client, base_buffer_view(body), true, &http_status, err) != BASE_OK) {
        if (err != NULL)
            err->code = BASE_UNAVAILABLE;
        return BASE_UNAVAILABLE;
    }
    /* 400 carries GraphQL errors, which say more than the number. */
    if (http_status == 200 || (http_status == 400 && client->answer.size > 0 && client->answer.data[0] == '{'))
        return BASE_OK;
    return base_fail(err, BASE_UNAVAILABLE, "node %s: HTTP %ld", client->place, http_status);
}

static base_code at_place(const mina_client *client, base_code code, base_error *err)
{
    if (code != BASE_OK && err != NULL)
        return base_fail_within(err, "node %s", client->place);
    return code;
}

base_code mina_client_status(mina_client *client, mina_node_status *ret, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_code code = mina_request_status(&body, err);
    if (code == BASE_OK)
        code = ask(client, &body, err);
    if (code != BASE_OK)
        return code;
    return at_place(client, mina_answer_status(base_buffer_view(&client->answer), ret, err), err);
}

base_code mina_client_account(mina_client *client, const char *address, mina_account_state *ret, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_code code = mina_request_account(address, &body, err);
    if (code == BASE_OK)
        code = ask(client, &body, err);
    if (code != BASE_OK)
        return code;
    return at_place(client, mina_answer_account(base_buffer_view(&client->answer), ret, err), err);
}

base_code mina_client_find(mina_client *client, const char *const *hashes, size_t count, int64_t blocks,
                           mina_sighting *sightings, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_code code = mina_request_sightings(hashes, count, blocks, &body, err);
    if (code == BASE_OK)
        code = ask(client, &body, err);
    if (code != BASE_OK)
        return code;
    code = mina_answer_sightings(base_buffer_view(&client->answer), hashes, count, sightings, err);
    return at_place(client, code, err);
}

mina_receipt mina_client_send(mina_client *client, base_bytes body)
{
    mina_receipt receipt = {0};
    long http_status = 0;
    base_code code = exchange(client, body, false, &http_status, &receipt.reason);
    if (code == BASE_OK) {
        receipt = mina_answer_payment(http_status, base_buffer_view(&client->answer));
        if (receipt.delivery != MINA_DELIVERY_TAKEN)
            at_place(client, receipt.reason.code, &receipt.reason);
        return receipt;
    }
    receipt.delivery = code == BASE_AMBIGUOUS ? MINA_DELIVERY_UNKNOWN : MINA_DELIVERY_NOT_SENT;
    return receipt;
}
