/* proofctl against a real NATS server: topology, submit, watch, dead letters. */
#include "run.h"

#include "base/hex.h"
#include "broker/stream.h"
#include "broker/topology.h"
#include "evidence/key.h"
#include "evidence/witness.h"
#include "harness/nats_server.h"
#include "harness/process.h"
#include "harness/stream.h"
#include "harness/wait.h"
#include "wire/headers.h"
#include "wire/messages.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PUBLISH_MS 10000

static harness_nats *nats;

/* One test's own streams on the shared server. */
typedef struct installation {
    char url[128], prefix[64];
    const char *environment[4];
    broker_names names;
    broker_connection *connection;
    harness_path folder;
    harness_path key, image;
    base_sha256 hash;
} installation;

static int start_nats(void **state)
{
    (void)state;
    nats = harness_nats_new(NULL);
    return 0;
}

static int end_nats(void **state)
{
    (void)state;
    harness_nats_free(nats);
    return 0;
}

static void installation_done(installation *item)
{
    broker_connection_free(item->connection);
}
BASE_CLEANUP_VALUE(installation, installation_done);

static void installation_init(installation *item, const char *prefix)
{
    static const char IMAGE[] =
        "an image long enough for more than one block of SHA-256, so that its state has a history";
    *item = (installation){.folder = harness_folder_new(prefix)};
    snprintf(item->url, sizeof(item->url), "NATS_URL=%s", harness_nats_url(nats));
    snprintf(item->prefix, sizeof(item->prefix), "SUBJECT_PREFIX=%s", prefix);
    item->environment[0] = item->url;
    item->environment[1] = item->prefix;
    item->environment[2] = "DATABASE_URL";
    base_error err = {0};
    if (broker_names_of(prefix, &item->names, &err) != BASE_OK ||
        broker_connection_open(&(broker_connection_options){.url = harness_nats_url(nats), .name = "test"},
                               &item->connection, &err) != BASE_OK)
        harness_fail("%s", err.message);
    item->key = harness_path_in(&item->folder, "creator.pem");
    item->image = run_file(&item->folder, "photo", base_bytes_of(IMAGE, sizeof(IMAGE)));
    evidence_witness ignored;
    evidence_witness_of(base_bytes_of(IMAGE, sizeof(IMAGE)), &item->hash, &ignored);
    BASE_CLEANUP(run_result_done) run_result key = RUN(item->environment, NULL, "keygen", "--out", item->key.text);
    run_expect(&key, 0);
}

static void installation_apply(installation *item, const char *prefix)
{
    installation_init(item, prefix);
    BASE_CLEANUP(run_result_done) run_result applied = RUN(item->environment, NULL, "topology", "apply");
    run_expect(&applied, 0);
}

static void topology_is_applied_twice_and_checked(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_init(&item, "topology_t");
    BASE_CLEANUP(run_result_done) run_result before = RUN(item.environment, NULL, "topology", "check");
    run_expect(&before, 1);
    expect_part(before.err, "proofctl topology apply");
    BASE_CLEANUP(run_result_done) run_result first = RUN(item.environment, NULL, "topology", "apply");
    run_expect(&first, 0);
    expect_part(first.out, "TOPOLOGY_T_JOBS");
    expect_part(first.out, "created");
    BASE_CLEANUP(run_result_done) run_result second = RUN(item.environment, NULL, "topology", "apply", "--json");
    run_expect(&second, 0);
    assert_null(strstr(second.out, "created"));
    assert_null(strstr(second.out, "updated"));
    BASE_CLEANUP(run_result_done) run_result check = RUN(item.environment, NULL, "topology", "check");
    run_expect(&check, 0);
    BASE_CLEANUP(run_result_done)
    run_result differs = RUN(item.environment, NULL, "topology", "check", "--max-ack-pending", "7");
    run_expect(&differs, 1);
    expect_part(differs.out, "max_ack_pending");
}

/* Job `sequence` as it stands in the stream. The owner keeps an inline image. */
static wire_generate_proof read_job(const installation *item, uint64_t sequence, broker_stored *stored,
                                    wire_owner **owner)
{
    base_error err = {0};
    wire_generate_proof job;
    if (broker_stream_get(item->connection, item->names.stream_jobs, sequence, stored, &err) != BASE_OK ||
        wire_generate_proof_decode(base_buffer_view(&stored->payload), &job, owner, &err) != BASE_OK)
        harness_fail("%s", err.message);
    return job;
}

static void expect_signed(const installation *item, const wire_generate_proof *job)
{
    evidence_public_key key;
    evidence_signature signature;
    memcpy(key.x, job->public_key_x, sizeof(key.x));
    memcpy(key.y, job->public_key_y, sizeof(key.y));
    memcpy(signature.r, job->signature_r, sizeof(signature.r));
    memcpy(signature.s, job->signature_s, sizeof(signature.s));
    assert_memory_equal(job->sha256.bytes, item->hash.bytes, BASE_SHA256_SIZE);
    assert_int_equal(evidence_signature_verify(&key, &item->hash, &signature, NULL), BASE_OK);
}

static void submit_queues_a_job_whose_evidence_holds(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "submit_t");
    BASE_CLEANUP(run_result_done)
    run_result result = RUN(item.environment, NULL, "submit", item.image.text, "--key", item.key.text,
                            "--correlation-id", "order-17", "--chain-id", "mina:devnet", "--json");
    run_expect(&result, 0);
    BASE_CLEANUP(json_decref) json_t *answer = run_json(result.out);
    assert_string_equal(run_text(answer, "sha256"), base_sha256_hex(&item.hash).text);
    assert_true(json_is_false(json_object_get(answer, "already_queued")));

    BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    wire_generate_proof job = read_job(&item, 1, &stored, &owner);
    assert_string_equal(stored.subject, item.names.subject_generate);
    assert_string_equal(broker_stored_header(&stored, "Nats-Msg-Id"), base_sha256_hex(&item.hash).text);
    assert_string_equal(broker_stored_header(&stored, WIRE_HEADER_TYPE), WIRE_TYPE_GENERATE_PROOF);
    expect_signed(&item, &job);
    assert_false(job.has_image);
    assert_string_equal(job.correlation_id, "order-17");
    assert_string_equal(job.chain_id, "mina:devnet");
    assert_true(job.submitted_unix_ms > 0);
    evidence_witness witness = {.message_word = job.final_round.message_word,
                                .round_constant = job.final_round.round_constant};
    memcpy(witness.state, job.final_round.state, sizeof(witness.state));
    memcpy(witness.initial_state, job.final_round.initial_state, sizeof(witness.initial_state));
    assert_int_equal(evidence_witness_check(&witness, &item.hash, NULL), BASE_OK);
}

static void a_repeated_submit_says_already_queued_and_again_queues_anew(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "again_t");
    const char *image = item.image.text, *key = item.key.text;
    BASE_CLEANUP(run_result_done) run_result first = RUN(item.environment, NULL, "submit", image, "--key", key);
    run_expect(&first, 0);
    expect_part(first.out, "queued as job 1");
    BASE_CLEANUP(run_result_done) run_result second = RUN(item.environment, NULL, "submit", image, "--key", key);
    run_expect(&second, 0);
    expect_part(second.out, "already queued as job 1");
    BASE_CLEANUP(run_result_done)
    run_result third = RUN(item.environment, NULL, "submit", image, "--key", key, "--again", "--inline-image");
    run_expect(&third, 0);
    expect_part(third.out, "queued as job 2");
    BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    wire_generate_proof job = read_job(&item, 2, &stored, &owner);
    BASE_CLEANUP(base_buffer_done) base_buffer content = run_read(image);
    assert_true(job.has_image);
    assert_true(base_bytes_equal(job.image, base_buffer_view(&content)));
    expect_signed(&item, &job);
}

static void commands_need_the_streams_and_say_how_to_make_them(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_init(&item, "bare_t");
    BASE_CLEANUP(run_result_done)
    run_result result = RUN(item.environment, NULL, "submit", item.image.text, "--key", item.key.text);
    run_expect(&result, 5);
    expect_part(result.err, "proofctl topology apply");
    BASE_CLEANUP(run_result_done) run_result watch = RUN(item.environment, NULL, "watch", "--timeout", "1");
    run_expect(&watch, 5);
    expect_part(watch.err, "proofctl topology apply");
    BASE_CLEANUP(run_result_done) run_result dead = RUN(item.environment, NULL, "dead", "list");
    run_expect(&dead, 5);
    expect_part(dead.err, "proofctl topology apply");
    BASE_CLEANUP(run_result_done) run_result letter = RUN(item.environment, NULL, "dead", "show", "1");
    run_expect(&letter, 5);
    BASE_CLEANUP(run_result_done) run_result again = RUN(item.environment, NULL, "dead", "redrive", "--all");
    run_expect(&again, 5);
    BASE_CLEANUP(run_result_done) run_result one = RUN(item.environment, NULL, "dead", "redrive", "1");
    run_expect(&one, 5);
    BASE_CLEANUP(run_result_done)
    run_result wait = RUN(item.environment, NULL, "submit", item.image.text, "--key", item.key.text, "--wait");
    run_expect(&wait, 5);
    expect_part(wait.err, "proofctl topology apply");
    BASE_CLEANUP(run_result_done)
    run_result key = RUN(item.environment, NULL, "submit", item.image.text, "--key", item.image.text);
    run_expect(&key, 1);
    expect_part(key.err, "--key");
}

static void publish_event(const installation *item, wire_status_changed change)
{
    change.sha256 = item->hash;
    change.occurred_unix_ms = 1700000000000 + (int64_t)change.sequence;
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {.limit = WIRE_MESSAGE_MAX};
    base_error err = {0};
    char subject[256];
    snprintf(subject, sizeof(subject), "%s.%s.%s", item->names.subject_events, base_sha256_hex(&item->hash).text,
             wire_status_name(change.status));
    broker_publish_result result;
    if (wire_status_changed_encode(&change, &payload, &err) != BASE_OK ||
        broker_publish(item->connection, &(broker_message){.subject = subject, .payload = base_buffer_view(&payload)},
                       1, PUBLISH_MS, &result, &err) != BASE_OK)
        harness_fail("%s", err.message);
}

static void publish_generation(const installation *item, uint64_t sequence)
{
    publish_event(item, (wire_status_changed){.sequence = sequence, .status = WIRE_STATUS_PROOF_GENERATION});
}

static void publish_publishing(const installation *item, uint64_t sequence)
{
    publish_event(item, (wire_status_changed){.sequence = sequence,
                                              .status = WIRE_STATUS_PROOF_PUBLISHING,
                                              .previous_status = WIRE_STATUS_PROOF_GENERATION});
}

static void publish_complete(const installation *item, uint64_t sequence)
{
    publish_event(item, (wire_status_changed){.sequence = sequence,
                                              .status = WIRE_STATUS_COMPLETE,
                                              .previous_status = WIRE_STATUS_PROOF_PUBLISHING,
                                              .transaction_hash = "5JtransactionHash"});
}

static void publish_rejected(const installation *item, uint64_t sequence)
{
    publish_event(item, (wire_status_changed){.sequence = sequence,
                                              .status = WIRE_STATUS_REJECTED,
                                              .previous_status = WIRE_STATUS_PROOF_GENERATION,
                                              .reason_code = "invalid_signature",
                                              .reason = "the signature is wrong"});
}

static harness_process *start_submit(const installation *item, const char *extra)
{
    const char *argv[] = {RUN_PROGRAM, "submit", item->image.text, "--key", item->key.text, "--wait", "--timeout", "60",
                          extra,       NULL};
    return harness_process_new(&(harness_process_options){.argv = argv, .environment = item->environment});
}

static void expect_line(harness_process *process, const char *part)
{
    BASE_CLEANUP(free) char *line = harness_process_wait_line(process, part, RUN_DEADLINE_MS);
    if (line == NULL) {
        BASE_CLEANUP(free) char *out = harness_process_output(process);
        BASE_CLEANUP(free) char *err = harness_process_errors(process);
        harness_fail("no line with \"%s\" in:\n%s%s", part, out, err);
    }
}

static void submit_shows_each_status_as_its_event_arrives(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "wait_t");
    BASE_CLEANUP(harness_process_free) harness_process *process = start_submit(&item, NULL);
    expect_line(process, "queued as job 1");
    publish_generation(&item, 1);
    expect_line(process, "proof_generation");
    publish_publishing(&item, 2);
    expect_line(process, "proof_publishing");
    assert_true(harness_process_running(process));
    publish_complete(&item, 3);
    assert_int_equal(harness_process_wait(process, RUN_DEADLINE_MS), 0);
    BASE_CLEANUP(free) char *out = harness_process_output(process);
    expect_part(out, "5JtransactionHash");
}

static void submit_exits_3_when_rejected_and_4_when_nothing_comes(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "rejected_t");
    BASE_CLEANUP(harness_process_free) harness_process *process = start_submit(&item, "--json");
    expect_line(process, "\"job_sequence\":1");
    publish_generation(&item, 1);
    publish_rejected(&item, 2);
    assert_int_equal(harness_process_wait(process, RUN_DEADLINE_MS), 3);
    BASE_CLEANUP(free) char *out = harness_process_output(process);
    expect_part(out, "\"reason_code\":\"invalid_signature\"");
    /* A new job after a rejection is a new life: the old end says nothing about it. */
    BASE_CLEANUP(run_result_done)
    run_result late = RUN(item.environment, NULL, "submit", item.image.text, "--key", item.key.text, "--again",
                          "--wait", "--timeout", "1");
    run_expect(&late, 4);
    expect_part(late.err, "proofctl status");
}

static void a_repeated_submit_sees_how_the_first_one_ended(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "repeat_t");
    BASE_CLEANUP(run_result_done)
    run_result first = RUN(item.environment, NULL, "submit", item.image.text, "--key", item.key.text);
    run_expect(&first, 0);
    publish_generation(&item, 1);
    publish_rejected(&item, 2);
    BASE_CLEANUP(harness_process_free) harness_process *rejected = start_submit(&item, NULL);
    assert_int_equal(harness_process_wait(rejected, RUN_DEADLINE_MS), 3);
    publish_generation(&item, 3);
    publish_publishing(&item, 4);
    publish_complete(&item, 5);
    BASE_CLEANUP(harness_process_free) harness_process *complete = start_submit(&item, "--again");
    assert_int_equal(harness_process_wait(complete, RUN_DEADLINE_MS), 0);
}

static void watch_shows_stored_and_new_events(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "watch_t");
    publish_generation(&item, 1);
    const char *argv[] = {RUN_PROGRAM, "watch", base_sha256_hex(&item.hash).text, "--all", "--count", "2",
                          "--json",    NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process =
        harness_process_new(&(harness_process_options){.argv = argv, .environment = item.environment});
    expect_line(process, "\"status\":\"proof_generation\"");
    publish_publishing(&item, 2);
    assert_int_equal(harness_process_wait(process, RUN_DEADLINE_MS), 0);
    BASE_CLEANUP(free) char *out = harness_process_output(process);
    expect_part(out, "\"previous_status\":\"proof_generation\"");
    BASE_CLEANUP(run_result_done)
    run_result none = RUN(item.environment, NULL, "watch", "--count", "1", "--timeout", "1");
    run_expect(&none, 4);
}

static void watch_begins_now_unless_told_otherwise(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "live_t");
    publish_generation(&item, 1);
    const char *argv[] = {RUN_PROGRAM, "watch", "--count", "1", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process =
        harness_process_new(&(harness_process_options){.argv = argv, .environment = item.environment});
    expect_line(process, "watching LIVE_T_EVENTS");
    publish_publishing(&item, 2);
    assert_int_equal(harness_process_wait(process, RUN_DEADLINE_MS), 0);
    BASE_CLEANUP(free) char *out = harness_process_output(process);
    expect_part(out, base_sha256_hex(&item.hash).text);
    expect_part(out, "proof_publishing");
    assert_null(strstr(out, "proof_generation"));
}

/* A dead letter as a service writes it; returns its sequence. */
static uint64_t publish_letter(const installation *item, const char *stage, const char *reason_code,
                               const char *subject, base_bytes payload)
{
    char on[128];
    snprintf(on, sizeof(on), "%s.%s", item->names.subject_dead, stage);
    const broker_header headers[] = {
        {WIRE_HEADER_CONTENT_TYPE, WIRE_CONTENT_TYPE},
        {WIRE_HEADER_TYPE, strcmp(stage, "publish") == 0 ? WIRE_TYPE_PUBLISH_PROOF : WIRE_TYPE_GENERATE_PROOF},
        {WIRE_HEADER_TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {WIRE_HEADER_DEAD_STAGE, stage},
        {WIRE_HEADER_DEAD_REASON_CODE, reason_code},
        {WIRE_HEADER_DEAD_REASON, "said so"},
        {WIRE_HEADER_DEAD_SUBJECT, subject},
        {WIRE_HEADER_DEAD_SEQUENCE, "7"},
        {WIRE_HEADER_DEAD_SHA256, base_sha256_hex(&item->hash).text},
        {WIRE_HEADER_DEAD_ATTEMPTS, "3"},
        {WIRE_HEADER_DEAD_AT, "2026-01-02T03:04:05.678Z"},
    };
    broker_message message = {.subject = on,
                              .payload = payload,
                              .message_id = reason_code,
                              .headers = headers,
                              .header_count = sizeof(headers) / sizeof(headers[0])};
    broker_publish_result result;
    base_error err = {0};
    if (broker_publish(item->connection, &message, 1, PUBLISH_MS, &result, &err) != BASE_OK)
        harness_fail("%s", err.message);
    return result.sequence;
}

static base_buffer publish_proof_payload(const installation *item)
{
    wire_publish_proof job = {.sha256 = item->hash, .proof_format = "ecdsa-p256-sok-v1", .proof_digest = {{1}}};
    base_buffer payload = {.limit = WIRE_MESSAGE_MAX};
    assert_int_equal(wire_publish_proof_encode(&job, &payload, NULL), BASE_OK);
    return payload;
}

static uint64_t count_jobs(const installation *item)
{
    broker_stream_state jobs;
    assert_int_equal(broker_stream_read_state(item->connection, item->names.stream_jobs, &jobs, NULL), BASE_OK);
    return jobs.messages;
}

static void dead_letters_are_listed_and_shown(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "dead_t");
    BASE_CLEANUP(run_result_done) run_result empty = RUN(item.environment, NULL, "dead", "list", "--json");
    run_expect(&empty, 0);
    assert_string_equal(empty.out, "");
    BASE_CLEANUP(base_buffer_done) base_buffer payload = publish_proof_payload(&item);
    publish_letter(&item, "publish", "invalid_fee", item.names.subject_publish, base_buffer_view(&payload));
    publish_letter(&item, "generate", "undecodable", item.names.subject_generate, base_bytes_of("\xff\x01\x1b[2J", 6));
    BASE_CLEANUP(run_result_done) run_result all = RUN(item.environment, NULL, "dead", "list");
    run_expect(&all, 0);
    expect_part(all.out, "invalid_fee");
    expect_part(all.out, "undecodable");
    BASE_CLEANUP(run_result_done)
    run_result one = RUN(item.environment, NULL, "dead", "list", "--stage", "publish", "--json");
    run_expect(&one, 0);
    BASE_CLEANUP(json_decref) json_t *letter = run_json(one.out);
    assert_string_equal(run_text(letter, "reason_code"), "invalid_fee");
    assert_string_equal(run_text(letter, "sha256"), base_sha256_hex(&item.hash).text);
    BASE_CLEANUP(run_result_done) run_result shown = RUN(item.environment, NULL, "dead", "show", "1", "--json");
    run_expect(&shown, 0);
    BASE_CLEANUP(json_decref) json_t *detail = run_json(shown.out);
    assert_string_equal(run_text(json_object_get(detail, "message"), "proof_format"), "ecdsa-p256-sok-v1");
    BASE_CLEANUP(run_result_done) run_result bytes = RUN(item.environment, NULL, "dead", "show", "2");
    run_expect(&bytes, 0);
    expect_part(bytes.out, "ff011b5b324a");
    BASE_CLEANUP(run_result_done) run_result none = RUN(item.environment, NULL, "dead", "show", "3");
    run_expect(&none, 1);
}

static void a_list_ends_though_the_last_letter_was_deleted(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "deleted_t");
    publish_letter(&item, "generate", "first", item.names.subject_generate, base_bytes_of("x", 1));
    uint64_t last = publish_letter(&item, "generate", "last", item.names.subject_generate, base_bytes_of("y", 1));
    assert_true(harness_stream_delete(item.connection, item.names.stream_dead, last));
    BASE_CLEANUP(run_result_done) run_result list = RUN(item.environment, NULL, "dead", "list", "--json");
    run_expect(&list, 0);
    BASE_CLEANUP(json_decref) json_t *letter = run_json(list.out);
    assert_string_equal(run_text(letter, "reason_code"), "first");
}

static void watch_ends_when_nobody_reads_on(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "pipe_t");
    for (uint64_t sequence = 1; sequence <= 100; sequence++)
        publish_generation(&item, sequence);
    const char *argv[] = {"sh", "-c", "\"$0\" watch --all | head -n 1", RUN_PROGRAM, NULL};
    BASE_CLEANUP(run_result_done) run_result piped = run_program(item.environment, NULL, argv);
    run_expect(&piped, 0); /* of head; the shell waits for both */
    expect_part(piped.out, "proof_generation");
}

static void redrive_sends_the_original_bytes_back_every_time_it_is_asked(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "redrive_t");
    BASE_CLEANUP(base_buffer_done) base_buffer payload = publish_proof_payload(&item);
    publish_letter(&item, "publish", "invalid_fee", item.names.subject_publish, base_buffer_view(&payload));
    publish_letter(&item, "generate", "undecodable", item.names.subject_generate, base_bytes_of("x", 1));
    BASE_CLEANUP(run_result_done) run_result dry = RUN(item.environment, NULL, "dead", "redrive", "--all", "--dry-run");
    run_expect(&dry, 0);
    expect_part(dry.out, "would be sent to");
    assert_int_equal(count_jobs(&item), 0);
    BASE_CLEANUP(run_result_done) run_result first = RUN(item.environment, NULL, "dead", "redrive", "1");
    run_expect(&first, 0);
    BASE_CLEANUP(run_result_done)
    run_result second =
        RUN(item.environment, NULL, "dead", "redrive", "--stage", "publish", "--reason", "invalid_fee", "--json");
    run_expect(&second, 0);
    assert_int_equal(count_jobs(&item), 2);
    for (uint64_t sequence = 1; sequence <= 2; sequence++) {
        BASE_CLEANUP(broker_stored_done) broker_stored job = {0};
        assert_int_equal(broker_stream_get(item.connection, item.names.stream_jobs, sequence, &job, NULL), BASE_OK);
        assert_string_equal(job.subject, item.names.subject_publish);
        assert_true(base_bytes_equal(base_buffer_view(&job.payload), base_buffer_view(&payload)));
        assert_non_null(broker_stored_header(&job, WIRE_HEADER_TRACEPARENT));
        assert_string_equal(broker_stored_header(&job, WIRE_HEADER_TYPE), WIRE_TYPE_PUBLISH_PROOF);
        assert_null(broker_stored_header(&job, WIRE_HEADER_DEAD_REASON));
    }
    BASE_CLEANUP(run_result_done) run_result kept = RUN(item.environment, NULL, "dead", "show", "1");
    run_expect(&kept, 0);
}

static void redrive_keeps_its_rate_and_goes_only_where_jobs_belong(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "rate_t");
    BASE_CLEANUP(base_buffer_done) base_buffer payload = publish_proof_payload(&item);
    publish_letter(&item, "publish", "one", item.names.subject_publish, base_buffer_view(&payload));
    publish_letter(&item, "publish", "two", "rate_t.events.forged", base_buffer_view(&payload));
    publish_letter(&item, "publish", "three", item.names.subject_publish, base_buffer_view(&payload));
    BASE_CLEANUP(run_result_done)
    run_result result = RUN(item.environment, NULL, "dead", "redrive", "--all", "--rate", "2");
    run_expect(&result, 1);
    expect_part(result.err, "no subject of jobs");
    expect_part(result.err, "2 of 3 dead letters redriven");
    BASE_CLEANUP(broker_stored_done) broker_stored first = {0};
    BASE_CLEANUP(broker_stored_done) broker_stored last = {0};
    assert_int_equal(broker_stream_get(item.connection, item.names.stream_jobs, 1, &first, NULL), BASE_OK);
    assert_int_equal(broker_stream_get(item.connection, item.names.stream_jobs, 2, &last, NULL), BASE_OK);
    /* A second apart when they were sent; the first may have been stored late. */
    assert_true(last.stored_unix_ns - first.stored_unix_ns > 100 * 1000000);
}

static void watch_says_on_a_terminal_that_it_waits(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "terminal_t");
    char line[512];
    snprintf(line, sizeof(line), "%s watch --timeout 4 --count 1", RUN_PROGRAM);
    BASE_CLEANUP(run_result_done)
    run_result waited =
        run_program(item.environment, NULL, (const char *[]){"script", "-qec", line, "/dev/null", NULL});
    run_expect(&waited, 4);
    static const char WAITS[] = "waiting for the next event, ";
    const char *first = strstr(waited.out, WAITS); /* not every second has its turn on a busy machine */
    assert_non_null(first);
    const char *later = strstr(first + 1, WAITS);
    assert_non_null(later);
    assert_true(strtol(later + strlen(WAITS), NULL, 10) > strtol(first + strlen(WAITS), NULL, 10));
    expect_part(waited.out, "\r\033[K");
}

static void an_event_that_cannot_be_read_is_named_and_passed_over(void **state)
{
    (void)state;
    BASE_CLEANUP(installation_done) installation item;
    installation_apply(&item, "garbled_t");
    char subject[256];
    snprintf(subject, sizeof(subject), "%s.%s.complete", item.names.subject_events, base_sha256_hex(&item.hash).text);
    const broker_message garbled = {.subject = subject, .payload = base_bytes_of("\xff\xff", 2)};
    broker_publish_result result;
    base_error err = {0};
    if (broker_publish(item.connection, &garbled, 1, PUBLISH_MS, &result, &err) != BASE_OK)
        harness_fail("%s", err.message);
    publish_generation(&item, 1);
    BASE_CLEANUP(run_result_done) run_result watched = RUN(item.environment, NULL, "watch", "--all", "--count", "2");
    run_expect(&watched, 0);
    expect_part(watched.err, "event 1 on garbled_t.events.");
    expect_part(watched.out, "proof_generation");
    BASE_CLEANUP(run_result_done)
    run_result bad_prefix = RUN(((const char *[]){item.url, "SUBJECT_PREFIX=Two Words", NULL}), NULL, "watch");
    run_expect(&bad_prefix, 2);
    expect_part(bad_prefix.err, "SUBJECT_PREFIX: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topology_is_applied_twice_and_checked),
        cmocka_unit_test(submit_queues_a_job_whose_evidence_holds),
        cmocka_unit_test(a_repeated_submit_says_already_queued_and_again_queues_anew),
        cmocka_unit_test(commands_need_the_streams_and_say_how_to_make_them),
        cmocka_unit_test(submit_shows_each_status_as_its_event_arrives),
        cmocka_unit_test(submit_exits_3_when_rejected_and_4_when_nothing_comes),
        cmocka_unit_test(a_repeated_submit_sees_how_the_first_one_ended),
        cmocka_unit_test(watch_shows_stored_and_new_events),
        cmocka_unit_test(watch_begins_now_unless_told_otherwise),
        cmocka_unit_test(dead_letters_are_listed_and_shown),
        cmocka_unit_test(a_list_ends_though_the_last_letter_was_deleted),
        cmocka_unit_test(watch_ends_when_nobody_reads_on),
        cmocka_unit_test(watch_says_on_a_terminal_that_it_waits),
        cmocka_unit_test(an_event_that_cannot_be_read_is_named_and_passed_over),
        cmocka_unit_test(redrive_sends_the_original_bytes_back_every_time_it_is_asked),
        cmocka_unit_test(redrive_keeps_its_rate_and_goes_only_where_jobs_belong),
    };
    return cmocka_run_group_tests(tests, start_nats, end_nats);
}
