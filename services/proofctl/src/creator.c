/* keygen, witness: what a creator or producer needs beside the image. */
#include "base/hex.h"
#include "evidence/key.h"
#include "evidence/witness.h"
#include "files.h"
#include "output.h"

typedef struct keygen_options {
    const char *out;
    bool json;
} keygen_options;

static const ctl_option KEYGEN_OPTIONS[] = {
    {.name = "out",
     .kind = CTL_OPTION_TEXT,
     .offset = offsetof(keygen_options, out),
     .argument = "FILE",
     .help = "new file for the private key, readable by its owner only"},
    CTL_JSON_OPTION(keygen_options),
};

static base_code print_public_key(const keygen_options *options, const evidence_public_key *key, FILE *out,
                                  base_error *err)
{
    BASE_CLEANUP(base_buffer_done) base_buffer pem = {.limit = EVIDENCE_PEM_MAX};
    base_code code = evidence_public_key_to_pem(key, &pem, err);
    if (code != BASE_OK)
        return code;
    evidence_public_key_text hex = evidence_public_key_hex(key);
    if (!options->json)
        return fprintf(out, "public key: %s\n%s", hex.text, (const char *)pem.data) < 0
                   ? base_fail(err, BASE_INTERNAL, "the public key could not be written")
                   : BASE_OK;
    json_t *value = json_pack("{s:s, s:s, s:s*}", "public_key", hex.text, "public_key_pem", (const char *)pem.data,
                              "file", options->out);
    return ctl_json_line(value) == CTL_EXIT_OK ? BASE_OK : base_fail(err, BASE_NO_MEMORY, "no memory");
}

static ctl_exit run_keygen(const ctl_call *call)
{
    const keygen_options *options = call->options;
    base_error err = {0};
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    BASE_CLEANUP(base_secret_done) base_secret pem = {0};
    base_code code = evidence_private_key_generate(&key, &err);
    if (code == BASE_OK)
        code = evidence_private_key_to_pem(key, &pem, &err);
    if (code == BASE_OK && options->out != NULL)
        code = ctl_file_create_private(options->out, base_bytes_of(pem.data, pem.size), &err);
    if (code != BASE_OK)
        return ctl_fail(&err);
    bool is_shown = options->out == NULL;
    if (is_shown && options->json)
        return ctl_json_line(json_pack("{s:s, s:s}", "public_key",
                                       evidence_public_key_hex(evidence_private_key_public(key)).text,
                                       "private_key_pem", pem.data));
    if (is_shown)
        fwrite(pem.data, 1, pem.size, stdout);
    /* Standard output holds the private key and nothing else, so that it can be redirected. */
    code = print_public_key(options, evidence_private_key_public(key), is_shown ? stderr : stdout, &err);
    return code == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
}

static json_t *words_json(const uint32_t words[8])
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < 8; i++)
        json_array_append_new(array, json_integer(words[i]));
    return array;
}

static ctl_exit run_witness(const ctl_call *call)
{
    base_error err = {0};
    base_sha256 hash;
    evidence_witness witness;
    if (evidence_witness_file(call->operands[0], &hash, &witness, &err) != BASE_OK)
        return ctl_fail(&err);
    return ctl_json_pretty(json_pack("{s:s, s:o, s:o, s:I, s:I}", "sha256", base_sha256_hex(&hash).text, "state",
                                     words_json(witness.state), "initial_state", words_json(witness.initial_state),
                                     "message_word", (json_int_t)witness.message_word, "round_constant",
                                     (json_int_t)witness.round_constant));
}

const ctl_command ctl_keygen = {
    .path = "keygen",
    .operands = "",
    .summary = "Make a creator's key (P-256, PEM)",
    .details = "Without --out the private key goes to standard output and the public key to standard error.",
    CTL_OPTIONS(KEYGEN_OPTIONS),
    .run = run_keygen,
};
const ctl_command ctl_witness = {
    .path = "witness",
    .operands = "IMAGE",
    .summary = "Print an image's SHA-256 and the inputs of its last round, as JSON",
    .operands_min = 1,
    .operands_max = 1,
    .run = run_witness,
};
