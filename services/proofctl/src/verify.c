/* verify: image, proof and public key, each check named; with a node, also what stands on the chain. */
#include "arguments.h"
#include "base/hex.h"
#include "chain.h"
#include "checks.h"
#include "connect.h"
#include "evidence/key.h"
#include "files.h"
#include "mina/payment.h"
#include "prover/sok.h"
#include "store/submissions.h"

#include <string.h>

#define WAIT_MAX_S (24 * 3600)

typedef struct verify_options {
    const char *public_key, *proof, *format, *node, *transaction;
    int64_t timeout_s;
    bool json;
} verify_options;

#define TEXT(field_name, dashed, argument_name, is_required, text)                                                     \
    {                                                                                                                  \
        .name = (dashed), .kind = CTL_OPTION_TEXT, .offset = offsetof(verify_options, field_name),                     \
        .argument = (argument_name), .required = (is_required), .help = (text)                                         \
    }

static const ctl_option OPTIONS[] = {
    TEXT(public_key, "public-key", "KEY", true, "the creator's: hex, PEM, or a file with either"),
    TEXT(proof, "proof", "FILE", false, "the proof; without it, the one stored in Postgres"),
    TEXT(format, "format", "NAME", false, "of the file's proof [" PROVER_SOK_FORMAT "]"),
    TEXT(node, "node", "URL", false, "also ask this Mina node [MINA_NODE_ENDPOINT]"),
    TEXT(transaction, "transaction", "HASH", false, "the one to find there [the one stored in Postgres]"),
    {.name = "timeout",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(verify_options, timeout_s),
     .argument = "SECONDS",
     .help = "how long to wait for the transaction to be in a block",
     .max = WAIT_MAX_S},
    CTL_JSON_OPTION(verify_options),
};

/* What is to be verified, from files or from Postgres. */
typedef struct subject {
    prover_claim claim;
    char format[WIRE_FORMAT_MAX + 1];
    base_buffer blob;
    char transaction[WIRE_TRANSACTION_MAX + 1];
} subject;

static void subject_done(subject *item)
{
    base_buffer_done(&item->blob);
}
BASE_CLEANUP_VALUE(subject, subject_done);

static base_code read_public_key(const char *text, evidence_public_key *ret, base_error *err)
{
    if (evidence_public_key_parse(base_bytes_of(text, strlen(text)), ret, err) == BASE_OK)
        return BASE_OK;
    if (access(text, R_OK) != 0)
        return base_fail(err, BASE_INVALID, "--public-key: \"%.64s\" is neither a key nor a file that can be read",
                         text);
    BASE_CLEANUP(base_buffer_done) base_buffer content = {.limit = EVIDENCE_PEM_MAX};
    base_code code = base_file_read(text, &content, err);
    if (code == BASE_OK)
        code = evidence_public_key_parse(base_buffer_view(&content), ret, err);
    return code == BASE_OK ? code : base_fail_within(err, "--public-key %.64s", text);
}

static base_code load_from_file(const verify_options *options, subject *ret, base_error *err)
{
    const char *format = options->format != NULL ? options->format : PROVER_SOK_FORMAT;
    snprintf(ret->format, sizeof(ret->format), "%s", format);
    return base_file_read(options->proof, &ret->blob, err);
}

/* Takes the blob over, and checks what only the row can tell. */
static base_code load_from_store(store_session *session, subject *ret, ctl_checks *checks, base_error *err)
{
    BASE_CLEANUP(store_proof_done) store_proof proof = {0};
    base_code code = store_proof_load(session, &ret->claim.hash, &proof, err);
    if (code == BASE_OK && proof.blob.size == 0)
        code = base_fail(err, BASE_NOT_FOUND, "the proof was dropped once it had served: give it by --proof");
    if (code != BASE_OK)
        return code;
    const evidence_public_key *key = &ret->claim.public_key;
    bool same_key = memcmp(proof.public_key_x, key->x, sizeof(key->x)) == 0 &&
                    memcmp(proof.public_key_y, key->y, sizeof(key->y)) == 0;
    ctl_checks_add(checks, "stored_key", same_key, "%s",
                   same_key ? "is the given one" : "is another than the given one");
    base_digest digest = base_digest_of(base_buffer_view(&proof.blob));
    bool same_digest = memcmp(digest.bytes, proof.digest.bytes, sizeof(digest.bytes)) == 0;
    ctl_checks_add(checks, "stored_digest", same_digest, "%s",
                   same_digest ? "fits the stored proof" : "does not fit the stored proof");
    memcpy(ret->format, proof.format, sizeof(ret->format));
    base_buffer taken = proof.blob;
    proof.blob = ret->blob;
    ret->blob = taken;
    return BASE_OK;
}

static base_code load_stored(store_session *session, const verify_options *options, subject *ret, ctl_checks *checks,
                             base_error *err)
{
    base_code code = load_from_store(session, ret, checks, err);
    if (code != BASE_OK || options->node == NULL || options->transaction != NULL)
        return code;
    store_submission row;
    code = store_submission_get(session, &ret->claim.hash, &row, err);
    if (code == BASE_OK && row.transaction_id[0] == '\0')
        code = base_fail(err, BASE_NOT_FOUND, "the submission has no transaction yet: its status is %s",
                         wire_status_name(row.status));
    if (code == BASE_OK)
        memcpy(ret->transaction, row.transaction_id, sizeof(ret->transaction));
    return code;
}

static void check_proof(const subject *item, ctl_checks *checks)
{
    base_error err = {0};
    base_code code = prover_verify(item->format, &item->claim, base_buffer_view(&item->blob), &err);
    ctl_checks_add(checks, "proof", code == BASE_OK, "%s %s", item->format,
                   code == BASE_OK ? "of a signature over this image by this key" : err.message);
}

static ctl_exit check_chain(const ctl_call *call, const subject *item, ctl_checks *checks)
{
    const verify_options *options = call->options;
    if (ctl_settings_need(call->settings, CTL_USES_NODE) != BASE_OK)
        return CTL_EXIT_USAGE;
    const char *node = options->node != NULL ? options->node : call->settings->node_endpoint.data;
    if (node == NULL)
        return ctl_usage(call->command, "--transaction needs --node or MINA_NODE_ENDPOINT");
    ctl_anchor anchor = {.node = node,
                         .network = call->settings->network,
                         .transaction = item->transaction,
                         .image = item->claim.hash,
                         .proof = base_digest_of(base_buffer_view(&item->blob)),
                         .timeout_ms = options->timeout_s * 1000};
    base_error err = {0};
    return ctl_chain_check(&anchor, checks, &err) == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
}

static ctl_exit report(const subject *item, const ctl_checks *checks, bool json)
{
    bool is_verified = ctl_checks_passed(checks);
    ctl_exit answer = is_verified ? CTL_EXIT_OK : CTL_EXIT_NO;
    if (!json) {
        ctl_checks_print(checks, stdout);
        printf("\n%s: %s\n", base_sha256_hex(&item->claim.hash).text, is_verified ? "yes" : "no");
        return answer;
    }
    ctl_exit printed = ctl_json_line(json_pack(
        "{s:b, s:s, s:s, s:s, s:o, s:o}", "verified", (int)is_verified, "sha256",
        base_sha256_hex(&item->claim.hash).text, "public_key", evidence_public_key_hex(&item->claim.public_key).text,
        "format", item->format, "transaction", ctl_json_text(item->transaction), "checks", ctl_checks_json(checks)));
    return printed == CTL_EXIT_OK ? answer : printed;
}

static ctl_exit load(const ctl_call *call, subject *ret, ctl_checks *checks)
{
    const verify_options *options = call->options;
    base_error err = {0};
    if (options->proof != NULL)
        return load_from_file(options, ret, &err) == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    if (ctl_open_store(call, &session, &err) != BASE_OK)
        return ctl_fail_open(&err);
    return load_stored(session, options, ret, checks, &err) == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
}

static ctl_exit run_verify(const ctl_call *call)
{
    const verify_options *options = call->options;
    base_error err = {0};
    if (options->format != NULL && (options->proof == NULL || strlen(options->format) > WIRE_FORMAT_MAX))
        return ctl_usage(call->command, "--format names the format of the file given by --proof");
    if (options->proof != NULL && options->node != NULL && options->transaction == NULL)
        return ctl_usage(call->command, "with --proof, --node needs --transaction too");
    if (options->transaction != NULL && !mina_is_transaction_hash(options->transaction))
        return ctl_usage(call->command, "--transaction: \"%.64s\" is no transaction hash (5J…)", options->transaction);
    BASE_CLEANUP(subject_done) subject item = {.blob = {.limit = PROVER_BLOB_MAX}};
    if (read_public_key(options->public_key, &item.claim.public_key, &err) != BASE_OK)
        return ctl_usage(call->command, "%s", err.message);
    if (ctl_sha256_of_file(call->operands[0], &item.claim.hash, &err) != BASE_OK)
        return ctl_fail(&err);
    if (options->transaction != NULL)
        snprintf(item.transaction, sizeof(item.transaction), "%s", options->transaction);
    ctl_checks checks = {0};
    ctl_exit answer = load(call, &item, &checks);
    if (answer != CTL_EXIT_OK)
        return answer;
    check_proof(&item, &checks);
    if (options->node != NULL || options->transaction != NULL)
        answer = check_chain(call, &item, &checks);
    return answer == CTL_EXIT_OK ? report(&item, &checks, options->json) : answer;
}

const ctl_command ctl_verify = {
    .path = "verify",
    .operands = "IMAGE",
    .summary = "Check that a proof is of this image by this creator",
    .details = "With --proof it needs neither network nor services. With --node or --transaction it also finds the\n"
               "transaction in a block and checks that its memo names this image and this proof.",
    CTL_OPTIONS(OPTIONS),
    .operands_min = 1,
    .operands_max = 1,
    .uses = CTL_USES_DATABASE | CTL_USES_NODE,
    .run = run_verify,
};
