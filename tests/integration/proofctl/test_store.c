/* proofctl against a real Postgres: migrations, status with its timeline, list, proofs. */
#include "proven.h"

#include "base/clock.h"
#include "broker/publish.h"
#include "broker/topology.h"
#include "harness/nats_server.h"
#include "harness/postgres_server.h"
#include "harness/process.h"
#include "harness/wait.h"
#include "store/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PUBLISH_MS 10000

static harness_postgres *postgres;

static int start_postgres(void **state)
{
    (void)state;
    postgres = harness_postgres_new(&(harness_postgres_options){.fsync_off = true});
    return 0;
}

static int end_postgres(void **state)
{
    (void)state;
    harness_postgres_free(postgres);
    return 0;
}

/* One test's own database. No NATS: what needs none must do without. */
typedef struct installation {
    char database[HARNESS_DATABASE_URL_MAX + 16];
    harness_database handle;
    const char *environment[5];
} installation;

static void installation_init(installation *item)
{
    *item = (installation){.handle = harness_database_new(postgres)};
    snprintf(item->database, sizeof(item->database), "DATABASE_URL=%s", item->handle.url);
    item->environment[0] = item->database;
    item->environment[1] = "MIGRATIONS_DIR=" MIGRATIONS_DIR;
    item->environment[2] = "NATS_URL=nats://127.0.0.1:1";
    item->environment[3] = "DATABASE_URL_FILE";
}

static void migrate(const installation *item)
{
    BASE_CLEANUP(run_result_done) run_result up = RUN(item->environment, NULL, "migrate", "up");
    run_expect(&up, 0);
}

static void migrations_go_up_and_down_and_say_where_they_stand(void **state)
{
    (void)state;
    static const char unknown[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    installation item;
    installation_init(&item);
    BASE_CLEANUP(run_result_done) run_result before = RUN(item.environment, NULL, "migrate", "status");
    run_expect(&before, 1);
    expect_part(before.err, "proofctl migrate up");
    BASE_CLEANUP(run_result_done) run_result unready = RUN(item.environment, NULL, "list");
    run_expect(&unready, 5);
    expect_part(unready.err, "proofctl migrate up");
    BASE_CLEANUP(run_result_done) run_result row = RUN(item.environment, NULL, "status", unknown);
    run_expect(&row, 5);
    migrate(&item);
    migrate(&item);
    BASE_CLEANUP(run_result_done) run_result applied = RUN(item.environment, NULL, "migrate", "status", "--json");
    run_expect(&applied, 0);
    expect_part(applied.out, "\"state\":\"applied\"");
    assert_null(strstr(applied.out, "pending"));
    BASE_CLEANUP(run_result_done) run_result down = RUN(item.environment, NULL, "migrate", "down", "--steps", "2");
    run_expect(&down, 0);
    expect_part(down.out, "reverting");
    BASE_CLEANUP(run_result_done) run_result pending = RUN(item.environment, NULL, "migrate", "status");
    run_expect(&pending, 1);
    expect_part(pending.err, "2 pending");
    migrate(&item);
    BASE_CLEANUP(run_result_done) run_result list = RUN(item.environment, NULL, "list", "--json");
    run_expect(&list, 0);
    assert_string_equal(list.out, "");
    BASE_CLEANUP(run_result_done) run_result none = RUN(item.environment, NULL, "status", unknown);
    run_expect(&none, 1); /* now the answer is certain */
}

static void a_changed_migration_is_refused(void **state)
{
    (void)state;
    installation item;
    installation_init(&item);
    harness_path folder = harness_folder_new("migrations");
    char directory[HARNESS_PATH_MAX + 32];
    snprintf(directory, sizeof(directory), "MIGRATIONS_DIR=%s", folder.text);
    item.environment[1] = directory;
    harness_path file = harness_path_in(&folder, "0001_things.sql");
    harness_file_write(&file, "-- migrate:up\nCREATE TABLE things (n int);\n-- migrate:down\nDROP TABLE things;\n");
    migrate(&item);
    harness_file_write(&file, "-- migrate:up\nCREATE TABLE things (n bigint);\n-- migrate:down\nDROP TABLE things;\n");
    BASE_CLEANUP(run_result_done) run_result up = RUN(item.environment, NULL, "migrate", "up");
    run_expect(&up, 1);
    expect_part(up.err, "0001");
}

static wire_generate_proof job_of(const proven *made)
{
    wire_generate_proof job = {.sha256 = made->statement.hash, .correlation_id = "order-17"};
    const evidence_witness *witness = &made->statement.witness;
    memcpy(job.final_round.state, witness->state, sizeof(witness->state));
    memcpy(job.final_round.initial_state, witness->initial_state, sizeof(witness->initial_state));
    job.final_round.message_word = witness->message_word;
    job.final_round.round_constant = witness->round_constant;
    memcpy(job.signature_r, made->statement.signature.r, sizeof(job.signature_r));
    memcpy(job.signature_s, made->statement.signature.s, sizeof(job.signature_s));
    memcpy(job.public_key_x, made->statement.public_key.x, sizeof(job.public_key_x));
    memcpy(job.public_key_y, made->statement.public_key.y, sizeof(job.public_key_y));
    return job;
}

static store_outbox *new_outbox(void)
{
    store_outbox *outbox = NULL;
    assert_int_equal(store_outbox_new(&outbox, NULL), BASE_OK);
    return outbox;
}

/* Takes a submission through its generation as the generator does it. */
static void store(const installation *item, const proven *made, store_outbox *pending)
{
    const store_session_options options = {
        .database_url = item->handle.url,
        .application_name = "test",
        .subjects = {"proofline.jobs.generate", "proofline.jobs.publish", "proofline.events", "proofline.dead"}};
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    BASE_CLEANUP(base_buffer_done) base_buffer payload = {.limit = WIRE_MESSAGE_MAX};
    wire_generate_proof job = job_of(made);
    base_error err = {0};
    store_job_identity identity = {.sequence = 1, .published_unix_ns = base_unix_ms() * 1000000};
    store_claim claim;
    bool fenced = true;
    base_code code = wire_generate_proof_encode(&job, &payload, &err);
    if (code == BASE_OK)
        code = store_session_new(&options, &session, &err);
    const store_generate_request request = {&job, identity, base_buffer_view(&payload)};
    if (code == BASE_OK)
        code = store_generate_claim(session, &request, 1, STORE_CLAIM_TOGETHER, &claim, pending, &err);
    const store_generate_outcome outcome = {.kind = STORE_SUCCEEDED,
                                            .job = &job,
                                            .claim = &claim,
                                            .identity = identity,
                                            .blob = base_buffer_view(&made->blob),
                                            .format = PROVER_SOK_FORMAT,
                                            .digest = base_digest_of(base_buffer_view(&made->blob))};
    if (code == BASE_OK)
        code = store_generate_commit(session, &outcome, 1, &fenced, pending, &err);
    if (code != BASE_OK)
        harness_fail("%s", err.message);
    assert_false(fenced);
}

static void status_and_list_show_what_postgres_knows_without_nats(void **state)
{
    (void)state;
    installation item;
    installation_init(&item);
    harness_path folder = harness_folder_new("store");
    migrate(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image that is listed");
    BASE_CLEANUP(run_result_done) run_result none = RUN(item.environment, NULL, "status", made.image.text);
    run_expect(&none, 1);
    expect_part(none.err, made.hash);
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = new_outbox();
    store(&item, &made, pending);
    BASE_CLEANUP(run_result_done)
    run_result by_image = RUN(item.environment, NULL, "status", made.image.text, "--json");
    run_expect(&by_image, 0);
    BASE_CLEANUP(json_decref) json_t *row = run_json(by_image.out);
    assert_string_equal(run_text(row, "sha256"), made.hash);
    assert_string_equal(run_text(row, "status"), "proof_publishing");
    assert_string_equal(run_text(row, "correlation_id"), "order-17");
    assert_int_equal(json_integer_value(json_object_get(row, "proofs_generated")), 1);
    assert_true(json_is_null(json_object_get(row, "events")));
    BASE_CLEANUP(run_result_done) run_result by_hash = RUN(item.environment, NULL, "status", made.hash);
    run_expect(&by_hash, 0);
    expect_part(by_hash.out, "proof_publishing");
    expect_part(by_hash.err, "no timeline");
    BASE_CLEANUP(run_result_done)
    run_result listed = RUN(item.environment, NULL, "list", "--status", "proof_publishing");
    run_expect(&listed, 0);
    expect_part(listed.out, made.hash);
    BASE_CLEANUP(run_result_done) run_result others = RUN(item.environment, NULL, "list", "--status", "complete");
    run_expect(&others, 0);
    assert_null(strstr(others.out, made.hash));
}

static void a_stored_proof_is_handed_out_and_verified(void **state)
{
    (void)state;
    installation item;
    installation_init(&item);
    harness_path folder = harness_folder_new("store");
    migrate(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image whose proof is stored");
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = new_outbox();
    store(&item, &made, pending);
    harness_path file = harness_path_in(&folder, "proof");
    BASE_CLEANUP(run_result_done)
    run_result got = RUN(item.environment, NULL, "proof", "get", made.hash, "--out", file.text, "--json");
    run_expect(&got, 0);
    BASE_CLEANUP(json_decref) json_t *facts = run_json(got.out);
    assert_string_equal(run_text(facts, "format"), PROVER_SOK_FORMAT);
    assert_string_equal(run_text(facts, "public_key"), made.public_key.text);
    BASE_CLEANUP(base_buffer_done) base_buffer blob = run_read(file.text);
    assert_true(base_bytes_equal(base_buffer_view(&blob), base_buffer_view(&made.blob)));
    BASE_CLEANUP(run_result_done)
    run_result yes = RUN(item.environment, NULL, "verify", made.image.text, "--public-key", made.public_key.text);
    run_expect(&yes, 0);
    expect_part(yes.out, "stored_digest");
    BASE_CLEANUP(proven_done) proven stranger = proven_new(&folder, "an image by somebody else");
    BASE_CLEANUP(run_result_done)
    run_result no = RUN(item.environment, NULL, "verify", made.image.text, "--public-key", stranger.public_key.text);
    run_expect(&no, 1);
    expect_part(no.out, "stored_key");
    BASE_CLEANUP(run_result_done)
    run_result missing =
        RUN(item.environment, NULL, "verify", stranger.image.text, "--public-key", stranger.public_key.text);
    run_expect(&missing, 1);
}

static void a_stored_proof_is_written_out_or_said_to_be_gone(void **state)
{
    (void)state;
    installation item;
    installation_init(&item);
    harness_path folder = harness_folder_new("store");
    migrate(&item);
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image whose proof is dropped");
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = new_outbox();
    store(&item, &made, pending);
    BASE_CLEANUP(run_result_done) run_result shown = RUN(item.environment, NULL, "proof", "get", made.hash, "--json");
    run_expect(&shown, 0);
    BASE_CLEANUP(json_decref) json_t *facts = run_json(shown.out);
    assert_int_equal(strlen(run_text(facts, "proof")), 2 * made.blob.size);
    harness_path file = harness_path_in(&folder, "proof");
    BASE_CLEANUP(run_result_done)
    run_result written = RUN(item.environment, NULL, "proof", "get", made.image.text, "--out", file.text);
    run_expect(&written, 0);
    expect_part(written.err, "format " PROVER_SOK_FORMAT);
    BASE_CLEANUP(run_result_done)
    run_result nowhere = RUN(item.environment, NULL, "proof", "get", made.hash, "--out", "/nonexistent/proof");
    run_expect(&nowhere, 1);
    expect_part(nowhere.err, "/nonexistent/proof cannot be written");
    BASE_CLEANUP(run_result_done)
    run_result unsent = RUN(item.environment, NULL, "verify", made.image.text, "--public-key", made.public_key.text,
                            "--node", "http://127.0.0.1:1/graphql");
    run_expect(&unsent, 1);
    expect_part(unsent.err, "the submission has no transaction yet: its status is proof_publishing");

    free(harness_database_query(&item.handle, "UPDATE proofs SET blob = NULL"));
    BASE_CLEANUP(run_result_done) run_result gone = RUN(item.environment, NULL, "proof", "get", made.hash);
    run_expect(&gone, 1);
    expect_part(gone.err, "was dropped once it had served (PROOF_RETENTION)");
    BASE_CLEANUP(run_result_done)
    run_result unproven = RUN(item.environment, NULL, "verify", made.image.text, "--public-key", made.public_key.text);
    run_expect(&unproven, 1);
    expect_part(unproven.err, "the proof was dropped once it had served: give it by --proof");
}

/* Publishes the rows from `first` on, as a service does after its commit. */
static void relay(const harness_nats *nats, const store_outbox *pending, size_t first)
{
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    base_error err = {0};
    const broker_connection_options options = {.url = harness_nats_url(nats), .name = "test"};
    base_code code = broker_connection_open(&options, &connection, &err);
    for (size_t i = first; code == BASE_OK && i < store_outbox_count(pending); i++) {
        const store_outbox_row *row = store_outbox_at(pending, i);
        broker_message message = {.subject = row->subject, .payload = row->payload, .message_id = row->message_id};
        broker_publish_result result;
        code = broker_publish(connection, &message, 1, PUBLISH_MS, &result, &err);
    }
    if (code != BASE_OK)
        harness_fail("%s", err.message);
}

static void status_shows_the_timeline_and_names_what_is_missing_in_it(void **state)
{
    (void)state;
    installation item;
    installation_init(&item);
    migrate(&item);
    BASE_CLEANUP(harness_nats_free) harness_nats *nats = harness_nats_new(NULL);
    char url[128];
    snprintf(url, sizeof(url), "NATS_URL=%s", harness_nats_url(nats));
    item.environment[2] = url;
    BASE_CLEANUP(run_result_done) run_result applied = RUN(item.environment, NULL, "topology", "apply");
    run_expect(&applied, 0);
    harness_path folder = harness_folder_new("store");
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, "an image with a history");
    BASE_CLEANUP(store_outbox_free) store_outbox *pending = new_outbox();
    store(&item, &made, pending);
    BASE_CLEANUP(run_result_done) run_result none = RUN(item.environment, NULL, "status", made.hash);
    run_expect(&none, 0);
    expect_part(none.out, "none stored");
    relay(nats, pending, 1);
    BASE_CLEANUP(run_result_done) run_result holed = RUN(item.environment, NULL, "status", made.hash);
    run_expect(&holed, 0);
    expect_part(holed.out, "events 1 to 1 are not stored");
    expect_part(holed.out, "#2   proof_publishing");
    relay(nats, pending, 0);
    BASE_CLEANUP(run_result_done) run_result whole = RUN(item.environment, NULL, "status", made.image.text, "--json");
    run_expect(&whole, 0);
    BASE_CLEANUP(json_decref) json_t *row = run_json(whole.out);
    const json_t *events = json_object_get(row, "events");
    assert_int_equal(json_array_size(events), 2); /* in the order in which they happened, not in which they came */
    assert_string_equal(run_text(json_array_get(events, 0), "status"), "proof_generation");
    assert_string_equal(run_text(json_array_get(events, 1), "status"), "proof_publishing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_go_up_and_down_and_say_where_they_stand),
        cmocka_unit_test(a_changed_migration_is_refused),
        cmocka_unit_test(status_and_list_show_what_postgres_knows_without_nats),
        cmocka_unit_test(status_shows_the_timeline_and_names_what_is_missing_in_it),
        cmocka_unit_test(a_stored_proof_is_handed_out_and_verified),
        cmocka_unit_test(a_stored_proof_is_written_out_or_said_to_be_gone),
    };
    return cmocka_run_group_tests(tests, start_postgres, end_postgres);
}
