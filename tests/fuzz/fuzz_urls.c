/* Text as the URLs of NATS, of the Mina node and of Postgres, by itself and behind "user:<password>": what is accepted can be shown
 * without the password, and what is refused is refused without quoting it. */
#include "dial.h"
#include "fuzz.h"
#include "mina/client.h"
#include "store/session.h"

#define PASSWORD "Tr0ub4dor" /* no word of our messages */
#define QUERY    "?apikey=" PASSWORD

/* Neither half of the password is there. */
static bool is_clean(const char *text)
{
    return strcasestr(text, "Tr0ub") == NULL && strcasestr(text, "4dor") == NULL;
}

static void check_hidden(const char *text, size_t size)
{
    FUZZ_CHECK(fuzz_is_line(text, size));
    FUZZ_CHECK(is_clean(text));
}

static void nats(const char *list, bool has_password)
{
    broker_servers servers;
    base_error err = {0};
    base_code code = broker_servers_parse(list, &servers, &err);
    FUZZ_CHECK_ANSWER(code, err);
    if (has_password)
        check_hidden(err.message, sizeof(err.message));
    if (code != BASE_OK)
        return;
    FUZZ_CHECK(servers.count >= 1 && servers.count <= BROKER_SERVERS_MAX);
    broker_server_text shown = broker_servers_public(&servers);
    FUZZ_CHECK(strnlen(shown.text, sizeof(shown.text)) < sizeof(shown.text) && strchr(shown.text, '@') == NULL);
    bool tls = false;
    for (size_t i = 0; i < servers.count; i++) {
        const char *url = servers.urls[i];
        size_t length = strnlen(url, BROKER_URL_MAX);
        FUZZ_CHECK(length > 0 && length < BROKER_URL_MAX && strpbrk(url, ", \t\r\n") == NULL);
        tls = tls || strncmp(url, "tls://", 6) == 0;
        broker_server_text one = broker_url_public(url);
        FUZZ_CHECK(strchr(one.text, '@') == NULL);
        FUZZ_CHECK(!has_password || (is_clean(one.text) && is_clean(shown.text)));
    }
    FUZZ_CHECK(tls == servers.tls);
}

static void mina(const char *url, bool has_password)
{
    BASE_CLEANUP(mina_client_free) mina_client *client = NULL;
    base_error err = {0};
    base_code code = mina_client_new(&(mina_client_options){.url = url}, &client, &err);
    FUZZ_CHECK_ANSWER(code, err);
    FUZZ_CHECK((code == BASE_OK) == (client != NULL));
    if (has_password)
        check_hidden(err.message, sizeof(err.message));
    if (code != BASE_OK)
        return;
    const char *place = mina_client_place(client);
    FUZZ_CHECK(fuzz_is_line(place, MINA_CLIENT_PLACE_MAX) && strpbrk(place, "@/#") == NULL);
    if (has_password)
        check_hidden(place, MINA_CLIENT_PLACE_MAX);
}

static void postgres(const char *url, bool has_password)
{
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    base_error err = {0};
    base_code code = store_session_new(&(store_session_options){.database_url = url}, &session, &err);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID || (code == BASE_LIMIT && strlen(url) > BASE_SECRET_MAX));
    FUZZ_CHECK_WHY(code, err);
    if (has_password)
        check_hidden(err.message, sizeof(err.message));
}

/* "<scheme>://user:<password><text>", where the text may go on with the password, end it, or hold several '@'. */
static void with_password(const char *scheme, const char *text, void (*use)(const char *url, bool has_password))
{
    BASE_CLEANUP(base_buffer_done) base_buffer url = {.limit = 2 * BASE_SECRET_MAX};
    if (base_buffer_printf(&url, NULL, "%s://user:" PASSWORD "%s", scheme, text) == BASE_OK)
        use((const char *)url.data, true);
    base_buffer_clear(&url);
    if (base_buffer_printf(&url, NULL, "%s://user:" PASSWORD "%s@host.example" QUERY, scheme, text) == BASE_OK)
        use((const char *)url.data, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BASE_CLEANUP(free) char *text = fuzz_text(base_bytes_of(data, size));
    nats(text, false);
    mina(text, false);
    postgres(text, false);
    if (!is_clean(text))
        return 0; /* the host may be called so */
    with_password("nats", text, nats);
    with_password("tls", text, nats);
    with_password("http", text, mina);
    with_password("https", text, mina);
    with_password("postgresql", text, postgres);
    return 0;
}
