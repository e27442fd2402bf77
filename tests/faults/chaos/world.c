#include "world.h"

#include "harness/http.h"
#include "harness/port.h"
#include "harness/wait.h"
#include "mina/keys.h"
#include "store/migrate.h"

#include <stdio.h>
#include <string.h>

#define POSTGRES_CONFIG "max_connections = 200\n"
#define GENERATOR       BINARY_DIR "/proofline-generator"
#define PUBLISHER       BINARY_DIR "/proofline-publisher"
#define NODE            BINARY_DIR "/proofline-devnode"
#define BLOCK_MS        "500"

static void must(base_code code, const base_error *err, const char *what)
{
    if (code != BASE_OK)
        harness_fail("%s: %s (%s)", what, err->message, base_code_name(code));
}

static void make_key(world *w)
{
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    base_error err = {0};
    must(mina_secret_key_generate(&key, &err), &err, "make a fee payer");
    must(mina_secret_key_format(&key, &text, &err), &err, "write its key");
    snprintf(w->key, sizeof(w->key), "FEE_PAYER_PRIVATE_KEY=%s", text.data);
    snprintf(w->address, sizeof(w->address), "%s", mina_public_key_format(&key.public_key).text);
}

static void ignore_topology(void *ctx, const char *kind, const char *name, const char *state, const char *differences)
{
    (void)ctx, (void)kind, (void)name, (void)state, (void)differences;
}

static void ignore_migration(void *ctx, const char *version, const char *name, const char *state, int64_t at_unix_ms)
{
    (void)ctx, (void)version, (void)name, (void)state, (void)at_unix_ms;
}

static void prepare_nats(world *w)
{
    base_error err = {0};
    w->nats = harness_nats_new(NULL);
    must(broker_names_of("proofline", &w->names, &err), &err, "name the streams");
    const broker_connection_options options = {.url = harness_nats_url(w->nats), .name = "proofline-chaos"};
    must(broker_connection_open(&options, &w->broker, &err), &err, "connect to NATS");
    const broker_topology_options topology = {
        .names = w->names, .replicas = 1, .ack_wait_ms = WORLD_ACK_WAIT_MS, .max_ack_pending = 20000};
    must(broker_topology_apply(w->broker, &topology, ignore_topology, NULL, &err), &err, "make the streams");
}

/* Notes every count against a submission: the end of a stage wipes them from its row. */
static void log_counts(const world *w)
{
    free(harness_database_query(
        &w->database, "CREATE TABLE counts (sha256_hash text, crashes int, retries int);"
                      "CREATE FUNCTION log_counts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN "
                      "INSERT INTO counts VALUES (NEW.sha256_hash, NEW.crash_count, coalesce(NEW.retry_count, 0)); "
                      "RETURN NULL; END$$;"
                      "CREATE TRIGGER log_counts AFTER UPDATE ON submissions FOR EACH ROW "
                      "WHEN (NEW.crash_count > OLD.crash_count OR NEW.retry_count > coalesce(OLD.retry_count, 0)) "
                      "EXECUTE FUNCTION log_counts()"));
}

static void prepare_postgres(world *w)
{
    base_error err = {0};
    w->postgres = harness_postgres_new(&(harness_postgres_options){.config = POSTGRES_CONFIG});
    w->database = harness_database_new(w->postgres);
    const store_session_options options = {.database_url = w->database.url, .application_name = "proofline-chaos"};
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    must(store_session_new(&options, &session, &err), &err, "connect to Postgres");
    must(store_migrate_up(session, MIGRATIONS_DIR, ignore_migration, NULL, &err), &err, "apply migrations");
    log_counts(w);
    (void)harness_database_as_service(&w->database, MIGRATIONS_DIR "/roles/proofline_service.sql");
}

void world_start_node(world *w)
{
    char port[8], fund[WORLD_ADDRESS_MAX + 16];
    if (w->node != NULL)
        return;
    snprintf(port, sizeof(port), "%u", w->node_port);
    snprintf(fund, sizeof(fund), "--fund=%s=1000000000", w->address);
    /* The node dies by signals only, so what it has written stays without a sync for each payment. */
    const char *argv[] = {NODE,        "--port",     port,     "--state", w->node_state.text,
                          "--no-sync", "--block-ms", BLOCK_MS, fund,      NULL};
    w->node = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(w->node, "listening on", WORLD_WAIT_MS);
    if (line == NULL)
        harness_fail("the node did not start: %s", harness_process_errors(w->node));
}

void world_kill_node(world *w)
{
    harness_process_free(w->node);
    w->node = NULL;
}

bool world_set_node_fault(world *w, const char *json)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply =
        harness_http_send(json != NULL ? "POST" : "DELETE", w->node_port, "/control/faults", "application/json", json);
    if (reply.status / 100 != 2 && reply.status != 0)
        harness_fail("the node refused the fault %s: %d %s", json, reply.status, reply.body);
    return reply.status != 0;
}

static void link_up(world *w, int service)
{
    const uint16_t ports[CHAOS_SERVERS] = {harness_nats_port(w->nats), harness_postgres_port(w->postgres),
                                           w->node_port};
    for (int server = 0; server < CHAOS_SERVERS; server++)
        if (server != CHAOS_NODE || chaos_is_publisher(service))
            w->links[chaos_link(service, (chaos_server)server)] = harness_proxy_new(ports[server]);
}

/* Retries as quick as the settings allow, and no limit that kills and faults alone would reach: whatever was submitted in
 * good order must be complete in the end. */
static void configure(world *w, int service)
{
    replica *r = &w->services[service];
    r->name = chaos_service_name(service);
    r->program = chaos_is_publisher(service) ? PUBLISHER : GENERATOR;
    r->log = harness_path_in(&w->folder, r->name);
    replica_set(r, "NATS_URL=nats://127.0.0.1:%u", harness_proxy_port(w->links[chaos_link(service, CHAOS_NATS)]));
    replica_set(r, "DATABASE_URL=postgresql://worker@127.0.0.1:%u%s",
                harness_proxy_port(w->links[chaos_link(service, CHAOS_POSTGRES)]), strrchr(w->database.url, '/'));
    replica_set(r, "HTTP_PORT=0");
    replica_set(r, "HTTP_BIND=127.0.0.1");
    replica_set(r, "LOG_FORMAT=json");
    replica_set(r, "WORKER_RETRY_DELAY_S=1");
    replica_set(r, "WORKER_RETRY_LIMIT=100");
    replica_set(r, "WORKER_CRASH_LIMIT=100");
    replica_set(r, "SWEEP_INTERVAL_S=2");
    replica_set(r, "SWEEP_QUIET_S=20");
    replica_set(r, "SHUTDOWN_GRACE_S=%d", REPLICA_GRACE_S);
    if (!chaos_is_publisher(service))
        return;
    replica_set(r, "MINA_NODE_ENDPOINT=http://127.0.0.1:%u/graphql",
                harness_proxy_port(w->links[chaos_link(service, CHAOS_NODE)]));
    replica_set(r, "MINA_NODE_TIMEOUT_MS=3000");
    replica_set(r, "CONFIRMATION_INTERVAL_S=1");
    replica_set(r, "MISSING_AFTER_S=2");
    replica_set(r, "CONFIRMATION_BLOCKS=4");
    replica_set(r, "%s", w->key);
}

void world_start(world *w)
{
    memset(w, 0, sizeof(*w));
    w->folder = harness_folder_new("services");
    make_key(w);
    prepare_nats(w);
    prepare_postgres(w);
    harness_path folder = harness_folder_new("devnode");
    w->node_state = harness_path_in(&folder, "state");
    w->node_port = harness_free_port();
    world_start_node(w);
    for (int i = 0; i < CHAOS_SERVICES; i++) {
        link_up(w, i);
        configure(w, i);
        replica_start(&w->services[i]);
    }
    for (int i = 0; i < CHAOS_SERVICES; i++)
        if (!replica_wait_ready(&w->services[i], WORLD_WAIT_MS))
            harness_fail("%s did not start: %s", w->services[i].name, harness_process_errors(w->services[i].process));
}

void world_done(world *w)
{
    for (int i = 0; i < CHAOS_SERVICES; i++)
        replica_done(&w->services[i]);
    for (int i = 0; i < CHAOS_LINKS; i++)
        harness_proxy_free(w->links[i]);
    broker_connection_free(w->broker);
    world_kill_node(w);
    harness_postgres_free(w->postgres);
    harness_nats_free(w->nats);
    base_wipe(w->key, sizeof(w->key));
}

int64_t world_number(const world *w, const char *sql)
{
    BASE_CLEANUP(free) char *text = harness_database_query(&w->database, sql);
    return strtoll(text, NULL, 10);
}
