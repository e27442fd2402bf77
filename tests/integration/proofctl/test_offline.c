/* proofctl where it needs no server: arguments, help, keys, witnesses, messages, payments, proofs. */
#include "proven.h"

#include "harness/process.h"
#include "harness/wait.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *const NOTHING_SET[] = {"NATS_URL", "DATABASE_URL", "FEE_PAYER_PRIVATE_KEY", "MINA_NODE_ENDPOINT",
                                          NULL};

static void help_lists_every_command_with_its_settings_and_exit_codes(void **state)
{
    (void)state;
    BASE_CLEANUP(run_result_done) run_result all = RUN(NOTHING_SET, NULL, "--help");
    run_expect(&all, 0);
    static const char *const COMMANDS[] = {"keygen",         "witness",    "submit",       "status",
                                           "list",           "watch",      "proof get",    "verify",
                                           "dead list",      "dead show",  "dead redrive", "topology apply",
                                           "topology check", "migrate up", "migrate down", "migrate status",
                                           "encode",         "decode",     "mina keygen",  "mina sign-payment"};
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        expect_part(all.out, COMMANDS[i]);
        const char *argv[5] = {RUN_PROGRAM};
        char words[64];
        snprintf(words, sizeof(words), "%s", COMMANDS[i]);
        char *rest = NULL;
        size_t count = 1;
        for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
            argv[count++] = word;
        argv[count] = "--help";
        BASE_CLEANUP(run_result_done) run_result one = run_program(NOTHING_SET, NULL, argv);
        run_expect(&one, 0);
        expect_part(one.out, "Usage: proofctl ");
        expect_part(one.out, "Exit status:");
    }
    expect_part(all.out, "DATABASE_URL");
    BASE_CLEANUP(run_result_done) run_result version = RUN(NOTHING_SET, NULL, "--version");
    run_expect(&version, 0);
    expect_part(version.out, "proofctl ");
}

static void help_of_a_command_may_be_asked_for_in_front(void **state)
{
    (void)state;
    BASE_CLEANUP(run_result_done) run_result group = RUN(NOTHING_SET, NULL, "help", "dead");
    run_expect(&group, 0);
    expect_part(group.out, "Usage: proofctl dead COMMAND");
    assert_null(strstr(group.out, "keygen"));
    BASE_CLEANUP(run_result_done) run_result in_front = RUN(NOTHING_SET, NULL, "help", "dead", "list");
    BASE_CLEANUP(run_result_done) run_result behind = RUN(NOTHING_SET, NULL, "dead", "list", "--help");
    run_expect(&in_front, 0);
    assert_string_equal(in_front.out, behind.out);
    BASE_CLEANUP(run_result_done) run_result all = RUN(NOTHING_SET, NULL, "help");
    run_expect(&all, 0);
    expect_part(all.out, "keygen");
    BASE_CLEANUP(run_result_done) run_result none = RUN(NOTHING_SET, NULL, "help", "frobnicate");
    run_expect(&none, 2);
    expect_part(none.err, "there is no command \"frobnicate\"");
}

#define SIXTEEN    "0123456789abcdef"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN

typedef struct usage_case {
    const char *words[6];
    const char *says;
} usage_case;

static void wrong_usage_exits_2_and_says_the_way_out(void **state)
{
    (void)state;
    static const usage_case CASES[] = {
        {{"frobnicate"}, "there is no command \"frobnicate\""},
        {{"dead"}, "proofctl dead redrive"},
        {{"witness"}, "IMAGE is missing"},
        {{"witness", "a", "b"}, "too many arguments"},
        {{"submit", "photo.jpg"}, "--key FILE is missing"},
        {{"submit", "photo.jpg", "--key"}, "--key needs a value"},
        {{"submit", "photo.jpg", "--colour"}, "--colour"},
        {{"submit", "photo.jpg", "--key", "k", "--timeout=0"}, "--timeout: \"0\" is not a whole number from 1"},
        {{"submit", "photo.jpg", "--key", "k", "--zkapp=B62x"}, "--zkapp: \"B62x\" is no Mina address"},
        {{"list", "--status", "lost"}, "--status"},
        {{"list"}, "DATABASE_URL is not set"},
        {{"list", "--limit", "1001"}, "from 1 to 1000"},
        {{"dead", "redrive"}, "name either sequences, or --stage, --reason or --all"},
        {{"dead", "redrive", "--stage", "publihs"}, "\"publihs\" is not one of generate|prepare|publish"},
        {{"dead", "list", "--stage", ""}, "\"\" is not one of generate|prepare|publish"},
        {{"dead", "redrive", "7", "--all"}, "name either sequences"},
        {{"dead", "redrive", "seven"}, "\"seven\" is no sequence"},
        {{"dead", "show", "0"}, "\"0\" is no sequence"},
        {{"encode", "Letter"}, "there are: GenerateProof"},
        {{"decode", "Letter"}, "\"Letter\" is no TYPE"},
        {{"migrate", "up"}, "DATABASE_URL is not set"},
        {{"migrate", "down"}, "DATABASE_URL is not set"},
        {{"migrate", "status"}, "DATABASE_URL is not set"},
        {{"status", "photo.jpg"}, "neither a SHA-256 in hex nor a file that exists"},
        {{"submit", "photo.jpg", "--key", "k", "--chain-id=" SIXTY_FOUR "x"}, "--chain-id: at most 64 characters"},
        {{"verify", "a", "--public-key", "04ff"}, "neither a key nor a file"},
        {{"verify", "a", "--public-key", "k", "--transaction", "x"}, "no transaction hash"},
        {{"verify", "a", "--public-key", "k", "--format", "x"}, "--format"},
    };
    BASE_CLEANUP(run_result_done) run_result none = RUN(NOTHING_SET, NULL, NULL);
    run_expect(&none, 2);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *argv[8] = {RUN_PROGRAM};
        memcpy(argv + 1, CASES[i].words, sizeof(CASES[i].words));
        BASE_CLEANUP(run_result_done) run_result result = run_program(NOTHING_SET, NULL, argv);
        run_expect(&result,
                   strcmp(CASES[i].words[0], "status") == 0 ? 1 : 2); /* a file that is not there is no usage */
        expect_part(result.err, CASES[i].says);
        assert_string_equal(result.out, "");
    }
}

static void an_unreachable_server_exits_5(void **state)
{
    (void)state;
    const char *environment[] = {"NATS_URL=nats://127.0.0.1:1", "DATABASE_URL=postgresql://127.0.0.1:1/none", NULL};
    BASE_CLEANUP(run_result_done) run_result broker = RUN(environment, NULL, "topology", "check");
    run_expect(&broker, 5);
    expect_part(broker.err, "127.0.0.1:1");
    assert_null(strstr(broker.err, ".c:")); /* no place in a library's source */
    BASE_CLEANUP(run_result_done) run_result store = RUN(environment, NULL, "list");
    run_expect(&store, 5);
}

/* The fixture's own rule for its data. */
static harness_path vector_file(const harness_path *folder, size_t length)
{
    BASE_CLEANUP(free) uint8_t *data = malloc(length + 1);
    assert_non_null(data);
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(131 * i + 7 * length + 17 * (i >> 8));
    return run_file(folder, "image", base_bytes_of(data, length));
}

static void a_witness_equals_the_fixtures_name_by_name(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"sha256", "state", "initial_state", "message_word", "round_constant"};
    BASE_CLEANUP(json_decref) json_t *fixture = run_fixture("witness/witness.json");
    harness_path folder = harness_folder_new("witness");
    size_t index;
    json_t *vector;
    json_array_foreach(json_object_get(fixture, "vectors"), index, vector)
    {
        harness_path image = vector_file(&folder, (size_t)json_integer_value(json_object_get(vector, "length")));
        BASE_CLEANUP(run_result_done) run_result result = RUN(NOTHING_SET, NULL, "witness", image.text);
        run_expect(&result, 0);
        BASE_CLEANUP(json_decref) json_t *witness = run_json(result.out);
        assert_int_equal(json_object_size(witness), sizeof(NAMES) / sizeof(NAMES[0]));
        for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
            assert_true(json_equal(json_object_get(witness, NAMES[i]), json_object_get(vector, NAMES[i])));
    }
    assert_true(index > 0);
    BASE_CLEANUP(run_result_done) run_result missing = RUN(NOTHING_SET, NULL, "witness", "/nonexistent/photo.jpg");
    run_expect(&missing, 1);
    expect_part(missing.err, "/nonexistent/photo.jpg");
}

static void a_new_key_is_private_and_never_overwritten(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("keygen");
    harness_path path = harness_path_in(&folder, "creator.pem");
    BASE_CLEANUP(run_result_done) run_result result = RUN(NOTHING_SET, NULL, "keygen", "--out", path.text, "--json");
    run_expect(&result, 0);
    struct stat found;
    assert_int_equal(stat(path.text, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    BASE_CLEANUP(base_buffer_done) base_buffer pem = run_read(path.text);
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    assert_int_equal(evidence_private_key_from_pem(base_buffer_view(&pem), &key, NULL), BASE_OK);
    BASE_CLEANUP(json_decref) json_t *answer = run_json(result.out);
    assert_string_equal(run_text(answer, "public_key"), evidence_public_key_hex(evidence_private_key_public(key)).text);
    assert_null(strstr(result.out, "PRIVATE"));
    BASE_CLEANUP(run_result_done) run_result again = RUN(NOTHING_SET, NULL, "keygen", "--out", path.text);
    run_expect(&again, 1);
    expect_part(again.err, "not overwritten");
    BASE_CLEANUP(base_buffer_done) base_buffer kept = run_read(path.text);
    assert_true(base_bytes_equal(base_buffer_view(&pem), base_buffer_view(&kept)));
    BASE_CLEANUP(run_result_done) run_result shown = RUN(NOTHING_SET, NULL, "keygen");
    run_expect(&shown, 0);
    assert_int_equal(strncmp(shown.out, "-----BEGIN PRIVATE KEY-----", 27), 0);
}

#define HASH_A "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HASH_B "23ba0bf80f8104ad6f905be4034668ce9cf1132881d6923e285cb751adb5e8dd"
#define JOB_FACTS                                                                                                      \
    "\"sha256\":\"" HASH_A "\",\"correlation_id\":\"order-17\",\"submitted_at_unix_ms\":1700000000123,"                \
    "\"chain_id\":\"mina:devnet\",\"zkapp_address\":\"B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y\""
#define SIGNED                                                                                                         \
    "\"signature\":{\"r\":\"" HASH_A "\",\"s\":\"" HASH_B "\"},\"public_key\":{\"x\":\"" HASH_B "\",\"y\":\"" HASH_A   \
    "\"}"
#define ROUND                                                                                                          \
    "\"final_round\":{\"state\":[3717492111,2,3,4,5,6,7,8],\"initial_state\":[9,10,11,12,13,14,15,4294967295],"        \
    "\"message_word\":996066459,\"round_constant\":3329325298}"

typedef struct message_case {
    const char *type, *json;
} message_case;

static const message_case MESSAGES[] = {
    {"GenerateProof", "{" JOB_FACTS "," SIGNED "," ROUND "}"},
    {"proofline.v1.GenerateProof", "{" JOB_FACTS "," SIGNED ",\"image\":\"ffd8ffe000\"}"},
    {"PrepareTransaction", "{" JOB_FACTS ",\"proof_format\":\"o1js-v1\",\"proof_digest\":\"" HASH_B "\"}"},
    {"PublishProof", "{" JOB_FACTS ",\"proof_format\":\"ecdsa-p256-sok-v1\",\"proof_digest\":\"" HASH_B "\"}"},
    {"SubmissionStatusChanged",
     "{\"sha256\":\"" HASH_A "\",\"correlation_id\":\"order-17\",\"occurred_at_unix_ms\":1700000000123,\"sequence\":3,"
     "\"status\":\"rejected\",\"previous_status\":\"proof_publishing\",\"reason_code\":\"invalid_signature\","
     "\"reason\":\"the node said no\"}"},
};
enum { MESSAGE_COUNT = sizeof(MESSAGES) / sizeof(MESSAGES[0]) };

static void every_message_survives_encode_and_decode(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("messages");
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        const message_case *message = &MESSAGES[i];
        harness_path json = run_file(&folder, "json", base_bytes_of(message->json, strlen(message->json)));
        harness_path data = harness_path_in(&folder, "data");
        /* By a shell, since the encoded message is not text. */
        char pipe[512];
        snprintf(pipe, sizeof(pipe), "exec \"$0\" encode \"$1\" >\"%s\"", data.text);
        BASE_CLEANUP(run_result_done)
        run_result encoded =
            run_program(NOTHING_SET, json.text, (const char *[]){"sh", "-c", pipe, RUN_PROGRAM, message->type, NULL});
        run_expect(&encoded, 0);
        BASE_CLEANUP(run_result_done)
        run_result decoded = RUN(NOTHING_SET, data.text, "decode", message->type, "--json");
        run_expect(&decoded, 0);
        BASE_CLEANUP(json_decref) json_t *before = run_json(message->json);
        BASE_CLEANUP(json_decref) json_t *after = run_json(decoded.out);
        if (!json_equal(before, after))
            harness_fail("%s came back as %s", message->json, decoded.out);
        assert_ptr_equal(strchr(decoded.out, '\n'), decoded.out + strlen(decoded.out) - 1);
    }
}

static void every_type_that_the_library_knows_is_tried(void **state)
{
    (void)state;
    for (const char *const *type = wire_json_types(); *type != NULL; type++) {
        bool is_tried = false;
        for (size_t i = 0; i < MESSAGE_COUNT; i++)
            is_tried = is_tried || strstr(*type, MESSAGES[i].type) != NULL;
        if (!is_tried)
            harness_fail("%s is not in the table", *type);
    }
}

static void a_bad_field_is_named(void **state)
{
    (void)state;
    static const message_case CASES[] = {
        {"sha256", "{\"sha256\":\"abcd\",\"proof_format\":\"x\",\"proof_digest\":\"" HASH_B "\"}"},
        {"proof_digest", "{\"sha256\":\"" HASH_A "\",\"proof_format\":\"x\",\"proof_digest\":7}"},
        {"proof_format", "{\"sha256\":\"" HASH_A "\",\"proof_digest\":\"" HASH_B "\"}"},
        {"colour", "{\"sha256\":\"" HASH_A "\",\"proof_format\":\"x\",\"proof_digest\":\"" HASH_B "\",\"colour\":1}"},
    };
    harness_path folder = harness_folder_new("bad");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        harness_path json = run_file(&folder, "json", base_bytes_of(CASES[i].json, strlen(CASES[i].json)));
        BASE_CLEANUP(run_result_done) run_result result = RUN(NOTHING_SET, json.text, "encode", "PublishProof");
        run_expect(&result, 1);
        expect_part(result.err, CASES[i].type);
        assert_string_equal(result.out, "");
    }
    harness_path data = run_file(&folder, "data", base_bytes_of("\xff\xff\xff", 3));
    BASE_CLEANUP(run_result_done) run_result decoded = RUN(NOTHING_SET, data.text, "decode", "PublishProof");
    run_expect(&decoded, 1);
}

/* Somebody who pipes nothing is told so. */
static void empty_input_is_no_message(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("empty");
    harness_path nothing = run_file(&folder, "nothing", base_bytes_of("", 0));
    for (const char *const *type = wire_json_types(); *type != NULL; type++) {
        BASE_CLEANUP(run_result_done) run_result decoded = RUN(NOTHING_SET, nothing.text, "decode", *type);
        run_expect(&decoded, 1);
        expect_part(decoded.err, " in 0 bytes");
        assert_string_equal(decoded.out, "");
        BASE_CLEANUP(run_result_done) run_result encoded = RUN(NOTHING_SET, nothing.text, "encode", *type);
        run_expect(&encoded, 1);
        assert_string_equal(encoded.out, "");
    }
}

static void a_signed_payment_equals_each_vector(void **state)
{
    (void)state;
    BASE_CLEANUP(json_decref) json_t *fixture = run_fixture("mina/payments.json");
    size_t index;
    json_t *vector;
    json_array_foreach(json_object_get(fixture, "vectors"), index, vector)
    {
        const json_t *payment = json_object_get(vector, "payment");
        char key[128];
        snprintf(key, sizeof(key), "FEE_PAYER_PRIVATE_KEY=%s", run_text(vector, "privateKey"));
        const char *environment[] = {key, "FEE_PAYER_PRIVATE_KEY_FILE", NULL};
        BASE_CLEANUP(run_result_done)
        run_result result = RUN(environment, NULL, "mina", "sign-payment", "--network", run_text(vector, "network"),
                                "--to", run_text(payment, "to"), "--amount", run_text(payment, "amount"), "--fee",
                                run_text(payment, "fee"), "--nonce", run_text(payment, "nonce"), "--valid-until",
                                run_text(payment, "validUntil"), "--memo", run_text(payment, "memo"));
        run_expect(&result, 0);
        BASE_CLEANUP(json_decref) json_t *signed_payment = run_json(result.out);
        assert_int_equal(json_object_size(signed_payment), 3);
        static const char *const NAMES[] = {"publicKey", "signature", "hash"};
        for (size_t i = 0; i < 3; i++)
            assert_true(json_equal(json_object_get(signed_payment, NAMES[i]), json_object_get(vector, NAMES[i])));
    }
    assert_int_equal(index, 40);
}

static void a_fee_payers_key_is_read_from_a_file_and_never_quoted(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("mina");
    harness_path path = harness_path_in(&folder, "fee-payer");
    BASE_CLEANUP(run_result_done)
    run_result made = RUN(NOTHING_SET, NULL, "mina", "keygen", "--out", path.text, "--json");
    run_expect(&made, 0);
    BASE_CLEANUP(json_decref) json_t *key = run_json(made.out);
    const char *address = run_text(key, "publicKey");
    assert_null(json_object_get(key, "privateKey"));
    char variable[256];
    snprintf(variable, sizeof(variable), "FEE_PAYER_PRIVATE_KEY_FILE=%s", path.text);
    const char *environment[] = {"FEE_PAYER_PRIVATE_KEY", variable, NULL};
    BASE_CLEANUP(run_result_done)
    run_result paid = RUN(environment, NULL, "mina", "sign-payment", "--to", address, "--amount", "0", "--fee",
                          "1000000", "--nonce", "0");
    run_expect(&paid, 0);
    BASE_CLEANUP(json_decref) json_t *payment = run_json(paid.out);
    assert_string_equal(run_text(payment, "publicKey"), address);
    const char *wrong[] = {"FEE_PAYER_PRIVATE_KEY=EKsecretthing", NULL};
    BASE_CLEANUP(run_result_done)
    run_result refused =
        RUN(wrong, NULL, "mina", "sign-payment", "--to", address, "--amount", "0", "--fee", "1", "--nonce", "0");
    run_expect(&refused, 2);
    expect_part(refused.err, "FEE_PAYER_PRIVATE_KEY");
    assert_null(strstr(refused.err, "secretthing"));
    BASE_CLEANUP(run_result_done)
    run_result unset =
        RUN(NOTHING_SET, NULL, "mina", "sign-payment", "--to", address, "--amount", "0", "--fee", "1", "--nonce", "0");
    run_expect(&unset, 2);
    expect_part(unset.err, "FEE_PAYER_PRIVATE_KEY is not set");
}

static void a_payment_that_makes_no_sense_is_refused_by_its_option(void **state)
{
    (void)state;
    static const char ADDRESS[] = "B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y";
    static const struct {
        const char *option, *value, *says;
    } CASES[] = {
        {"--to", "B62nobody", "--to: Mina address"},
        {"--amount", "-1", "--amount: \"-1\" is not a whole number"},
        {"--fee", "1e9", "--fee: \"1e9\" is not a whole number"},
        {"--nonce", "4294967296", "--nonce: \"4294967296\" is not a whole number from 0 to 4294967295"},
        {"--valid-until", "", "--valid-until: \"\" is not a whole number"},
        {"--memo", SIXTEEN SIXTEEN "x", "--memo: a memo has at most 32 bytes, not 33"},
        {"--network", "moon", "--network"},
    };
    const char *const environment[] = {"FEE_PAYER_PRIVATE_KEY=EKEiSTLcuVbi6xj86GKwzJLikrECqezZLVKqyvTX2p52rCDGbRvx",
                                       "FEE_PAYER_PRIVATE_KEY_FILE", NULL};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        /* Of an option given twice the last counts. */
        BASE_CLEANUP(run_result_done)
        run_result result = RUN(environment, NULL, "mina", "sign-payment", "--to", ADDRESS, "--amount", "0", "--fee",
                                "1", "--nonce", "0", CASES[i].option, CASES[i].value);
        run_expect(&result, 2);
        expect_part(result.err, CASES[i].says);
        assert_string_equal(result.out, "");
    }
}

static void new_keys_are_shown_in_words_and_as_json(void **state)
{
    (void)state;
    BASE_CLEANUP(run_result_done) run_result mina = RUN(NOTHING_SET, NULL, "mina", "keygen");
    run_expect(&mina, 0);
    expect_part(mina.out, "public key:  B62");
    expect_part(mina.out, "private key: EK");
    BASE_CLEANUP(run_result_done) run_result creator = RUN(NOTHING_SET, NULL, "keygen", "--json");
    run_expect(&creator, 0);
    BASE_CLEANUP(json_decref) json_t *answer = run_json(creator.out);
    const char *pem = run_text(answer, "private_key_pem");
    BASE_CLEANUP(evidence_private_key_free) evidence_private_key *key = NULL;
    assert_int_equal(evidence_private_key_from_pem(base_bytes_of(pem, strlen(pem)), &key, NULL), BASE_OK);
    assert_string_equal(run_text(answer, "public_key"), evidence_public_key_hex(evidence_private_key_public(key)).text);
    BASE_CLEANUP(run_result_done)
    run_result nowhere = RUN(NOTHING_SET, NULL, "keygen", "--out", "/nonexistent/creator.pem");
    run_expect(&nowhere, 1);
    expect_part(nowhere.err, "/nonexistent/creator.pem cannot be created: No such file or directory");
}

/* Runs a line of the shell in which $0 is proofctl. */
static run_result shell(const char *line)
{
    return run_program(NOTHING_SET, NULL, (const char *[]){"sh", "-c", line, RUN_PROGRAM, NULL});
}

static void output_that_cannot_be_written_fails(void **state)
{
    (void)state;
    static const char *const LINES[] = {"exec \"$0\" keygen >/dev/full", "\"$0\" mina keygen --json >/dev/full",
                                        "echo '"
                                        "{\"sha256\":\"" HASH_A "\",\"proof_format\":\"x\",\"proof_digest\":\"" HASH_B
                                        "\"}' | \"$0\" encode PublishProof >/dev/full"};
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        BASE_CLEANUP(run_result_done) run_result result = shell(LINES[i]);
        run_expect(&result, 1);
        expect_part(result.err,
                    i == 2 ? "standard output: No space left on device" : "the output could not be written");
    }
}

static void input_that_is_too_long_or_cannot_be_read_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(run_result_done)
    run_result large = shell("head -c 9000000 /dev/zero | \"$0\" decode PublishProof");
    run_expect(&large, 1);
    expect_part(large.err, "standard input is longer than the 1000000 bytes allowed");
    BASE_CLEANUP(run_result_done) run_result folder = RUN(NOTHING_SET, "/", "decode", "PublishProof");
    run_expect(&folder, 1);
    expect_part(folder.err, "standard input: Is a directory");
    harness_path place = harness_folder_new("large");
    harness_path image = harness_path_in(&place, "image");
    char line[512];
    snprintf(line, sizeof(line),
             "head -c 900001 /dev/zero >%s; \"$0\" keygen --out %s.pem >/dev/null && exec \"$0\" submit %s --key "
             "%s.pem --inline-image",
             image.text, image.text, image.text, image.text);
    BASE_CLEANUP(run_result_done) run_result inlined = shell(line);
    run_expect(&inlined, 1);
    expect_part(inlined.err, "is over 900000 bytes: send it without --inline-image");
    snprintf(line, sizeof(line), "exec \"$0\" submit %s --key /etc/hostname", image.text);
    BASE_CLEANUP(run_result_done) run_result keyless = shell(line);
    run_expect(&keyless, 1);
    expect_part(keyless.err, "--key /etc/hostname: not a private key in PEM");
}

/* On a pseudo-terminal, where standard output and error are the same. */
static void a_terminal_gets_no_binary_output(void **state)
{
    (void)state;
    char line[512];
    snprintf(line, sizeof(line),
             "printf '%%s' '{\"sha256\":\"" HASH_A "\",\"proof_format\":\"x\",\"proof_digest\":\"" HASH_B
             "\"}' | %s encode PublishProof",
             RUN_PROGRAM);
    BASE_CLEANUP(run_result_done)
    run_result result = run_program(NOTHING_SET, NULL, (const char *[]){"script", "-qec", line, "/dev/null", NULL});
    run_expect(&result, 1);
    expect_part(result.out, "the output is binary and goes to a terminal: redirect it or name a file");
}

static const char IMAGE[] = "an image of which a proof is made";

static void a_proof_is_verified_offline_check_by_check(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("verify");
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, IMAGE);
    const char *key = made.public_key.text;
    BASE_CLEANUP(run_result_done)
    run_result yes = RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", key, "--proof", made.proof.text);
    run_expect(&yes, 0);
    expect_part(yes.out, ": yes");
    BASE_CLEANUP(run_result_done)
    run_result json =
        RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", key, "--proof", made.proof.text, "--json");
    run_expect(&json, 0);
    BASE_CLEANUP(json_decref) json_t *answer = run_json(json.out);
    assert_true(json_is_true(json_object_get(answer, "verified")));
    assert_string_equal(run_text(json_array_get(json_object_get(answer, "checks"), 0), "name"), "proof");

    harness_path other = run_file(&folder, "other", base_bytes_of("another image", 13));
    BASE_CLEANUP(run_result_done)
    run_result wrong_image =
        RUN(NOTHING_SET, NULL, "verify", other.text, "--public-key", key, "--proof", made.proof.text);
    run_expect(&wrong_image, 1);
    expect_part(wrong_image.out, ": no");
    made.blob.data[made.blob.size - 1] ^= 1;
    harness_path bent = run_file(&folder, "bent", base_buffer_view(&made.blob));
    BASE_CLEANUP(run_result_done)
    run_result wrong_proof =
        RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", key, "--proof", bent.text);
    run_expect(&wrong_proof, 1);
    BASE_CLEANUP(run_result_done)
    run_result wrong_format = RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", key, "--proof",
                                  made.proof.text, "--format", "other-v1");
    run_expect(&wrong_format, 1);
    expect_part(wrong_format.out, "other-v1");
    BASE_CLEANUP(run_result_done)
    run_result nothing_to_find = RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", key, "--proof",
                                     made.proof.text, "--node", "http://127.0.0.1:1/graphql");
    run_expect(&nothing_to_find, 2);
    expect_part(nothing_to_find.err, "with --proof, --node needs --transaction too");
    static const char HASH[] = "5Ju4imE2tEAEPTx2xLCfvMkaQ48eQxYpp58gMy2x1twVoCuapUvo";
    BASE_CLEANUP(run_result_done)
    run_result nowhere_to_look = RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", key, "--proof",
                                     made.proof.text, "--transaction", HASH);
    run_expect(&nowhere_to_look, 2);
    expect_part(nowhere_to_look.err, "--transaction needs --node or MINA_NODE_ENDPOINT");
    BASE_CLEANUP(run_result_done)
    run_result no_image =
        RUN(NOTHING_SET, NULL, "verify", "/nonexistent/photo.jpg", "--public-key", key, "--proof", made.proof.text);
    run_expect(&no_image, 1);
    expect_part(no_image.err, "/nonexistent/photo.jpg");
}

static void a_public_key_is_taken_as_a_pem_file_too(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("pem");
    BASE_CLEANUP(proven_done) proven made = proven_new(&folder, IMAGE);
    evidence_public_key key;
    const char *text = made.public_key.text;
    assert_int_equal(evidence_public_key_from_hex(base_bytes_of(text, strlen(text)), &key, NULL), BASE_OK);
    BASE_CLEANUP(base_buffer_done) base_buffer pem = {.limit = EVIDENCE_PEM_MAX};
    assert_int_equal(evidence_public_key_to_pem(&key, &pem, NULL), BASE_OK);
    harness_path path = run_file(&folder, "public.pem", base_buffer_view(&pem));
    BASE_CLEANUP(run_result_done)
    run_result yes =
        RUN(NOTHING_SET, NULL, "verify", made.image.text, "--public-key", path.text, "--proof", made.proof.text);
    run_expect(&yes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_lists_every_command_with_its_settings_and_exit_codes),
        cmocka_unit_test(help_of_a_command_may_be_asked_for_in_front),
        cmocka_unit_test(wrong_usage_exits_2_and_says_the_way_out),
        cmocka_unit_test(an_unreachable_server_exits_5),
        cmocka_unit_test(a_witness_equals_the_fixtures_name_by_name),
        cmocka_unit_test(a_new_key_is_private_and_never_overwritten),
        cmocka_unit_test(every_message_survives_encode_and_decode),
        cmocka_unit_test(every_type_that_the_library_knows_is_tried),
        cmocka_unit_test(a_bad_field_is_named),
        cmocka_unit_test(empty_input_is_no_message),
        cmocka_unit_test(a_signed_payment_equals_each_vector),
        cmocka_unit_test(a_fee_payers_key_is_read_from_a_file_and_never_quoted),
        cmocka_unit_test(a_payment_that_makes_no_sense_is_refused_by_its_option),
        cmocka_unit_test(new_keys_are_shown_in_words_and_as_json),
        cmocka_unit_test(output_that_cannot_be_written_fails),
        cmocka_unit_test(input_that_is_too_long_or_cannot_be_read_is_refused),
        cmocka_unit_test(a_terminal_gets_no_binary_output),
        cmocka_unit_test(a_proof_is_verified_offline_check_by_check),
        cmocka_unit_test(a_public_key_is_taken_as_a_pem_file_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
