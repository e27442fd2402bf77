/* Fails every allocation of what needs no server: settings, messages, keys, proofs, transactions, metrics. */
#include "torture.h"

#include "base/hex.h"
#include "base/settings.h"
#include "evidence/key.h"
#include "evidence/signers.h"
#include "harness/folder.h"
#include "harness/http.h"
#include "ledger/anchor.h"
#include "mina/client.h"
#include "mina/request.h"
#include "prover/sok.h"
#include "samples.h"
#include "statements.h"
#include "telemetry/http.h"
#include "wire/headers.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { BUFFER_MAX = 2000000 };

/* --- base --- */

static base_code fill_buffer(void *ctx, base_error *err)
{
    (void)ctx;
    BASE_CLEANUP(base_buffer_done) base_buffer buffer = {.limit = BUFFER_MAX};
    for (int i = 0; i < 100; i++) {
        size_t before = buffer.size;
        base_code code = base_buffer_printf(&buffer, err, "line %d of a text that grows\n", i);
        TORTURE_CHECK(code == BASE_OK || buffer.size == before);
        if (code != BASE_OK)
            return code;
    }
    static const char ENCODED[] = "QWxsIG9mIHRoaXMgaXMgZW5jb2RlZCBhcyBiYXNlNjQu";
    return base_base64_decode(ENCODED, strlen(ENCODED), &buffer, err);
}

static base_code read_file(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer buffer = {.limit = BUFFER_MAX};
    return base_file_read(ctx, &buffer, err);
}

static base_code read_secret(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_secret_done) base_secret secret = {0};
    base_code code = base_secret_read(ctx, &secret, err);
    TORTURE_CHECK(code == BASE_OK || secret.data == NULL);
    return code;
}

typedef struct sample_settings {
    char *text, *choice;
    base_secret secret, from_file;
    int64_t number;
} sample_settings;

static const base_setting SETTINGS[] = {
    {"ALLOCATION_TEXT", BASE_SETTING_TEXT, offsetof(sample_settings, text), "some text", false, 0, 0, NULL, "text"},
    {"ALLOCATION_CHOICE", BASE_SETTING_CHOICE, offsetof(sample_settings, choice), "a", false, 0, 0, "a|b", "choice"},
    {"ALLOCATION_SECRET", BASE_SETTING_SECRET, offsetof(sample_settings, secret), NULL, true, 0, 0, NULL, "secret"},
    {"ALLOCATION_OTHER", BASE_SETTING_SECRET, offsetof(sample_settings, from_file), NULL, true, 0, 0, NULL, "secret"},
    {"ALLOCATION_NUMBER", BASE_SETTING_INT, offsetof(sample_settings, number), "5", false, 1, 9, NULL, "number"},
};
enum { SETTING_COUNT = sizeof(SETTINGS) / sizeof(SETTINGS[0]) };

static base_code load_settings(void *ctx, base_error *err)
{
    setenv("ALLOCATION_SECRET", "a secret", 1);
    setenv("ALLOCATION_OTHER_FILE", ctx, 1);
    sample_settings settings = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = BUFFER_MAX};
    base_code code = base_settings_load(SETTINGS, SETTING_COUNT, &settings, &problems);
    TORTURE_CHECK((code == BASE_OK) == (problems.size == 0) || code == BASE_NO_MEMORY);
    base_settings_done(SETTINGS, SETTING_COUNT, &settings);
    return code == BASE_OK ? code : base_fail(err, code, "settings");
}

/* One bad row: without memory for its problem the operator must not be told of bad settings and of no problem. */
static base_code load_bad_settings(void *ctx, base_error *err)
{
    (void)ctx;
    setenv("ALLOCATION_NUMBER", "10", 1);
    setenv("ALLOCATION_SECRET", "a secret", 1);
    setenv("ALLOCATION_OTHER", "a secret", 1);
    unsetenv("ALLOCATION_OTHER_FILE");
    sample_settings settings = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = BUFFER_MAX};
    base_code code = base_settings_load(SETTINGS, SETTING_COUNT, &settings, &problems);
    base_settings_done(SETTINGS, SETTING_COUNT, &settings);
    TORTURE_CHECK(code == BASE_INVALID || code == BASE_NO_MEMORY);
    TORTURE_CHECK(code != BASE_INVALID || problems.size > 0);
    unsetenv("ALLOCATION_NUMBER");
    return code == BASE_INVALID ? BASE_OK : base_fail(err, code, "settings");
}

static void settings_and_buffers_do_without_memory(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("allocation");
    harness_path file = harness_path_in(&folder, "secret");
    harness_file_write(&file, "a secret in a file\n");
    torture("buffer and base64", ALLOCATION_OURS, fill_buffer, NULL);
    torture("file", ALLOCATION_OURS, read_file, file.text);
    torture("secret", ALLOCATION_OURS, read_secret, file.text);
    torture("settings", ALLOCATION_OURS, load_settings, file.text);
    torture("bad settings", ALLOCATION_OURS, load_bad_settings, NULL);
}

/* --- wire --- */

enum { WIRE_OWNERS = ALLOCATION_OURS | ALLOCATION_PROTOBUF | ALLOCATION_JANSSON };

static base_code pass_generate_proof(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer buffer = {.limit = WIRE_MESSAGE_MAX};
    base_code code = wire_generate_proof_encode(ctx, &buffer, err);
    TORTURE_CHECK(code == BASE_OK || buffer.size == 0);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(wire_owner_free) wire_owner *owner = NULL;
    wire_generate_proof message = {.submitted_unix_ms = -1};
    code = wire_generate_proof_decode(base_buffer_view(&buffer), &message, &owner, err);
    TORTURE_CHECK(code == BASE_OK || (owner == NULL && message.submitted_unix_ms == -1));
    return code;
}

static base_code pass_others(void *ctx, base_error *err)
{
    (void)ctx;
    BASE_CLEANUP(base_buffer_done) base_buffer buffer = {.limit = WIRE_MESSAGE_MAX};
    wire_publish_proof publish = sample_publish_proof();
    wire_status_changed changed = sample_status_changed();
    base_code code = wire_publish_proof_encode(&publish, &buffer, err);
    if (code == BASE_OK)
        code = wire_publish_proof_decode(base_buffer_view(&buffer), &publish, err);
    base_buffer_done(&buffer);
    if (code == BASE_OK)
        code = wire_status_changed_encode(&changed, &buffer, err);
    if (code == BASE_OK)
        code = wire_status_changed_decode(base_buffer_view(&buffer), &changed, err);
    return code;
}

static base_code pass_json(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer message = {.limit = WIRE_MESSAGE_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer json = {.limit = WIRE_JSON_MAX};
    base_code code = wire_generate_proof_encode(ctx, &message, err);
    if (code == BASE_OK)
        code = wire_json_from_message(WIRE_TYPE_GENERATE_PROOF, base_buffer_view(&message), true, &json, err);
    if (code != BASE_OK)
        return code;
    base_buffer_clear(&message);
    return wire_json_to_message(WIRE_TYPE_GENERATE_PROOF, base_buffer_view(&json), &message, err);
}

static void messages_do_without_memory(void **state)
{
    (void)state;
    static uint8_t pixels[100000];
    wire_generate_proof job = sample_generate_proof();
    torture("GenerateProof", WIRE_OWNERS, pass_generate_proof, &job);
    torture("GenerateProof as JSON", WIRE_OWNERS, pass_json, &job);
    job.has_image = true;
    job.image = base_bytes_of(pixels, sizeof(pixels));
    torture("GenerateProof with its image", WIRE_OWNERS, pass_generate_proof, &job);
    torture("GenerateProof with its image as JSON", WIRE_OWNERS, pass_json, &job);
    torture("PublishProof and SubmissionStatusChanged", WIRE_OWNERS, pass_others, NULL);
}

/* --- evidence and prover --- */

static base_code make_key(void *ctx, base_error *err)
{
    (void)ctx;
    evidence_private_key *key = TORTURE_UNTOUCHED;
    base_code code = evidence_private_key_generate(&key, err);
    TORTURE_CHECK(code == BASE_OK || key == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        evidence_private_key_free(key);
    return code;
}

static base_code pass_pem(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_secret_done) base_secret pem = {0};
    base_code code = evidence_private_key_to_pem(ctx, &pem, err);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *read = NULL;
    code = evidence_private_key_from_pem(base_bytes_of(pem.data, pem.size), &read, err);
    TORTURE_CHECK(code == BASE_OK || read == NULL);
    return code;
}

static base_code pass_public_pem(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer pem = {.limit = EVIDENCE_PEM_MAX};
    evidence_public_key read;
    base_code code = evidence_public_key_to_pem(evidence_private_key_public(ctx), &pem, err);
    return code == BASE_OK ? evidence_public_key_parse(base_buffer_view(&pem), &read, err) : code;
}

static base_code sign_and_verify(void *ctx, base_error *err)
{
    const base_sha256 hash = {{1, 2, 3}};
    evidence_signature signature;
    base_code code = evidence_sign(ctx, &hash, &signature, err);
    if (code == BASE_OK)
        code = evidence_signature_verify(evidence_private_key_public(ctx), &hash, &signature, err);
    return code;
}

static base_code parse_signers(void *ctx, base_error *err)
{
    evidence_public_key_text key = evidence_public_key_hex(evidence_private_key_public(ctx));
    char list[2 * sizeof(key) + 2];
    snprintf(list, sizeof(list), "%s,%s", key.text, key.text);
    BASE_CLEANUP(evidence_signers_done) evidence_signers signers = {0};
    base_code code = evidence_signers_parse(list, &signers, err);
    TORTURE_CHECK(code == BASE_OK || signers.keys == NULL);
    return code;
}

static base_code prove_and_verify(void *ctx, base_error *err)
{
    const prover_statement *statement = ctx;
    struct prover *prover = TORTURE_UNTOUCHED;
    base_code code = prover_native_new(&prover, err);
    TORTURE_CHECK(code == BASE_OK || prover == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(prover_free) struct prover *made = prover;
    BASE_CLEANUP(base_buffer_done) base_buffer blob = {.limit = PROVER_BLOB_MAX};
    code = prover_prove(made, statement, &blob, err);
    if (code != BASE_OK)
        return code;
    prover_claim claim = prover_statement_claim(statement);
    return prover_verify(PROVER_SOK_FORMAT, &claim, base_buffer_view(&blob), err);
}

static void keys_and_proofs_do_without_memory(void **state)
{
    (void)state;
    base_error err = {0};
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    assert_int_equal(evidence_private_key_generate(&key, &err), BASE_OK);
    prover_statement statement = random_statement(100);
    assert_int_equal(prove_and_verify(&statement, &err), BASE_OK); /* libcrypto loads its algorithms once */
    torture("key", ALLOCATION_OURS, make_key, NULL);
    torture("key in PEM", ALLOCATION_OURS, pass_pem, key);
    torture("public key in PEM", ALLOCATION_OURS, pass_public_pem, key);
    torture("signers", ALLOCATION_OURS, parse_signers, key);
    torture("proof", ALLOCATION_OURS, prove_and_verify, &statement);
    torture_loosely("key, libcrypto", ALLOCATION_CRYPTO, make_key, NULL);
    torture_loosely("signature, libcrypto", ALLOCATION_CRYPTO, sign_and_verify, key);
    torture_loosely("proof, libcrypto", ALLOCATION_CRYPTO, prove_and_verify, &statement);
}

/* --- mina and ledger --- */

static base_code pass_mina_key(void *ctx, base_error *err)
{
    (void)ctx;
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key read = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    base_code code = mina_secret_key_generate(&key, err);
    if (code == BASE_OK)
        code = mina_secret_key_format(&key, &text, err);
    if (code == BASE_OK)
        code = mina_secret_key_parse(text.data, &read, err);
    TORTURE_CHECK(code == BASE_OK || read.scalar.data == NULL);
    return code;
}

static const char *const HASHES[] = {"5JuXWesSA5vkpq2mKu5rmuhuicNAxXbfSjzbHoh",
                                     "5Jub1xyDzgCAx4VJ3wTPQ1qRuwN3nUgvEymVEc1"};

static base_code ask(void *ctx, base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer body = {.limit = MINA_REQUEST_MAX};
    base_code code = mina_request_status(&body, err);
    if (code == BASE_OK)
        code = mina_request_account(ctx, &body, err);
    return code == BASE_OK ? mina_request_sightings(HASHES, 2, 30, &body, err) : code;
}

static base_code make_client(void *ctx, base_error *err)
{
    (void)ctx;
    mina_client *client = TORTURE_UNTOUCHED;
    const mina_client_options options = {.url = "http://127.0.0.1:1/graphql"};
    base_code code = mina_client_new(&options, &client, err);
    TORTURE_CHECK(code == BASE_OK || client == TORTURE_UNTOUCHED);
    if (code == BASE_OK)
        mina_client_free(client);
    return code;
}

static base_code make_transaction(void *ctx, base_error *err)
{
    const ledger_anchor_options options = {
        .node_url = "http://127.0.0.1:1/graphql", .network = "devnet", .private_key = ctx, .fee_nanomina = 1};
    ledger *made = TORTURE_UNTOUCHED;
    base_code code = ledger_anchor_new(&options, &made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(ledger_free) ledger *anchor = made;
    BASE_CLEANUP(ledger_transaction_done) ledger_transaction transaction = {0};
    const ledger_statement statement = {.image = {{1}}, .proof = {{2}}, .format = PROVER_SOK_FORMAT};
    return ledger_make(anchor, &statement, 7, &transaction, err);
}

static void transactions_do_without_memory(void **state)
{
    (void)state;
    base_error err = {0};
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    assert_int_equal(mina_secret_key_generate(&key, &err), BASE_OK);
    assert_int_equal(mina_secret_key_format(&key, &text, &err), BASE_OK);
    torture("Mina key", ALLOCATION_OURS, pass_mina_key, NULL);
    mina_address address = mina_public_key_format(&key.public_key);
    torture("questions", ALLOCATION_OURS | ALLOCATION_JANSSON, ask, address.text);
    assert_int_equal(make_client(NULL, &err), BASE_OK); /* libcurl initialises itself once */
    torture("client", ALLOCATION_OURS, make_client, NULL);
    torture("client, libcurl", ALLOCATION_CURL, make_client, NULL);
    torture("transaction", ALLOCATION_OURS | ALLOCATION_JANSSON, make_transaction, &text);
    torture("transaction, libcurl", ALLOCATION_CURL, make_transaction, &text);
}

/* --- telemetry --- */

static const telemetry_metric METRICS[] = {
    {"jobs_total", "Jobs.", TELEMETRY_COUNTER, {"outcome"}, NULL, 0},
    {"job_seconds", "Time.", TELEMETRY_HISTOGRAM, {"stage"}, NULL, 0},
};

static base_code count_and_render(void *ctx, base_error *err)
{
    (void)ctx;
    telemetry_metrics *made = TORTURE_UNTOUCHED;
    base_code code = telemetry_metrics_new(METRICS, 2, &made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(telemetry_metrics_free) telemetry_metrics *metrics = made;
    telemetry_add(metrics, 0, 1, TELEMETRY_LABELS("succeeded"));
    telemetry_add(metrics, 0, 1, TELEMETRY_LABELS("rejected"));
    telemetry_observe(metrics, 1, 0.5, TELEMETRY_LABELS("generate"));
    BASE_CLEANUP(base_buffer_done) base_buffer text = {.limit = BUFFER_MAX};
    return telemetry_metrics_render(metrics, &text, err);
}

/* A server must start or say why not; one that has started may fail to answer, and answers the next time. */
static base_code serve(void *ctx, base_error *err)
{
    const telemetry_http_options options = {.address = "127.0.0.1", .metrics = ctx};
    telemetry_http *made = TORTURE_UNTOUCHED;
    base_code code = telemetry_http_new(&options, &made, err);
    TORTURE_CHECK(code == BASE_OK || made == TORTURE_UNTOUCHED);
    if (code != BASE_OK)
        return code;
    BASE_CLEANUP(telemetry_http_free) telemetry_http *server = made;
    {
        allocation_spare_this_thread(true);
        BASE_CLEANUP(harness_http_reply_done)
        harness_http_reply first = harness_http_get(telemetry_http_port(server), "/metrics");
        (void)first; /* whatever it is */
    }
    bool failed = allocation_stop();
    allocation_spare_this_thread(false);
    BASE_CLEANUP(harness_http_reply_done)
    harness_http_reply second = harness_http_get(telemetry_http_port(server), "/metrics");
    TORTURE_CHECK(second.status == 200);
    return failed ? base_fail(err, BASE_NO_MEMORY, "a scrape") : BASE_OK;
}

static void metrics_do_without_memory(void **state)
{
    (void)state;
    base_error err = {0};
    torture("metrics", ALLOCATION_OURS, count_and_render, NULL);
    BASE_CLEANUP(telemetry_metrics_free) telemetry_metrics *metrics = NULL;
    assert_int_equal(telemetry_metrics_new(METRICS, 2, &metrics, &err), BASE_OK);
    torture_loosely("HTTP server", ALLOCATION_OURS | ALLOCATION_MICROHTTPD, serve, metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_and_buffers_do_without_memory),
        cmocka_unit_test(messages_do_without_memory),
        cmocka_unit_test(keys_and_proofs_do_without_memory),
        cmocka_unit_test(transactions_do_without_memory),
        cmocka_unit_test(metrics_do_without_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    torture_print_totals();
    return failed;
}
