#include "check.h"

#include "harness/folder.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <string.h>

/* psql copies all tables, of one snapshot, into a file that is read line by line: memory does not grow with blobs. */

enum { PSQL_MS = 600000, FIELDS_MAX = 8, OUTBOX_AGE_MS = 5000 };

#define COPY(query) "COPY (" query ") TO STDOUT"

static const char *const STATEMENTS[] = {
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    COPY("SELECT 'payer', fee_payer FROM fee_payers"),
    COPY("SELECT 'submission', sha256_hash, status, event_sequence, proofs_generated, coalesce(transaction_id, ''), "
         "coalesce(reason_code, '') FROM submissions"),
    COPY("SELECT 'proof', sha256_hash, encode(digest, 'hex'), encode(blob, 'hex') FROM proofs"),
    COPY("SELECT 'transaction', hash, submission, nonce, state FROM transactions"),
    COPY("SELECT 'outbox', id, message_id, (extract(epoch FROM clock_timestamp() - created_at) * 1000)::bigint "
         "FROM outbox ORDER BY id"),
    "COMMIT",
};
enum { STATEMENT_COUNT = sizeof(STATEMENTS) / sizeof(STATEMENTS[0]) };

static base_code submission_of(checker *c, const char *table, const char *hex, uint32_t *ret, base_error *err)
{
    base_sha256 sha256;
    base_error why;
    *ret = CHECKER_NOBODY;
    if (base_hex_decode("sha256_hash", hex, sha256.bytes, sizeof(sha256.bytes), &why) == BASE_OK)
        return checker_submission_of(&c->world, &sha256, ret, err);
    checker_say(c, CHECKER_ROW_UNREADABLE, "a row of %s is of submission \"%.80s\", which is no SHA-256", table, hex);
    return BASE_OK;
}

static base_code read_submission(checker *c, char *const *fields, base_error *err)
{
    uint32_t index, transaction, reason;
    wire_status status;
    base_code code = submission_of(c, "submissions", fields[1], &index, err);
    if (code != BASE_OK || index == CHECKER_NOBODY)
        return code;
    if (wire_status_parse(fields[2], &status, err) != BASE_OK) {
        checker_say(c, CHECKER_ROW_UNREADABLE, "submission %s has the status \"%.40s\"", fields[1], fields[2]);
        return BASE_OK;
    }
    code = checker_transaction_of(&c->world, fields[5], &transaction, err);
    if (code == BASE_OK)
        code = checker_reason_of(&c->world, fields[6], &reason, err);
    if (code != BASE_OK)
        return code;
    checker_submission *row = &c->world.submissions.items[index];
    row->has_row = true;
    row->status = status;
    row->event_sequence = strtoll(fields[3], NULL, 10);
    row->proofs_generated = strtoll(fields[4], NULL, 10);
    row->transaction = transaction;
    row->reason = reason;
    return BASE_OK;
}

static base_code check_blob(checker *c, const char *id, const char *hex, const base_digest *digest, base_error *err)
{
    size_t size = strlen(hex) / 2;
    BASE_CLEANUP(free) uint8_t *blob = malloc(size + 1);
    if (blob == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for a proof of %zu bytes", size);
    base_code code = base_hex_decode("blob", hex, blob, size, err);
    if (code != BASE_OK)
        return code;
    base_digest actual = base_digest_of(base_bytes_of(blob, size));
    if (memcmp(&actual, digest, sizeof(actual)) != 0)
        checker_say(c, CHECKER_PROOF_CORRUPT, "the proof of submission %s, %zu bytes, does not have its digest", id,
                    size);
    return BASE_OK;
}

static base_code read_proof(checker *c, char *const *fields, base_error *err)
{
    uint32_t index;
    base_digest digest;
    base_code code = submission_of(c, "proofs", fields[1], &index, err);
    if (code != BASE_OK || index == CHECKER_NOBODY)
        return code;
    c->report.proofs++;
    if (!c->world.submissions.items[index].has_row)
        checker_say(c, CHECKER_PROOF_OF_NOBODY, "a proof is stored for submission %s, which does not exist", fields[1]);
    code = base_hex_decode("digest", fields[2], digest.bytes, sizeof(digest.bytes), err);
    if (code == BASE_OK && strcmp(fields[3], "\\N") != 0)
        code = check_blob(c, fields[1], fields[3], &digest, err);
    if (code != BASE_OK)
        return code;
    c->world.submissions.items[index].has_proof = true;
    c->world.submissions.items[index].proof_digest = digest;
    return checker_memo_add(&c->world, index, &digest, err);
}

static base_code read_transaction(checker *c, char *const *fields, base_error *err)
{
    uint32_t index, submission;
    base_code code = submission_of(c, "transactions", fields[2], &submission, err);
    if (code == BASE_OK)
        code = checker_transaction_of(&c->world, fields[1], &index, err);
    if (code != BASE_OK)
        return code;
    checker_transaction *transaction = &c->world.transactions.items[index];
    transaction->row_submission = submission;
    transaction->row_nonce = strtoll(fields[3], NULL, 10);
    snprintf(transaction->state, sizeof(transaction->state), "%s", fields[4]);
    return BASE_OK;
}

static base_code read_outbox(checker *c, char *const *fields, base_error *err)
{
    (void)err;
    int64_t age_ms = strtoll(fields[3], NULL, 10);
    int64_t limit_ms = c->options->outbox_age_ms > 0 ? c->options->outbox_age_ms : OUTBOX_AGE_MS;
    if (age_ms >= limit_ms && !c->options->allow_pending)
        checker_say(c, CHECKER_OUTBOX_STALE, "outbox row %s (message %.200s) has been waiting for %lld ms", fields[1],
                    fields[2], (long long)age_ms);
    return BASE_OK;
}

static base_code read_payer(checker *c, char *const *fields, base_error *err)
{
    checker_payer *payer;
    CHECKER_APPEND(&c->world.payers, payer, err);
    snprintf(payer->address, sizeof(payer->address), "%s", fields[1]);
    return BASE_OK;
}

static const struct {
    const char *table;
    size_t fields;
    base_code (*read)(checker *c, char *const *fields, base_error *err);
} READERS[] = {
    {"payer", 2, read_payer},   {"submission", 7, read_submission},   {"proof", 4, read_proof},
    {"outbox", 4, read_outbox}, {"transaction", 5, read_transaction},
};

/* COPY's text form: fields between tabs. None of ours holds a character that it would escape, or it is only shown. */
static base_code read_line(checker *c, char *line, base_error *err)
{
    char *fields[FIELDS_MAX];
    size_t count = 0;
    for (char *rest = line; rest != NULL && count < FIELDS_MAX;)
        fields[count++] = strsep(&rest, "\t");
    for (size_t i = 0; i < sizeof(READERS) / sizeof(READERS[0]); i++)
        if (strcmp(READERS[i].table, fields[0]) == 0 && READERS[i].fields == count)
            return READERS[i].read(c, fields, err);
    return base_fail(err, BASE_INTERNAL, "psql wrote a line that nobody asked for: %.100s", line);
}

static void copy_tables(const char *database_url, const harness_path *file)
{
    const char *argv[8 + 2 * STATEMENT_COUNT + 1] = {"psql", "-XAtq",      "-v", "ON_ERROR_STOP=1",
                                                     "-d",   database_url, "-o", file->text};
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        argv[8 + 2 * i] = "-c";
        argv[9 + 2 * i] = STATEMENTS[i];
    }
    BASE_CLEANUP(free) char *errors = NULL;
    int code = harness_run(argv, NULL, PSQL_MS, NULL, &errors);
    if (code != 0)
        harness_fail("psql ended with %d: %.2000s", code, errors);
}

static inline void close_file_at(FILE **file)
{
    if (*file != NULL)
        (void)fclose(*file);
}

base_code checker_read_database(checker *c, base_error *err)
{
    harness_path folder = harness_folder_new("checker");
    harness_path file = harness_path_in(&folder, "tables");
    copy_tables(c->options->database_url, &file);
    __attribute__((cleanup(close_file_at))) FILE *tables = fopen(file.text, "r");
    if (tables == NULL)
        return base_fail(err, BASE_INTERNAL, "cannot read %s", file.text);
    BASE_CLEANUP(free) char *line = NULL;
    size_t capacity = 0;
    base_code code = BASE_OK;
    for (ssize_t size; code == BASE_OK && (size = getline(&line, &capacity, tables)) > 0;) {
        line[size - 1] = '\0'; /* COPY ends each line */
        code = read_line(c, line, err);
    }
    if (code == BASE_OK && ferror(tables))
        code = base_fail(err, BASE_INTERNAL, "cannot read %s", file.text);
    harness_path_remove(&folder);
    return code;
}
