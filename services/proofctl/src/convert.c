/* encode, decode: messages as JSON and back. */
#include "arguments.h"
#include "files.h"
#include "output.h"
#include "wire/json.h"
#include "wire/messages.h"

#include <string.h>

/* An inline image takes two hex characters a byte, besides white space that someone may have put in. */
#define JSON_INPUT_MAX (8 * 1000 * 1000)

typedef struct decode_options {
    bool json;
} decode_options;

static const ctl_option DECODE_OPTIONS[] = {
    {.name = "json",
     .kind = CTL_OPTION_FLAG,
     .offset = offsetof(decode_options, json),
     .help = "on one line instead of indented"},
};

/* A type that nobody knows is a usage error that lists those there are. */
static bool is_known_type(const char *type)
{
    for (const char *const *known = wire_json_types(); *known != NULL; known++) {
        const char *last = strrchr(*known, '.');
        if (strcmp(type, *known) == 0 || (last != NULL && strcmp(type, last + 1) == 0))
            return true;
    }
    return false;
}

static ctl_exit unknown_type(const ctl_call *call)
{
    char names[512] = "";
    size_t used = 0;
    for (const char *const *known = wire_json_types(); *known != NULL && used < sizeof(names); known++) {
        const char *last = strrchr(*known, '.');
        used += (size_t)snprintf(names + used, sizeof(names) - used, " %s", last == NULL ? *known : last + 1);
    }
    return ctl_usage(call->command, "\"%.64s\" is no TYPE; there are:%s", call->operands[0], names);
}

static ctl_exit run_encode(const ctl_call *call)
{
    if (!is_known_type(call->operands[0]))
        return unknown_type(call);
    base_error err = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer input = {.limit = JSON_INPUT_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer output = {.limit = WIRE_MESSAGE_MAX};
    base_code code = ctl_stdin_read(&input, &err);
    if (code == BASE_OK)
        code = wire_json_to_message(call->operands[0], base_buffer_view(&input), &output, &err);
    if (code == BASE_OK)
        code = ctl_file_write(NULL, base_buffer_view(&output), &err);
    return code == BASE_OK ? CTL_EXIT_OK : ctl_fail(&err);
}

static ctl_exit run_decode(const ctl_call *call)
{
    const decode_options *options = call->options;
    if (!is_known_type(call->operands[0]))
        return unknown_type(call);
    base_error err = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer input = {.limit = WIRE_MESSAGE_MAX};
    BASE_CLEANUP(base_buffer_done) base_buffer output = {.limit = JSON_INPUT_MAX};
    base_code code = ctl_stdin_read(&input, &err);
    if (code == BASE_OK)
        code = wire_json_from_message(call->operands[0], base_buffer_view(&input), !options->json, &output, &err);
    if (code != BASE_OK)
        return ctl_fail(&err);
    printf("%s\n", (const char *)output.data);
    return CTL_EXIT_OK;
}

const ctl_command ctl_encode = {
    .path = "encode",
    .operands = "TYPE",
    .summary = "Turn JSON on standard input into a message on standard output",
    .details = "TYPE is GenerateProof, PrepareTransaction, PublishProof or SubmissionStatusChanged. Bytes are "
               "lower-case hex.\n"
               "  proofctl encode GenerateProof < job.json | nats pub proofline.jobs.generate --force-stdin",
    .operands_min = 1,
    .operands_max = 1,
    .run = run_encode,
};
const ctl_command ctl_decode = {
    .path = "decode",
    .operands = "TYPE",
    .summary = "Turn a message on standard input into JSON on standard output",
    .details = "  nats stream get PROOFLINE_JOBS 1 --json | jq -r .data | base64 -d | proofctl decode GenerateProof",
    CTL_OPTIONS(DECODE_OPTIONS),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_decode,
};
