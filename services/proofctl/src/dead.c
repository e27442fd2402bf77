/* dead list, dead show: what was given up, and why. */
#include "arguments.h"
#include "base/clock.h"
#include "base/hex.h"
#include "connect.h"
#include "letters.h"
#include "output.h"
#include "wire/headers.h"
#include "wire/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LIST_DEFAULT  100
#define LIST_MAX      100000
#define JSON_SIZE_MAX (8 * 1000 * 1000)

typedef struct list_options {
    const char *stage, *reason;
    int64_t limit;
    bool json;
} list_options;

static const ctl_option LIST_OPTIONS[] = {
    {.name = "stage",
     .kind = CTL_OPTION_CHOICE,
     .choices = "generate|prepare|publish",
     .offset = offsetof(list_options, stage),
     .argument = "STAGE",
     .help = "only of generate, prepare or publish"},
    {.name = "reason",
     .kind = CTL_OPTION_TEXT,
     .offset = offsetof(list_options, reason),
     .argument = "CODE",
     .help = "only with this reason code"},
    {.name = "limit",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(list_options, limit),
     .argument = "N",
     .help = "only the last N",
     .fallback = LIST_DEFAULT,
     .min = 1,
     .max = LIST_MAX},
    CTL_JSON_OPTION(list_options),
};

typedef struct show_options {
    bool json;
} show_options;

static const ctl_option SHOW_OPTIONS[] = {CTL_JSON_OPTION(show_options)};

/* The caller owns the value; NULL: no memory. */
static json_t *letter_json(const broker_stored *letter)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "sequence", (json_int_t)letter->sequence,
                     "at", ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_AT)), "stage",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_STAGE)), "reason_code",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_REASON_CODE)), "reason",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_REASON)), "sha256",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_SHA256)), "subject",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_SUBJECT)), "job_sequence",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_SEQUENCE)), "attempts",
                     ctl_json_text(ctl_letter_text(letter, WIRE_HEADER_DEAD_ATTEMPTS)), "size",
                     (json_int_t)letter->payload.size);
}

/* The last `limit` letters as JSON values, oldest overwritten first. */
typedef struct last_letters {
    json_t **items; /* owned */
    size_t limit;
    size_t seen;
} last_letters;

static void last_letters_done(last_letters *last)
{
    for (size_t i = 0; last->items != NULL && i < last->limit; i++)
        json_decref(last->items[i]);
    free(last->items);
}
BASE_CLEANUP_VALUE(last_letters, last_letters_done);

static base_code remember(void *ctx, const broker_stored *letter, base_error *err)
{
    last_letters *last = ctx;
    json_t *value = letter_json(letter);
    if (value == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a list");
    json_t **slot = &last->items[last->seen++ % last->limit];
    json_decref(*slot);
    *slot = value;
    return BASE_OK;
}

static const char *text_of(const json_t *letter, const char *key)
{
    const char *text = json_string_value(json_object_get(letter, key));
    return text == NULL ? "" : text;
}

static base_code add_row(ctl_table *table, const json_t *letter, base_error *err)
{
    char sequence[32];
    snprintf(sequence, sizeof(sequence), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(letter, "sequence")));
    return ctl_table_add(table,
                         (const char *[]){sequence, text_of(letter, "at"), text_of(letter, "stage"),
                                          text_of(letter, "sha256"), text_of(letter, "reason_code"),
                                          text_of(letter, "reason")},
                         err);
}

static ctl_exit print_list(const last_letters *last, bool json)
{
    static const char *const HEADINGS[] = {"SEQ", "AT", "STAGE", "SHA256", "REASON CODE", "REASON", NULL};
    base_error err = {0};
    BASE_CLEANUP(ctl_table_free) ctl_table *table = NULL;
    if (ctl_table_new(HEADINGS, &table, &err) != BASE_OK)
        return ctl_fail(&err);
    for (size_t i = last->seen > last->limit ? last->seen - last->limit : 0; i < last->seen; i++) {
        json_t *letter = last->items[i % last->limit];
        if (json && ctl_json_line(json_incref(letter)) != CTL_EXIT_OK)
            return CTL_EXIT_NO;
        if (!json && add_row(table, letter, &err) != BASE_OK)
            return ctl_fail(&err);
    }
    if (!json)
        ctl_table_print(table, stdout);
    if (last->seen > last->limit)
        fprintf(stderr, "proofctl: the last %zu of %zu; --limit shows more\n", last->limit, last->seen);
    return CTL_EXIT_OK;
}

static ctl_exit run_list(const ctl_call *call)
{
    const list_options *options = call->options;
    base_error err = {0};
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    broker_names names;
    if (ctl_open_broker(call, &connection, &names, &err) != BASE_OK)
        return ctl_fail_open(&err);
    BASE_CLEANUP(last_letters_done) last_letters last = {.limit = (size_t)options->limit};
    last.items = calloc(last.limit, sizeof(json_t *));
    ctl_letter_filter filter = {.stage = options->stage, .reason_code = options->reason};
    base_code code = last.items == NULL ? base_fail(&err, BASE_NO_MEMORY, "no memory for a list")
                                        : ctl_letters_walk(connection, &names, &filter, remember, &last, &err);
    return code == BASE_OK ? print_list(&last, options->json) : ctl_fail(&err);
}

/* The header says the type; a letter without one is judged by its stage. */
static const char *type_of(const broker_stored *letter)
{
    const char *stage = ctl_letter_text(letter, WIRE_HEADER_DEAD_STAGE);
    const char *type = broker_stored_header(letter, WIRE_HEADER_TYPE);
    if (type != NULL)
        return type;
    if (strcmp(stage, "prepare") == 0)
        return WIRE_TYPE_PREPARE_TRANSACTION;
    return strcmp(stage, "publish") == 0 ? WIRE_TYPE_PUBLISH_PROOF : WIRE_TYPE_GENERATE_PROOF;
}

static void print_hex(base_bytes data)
{
    for (size_t i = 0; i < data.size; i++)
        printf("%02x", data.data[i]);
    putchar('\n');
}

static void print_letter(const broker_stored *letter, const base_buffer *decoded, const base_error *problem)
{
    printf("sequence %" PRIu64 " on %s\n", letter->sequence, letter->subject);
    for (size_t i = 0; i < letter->header_count; i++) {
        printf("%s: ", letter->headers[i].name);
        ctl_print_clean(letter->headers[i].value, stdout);
        putchar('\n');
    }
    putchar('\n');
    if (decoded != NULL) {
        printf("%s\n", (const char *)decoded->data);
        return;
    }
    printf("%zu bytes that are no %s: %s\n", letter->payload.size, type_of(letter), problem->message);
    print_hex(base_buffer_view(&letter->payload));
}

static ctl_exit show_json(const broker_stored *letter, const base_buffer *decoded)
{
    json_t *value = letter_json(letter);
    if (value == NULL)
        return ctl_json_line(NULL);
    if (decoded != NULL) {
        json_object_set_new(value, "type", json_string(type_of(letter)));
        json_object_set_new(value, "message", json_loadb((const char *)decoded->data, decoded->size, 0, NULL));
    }
    BASE_CLEANUP(free) char *hex = malloc(BASE_HEX_CHARS(letter->payload.size));
    if (hex != NULL) {
        base_hex_encode(base_buffer_view(&letter->payload), hex);
        json_object_set_new(value, "payload", json_string(hex));
    }
    return ctl_json_line(value);
}

static ctl_exit run_show(const ctl_call *call)
{
    const show_options *options = call->options;
    base_error err = {0};
    char *end = NULL;
    errno = 0;
    uint64_t sequence = strtoull(call->operands[0], &end, 10);
    if (errno != 0 || sequence == 0 || *end != '\0' || call->operands[0][0] == '-')
        return ctl_usage(call->command, "\"%.64s\" is no sequence: see proofctl dead list", call->operands[0]);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    broker_names names;
    if (ctl_open_broker(call, &connection, &names, &err) != BASE_OK)
        return ctl_fail_open(&err);
    BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
    if (broker_stream_get(connection, names.stream_dead, sequence, &letter, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(base_buffer_done) base_buffer text = {.limit = JSON_SIZE_MAX};
    base_code code =
        wire_json_from_message(type_of(&letter), base_buffer_view(&letter.payload), !options->json, &text, &err);
    const base_buffer *decoded = code == BASE_OK ? &text : NULL;
    if (options->json)
        return show_json(&letter, decoded);
    print_letter(&letter, decoded, &err);
    return CTL_EXIT_OK;
}

const ctl_command ctl_dead_list = {
    .path = "dead list",
    .operands = "",
    .summary = "List dead letters: jobs that were given up",
    CTL_OPTIONS(LIST_OPTIONS),
    .uses = CTL_USES_NATS,
    .run = run_list,
};
const ctl_command ctl_dead_show = {
    .path = "dead show",
    .operands = "SEQ",
    .summary = "Show one dead letter with its message",
    CTL_OPTIONS(SHOW_OPTIONS),
    .operands_min = 1,
    .operands_max = 1,
    .uses = CTL_USES_NATS,
    .run = run_show,
};
