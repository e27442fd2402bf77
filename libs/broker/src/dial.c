#include "dial.h"

#include "base/own.h"
#include "nats_status.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define RECONNECT_BUFFER_BYTES  (1024 * 1024)
#define RECONNECT_WAIT_MS       250
#define RECONNECT_JITTER_MS     100
#define RECONNECT_JITTER_TLS_MS 500
#define CONNECT_TIMEOUT_MS      3000
#define PING_INTERVAL_MS        10000
#define PINGS_OUT_MAX           2
#define WRITE_DEADLINE_MS       10000
#define NOBODY_URL              "nats://127.0.0.1:1"
#define IO_BUFFER_BYTES         (64 * 1024)

/* The host and port of a URL, of which the rest may be secret: what is between the last '@' and the path. */
static base_bytes authority_of(const char *url)
{
    const char *start = strstr(url, "://");
    start = start == NULL ? url : start + 3;
    const char *at = strrchr(start, '@');
    start = at == NULL ? start : at + 1;
    return base_bytes_of(start, strcspn(start, "/?#"));
}

/* "host", "host:4222", "[::1]:4222": a password that was cut at its comma looks like none of them, unless it is all digits. */
static bool is_place(base_bytes authority)
{
    const char *text = (const char *)authority.data;
    const char *end = text + authority.size;
    const char *port = memrchr(text, ':', authority.size);
    const char *bracket = memrchr(text, ']', authority.size);
    if (port != NULL && bracket != NULL && port < bracket)
        port = NULL;
    const char *host_end = port == NULL ? end : port;
    bool is_ipv6 = *text == '[' && bracket == host_end - 1;
    if (host_end == text || (!is_ipv6 && memchr(text, ':', (size_t)(host_end - text)) != NULL))
        return false;
    return port == NULL || (port + 1 < end && strspn(port + 1, "0123456789") >= (size_t)(end - port - 1));
}

/* `number` counts from 1, for messages: a part of a broken URL may be a part of its password, so none is quoted. */
static base_code check_server(const char *url, size_t number, base_error *err)
{
    for (const char *at = url; *at != '\0'; at++)
        if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
            return base_fail(err, BASE_INVALID, "a NATS server's URL contains a space or control character");
    if (strncmp(url, "nats://", 7) != 0 && strncmp(url, "tls://", 6) != 0 && strstr(url, "://") != NULL)
        return base_fail(err, BASE_INVALID, "NATS server %zu: a NATS server's URL starts with nats:// or tls://",
                         number);
    if (!is_place(authority_of(url)))
        return base_fail(err, BASE_INVALID,
                         "NATS server %zu: a URL is nats://host:port; a password with special characters belongs into "
                         "NATS_PASSWORD",
                         number);
    return BASE_OK;
}

static base_code add_server(broker_servers *servers, const char *start, size_t size, base_error *err)
{
    while (size > 0 && isspace((unsigned char)*start)) {
        start++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)start[size - 1]))
        size--;
    if (size == 0)
        return base_fail(err, BASE_INVALID, "the list of NATS servers has an empty entry");
    if (size >= BROKER_URL_MAX)
        return base_fail(err, BASE_INVALID, "a NATS server's URL is longer than %d bytes", BROKER_URL_MAX - 1);
    if (servers->count == BROKER_SERVERS_MAX)
        return base_fail(err, BASE_INVALID, "more than %d NATS servers", BROKER_SERVERS_MAX);
    char *url = servers->urls[servers->count];
    memcpy(url, start, size);
    url[size] = '\0';
    base_code code = check_server(url, servers->count + 1, err);
    if (code != BASE_OK)
        return code;
    servers->tls = servers->tls || strncmp(url, "tls://", 6) == 0;
    servers->count++;
    return BASE_OK;
}

base_code broker_servers_parse(const char *list, broker_servers *ret, base_error *err)
{
    memset(ret, 0, sizeof(*ret));
    if (list == NULL)
        return base_fail(err, BASE_INVALID, "no NATS server given");
    for (;;) {
        size_t size = strcspn(list, ",");
        base_code code = add_server(ret, list, size, err);
        if (code != BASE_OK || list[size] == '\0')
            return code;
        list += size + 1;
    }
}

broker_server_text broker_url_public(const char *url)
{
    broker_server_text text = {{0}};
    const char *scheme_end = strstr(url, "://");
    bool has_scheme = strncmp(url, "nats://", 7) == 0 || strncmp(url, "tls://", 6) == 0;
    base_bytes place = authority_of(url);
    snprintf(text.text, sizeof(text.text), "%.*s%.*s", has_scheme ? (int)(scheme_end + 3 - url) : 0, url,
             (int)place.size, (const char *)place.data);
    return text;
}

broker_server_text broker_servers_public(const broker_servers *servers)
{
    broker_server_text text = {{0}};
    size_t used = 0;
    for (size_t i = 0; i < servers->count && used < sizeof(text.text); i++) {
        int added = snprintf(text.text + used, sizeof(text.text) - used, "%s%s", i == 0 ? "" : ", ",
                             broker_url_public(servers->urls[i]).text);
        used += added > 0 ? (size_t)added : 0;
    }
    return text;
}

/* In random order, so that clients spread over the servers, but for a last one that nobody listens on. For nats.c (3.4.1 and all
 * later ones seen) goes on in the background from where the first round over its list ended; when that was in a handshake, as with a
 * proxy before a server that is down or with refused credentials, it has forgotten where, and gives up for good. */
static natsStatus set_servers(natsOptions *nats, const broker_servers *servers, bool wait_for_server)
{
    const char *urls[BROKER_SERVERS_MAX + 1];
    for (size_t i = 0; i < servers->count; i++) {
        urls[i] = servers->urls[i];
        const char **other = &urls[arc4random_uniform((uint32_t)i + 1)];
        urls[i] = *other;
        *other = servers->urls[i];
    }
    urls[servers->count] = NOBODY_URL;
    natsStatus status = natsOptions_SetServers(nats, urls, (int)servers->count + wait_for_server);
    return status == NATS_OK ? natsOptions_SetNoRandomize(nats, true) : status;
}

/* For ever, quickly, and with every buffer bounded: nats.c's own defaults give up after 60 tries and 4 minutes of silence. */
static natsStatus set_link(natsOptions *nats)
{
    natsStatus status = natsOptions_SetMaxReconnect(nats, -1);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectWait(nats, RECONNECT_WAIT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectJitter(nats, RECONNECT_JITTER_MS, RECONNECT_JITTER_TLS_MS);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectBufSize(nats, RECONNECT_BUFFER_BYTES);
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(nats, CONNECT_TIMEOUT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetPingInterval(nats, PING_INTERVAL_MS);
    if (status == NATS_OK)
        status = natsOptions_SetMaxPingsOut(nats, PINGS_OUT_MAX);
    if (status == NATS_OK)
        status = natsOptions_SetWriteDeadline(nats, WRITE_DEADLINE_MS);
    if (status == NATS_OK)
        status = natsOptions_SetIOBufSize(nats, IO_BUFFER_BYTES);
    if (status == NATS_OK)
        status = natsOptions_SetFailRequestsOnDisconnect(nats, true);
    return status;
}

static base_code set_tls(const broker_connection_options *options, bool tls_url, natsOptions *nats, base_error *err)
{
    if (!tls_url && options->tls_ca_file == NULL && options->tls_certificate_file == NULL &&
        options->tls_key_file == NULL)
        return BASE_OK;
    if ((options->tls_certificate_file == NULL) != (options->tls_key_file == NULL))
        return base_fail(err, BASE_INVALID, "NATS: a TLS certificate and its key are given together or not at all");
    natsStatus status = natsOptions_SetSecure(nats, true);
    if (status != NATS_OK)
        return broker_fail(err, status, "NATS: cannot turn TLS on");
    if (options->tls_ca_file != NULL) {
        status = natsOptions_LoadCATrustedCertificates(nats, options->tls_ca_file);
        if (status != NATS_OK)
            return broker_fail(err, status, "NATS: CA file %s", options->tls_ca_file);
    }
    if (options->tls_certificate_file != NULL) {
        status = natsOptions_LoadCertificatesChain(nats, options->tls_certificate_file, options->tls_key_file);
        if (status != NATS_OK)
            return broker_fail(err, status, "NATS: certificate %s with key %s", options->tls_certificate_file,
                               options->tls_key_file);
    }
    return BASE_OK;
}

/* nats.c keeps its own copy of the password or token for reconnects; it offers no way to keep that in locked memory. */
static base_code set_credentials(const broker_connection_options *options, natsOptions *nats, base_error *err)
{
    natsStatus status = NATS_OK;
    if (options->credentials_file != NULL) {
        if (access(options->credentials_file, R_OK) != 0)
            return base_fail(err, BASE_INVALID, "NATS: cannot read the credentials file %s", options->credentials_file);
        status = natsOptions_SetUserCredentialsFromFiles(nats, options->credentials_file, NULL);
    }
    if (status == NATS_OK && options->user != NULL) {
        bool known = options->password != NULL && options->password->data != NULL;
        status = natsOptions_SetUserInfo(nats, options->user, known ? options->password->data : "");
    }
    if (status == NATS_OK && options->token != NULL && options->token->data != NULL)
        status = natsOptions_SetToken(nats, options->token->data);
    return status == NATS_OK ? BASE_OK : broker_fail(err, status, "NATS: cannot use these credentials");
}

static inline void options_destroy_at(natsOptions **options)
{
    natsOptions_Destroy(*options);
}

base_code broker_dial_options(const broker_connection_options *options, const broker_servers *servers,
                              natsOptions **ret, base_error *err)
{
    __attribute__((cleanup(options_destroy_at))) natsOptions *nats = NULL;
    natsStatus status = natsOptions_Create(&nats);
    if (status == NATS_OK)
        status = set_servers(nats, servers, options->wait_for_server);
    if (status == NATS_OK)
        status = set_link(nats);
    if (status == NATS_OK && options->name != NULL)
        status = natsOptions_SetName(nats, options->name);
    if (status != NATS_OK)
        return broker_fail(err, status, "NATS: cannot prepare a connection");
    base_code code = set_tls(options, servers->tls, nats, err);
    if (code == BASE_OK)
        code = set_credentials(options, nats, err);
    if (code == BASE_OK)
        *ret = BASE_TAKE(nats);
    return code;
}
