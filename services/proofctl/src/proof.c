/* proof get: a stored proof as a file. */
#include "base/hex.h"
#include "connect.h"
#include "files.h"
#include "output.h"
#include "store/submissions.h"

typedef struct proof_options {
    const char *out;
    bool json;
} proof_options;

static const ctl_option OPTIONS[] = {
    {.name = "out",
     .kind = CTL_OPTION_TEXT,
     .offset = offsetof(proof_options, out),
     .argument = "FILE",
     .help = "where to write it, instead of standard output"},
    {.name = "json",
     .kind = CTL_OPTION_FLAG,
     .offset = offsetof(proof_options, json),
     .help = "one JSON object that tells about it; holds the proof in hex unless --out is given"},
};

static ctl_exit print_proof(const base_sha256 *submission, const store_proof *proof, bool with_blob)
{
    char digest[BASE_HEX_CHARS(BASE_DIGEST_SIZE)];
    char key[2 * BASE_HEX_CHARS(sizeof(proof->public_key_x))];
    base_hex_encode(base_bytes_of(proof->digest.bytes, sizeof(proof->digest.bytes)), digest);
    base_hex_encode(base_bytes_of(proof->public_key_x, sizeof(proof->public_key_x)), key);
    base_hex_encode(base_bytes_of(proof->public_key_y, sizeof(proof->public_key_y)),
                    key + 2 * sizeof(proof->public_key_x));
    BASE_CLEANUP(free) char *blob = with_blob ? malloc(BASE_HEX_CHARS(proof->blob.size)) : NULL;
    if (blob != NULL)
        base_hex_encode(base_buffer_view(&proof->blob), blob);
    return ctl_json_line(json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:s*}", "sha256", base_sha256_hex(submission).text,
                                   "format", proof->format, "digest", digest, "size", (json_int_t)proof->blob.size,
                                   "public_key", key, "created_at", ctl_json_time(proof->created_unix_ms), "proof",
                                   blob));
}

static ctl_exit run_proof_get(const ctl_call *call)
{
    const proof_options *options = call->options;
    base_error err = {0};
    base_sha256 submission;
    if (ctl_sha256_of_operand(call->operands[0], &submission, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(store_session_free) store_session *session = NULL;
    if (ctl_open_store(call, &session, &err) != BASE_OK)
        return ctl_fail_open(&err);
    BASE_CLEANUP(store_proof_done) store_proof proof = {0};
    base_code code = store_proof_load(session, &submission, &proof, &err);
    if (code == BASE_OK && proof.blob.size == 0)
        code = base_fail(&err, BASE_NOT_FOUND, "the proof of %s was dropped once it had served (PROOF_RETENTION)",
                         base_sha256_hex(&submission).text);
    if (code == BASE_OK && (options->out != NULL || !options->json))
        code = ctl_file_write(options->out, base_buffer_view(&proof.blob), &err);
    if (code != BASE_OK)
        return ctl_fail(&err);
    if (options->json)
        return print_proof(&submission, &proof, options->out == NULL);
    fprintf(stderr, "format %s, %zu bytes\n", proof.format, proof.blob.size);
    return CTL_EXIT_OK;
}

const ctl_command ctl_proof_get = {
    .path = "proof get",
    .operands = "SHA256|IMAGE",
    .summary = "Write a stored proof to a file",
    CTL_OPTIONS(OPTIONS),
    .operands_min = 1,
    .operands_max = 1,
    .uses = CTL_USES_DATABASE,
    .run = run_proof_get,
};
