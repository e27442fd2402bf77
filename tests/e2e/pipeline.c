#include "pipeline.h"

#include "base/hex.h"
#include "broker/publish.h"
#include "evidence/witness.h"
#include "harness/folder.h"
#include "harness/http.h"
#include "harness/wait.h"
#include "mina/keys.h"
#include "store/migrate.h"
#include "wire/headers.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ENVIRONMENT_MAX = 40, TEXT_MAX = 256, PUBLISH_MS = 10000, SUBMIT_BATCH = 500 };

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
    *state = harness_postgres_new(&(harness_postgres_options){.config = "max_connections = 100"});
    return 0;
}

int pipeline_group_teardown(void **state)
{
    harness_postgres_free(*state);
    return 0;
}

static void make_keys(pipeline *pipeline)
{
    base_error err = {0};
    must(evidence_private_key_generate(&pipeline->creator, &err), &err);
    BASE_CLEANUP(free) char *output = NULL;
    const char *const argv[] = {BINARY_DIR "/proofctl", "mina", "keygen", "--json", NULL};
    if (harness_run(argv, NULL, PIPELINE_WAIT_MS, &output, NULL) != 0)
        harness_fail("proofctl mina keygen: %s", output);
    json_t *keys = json_loads(output, 0, NULL);
    const char *private_key = json_string_value(json_object_get(keys, "privateKey"));
    const char *public_key = json_string_value(json_object_get(keys, "publicKey"));
    if (private_key == NULL || public_key == NULL)
        harness_fail("proofctl mina keygen printed %s", output);
    snprintf(pipeline->fee_payer_key, sizeof(pipeline->fee_payer_key), "FEE_PAYER_PRIVATE_KEY=%s", private_key);
    snprintf(pipeline->address, sizeof(pipeline->address), "%s", public_key);
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

static void prepare_servers(pipeline *pipeline, harness_postgres *cluster)
{
    base_error err = {0};
    pipeline->nats = harness_nats_new(NULL);
    pipeline->database = harness_database_new(cluster);
    must(broker_names_of("proofline", &pipeline->names, &err), &err);
    const broker_connection_options broker = {.url = harness_nats_url(pipeline->nats), .name = "test"};
    must(broker_connection_open(&broker, &pipeline->broker, &err), &err);
    const broker_topology_options topology = {
        .names = pipeline->names, .replicas = 1, .ack_wait_ms = PIPELINE_ACK_WAIT_MS, .max_ack_pending = 10000};
    must(broker_topology_apply(pipeline->broker, &topology, ignore_topology, NULL, &err), &err);
    const store_session_options store = {.database_url = pipeline->database.url, .application_name = "test"};
    must(store_session_new(&store, &pipeline->store, &err), &err);
    must(store_migrate_up(pipeline->store, MIGRATIONS_DIR, ignore_migration, NULL, &err), &err);
}

void pipeline_start_node(pipeline *pipeline, int block_ms)
{
    char port[8], fund[TEXT_MAX], blocks[16];
    snprintf(port, sizeof(port), "%u", pipeline->node_port);
    snprintf(fund, sizeof(fund), "%s=1000", pipeline->address);
    snprintf(blocks, sizeof(blocks), "%d", block_ms);
    const char *const argv[] = {BINARY_DIR "/proofline-devnode",
                                "--port",
                                port,
                                "--state",
                                pipeline->node_state,
                                "--fund",
                                fund,
                                "--block-ms",
                                blocks,
                                NULL};
    pipeline->node = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(pipeline->node, "listening on", PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("the devnode did not start: %s", harness_process_errors(pipeline->node));
    pipeline->node_port = (uint16_t)strtoul(strrchr(line, ':') + 1, NULL, 10);
}

static harness_process *start_service(const pipeline *pipeline, const char *program, const char *const *extra)
{
    char nats[TEXT_MAX], database[TEXT_MAX], node[TEXT_MAX];
    snprintf(nats, sizeof(nats), "NATS_URL=%s", harness_nats_url(pipeline->nats));
    snprintf(database, sizeof(database), "DATABASE_URL=%s", pipeline->database.url);
    snprintf(node, sizeof(node), "MINA_NODE_ENDPOINT=http://127.0.0.1:%u/graphql", pipeline->node_port);
    const char *environment[ENVIRONMENT_MAX] = {nats,
                                                database,
                                                node,
                                                pipeline->fee_payer_key,
                                                "HTTP_PORT=0",
                                                "HTTP_BIND=127.0.0.1",
                                                "LOG_FORMAT=json",
                                                "WORKER_RETRY_DELAY_S=1",
                                                "SWEEP_INTERVAL_S=1",
                                                "CONFIRMATION_INTERVAL_S=1"};
    size_t count = 0;
    while (environment[count] != NULL)
        count++;
    for (; extra != NULL && *extra != NULL && count < ENVIRONMENT_MAX - 1; extra++)
        environment[count++] = *extra;
    const char *const argv[] = {program, NULL};
    harness_process *service =
        harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(service, "service_started", PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("%s did not start: %s", program, harness_process_errors(service));
    return service;
}

void pipeline_start_generator(pipeline *pipeline, const char *const *extra)
{
    harness_process_free(pipeline->generator);
    pipeline->generator = start_service(pipeline, BINARY_DIR "/proofline-generator", extra);
}

void pipeline_start_publisher(pipeline *pipeline, const char *const *extra)
{
    harness_process_free(pipeline->publisher);
    pipeline->publisher = start_service(pipeline, BINARY_DIR "/proofline-publisher", extra);
}

void pipeline_start(pipeline *pipeline, harness_postgres *cluster, int block_ms)
{
    memset(pipeline, 0, sizeof(*pipeline));
    make_keys(pipeline);
    prepare_servers(pipeline, cluster);
    harness_path folder = harness_folder_new("devnode");
    snprintf(pipeline->node_state, sizeof(pipeline->node_state), "%s", harness_path_in(&folder, "state").text);
    pipeline_start_node(pipeline, block_ms);
    pipeline_start_generator(pipeline, NULL);
    pipeline_start_publisher(pipeline, NULL);
}

void pipeline_stop(pipeline *pipeline)
{
    harness_process_free(pipeline->publisher);
    harness_process_free(pipeline->generator);
    harness_process_free(pipeline->node);
    evidence_private_key_free(pipeline->creator);
    store_session_free(pipeline->store);
    broker_connection_free(pipeline->broker);
    harness_nats_free(pipeline->nats);
}

static void fill_job(pipeline *pipeline, const char *seed, wire_generate_proof *ret)
{
    base_error err = {0};
    evidence_witness witness;
    evidence_signature signature;
    *ret = (wire_generate_proof){.submitted_unix_ms = 0};
    evidence_witness_of(base_bytes_of(seed, strlen(seed)), &ret->sha256, &witness);
    must(evidence_sign(pipeline->creator, &ret->sha256, &signature, &err), &err);
    memcpy(ret->final_round.state, witness.state, sizeof(witness.state));
    memcpy(ret->final_round.initial_state, witness.initial_state, sizeof(witness.initial_state));
    ret->final_round.message_word = witness.message_word;
    ret->final_round.round_constant = witness.round_constant;
    memcpy(ret->signature_r, signature.r, sizeof(signature.r));
    memcpy(ret->signature_s, signature.s, sizeof(signature.s));
    const evidence_public_key *key = evidence_private_key_public(pipeline->creator);
    memcpy(ret->public_key_x, key->x, sizeof(key->x));
    memcpy(ret->public_key_y, key->y, sizeof(key->y));
}

void pipeline_publish_raw(pipeline *pipeline, base_bytes payload)
{
    base_error err = {0};
    broker_publish_result result;
    const broker_message message = {.subject = pipeline->names.subject_generate, .payload = payload};
    must(broker_publish(pipeline->broker, &message, 1, PUBLISH_MS, &result, &err), &err);
}

static base_sha256 submit(pipeline *pipeline, const char *seed, bool forged)
{
    base_error err = {0};
    wire_generate_proof job;
    fill_job(pipeline, seed, &job);
    if (forged)
        job.signature_s[31] ^= 1;
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {.limit = WIRE_MESSAGE_MAX};
    must(wire_generate_proof_encode(&job, &payload, &err), &err);
    pipeline_publish_raw(pipeline, base_buffer_view(&payload));
    return job.sha256;
}

base_sha256 pipeline_submit(pipeline *pipeline, const char *seed)
{
    return submit(pipeline, seed, false);
}

base_sha256 pipeline_submit_forged(pipeline *pipeline, const char *seed)
{
    return submit(pipeline, seed, true);
}

static void submit_batch(pipeline *pipeline, const char *prefix, size_t first, size_t count, base_sha256 *ret)
{
    base_error err = {0};
    BASE_CLEANUP(free) base_buffer *payloads = calloc(count, sizeof(*payloads));
    BASE_CLEANUP(free) broker_message *messages = calloc(count, sizeof(*messages));
    BASE_CLEANUP(free) broker_publish_result *results = calloc(count, sizeof(*results));
    for (size_t i = 0; i < count; i++) {
        char seed[TEXT_MAX];
        wire_generate_proof job;
        snprintf(seed, sizeof(seed), "%s%zu", prefix, first + i);
        fill_job(pipeline, seed, &job);
        ret[i] = job.sha256;
        payloads[i].limit = WIRE_MESSAGE_MAX;
        must(wire_generate_proof_encode(&job, &payloads[i], &err), &err);
        messages[i] =
            (broker_message){.subject = pipeline->names.subject_generate, .payload = base_buffer_view(&payloads[i])};
    }
    must(broker_publish(pipeline->broker, messages, count, PUBLISH_MS, results, &err), &err);
    for (size_t i = 0; i < count; i++)
        base_buffer_done(&payloads[i]);
}

void pipeline_submit_many(pipeline *pipeline, const char *prefix, size_t count, base_sha256 *ret)
{
    for (size_t first = 0; first < count; first += SUBMIT_BATCH) {
        size_t part = count - first < SUBMIT_BATCH ? count - first : SUBMIT_BATCH;
        submit_batch(pipeline, prefix, first, part, ret + first);
    }
}

store_submission pipeline_get(pipeline *pipeline, const base_sha256 *submission)
{
    base_error err = {0};
    store_submission row = {0};
    base_code code = store_submission_get(pipeline->store, submission, &row, &err);
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
    awaited *awaited = ctx;
    return pipeline_get(awaited->pipeline, awaited->submission).status == awaited->status;
}

store_submission pipeline_wait(pipeline *pipeline, const base_sha256 *submission, wire_status status)
{
    awaited awaited = {pipeline, submission, status};
    bool came = harness_wait_until(has_status, &awaited, PIPELINE_WAIT_MS);
    store_submission row = pipeline_get(pipeline, submission);
    if (!came)
        harness_fail("submission %s is %s, not %s; publisher: %s", base_sha256_hex(submission).text,
                     wire_status_name(row.status), wire_status_name(status),
                     pipeline->publisher != NULL ? harness_process_errors(pipeline->publisher) : "");
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

char *pipeline_events(pipeline *pipeline, const base_sha256 *submission)
{
    base_error err = {0};
    char subject[TEXT_MAX];
    snprintf(subject, sizeof(subject), "%s.%s.>", pipeline->names.subject_events, base_sha256_hex(submission).text);
    uint64_t last = (uint64_t)pipeline_get(pipeline, submission).event_sequence;
    BASE_CLEANUP(broker_feed_free) broker_feed *feed = NULL;
    must(broker_feed_open(pipeline->broker, pipeline->names.stream_events, subject, 1, &feed, &err), &err);
    base_buffer text = {.limit = 65536};
    for (uint64_t number = 1; number <= last; number++) {
        BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
        must(broker_feed_next(feed, PIPELINE_WAIT_MS, &stored, &err), &err);
        if (append_event(&stored, number, last, &text))
            break;
    }
    return (char *)text.data;
}

uint64_t pipeline_messages(pipeline *pipeline, const char *stream)
{
    base_error err = {0};
    broker_stream_state state;
    must(broker_stream_read_state(pipeline->broker, stream, &state, &err), &err);
    return state.messages;
}

static bool is_settled(void *ctx)
{
    pipeline *pipeline = ctx;
    base_error err = {0};
    const char *const durables[] = {BROKER_DURABLE_GENERATOR, BROKER_DURABLE_PUBLISHER};
    for (size_t i = 0; i < 2; i++) {
        broker_durable_state state;
        must(broker_durable_read_state(pipeline->broker, pipeline->names.stream_jobs, durables[i], &state, &err), &err);
        if (state.pending > 0 || state.ack_pending > 0)
            return false;
    }
    return pipeline_number(pipeline, "SELECT count(*) FROM outbox") == 0;
}

void pipeline_wait_settled(pipeline *pipeline)
{
    if (!harness_wait_until(is_settled, pipeline, PIPELINE_WAIT_MS))
        harness_fail("jobs or outbox rows remain");
}

int64_t pipeline_number(pipeline *pipeline, const char *sql)
{
    BASE_CLEANUP(free) char *text = harness_database_query(&pipeline->database, sql);
    return strtoll(text, NULL, 10);
}

void pipeline_fault(pipeline *pipeline, const char *json)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_send(json != NULL ? "POST" : "DELETE", pipeline->node_port,
                                                 "/control/faults", "application/json", json);
    if (reply.status / 100 != 2)
        harness_fail("the devnode refused the fault: %d %s", reply.status, reply.body);
}

void pipeline_make_block(pipeline *pipeline)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply =
        harness_http_send("POST", pipeline->node_port, "/control/block", "application/json", "{}");
    if (reply.status / 100 != 2)
        harness_fail("the devnode made no block: %d %s", reply.status, reply.body);
}

size_t pipeline_transactions_at_node(pipeline *pipeline)
{
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply reply = harness_http_get(pipeline->node_port, "/control/chain");
    if (reply.status != 200)
        harness_fail("the devnode shows no chain: %d", reply.status);
    size_t count = 0;
    for (const char *at = strstr(reply.body, "\"memo\""); at != NULL; at = strstr(at + 1, "\"memo\""))
        count++;
    return count;
}

int pipeline_proofctl(pipeline *pipeline, const char *const *arguments, char **ret_output)
{
    char nats[TEXT_MAX], database[TEXT_MAX], node[TEXT_MAX];
    snprintf(nats, sizeof(nats), "NATS_URL=%s", harness_nats_url(pipeline->nats));
    snprintf(database, sizeof(database), "DATABASE_URL=%s", pipeline->database.url);
    snprintf(node, sizeof(node), "MINA_NODE_ENDPOINT=http://127.0.0.1:%u/graphql", pipeline->node_port);
    const char *const environment[] = {nats, database, node, NULL};
    const char *argv[ENVIRONMENT_MAX] = {BINARY_DIR "/proofctl"};
    for (size_t i = 0; arguments[i] != NULL && i + 2 < ENVIRONMENT_MAX; i++)
        argv[i + 1] = arguments[i];
    return harness_run(argv, environment, PIPELINE_WAIT_MS, ret_output, NULL);
}
