#include "pipeline.h"

#include "base/hex.h"
#include "broker/publish.h"
#include "evidence/witness.h"
#include "harness/folder.h"
#include "harness/http.h"
#include "harness/port.h"
#include "harness/wait.h"
#include "mina/keys.h"
#include "store/migrate.h"
#include "wire/headers.h"

#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENVIRONMENT_MAX = 40, TEXT_MAX = 256, PUBLISH_MS = 10000, AGAIN_MS = 1000, SUBMIT_BATCH = 500 };

/* Fails the test with the library's own words. */
static void must(base_code code, const base_error *err)
{
    if (code != BASE_OK)
        harness_fail("%s: %s", base_code_name(code), err->message);
}

int pipeline_group_setup(void **state)
{
    base_error err = {0};
    must(base_process_harden(&err), &err);
    *state = harness_postgres_new(&(harness_postgres_options){.config = harness_postgres_password_config()});
    return 0;
}

int pipeline_group_teardown(void **state)
{
    harness_postgres_free(*state);
    return 0;
}

static void make_fee_payer(pipeline *p)
{
    BASE_CLEANUP(free) char *output = NULL;
    const char *const argv[] = {BINARY_DIR "/proofctl", "mina", "keygen", "--json", NULL};
    if (harness_run(argv, NULL, PIPELINE_WAIT_MS, &output, NULL) != 0)
        harness_fail("proofctl mina keygen: %s", output);
    json_t *keys = json_loads(output, 0, NULL);
    const char *private_key = json_string_value(json_object_get(keys, "privateKey"));
    const char *public_key = json_string_value(json_object_get(keys, "publicKey"));
    if (private_key == NULL || public_key == NULL)
        harness_fail("proofctl mina keygen printed %s", output);
    snprintf(p->fee_payer_key, sizeof(p->fee_payer_key), "FEE_PAYER_PRIVATE_KEY=%s", private_key);
    snprintf(p->address, sizeof(p->address), "%s", public_key);
    json_decref(keys);
}

static void ignore_topology(void *ctx, const char *kind, const char *name, const char *state, const char *differences)
{
    (void)ctx, (void)kind, (void)name, (void)state, (void)differences;
}

static void ignore_migration(void *ctx, const char *version, const char *name, const char *state, int64_t at)
{
    (void)ctx, (void)version, (void)name, (void)state, (void)at;
}

static const char *nats_url(const pipeline *p)
{
    return p->cluster != NULL ? harness_nats_cluster_url(p->cluster) : harness_nats_url(p->nats);
}

/* As an operator makes it, and then with a shorter ack wait. */
static void make_cluster_topology(pipeline *p)
{
    BASE_CLEANUP(free) char *output = NULL;
    const char *const apply[] = {"topology", "apply", "--replicas", "3", NULL};
    if (pipeline_proofctl(p, apply, &output) != 0)
        harness_fail("proofctl topology apply: %s", output);
}

void pipeline_make_topology(pipeline *p)
{
    base_error err = {0};
    const broker_topology_options topology = {.names = p->names,
                                              .replicas = p->cluster != NULL ? HARNESS_NATS_CLUSTER_SIZE : 1,
                                              .ack_wait_ms = p->ack_wait_ms,
                                              .max_ack_pending = 10000,
                                              .wait_ms = PIPELINE_WAIT_MS};
    must(broker_topology_apply(p->broker, &topology, ignore_topology, NULL, &err), &err);
}

void pipeline_set_ack_wait(pipeline *p, int64_t ack_wait_ms)
{
    p->ack_wait_ms = ack_wait_ms;
    pipeline_make_topology(p);
}

static void prepare_servers(pipeline *p, harness_postgres *postgres)
{
    base_error err = {0};
    p->database = harness_database_new(postgres);
    must(broker_names_of("proofline", &p->names, &err), &err);
    broker_connection_options broker = {.url = nats_url(p), .name = "test"};
    if (p->access != NULL) {
        broker.user = p->access->nats_user;
        broker.password = &p->access->nats_password;
    }
    must(broker_connection_open(&broker, &p->broker, &err), &err);
    if (p->cluster != NULL)
        make_cluster_topology(p);
    pipeline_make_topology(p);
    const store_session_options store = {.database_url = p->database.url, .application_name = "test"};
    must(store_session_new(&store, &p->store, &err), &err);
    must(store_migrate_up(p->store, MIGRATIONS_DIR, ignore_migration, NULL, &err), &err);
    p->service = harness_database_as_service(&p->database, MIGRATIONS_DIR "/roles/proofline_service.sql");
}

void pipeline_start_node(pipeline *p, int block_ms)
{
    char port[8], fund[TEXT_MAX], blocks[16];
    snprintf(port, sizeof(port), "%u", p->node_port);
    snprintf(fund, sizeof(fund), "%s=1000", p->address);
    snprintf(blocks, sizeof(blocks), "%d", block_ms);
    const char *const argv[] = {BINARY_DIR "/proofline-devnode",
                                "--port",
                                port,
                                "--state",
                                p->node_state,
                                "--fund",
                                fund,
                                "--block-ms",
                                blocks,
                                NULL};
    p->node = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(p->node, "listening on", PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("the devnode did not start: %s", harness_process_errors(p->node));
}

void pipeline_reset_node(pipeline *p, int block_ms)
{
    pipeline_kill(p->node);
    harness_process_free(p->node);
    if (unlink(p->node_state) != 0)
        harness_fail("the devnode has no state at %s", p->node_state);
    pipeline_start_node(p, block_ms);
}

void pipeline_change_fee_payer(pipeline *p)
{
    char funds[TEXT_MAX];
    make_fee_payer(p);
    snprintf(funds, sizeof(funds), "{\"address\":\"%s\",\"mina\":\"100\"}", p->address);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", p->node_port, "/control/fund", "application/json", funds);
    if (reply.status != 200)
        harness_fail("the devnode did not fund %s: %d %s", p->address, reply.status, reply.body);
}

static bool names_same(const char *const *extra, const char *setting)
{
    size_t length = strcspn(setting, "=");
    for (; extra != NULL && *extra != NULL; extra++)
        if (strcspn(*extra, "=") == length && memcmp(*extra, setting, length) == 0)
            return true;
    return false;
}

harness_process *pipeline_launch(const pipeline *p, const char *program, const char *const *extra)
{
    char nats[TEXT_MAX], database[TEXT_MAX], node[TEXT_MAX];
    snprintf(nats, sizeof(nats), "NATS_URL=%s", nats_url(p));
    snprintf(database, sizeof(database), "DATABASE_URL=%s", p->service.url);
    snprintf(node, sizeof(node), "MINA_NODE_ENDPOINT=http://127.0.0.1:%u/graphql", p->node_port);
    const char *const defaults[] = {nats,
                                    database,
                                    node,
                                    p->fee_payer_key,
                                    "HTTP_PORT=0",
                                    "HTTP_BIND=127.0.0.1",
                                    "LOG_FORMAT=json",
                                    "WORKER_RETRY_DELAY_S=1",
                                    "SWEEP_INTERVAL_S=1",
                                    "CONFIRMATION_INTERVAL_S=1",
                                    "MISSING_AFTER_S=1"};
    const size_t default_count = sizeof(defaults) / sizeof(defaults[0]);
    const char *environment[ENVIRONMENT_MAX] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < default_count; i++)
        if (!names_same(extra, defaults[i]))
            environment[count++] = defaults[i];
    for (; extra != NULL && *extra != NULL && count < ENVIRONMENT_MAX - 1; extra++)
        environment[count++] = *extra;
    const char *const argv[] = {program, NULL};
    return harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
}

static harness_process *start_service(const pipeline *p, const char *program, const char *const *extra)
{
    harness_process *service = pipeline_launch(p, program, extra);
    BASE_CLEANUP(free) char *line = harness_process_wait_line(service, "service_started", PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("%s did not start: %s", program, harness_process_errors(service));
    return service;
}

void pipeline_start_generator(pipeline *p, const char *const *extra)
{
    harness_process_free(p->generator);
    p->generator = start_service(p, BINARY_DIR "/proofline-generator", extra);
}

void pipeline_start_publisher(pipeline *p, const char *const *extra)
{
    harness_process_free(p->publisher);
    p->publisher = start_service(p, BINARY_DIR "/proofline-publisher", extra);
}

static void prepare(pipeline *p, harness_postgres *postgres, int block_ms)
{
    base_error err = {0};
    must(evidence_private_key_generate(&p->creator, &err), &err);
    make_fee_payer(p);
    p->ack_wait_ms = PIPELINE_ACK_WAIT_MS;
    p->node_port =
        harness_free_port(); /* not one of those for outgoing connections: the node may come back on it much later */
    prepare_servers(p, postgres);
    harness_path folder = harness_folder_new("devnode");
    snprintf(p->node_state, sizeof(p->node_state), "%s", harness_path_in(&folder, "state").text);
    pipeline_start_node(p, block_ms);
}

void pipeline_prepare(pipeline *p, harness_postgres *cluster, int block_ms)
{
    pipeline_prepare_with(p, cluster, block_ms, NULL);
}

void pipeline_prepare_with(pipeline *p, harness_postgres *cluster, int block_ms, const pipeline_access *access)
{
    *p = (pipeline){.nats = harness_nats_new(access != NULL ? access->nats_config : NULL), .access = access};
    prepare(p, cluster, block_ms);
}

void pipeline_prepare_cluster(pipeline *p, harness_postgres *postgres, int block_ms)
{
    *p = (pipeline){.cluster = harness_nats_cluster_new()};
    prepare(p, postgres, block_ms);
}

void pipeline_start(pipeline *p, harness_postgres *cluster, int block_ms)
{
    pipeline_prepare(p, cluster, block_ms);
    pipeline_start_generator(p, NULL);
    pipeline_start_publisher(p, NULL);
}

void pipeline_stop(pipeline *p)
{
    harness_process_stop(p->publisher, PIPELINE_WAIT_MS);
    harness_process_stop(p->generator, PIPELINE_WAIT_MS);
    harness_process_stop(p->node, PIPELINE_WAIT_MS);
    evidence_private_key_free(p->creator);
    store_session_free(p->store);
    broker_connection_free(p->broker);
    harness_nats_cluster_free(p->cluster);
    harness_nats_free(p->nats);
}

static void fill_job(pipeline *p, const char *seed, wire_generate_proof *ret)
{
    base_error err = {0};
    evidence_witness witness;
    evidence_signature signature;
    *ret = (wire_generate_proof){.submitted_unix_ms = 0};
    evidence_witness_of(base_bytes_of(seed, strlen(seed)), &ret->sha256, &witness);
    must(evidence_sign(p->creator, &ret->sha256, &signature, &err), &err);
    memcpy(ret->final_round.state, witness.state, sizeof(witness.state));
    memcpy(ret->final_round.initial_state, witness.initial_state, sizeof(witness.initial_state));
    ret->final_round.message_word = witness.message_word;
    ret->final_round.round_constant = witness.round_constant;
    memcpy(ret->signature_r, signature.r, sizeof(signature.r));
    memcpy(ret->signature_s, signature.s, sizeof(signature.s));
    const evidence_public_key *key = evidence_private_key_public(p->creator);
    memcpy(ret->public_key_x, key->x, sizeof(key->x));
    memcpy(ret->public_key_y, key->y, sizeof(key->y));
}

static bool is_connected(void *ctx)
{
    base_error err = {0};
    return broker_connection_check(ctx, &err) == BASE_OK;
}

/* After a restart of the server the test's own connection takes a moment, too. */
static void wait_connected(pipeline *p)
{
    if (!harness_wait_until(is_connected, p->broker, PIPELINE_WAIT_MS))
        harness_fail("no connection to NATS");
}

uint64_t pipeline_publish_to(pipeline *p, const char *subject, base_bytes payload)
{
    base_error err = {0};
    broker_publish_result result;
    const broker_message message = {.subject = subject, .payload = payload};
    wait_connected(p);
    must(broker_publish(p->broker, &message, 1, PUBLISH_MS, &result, &err), &err);
    return result.sequence;
}

void pipeline_publish_raw(pipeline *p, base_bytes payload)
{
    pipeline_publish_to(p, p->names.subject_generate, payload);
}

static base_sha256 make_payload(pipeline *p, const char *seed, bool forged, base_buffer *ret)
{
    base_error err = {0};
    wire_generate_proof job;
    fill_job(p, seed, &job);
    if (forged)
        job.signature_s[31] ^= 1;
    ret->limit = WIRE_MESSAGE_MAX;
    must(wire_generate_proof_encode(&job, ret, &err), &err);
    return job.sha256;
}

static base_sha256 submit(pipeline *p, const char *seed, bool forged)
{
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {0};
    base_sha256 submission = make_payload(p, seed, forged, &payload);
    pipeline_publish_raw(p, base_buffer_view(&payload));
    return submission;
}

typedef struct publication {
    pipeline *pipeline;
    broker_message message;
    base_error err;
} publication;

static bool is_stored(void *ctx)
{
    publication *wanted = ctx;
    broker_publish_result result;
    return broker_publish(wanted->pipeline->broker, &wanted->message, 1, AGAIN_MS, &result, &wanted->err) == BASE_OK;
}

base_sha256 pipeline_submit_until_stored(pipeline *p, const char *seed)
{
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {0};
    base_sha256 submission = make_payload(p, seed, false, &payload);
    base_hex32 id = base_sha256_hex(&submission);
    publication wanted = {
        .pipeline = p,
        .message = {.subject = p->names.subject_generate, .payload = base_buffer_view(&payload), .message_id = id.text},
    };
    if (!harness_wait_until(is_stored, &wanted, PIPELINE_WAIT_MS))
        harness_fail("submission %s was never stored: %s", id.text, wanted.err.message);
    return submission;
}

base_sha256 pipeline_submit(pipeline *p, const char *seed)
{
    return submit(p, seed, false);
}

base_sha256 pipeline_submit_forged(pipeline *p, const char *seed)
{
    return submit(p, seed, true);
}

static void submit_batch(pipeline *p, const char *prefix, size_t first, size_t count, base_sha256 *ret)
{
    base_error err = {0};
    BASE_CLEANUP(free) base_buffer *payloads = calloc(count, sizeof(*payloads));
    BASE_CLEANUP(free) broker_message *messages = calloc(count, sizeof(*messages));
    BASE_CLEANUP(free) broker_publish_result *results = calloc(count, sizeof(*results));
    for (size_t i = 0; i < count; i++) {
        char seed[TEXT_MAX];
        wire_generate_proof job;
        snprintf(seed, sizeof(seed), "%s%zu", prefix, first + i);
        fill_job(p, seed, &job);
        ret[i] = job.sha256;
        payloads[i].limit = WIRE_MESSAGE_MAX;
        must(wire_generate_proof_encode(&job, &payloads[i], &err), &err);
        messages[i] = (broker_message){.subject = p->names.subject_generate, .payload = base_buffer_view(&payloads[i])};
    }
    wait_connected(p);
    must(broker_publish(p->broker, messages, count, PUBLISH_MS, results, &err), &err);
    for (size_t i = 0; i < count; i++)
        base_buffer_done(&payloads[i]);
}

void pipeline_submit_many(pipeline *p, const char *prefix, size_t count, base_sha256 *ret)
{
    for (size_t first = 0; first < count; first += SUBMIT_BATCH) {
        size_t part = count - first < SUBMIT_BATCH ? count - first : SUBMIT_BATCH;
        submit_batch(p, prefix, first, part, ret + first);
    }
}

store_submission pipeline_get(pipeline *p, const base_sha256 *submission)
{
    base_error err = {0};
    store_submission row = {0};
    base_code code = store_submission_get(p->store, submission, &row, &err);
    if (code != BASE_NOT_FOUND)
        must(code, &err);
    return row;
}

typedef struct awaited {
    pipeline *pipeline;
    const base_sha256 *submission;
    wire_status status;
} awaited;

static bool has_status(void *ctx)
{
    awaited *wanted = ctx;
    return pipeline_get(wanted->pipeline, wanted->submission).status == wanted->status;
}

store_submission pipeline_wait(pipeline *p, const base_sha256 *submission, wire_status status)
{
    awaited wanted = {p, submission, status};
    bool came = harness_wait_until(has_status, &wanted, PIPELINE_WAIT_MS);
    store_submission row = pipeline_get(p, submission);
    if (!came)
        harness_fail("submission %s is %s, not %s; publisher: %s", base_sha256_hex(submission).text,
                     wire_status_name(row.status), wire_status_name(status),
                     p->publisher != NULL ? harness_process_errors(p->publisher) : "");
    return row;
}

/* Appends the event's status and checks its number. True when it is the last one of the row. */
static bool append_event(const broker_stored *stored, uint64_t number, uint64_t last, base_buffer *ret)
{
    base_error err = {0};
    wire_status_changed event;
    must(wire_status_changed_decode(base_buffer_view(&stored->payload), &event, &err), &err);
    if (event.sequence != number)
        harness_fail("event %llu follows event %llu", (unsigned long long)event.sequence,
                     (unsigned long long)number - 1);
    must(base_buffer_printf(ret, &err, "%s%s", number > 1 ? " " : "", wire_status_name(event.status)), &err);
    return number == last;
}

char *pipeline_events(pipeline *p, const base_sha256 *submission)
{
    base_error err = {0};
    char subject[TEXT_MAX];
    snprintf(subject, sizeof(subject), "%s.%s.*", p->names.subject_events, base_sha256_hex(submission).text);
    uint64_t last = (uint64_t)pipeline_get(p, submission).event_sequence;
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    must(broker_feed_open(p->broker, p->names.stream_events, subject, 1, &feed, &err), &err);
    base_buffer text = {.limit = 65536};
    for (uint64_t number = 1; number <= last; number++) {
        BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
        must(broker_feed_next(feed, PIPELINE_WAIT_MS, &stored, &err), &err);
        if (append_event(&stored, number, last, &text))
            break;
    }
    return (char *)text.data;
}

uint64_t pipeline_messages(pipeline *p, const char *stream)
{
    base_error err = {0};
    broker_stream_state state;
    must(broker_stream_read_state(p->broker, stream, &state, &err), &err);
    return state.messages;
}

static bool has_nothing_left(pipeline *p, const char *durable)
{
    base_error err = {0};
    broker_durable_state state;
    must(broker_durable_read_state(p->broker, p->names.stream_jobs, durable, &state, &err), &err);
    return state.pending == 0 && state.ack_pending == 0;
}

static uint64_t last_job(pipeline *p)
{
    base_error err = {0};
    broker_stream_state state;
    must(broker_stream_read_state(p->broker, p->names.stream_jobs, &state, &err), &err);
    return state.last_sequence;
}

/* A command that leaves the outbox while these are looked at one after the other would be seen in none of them, but for its number. */
static bool is_settled(void *ctx)
{
    pipeline *p = ctx;
    wait_connected(p);
    const uint64_t last = last_job(p);
    return has_nothing_left(p, BROKER_DURABLE_GENERATOR) && has_nothing_left(p, BROKER_DURABLE_PUBLISHER) &&
           pipeline_number(p, "SELECT count(*) FROM outbox") == 0 && last_job(p) == last;
}

void pipeline_wait_settled(pipeline *p)
{
    if (!harness_wait_until(is_settled, p, PIPELINE_WAIT_MS))
        harness_fail("jobs or outbox rows remain");
}

int64_t pipeline_number(pipeline *p, const char *sql)
{
    BASE_CLEANUP(free) char *text = harness_database_query(&p->database, sql);
    return strtoll(text, NULL, 10);
}

typedef struct progress {
    pipeline *pipeline;
    const char *sql;
    int64_t at_least;
} progress;

static bool has_come_to(void *ctx)
{
    const progress *wanted = ctx;
    return pipeline_number(wanted->pipeline, wanted->sql) >= wanted->at_least;
}

void pipeline_wait_number(pipeline *p, const char *sql, int64_t at_least)
{
    progress wanted = {p, sql, at_least};
    if (!harness_wait_until(has_come_to, &wanted, PIPELINE_WAIT_MS))
        harness_fail("never came to %lld: %s", (long long)at_least, sql);
}

harness_process *pipeline_lock_table(pipeline *p, const char *table)
{
    const char *const argv[] = {"psql", "-X", "-q", "-d", p->database.url, NULL};
    harness_path folder = harness_folder_new("lock");
    harness_path input = harness_path_in(&folder, "input.sql");
    char script[TEXT_MAX];
    snprintf(script, sizeof(script), "BEGIN;\nLOCK TABLE %s;\n\\echo locked\nSELECT pg_sleep(600);\n", table);
    harness_file_write(&input, script);
    harness_process *psql = harness_process_new(&(harness_process_options){.argv = argv, .input = input.text});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(psql, "locked", PIPELINE_WAIT_MS);
    assert_non_null(line);
    return psql;
}

void pipeline_unlock(pipeline *p, harness_process *psql)
{
    harness_process_free(psql);
    free(harness_database_query(&p->database, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                              "WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"));
}

void pipeline_kill(harness_process *process)
{
    harness_process_signal(process, SIGKILL);
    assert_int_equal(harness_process_wait(process, PIPELINE_WAIT_MS), 128 + SIGKILL);
}

void pipeline_fault(pipeline *p, const char *json)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply =
        harness_http_send(json != NULL ? "POST" : "DELETE", p->node_port, "/control/faults", "application/json", json);
    if (reply.status / 100 != 2)
        harness_fail("the devnode refused the fault: %d %s", reply.status, reply.body);
}

static bool has_struck(void *ctx)
{
    const pipeline *p = ctx;
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(p->node_port, "/control/stats");
    return reply.status == 200 && strstr(reply.body, "\"faults\":0") == NULL;
}

void pipeline_wait_struck(pipeline *p)
{
    if (!harness_wait_until(has_struck, p, PIPELINE_WAIT_MS))
        harness_fail("nobody has met a fault of the devnode");
}

void pipeline_make_block(pipeline *p)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send("POST", p->node_port, "/control/block", "application/json", "{}");
    if (reply.status / 100 != 2)
        harness_fail("the devnode made no block: %d %s", reply.status, reply.body);
}

size_t pipeline_transactions_at_node(pipeline *p)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_get(p->node_port, "/control/chain");
    if (reply.status != 200)
        harness_fail("the devnode shows no chain: %d", reply.status);
    size_t count = 0;
    for (const char *at = strstr(reply.body, "\"memo\""); at != NULL; at = strstr(at + 1, "\"memo\""))
        count++;
    return count;
}

int64_t pipeline_sends_at_node(pipeline *p)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply stats = harness_http_get(p->node_port, "/control/stats");
    const char *sends = stats.status == 200 ? strstr(stats.body, "\"sends\"") : NULL;
    if (sends == NULL)
        harness_fail("the devnode does not count its sends: %d %s", stats.status, stats.body);
    return strtoll(sends + strcspn(sends, "0123456789"), NULL, 10);
}

harness_process *pipeline_launch_proofctl(const pipeline *p, const char *const *arguments, const char *extra)
{
    char nats[TEXT_MAX], database[TEXT_MAX], node[TEXT_MAX];
    snprintf(nats, sizeof(nats), "NATS_URL=%s", nats_url(p));
    snprintf(database, sizeof(database), "DATABASE_URL=%s", p->database.url);
    snprintf(node, sizeof(node), "MINA_NODE_ENDPOINT=http://127.0.0.1:%u/graphql", p->node_port);
    const char *const environment[] = {nats, database, node, extra, NULL};
    const char *argv[ENVIRONMENT_MAX] = {BINARY_DIR "/proofctl"};
    for (size_t i = 0; arguments[i] != NULL && i + 2 < ENVIRONMENT_MAX; i++)
        argv[i + 1] = arguments[i];
    return harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
}

int pipeline_proofctl(pipeline *p, const char *const *arguments, char **ret_output)
{
    BASE_CLEANUP(harness_process_free)
    harness_process *process = pipeline_launch_proofctl(p, arguments, NULL);
    int code = harness_process_wait(process, PIPELINE_WAIT_MS);
    *ret_output = harness_process_output(process);
    return code;
}
