/* submit: signs an image, queues it, and follows it to its end. */
#include "arguments.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "connect.h"
#include "evidence/key.h"
#include "evidence/witness.h"
#include "follow.h"
#include "mina/keys.h"
#include "wire/headers.h"

#include <inttypes.h>
#include <string.h>

#define PUBLISH_TIMEOUT_MS 10000
#define WAIT_DEFAULT_S     600
#define WAIT_MAX_S         (7 * 24 * 3600)

typedef struct submit_options {
    const char *key, *correlation_id, *zkapp, *chain_id;
    int64_t timeout_s;
    bool inline_image, again, wait, json;
} submit_options;

#define TEXT(field_name, dashed, argument_name, is_required, text)                                                     \
    {                                                                                                                  \
        .name = (dashed), .kind = CTL_OPTION_TEXT, .offset = offsetof(submit_options, field_name),                     \
        .argument = (argument_name), .required = (is_required), .help = (text)                                         \
    }
#define FLAG(field_name, dashed, text)                                                                                 \
    {                                                                                                                  \
        .name = (dashed), .kind = CTL_OPTION_FLAG, .offset = offsetof(submit_options, field_name), .help = (text)      \
    }

static const ctl_option OPTIONS[] = {
    TEXT(key, "key", "FILE", true, "the creator's private key, PEM"),
    TEXT(correlation_id, "correlation-id", "ID", false, "goes with the submission everywhere; random unless given"),
    TEXT(zkapp, "zkapp", "ADDRESS", false, "zkApp that shall store the proof, B62…"),
    TEXT(chain_id, "chain-id", "ID", false, "chain that it is on"),
    FLAG(inline_image, "inline-image", "send the image itself instead of what the circuit needs of it"),
    FLAG(again, "again", "queue it even if the same image was queued a moment ago"),
    FLAG(wait, "wait", "show each status as its event arrives, until complete or rejected"),
    {.name = "timeout",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(submit_options, timeout_s),
     .argument = "SECONDS",
     .help = "how long --wait waits",
     .fallback = WAIT_DEFAULT_S,
     .min = 1,
     .max = WAIT_MAX_S},
    CTL_JSON_OPTION(submit_options),
};

typedef struct submission {
    wire_generate_proof job;
    base_buffer image; /* empty unless it goes inline */
    base_buffer payload;
    char message_id[BASE_HEX_CHARS(BASE_SHA256_SIZE) + sizeof(base_uuid_text) + 1];
} submission;

static void submission_done(submission *item)
{
    base_buffer_done(&item->image);
    base_buffer_done(&item->payload);
}
BASE_CLEANUP_VALUE(submission, submission_done);

static base_code copy_text(const char *option, const char *text, char *ret, size_t size, base_error *err)
{
    if (text == NULL)
        return BASE_OK;
    if (strlen(text) >= size)
        return base_fail(err, BASE_INVALID, "--%s: at most %zu characters", option, size - 1);
    memcpy(ret, text, strlen(text) + 1);
    return BASE_OK;
}

static base_code fill_texts(const submit_options *options, wire_generate_proof *job, base_error *err)
{
    base_uuid_text random = base_uuid_random();
    const char *correlation_id = options->correlation_id != NULL ? options->correlation_id : random.text;
    base_code code = copy_text("correlation-id", correlation_id, job->correlation_id, sizeof(job->correlation_id), err);
    if (code == BASE_OK)
        code = copy_text("zkapp", options->zkapp, job->zkapp_address, sizeof(job->zkapp_address), err);
    if (code == BASE_OK)
        code = copy_text("chain-id", options->chain_id, job->chain_id, sizeof(job->chain_id), err);
    if (code == BASE_OK && options->zkapp != NULL && !mina_is_address(options->zkapp))
        code =
            base_fail(err, BASE_INVALID, "--zkapp: \"%.64s\" is no Mina address (55 characters, B62…)", options->zkapp);
    job->submitted_unix_ms = base_unix_ms();
    return code;
}

/* Hashes exactly the bytes that are sent: an inline image is read once. */
static base_code fill_evidence(const char *path, submission *item, base_error *err)
{
    evidence_witness witness;
    base_code code;
    if (item->job.has_image) {
        item->image.limit = WIRE_IMAGE_MAX;
        code = base_file_read(path, &item->image, err);
        if (code == BASE_LIMIT)
            return base_fail(err, code, "%s is over %d bytes: send it without --inline-image", path, WIRE_IMAGE_MAX);
        if (code != BASE_OK)
            return code;
        item->job.image = base_buffer_view(&item->image);
        evidence_witness_of(item->job.image, &item->job.sha256, &witness);
        return BASE_OK;
    }
    code = evidence_witness_file(path, &item->job.sha256, &witness, err);
    if (code != BASE_OK)
        return code;
    wire_final_round *round = &item->job.final_round;
    memcpy(round->state, witness.state, sizeof(round->state));
    memcpy(round->initial_state, witness.initial_state, sizeof(round->initial_state));
    round->message_word = witness.message_word;
    round->round_constant = witness.round_constant;
    return BASE_OK;
}

static base_code sign(const char *key_path, wire_generate_proof *job, base_error *err)
{
    BASE_CLEANUP(base_secret_done) base_secret pem = {0};
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    evidence_signature signature;
    base_code code = base_secret_read(key_path, &pem, err);
    if (code == BASE_OK)
        code = evidence_private_key_from_pem(base_bytes_of(pem.data, pem.size), &key, err);
    if (code != BASE_OK)
        return base_fail_within(err, "--key %.120s", key_path);
    code = evidence_sign(key, &job->sha256, &signature, err);
    if (code != BASE_OK)
        return code;
    const evidence_public_key *public_key = evidence_private_key_public(key);
    memcpy(job->signature_r, signature.r, sizeof(job->signature_r));
    memcpy(job->signature_s, signature.s, sizeof(job->signature_s));
    memcpy(job->public_key_x, public_key->x, sizeof(job->public_key_x));
    memcpy(job->public_key_y, public_key->y, sizeof(job->public_key_y));
    return BASE_OK;
}

static base_code prepare(const ctl_call *call, submission *ret, base_error *err)
{
    const submit_options *options = call->options;
    ret->job.has_image = options->inline_image;
    ret->payload.limit = WIRE_MESSAGE_MAX;
    base_code code = fill_evidence(call->operands[0], ret, err);
    if (code == BASE_OK)
        code = sign(options->key, &ret->job, err);
    if (code == BASE_OK)
        code = wire_generate_proof_encode(&ret->job, &ret->payload, err);
    base_hex32 hash = base_sha256_hex(&ret->job.sha256);
    if (options->again)
        snprintf(ret->message_id, sizeof(ret->message_id), "%s.%s", hash.text, base_uuid_random().text);
    else
        snprintf(ret->message_id, sizeof(ret->message_id), "%s", hash.text);
    return code;
}

static base_code publish(broker_connection *connection, const broker_names *names, const submission *item,
                         broker_publish_result *ret, base_error *err)
{
    const broker_header headers[] = {
        {WIRE_HEADER_CONTENT_TYPE, WIRE_CONTENT_TYPE},
        {WIRE_HEADER_TYPE, WIRE_TYPE_GENERATE_PROOF},
    };
    broker_message message = {
        .subject = names->subject_generate,
        .payload = base_buffer_view(&item->payload),
        .message_id = item->message_id,
        .headers = headers,
        .header_count = sizeof(headers) / sizeof(headers[0]),
    };
    base_code code = BASE_FAULT("submit.publishing", err);
    if (code == BASE_OK)
        code = broker_publish(connection, &message, 1, PUBLISH_TIMEOUT_MS, ret, err);
    return code == BASE_OK ? BASE_FAULT("submit.published", err) : code;
}

static ctl_exit report_queued(const submission *item, const broker_publish_result *result, bool json)
{
    base_hex32 hash = base_sha256_hex(&item->job.sha256);
    if (json)
        return ctl_json_line(json_pack("{s:s, s:s, s:b, s:I, s:s}", "sha256", hash.text, "correlation_id",
                                       item->job.correlation_id, "already_queued", (int)result->duplicate,
                                       "job_sequence", (json_int_t)result->sequence, "message_id", item->message_id));
    if (result->duplicate)
        printf("%s  already queued as job %" PRIu64 "; nothing was added (--again queues it once more)\n", hash.text,
               result->sequence);
    else
        printf("%s  queued as job %" PRIu64 ", correlation id %s\n", hash.text, result->sequence,
               item->job.correlation_id);
    fflush(stdout);
    return CTL_EXIT_OK;
}

/* For a job that was queued before: its events may have come before we looked. 0 when it is not known any more. */
static int64_t stored_at(broker_connection *connection, const broker_names *names, const broker_publish_result *result)
{
    if (!result->duplicate)
        return 0;
    BASE_CLEANUP(broker_stored_done) broker_stored stored = {0};
    base_code code = broker_stream_get(connection, names->stream_jobs, result->sequence, &stored, NULL);
    return code == BASE_OK ? stored.stored_unix_ns : 0;
}

static ctl_exit run_submit(const ctl_call *call)
{
    const submit_options *options = call->options;
    base_error err = {0};
    BASE_CLEANUP(submission_done) submission item = {0};
    if (fill_texts(options, &item.job, &err) != BASE_OK)
        return ctl_usage(call->command, "%s", err.message);
    if (prepare(call, &item, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    broker_names names;
    if (ctl_open_broker(call, &connection, &names, &err) != BASE_OK)
        return ctl_fail_open(&err);
    BASE_CLEANUP(ctl_follow_done) ctl_follow follow = {0};
    if (options->wait && ctl_follow_begin(connection, &names, &item.job.sha256, &follow, &err) != BASE_OK)
        return ctl_fail(&err);
    broker_publish_result result = {0};
    if (publish(connection, &names, &item, &result, &err) != BASE_OK)
        return ctl_fail(&err);
    ctl_exit answer = report_queued(&item, &result, options->json);
    if (answer != CTL_EXIT_OK || !options->wait)
        return answer;
    return ctl_follow_run(&follow, stored_at(connection, &names, &result), options->timeout_s * 1000, options->json);
}

const ctl_command ctl_submit = {
    .path = "submit",
    .operands = "IMAGE",
    .summary = "Sign an image and queue it for its proof",
    .details =
        "The image stays here: what is sent is its SHA-256, the inputs of the last round of that, and a signature.\n"
        "The same image queued again within two minutes is known to the server and not queued twice.",
    CTL_OPTIONS(OPTIONS),
    .operands_min = 1,
    .operands_max = 1,
    .uses = CTL_USES_NATS,
    .run = run_submit,
};
