/* dead redrive: sends the messages of dead letters back to where they came from, at a bounded rate. */
#include "arguments.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "connect.h"
#include "letters.h"
#include "output.h"
#include "store/submissions.h"
#include "wire/headers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PUBLISH_TIMEOUT_MS 10000
#define RATE_DEFAULT       50
#define RATE_MAX           10000

enum { STATUS_PAGE = 500 }; /* letters whose submissions are asked for at once */

static const char DEAD_PREFIX[] = "Proofline-Dead-";
static const char SERVER_PREFIX[] = "Nats-";

typedef struct redrive_options {
    const char *stage, *reason;
    int64_t rate;
    bool all, dry_run, json;
} redrive_options;

static const ctl_option OPTIONS[] = {
    {.name = "stage",
     .kind = CTL_OPTION_CHOICE,
     .choices = "generate|prepare|publish",
     .offset = offsetof(redrive_options, stage),
     .argument = "STAGE",
     .help = "all of generate, prepare or publish"},
    {.name = "reason",
     .kind = CTL_OPTION_TEXT,
     .offset = offsetof(redrive_options, reason),
     .argument = "CODE",
     .help = "all with this reason code (and of --stage)"},
    {.name = "all", .kind = CTL_OPTION_FLAG, .offset = offsetof(redrive_options, all), .help = "all there are"},
    {.name = "dry-run",
     .kind = CTL_OPTION_FLAG,
     .offset = offsetof(redrive_options, dry_run),
     .help = "only say what would be done"},
    {.name = "rate",
     .kind = CTL_OPTION_NUMBER,
     .offset = offsetof(redrive_options, rate),
     .argument = "N",
     .help = "at most so many a second",
     .fallback = RATE_DEFAULT,
     .min = 1,
     .max = RATE_MAX},
    CTL_JSON_OPTION(redrive_options),
};

/* Letters chosen before the first is sent: one that dies again while we work is not taken up once more. */
typedef struct chosen_letter {
    uint64_t sequence;
    bool has_submission;
    base_sha256 submission;
    wire_status status; /* NONE: unknown, or not asked for */
} chosen_letter;

typedef struct choice {
    chosen_letter *letters; /* owned */
    size_t count, capacity;
} choice;

static void choice_done(choice *chosen)
{
    free(chosen->letters);
}
BASE_CLEANUP_VALUE(choice, choice_done);

static base_code choose(choice *chosen, const chosen_letter *letter, base_error *err)
{
    if (chosen->count == CTL_LETTERS_MAX)
        return base_fail(err, BASE_LIMIT, "more than %d dead letters: choose fewer by --stage or --reason",
                         CTL_LETTERS_MAX);
    if (chosen->count == chosen->capacity) {
        size_t capacity = chosen->capacity == 0 ? 64 : chosen->capacity * 2;
        chosen_letter *letters = reallocarray(chosen->letters, capacity, sizeof(*letters));
        if (letters == NULL)
            return base_fail(err, BASE_NO_MEMORY, "no memory for the list");
        chosen->letters = letters;
        chosen->capacity = capacity;
    }
    chosen->letters[chosen->count++] = *letter;
    return BASE_OK;
}

static base_code choose_letter(void *ctx, const broker_stored *letter, base_error *err)
{
    chosen_letter found = {.sequence = letter->sequence};
    const char *hash = ctl_letter_text(letter, WIRE_HEADER_DEAD_SHA256); /* empty for what was never a job */
    found.has_submission =
        base_hex_decode("sha256", hash, found.submission.bytes, sizeof(found.submission.bytes), NULL) == BASE_OK;
    return choose(ctx, &found, err);
}

static base_code choose_operands(const ctl_call *call, choice *chosen, base_error *err)
{
    for (size_t i = 0; i < call->operand_count; i++) {
        const char *text = call->operands[i];
        char *end = NULL;
        errno = 0;
        uint64_t sequence = strtoull(text, &end, 10);
        if (errno != 0 || sequence == 0 || *end != '\0' || text[0] == '-')
            return base_fail(err, BASE_INVALID, "\"%.64s\" is no sequence: see proofctl dead list", text);
        base_code code = choose(chosen, &(chosen_letter){.sequence = sequence}, err);
        if (code != BASE_OK)
            return code;
    }
    return BASE_OK;
}

/* Only to where jobs belong: a header is not to make us publish anywhere else. */
static base_code subject_of(const broker_stored *letter, const broker_names *names, const char **ret, base_error *err)
{
    const char *subject = broker_stored_header(letter, WIRE_HEADER_DEAD_SUBJECT);
    if (subject == NULL)
        return base_fail(err, BASE_INVALID, "dead letter %" PRIu64 " does not say where it came from (no %s)",
                         letter->sequence, WIRE_HEADER_DEAD_SUBJECT);
    if (strcmp(subject, names->subject_generate) != 0 && strcmp(subject, names->subject_prepare) != 0 &&
        strcmp(subject, names->subject_publish) != 0)
        return base_fail(err, BASE_INVALID, "dead letter %" PRIu64 " came from \"%.80s\", which is no subject of jobs",
                         letter->sequence, subject);
    *ret = subject;
    return BASE_OK;
}

/* What the message had at first: neither the letter's facts nor what the server put there (its message id among them). */
static size_t original_headers(const broker_stored *letter, broker_header ret[BROKER_HEADERS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < letter->header_count && count < BROKER_HEADERS_MAX; i++) {
        const char *name = letter->headers[i].name;
        if (strncasecmp(name, DEAD_PREFIX, strlen(DEAD_PREFIX)) != 0 &&
            strncasecmp(name, SERVER_PREFIX, strlen(SERVER_PREFIX)) != 0)
            ret[count++] = letter->headers[i];
    }
    return count;
}

static base_code send_back(broker_connection *connection, const broker_stored *letter, const char *subject,
                           broker_publish_result *ret, base_error *err)
{
    broker_header headers[BROKER_HEADERS_MAX];
    char message_id[96];
    /* Fresh, or the dedupe window would swallow what an operator asked for. */
    snprintf(message_id, sizeof(message_id), "redrive.%" PRIu64 ".%s", letter->sequence, base_uuid_random().text);
    broker_message message = {
        .subject = subject,
        .payload = base_buffer_view(&letter->payload),
        .message_id = message_id,
        .headers = headers,
        .header_count = original_headers(letter, headers),
    };
    base_code code = BASE_FAULT("redrive.publishing", err);
    if (code == BASE_OK)
        code = broker_publish(connection, &message, 1, PUBLISH_TIMEOUT_MS, ret, err);
    return code == BASE_OK ? BASE_FAULT("redrive.published", err) : code;
}

static ctl_exit report(const broker_stored *letter, const char *subject, uint64_t job_sequence, bool json)
{
    const char *hash = ctl_letter_text(letter, WIRE_HEADER_DEAD_SHA256);
    bool is_sent = job_sequence != 0;
    if (json)
        return ctl_json_line(json_pack("{s:I, s:s, s:o, s:o, s:b}", "sequence", (json_int_t)letter->sequence, "subject",
                                       subject, "sha256", ctl_json_text(hash), "job_sequence",
                                       is_sent ? json_integer((json_int_t)job_sequence) : json_null(), "sent",
                                       (int)is_sent));
    printf("%" PRIu64 "  ", letter->sequence);
    ctl_print_clean(hash, stdout);
    if (is_sent)
        printf("  sent to %s as job %" PRIu64 "\n", subject, job_sequence);
    else
        printf("  would be sent to %s\n", subject);
    fflush(stdout);
    return CTL_EXIT_OK;
}

static base_code redrive_one(broker_connection *connection, const broker_names *names, uint64_t sequence,
                             const redrive_options *options, base_error *err)
{
    BASE_CLEANUP(broker_stored_done) broker_stored letter = {0};
    base_code code = broker_stream_get(connection, names->stream_dead, sequence, &letter, err);
    const char *subject = NULL;
    if (code == BASE_OK)
        code = subject_of(&letter, names, &subject, err);
    broker_publish_result result = {0};
    if (code == BASE_OK && !options->dry_run)
        code = send_back(connection, &letter, subject, &result, err);
    if (code != BASE_OK)
        return code;
    return report(&letter, subject, result.sequence, options->json) == CTL_EXIT_OK
               ? BASE_OK
               : base_fail(err, BASE_INTERNAL, "dead letter %" PRIu64 " was handled but could not be shown", sequence);
}

/* Evenly spread: the i-th is not sent before i / rate seconds have passed. */
static void keep_rate(int64_t started_us, size_t index, int64_t rate)
{
    int64_t due_us = started_us + (int64_t)index * 1000000 / rate;
    int64_t wait_ms = (due_us - base_monotonic_us() + 999) / 1000;
    if (wait_ms > 0)
        base_sleep_ms(wait_ms);
}

/* A submission that is not rejected any more needs nothing: its letter is kept for the record. */
static bool is_moot(const chosen_letter *letter)
{
    return letter->status != WIRE_STATUS_NONE && letter->status != WIRE_STATUS_REJECTED;
}

/* Asks for all of a page at once, shortly before they are sent. */
static base_code ask_statuses(store_session *store, chosen_letter *letters, size_t count, base_error *err)
{
    base_sha256 hashes[STATUS_PAGE];
    wire_status statuses[STATUS_PAGE];
    size_t asked = 0;
    for (size_t i = 0; i < count; i++)
        if (letters[i].has_submission)
            hashes[asked++] = letters[i].submission;
    if (store == NULL || asked == 0)
        return BASE_OK;
    base_code code = store_submission_statuses(store, hashes, asked, statuses, err);
    for (size_t i = count; code == BASE_OK && i-- > 0;)
        if (letters[i].has_submission)
            letters[i].status = statuses[--asked];
    return code;
}

static ctl_exit report_moot(const chosen_letter *letter, bool json)
{
    base_hex32 hash = base_sha256_hex(&letter->submission);
    const char *status = wire_status_name(letter->status);
    if (json)
        return ctl_json_line(json_pack("{s:I, s:s, s:s, s:b}", "sequence", (json_int_t)letter->sequence, "sha256",
                                       hash.text, "skipped", status, "sent", 0));
    printf("%" PRIu64 "  %s  skipped: already %s\n", letter->sequence, hash.text, status);
    return CTL_EXIT_OK;
}

typedef struct redrive_run {
    broker_connection *connection;
    store_session *store; /* NULL: none named */
    const broker_names *names;
    const redrive_options *options;
    int64_t started_us;
    size_t tried, done, complete, under_way;
} redrive_run;

static ctl_exit take_letter(redrive_run *run, const chosen_letter *letter)
{
    if (is_moot(letter)) {
        run->complete += letter->status == WIRE_STATUS_COMPLETE;
        run->under_way += letter->status != WIRE_STATUS_COMPLETE;
        return report_moot(letter, run->options->json);
    }
    if (!run->options->dry_run)
        keep_rate(run->started_us, run->tried, run->options->rate);
    run->tried++;
    base_error err = {0};
    if (redrive_one(run->connection, run->names, letter->sequence, run->options, &err) != BASE_OK)
        return ctl_fail(&err);
    run->done++;
    return CTL_EXIT_OK;
}

/* One bad letter does not keep the others; a server that is away does. */
static ctl_exit redrive_all(redrive_run *run, const choice *chosen)
{
    ctl_exit answer = CTL_EXIT_OK;
    for (size_t i = 0; i < chosen->count && answer != CTL_EXIT_UNAVAILABLE; i++) {
        base_error err = {0};
        size_t left = chosen->count - i;
        if (i % STATUS_PAGE == 0 &&
            ask_statuses(run->store, &chosen->letters[i], left < STATUS_PAGE ? left : STATUS_PAGE, &err) != BASE_OK) {
            answer = ctl_fail(&err);
            break;
        }
        ctl_exit taken = take_letter(run, &chosen->letters[i]);
        if (taken != CTL_EXIT_OK)
            answer = taken;
    }
    fprintf(stderr,
            "proofctl: %zu of %zu dead letters %s; skipped: already complete %zu, under way %zu; they stay in %s\n",
            run->done, chosen->count, run->options->dry_run ? "would be redriven" : "redriven", run->complete,
            run->under_way, run->names->stream_dead);
    return answer;
}

static ctl_exit run_redrive(const ctl_call *call)
{
    const redrive_options *options = call->options;
    bool by_filter = options->all || options->stage != NULL || options->reason != NULL;
    if (by_filter == (call->operand_count > 0))
        return ctl_usage(call->command, "name either sequences, or --stage, --reason or --all");
    base_error err = {0};
    BASE_CLEANUP(choice_done) choice chosen = {0};
    if (choose_operands(call, &chosen, &err) != BASE_OK)
        return ctl_usage(call->command, "%s", err.message);
    BASE_CLEANUP(broker_connection_free) broker_connection *connection = NULL;
    broker_names names;
    if (ctl_open_broker(call, &connection, &names, &err) != BASE_OK)
        return ctl_fail_open(&err);
    ctl_letter_filter filter = {.stage = options->stage, .reason_code = options->reason};
    if (by_filter && ctl_letters_walk(connection, &names, &filter, choose_letter, &chosen, &err) != BASE_OK)
        return ctl_fail(&err);
    BASE_CLEANUP(store_session_free) store_session *store = NULL;
    if (by_filter && ctl_open_store_if_any(call, &store, &err) != BASE_OK)
        return ctl_fail_open(&err);
    redrive_run run = {.connection = connection,
                       .store = store,
                       .names = &names,
                       .options = options,
                       .started_us = base_monotonic_us()};
    return redrive_all(&run, &chosen);
}

const ctl_command ctl_dead_redrive = {
    .path = "dead redrive",
    .operands = "[SEQ ...]",
    .summary = "Send dead letters back to where they came from",
    .details =
        "The original message is published again, byte for byte, under a fresh message id; a rejected submission\n"
        "starts afresh by it. The dead letter stays where it is, so that nothing is lost when it dies again.\n"
        "With DATABASE_URL, --stage, --reason and --all skip what is not rejected any more.",
    CTL_OPTIONS(OPTIONS),
    .operands_max = CTL_OPERANDS_UNBOUNDED,
    .uses = CTL_USES_NATS | CTL_USES_DATABASE_IF_ANY,
    .run = run_redrive,
};
