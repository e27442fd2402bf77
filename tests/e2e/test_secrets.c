/* The fee payer's key and the passwords: in no log, message, table, metric, output, environment or core dump, however the work ends. */
#include "base/hex.h"
#include "broker/stream.h"
#include "harness/folder.h"
#include "harness/http.h"
#include "harness/wait.h"
#include "hunt.h"
#include "mina/keys.h"
#include "pipeline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* What is searched for is the part that stays when a character is percent-encoded or a text is cut. */
#define DATABASE_SECRET "Postgres_7Vq9" /* of HARNESS_SERVICE_PASSWORD */
#define DATABASE_WRONG  "Postgres_3Wz1"
#define NATS_SECRET     "Secret-of-NATS_5Kx2"
#define NATS_WRONG      "Wrong-for-NATS_8Jt6"
#define NODE_SECRET     "Node-Key_4Rd7Yb"

enum { KEY_PART = 20, TEXT_MAX = 320, SETTINGS_MAX = 12, PATH_TEXT_MAX = 64 };

typedef struct trial {
    pipeline p;
    pipeline_access access;
    hunt hunt;
    char key[MINA_SECRET_KEY_CHARS + 1];
    char texts[SETTINGS_MAX][TEXT_MAX]; /* what the settings below point to */
    size_t text_count;
    const char *generator[SETTINGS_MAX + 1], *publisher[SETTINGS_MAX + 1];
    base_sha256 done, refused;
} trial;

static harness_postgres *cluster;

static int group_setup(void **state)
{
    (void)state;
    struct rlimit cores;
    if (getrlimit(RLIMIT_CORE, &cores) != 0)
        return -1;
    cores.rlim_cur = cores.rlim_max; /* whoever does not turn core dumps off, dumps core */
    if (setrlimit(RLIMIT_CORE, &cores) != 0)
        return -1;
    cluster = harness_postgres_new(&(harness_postgres_options){.config = harness_postgres_password_config()});
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    harness_postgres_free(cluster);
    return 0;
}

static void add_scalar(hunt *h, const char *text)
{
    base_error err = {0};
    uint8_t backwards[MINA_FIELD_SIZE];
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    if (mina_secret_key_parse(text, &key, &err) != BASE_OK)
        harness_fail("%s", err.message);
    for (size_t i = 0; i < MINA_FIELD_SIZE; i++)
        backwards[i] = (uint8_t)key.scalar.data[MINA_FIELD_SIZE - 1 - i];
    hunt_add(h, "the scalar", base_bytes_of(key.scalar.data, MINA_FIELD_SIZE));
    hunt_add(h, "the scalar backwards", base_bytes_of(backwards, MINA_FIELD_SIZE));
}

static void add_key(hunt *h, const char *key)
{
    hunt_add(h, "the start of the key", base_bytes_of(key, KEY_PART));
    hunt_add(h, "the end of the key", base_bytes_of(key + MINA_SECRET_KEY_CHARS - KEY_PART, KEY_PART));
    add_scalar(h, key);
}

static const char *text(trial *t, const char *format, ...) BASE_PRINTF(2, 3);
static const char *text(trial *t, const char *format, ...)
{
    if (t->text_count == SETTINGS_MAX)
        harness_fail("too many settings");
    va_list args;
    va_start(args, format);
    vsnprintf(t->texts[t->text_count], TEXT_MAX, format, args);
    va_end(args);
    return t->texts[t->text_count++];
}

static const char *file_setting(trial *t, const char *name, const char *value)
{
    harness_path folder = harness_folder_new("secret");
    harness_path file = harness_path_in(&folder, name);
    char line[TEXT_MAX];
    snprintf(line, sizeof(line), "%s\n", value);
    harness_file_write(&file, line);
    return text(t, "%s_FILE=%s", name, file.text);
}

/* The generator by an URL with its password, the publisher by all the variables there are. */
static void set_by_variables(trial *t)
{
    const char *generator[] = {
        text(t, "NATS_URL=nats://proofline:" NATS_SECRET "@127.0.0.1:%u", harness_nats_port(t->p.nats)),
        "PGPASSWORD=" DATABASE_WRONG, /* the URL's counts */
        "FEE_PAYER_PRIVATE_KEY", "LOG_LEVEL=trace", "LOG_FORMAT=json"};
    const char *publisher[] = {
        text(t, "MINA_NODE_ENDPOINT=http://node:" NODE_SECRET "@127.0.0.1:%u/graphql?key=" NODE_SECRET, t->p.node_port),
        text(t, "DATABASE_URL=postgresql://worker%s", strrchr(t->p.service.url, '@')),
        "PGPASSWORD=" HARNESS_SERVICE_PASSWORD,
        "NATS_USER=proofline",
        "NATS_PASSWORD=" NATS_SECRET,
        "LOG_LEVEL=trace",
        "LOG_FORMAT=json",
        "WORKER_RETRY_LIMIT=0"};
    memcpy(t->generator, generator, sizeof(generator));
    memcpy(t->publisher, publisher, sizeof(publisher));
}

static void set_by_files(trial *t)
{
    const char *database = file_setting(t, "DATABASE_URL", t->p.service.url);
    const char *password = file_setting(t, "NATS_PASSWORD", NATS_SECRET);
    const char *generator[] = {
        database,          "DATABASE_URL",   password, "NATS_USER=proofline", "FEE_PAYER_PRIVATE_KEY",
        "LOG_LEVEL=trace", "LOG_FORMAT=text"};
    const char *publisher[] = {database,
                               "DATABASE_URL",
                               password,
                               "NATS_USER=proofline",
                               file_setting(t, "FEE_PAYER_PRIVATE_KEY", t->key),
                               "FEE_PAYER_PRIVATE_KEY",
                               "LOG_LEVEL=trace",
                               "LOG_FORMAT=text",
                               "WORKER_RETRY_LIMIT=0"};
    memcpy(t->generator, generator, sizeof(generator));
    memcpy(t->publisher, publisher, sizeof(publisher));
}

static void start(trial *t, bool by_files)
{
    *t = (trial){
        .access = {.nats_config = "authorization { user: proofline, password: \"" NATS_SECRET "\" }\ndebug: true",
                   .nats_user = "proofline"}};
    base_error err = {0};
    if (base_secret_copy(base_bytes_of(NATS_SECRET, strlen(NATS_SECRET)), &t->access.nats_password, &err) != BASE_OK)
        harness_fail("%s", err.message);
    pipeline_prepare_with(&t->p, cluster, 0, &t->access);
    free(harness_database_query(&t->p.database, "ALTER ROLE worker SET log_statement = 'all'"));
    snprintf(t->key, sizeof(t->key), "%s", strchr(t->p.fee_payer_key, '=') + 1);
    add_key(&t->hunt, t->key);
    hunt_add_text(&t->hunt, "the database's password", DATABASE_SECRET);
    hunt_add_text(&t->hunt, "a wrong password of the database", DATABASE_WRONG);
    hunt_add_text(&t->hunt, "the password of NATS", NATS_SECRET);
    hunt_add_text(&t->hunt, "a wrong password of NATS", NATS_WRONG);
    hunt_add_text(&t->hunt, "the node's key", NODE_SECRET);
    if (by_files)
        set_by_files(t);
    else
        set_by_variables(t);
    pipeline_start_generator(&t->p, t->generator);
    pipeline_start_publisher(&t->p, t->publisher);
}

static void stop(trial *t)
{
    pipeline_stop(&t->p);
    base_secret_done(&t->access.nats_password);
}

/* Success, rejection, poison, and a node that is away or answers with errors. */
static void work(trial *t)
{
    pipeline *p = &t->p;
    t->done = pipeline_submit(p, "done");
    pipeline_wait(p, &t->done, WIRE_STATUS_COMPLETE);
    base_sha256 forged = pipeline_submit_forged(p, "forged");
    pipeline_wait(p, &forged, WIRE_STATUS_REJECTED);
    pipeline_publish_raw(p, base_bytes_of("\xff\xff garbage", 10));
    pipeline_fault(p, "{\"kind\":\"error\",\"text\":\"Invalid_signature\",\"on\":\"send\",\"next\":1}");
    t->refused = pipeline_submit(p, "refused");
    pipeline_wait(p, &t->refused, WIRE_STATUS_REJECTED);
    harness_process_mark(p->publisher);
    pipeline_kill(p->node);
    harness_process_free(p->node);
    base_sha256 late = pipeline_submit(p, "while the node is away");
    BASE_CLEANUP(free) char *away = harness_process_wait_line(p->publisher, "dependency_down", PIPELINE_WAIT_MS);
    assert_non_null(away);
    pipeline_start_node(p, 0);
    pipeline_wait(p, &late, WIRE_STATUS_COMPLETE);
    pipeline_wait_settled(p);
}

static uint16_t http_port(harness_process *service)
{
    BASE_CLEANUP(free) char *output = harness_process_errors(service);
    const char *field = strstr(output, "http_port");
    assert_non_null(field);
    return (uint16_t)strtoul(field + strcspn(field, "123456789"), NULL, 10);
}

static void look_at_http(trial *t, harness_process *service)
{
    static const char *const PATHS[] = {"/metrics", "/healthz", "/readyz"};
    static const char *const CONTROLS[] = {"proofline_jobs_total", "ok", "ready"};
    for (size_t i = 0; i < 3; i++) {
        BASE_CLEANUP(harness_http_reply_done)
        harness_http_reply reply = harness_http_get(http_port(service), PATHS[i]);
        hunt_in(&t->hunt, PATHS[i], base_bytes_of(reply.head, strlen(reply.head)), NULL);
        hunt_in(&t->hunt, PATHS[i], base_bytes_of(reply.body, strlen(reply.body)), CONTROLS[i]);
    }
}

static void look_at_process(trial *t, harness_process *service)
{
    char path[PATH_TEXT_MAX];
    const int pid = (int)harness_process_pid(service);
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    assert_true(hunt_in_file(&t->hunt, path, "proofline-"));
    snprintf(path, sizeof(path), "/proc/%d/environ", pid);
    if (!hunt_in_file(&t->hunt, path, "HTTP_PORT=0"))
        print_message("the environment of another process may not even be read here\n");
    snprintf(path, sizeof(path), "/proc/%d/limits", pid);
    assert_true(hunt_in_file(&t->hunt, path, "Max core file size        0                    0 "));
    base_error err = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer children = {.limit = 4096};
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    assert_int_equal(base_file_read(path, &children, &err), BASE_OK);
    assert_int_equal(children.size, 0); /* which would have an environment of their own */
}

static void look_at_running(trial *t)
{
    harness_process *const services[] = {t->p.generator, t->p.publisher};
    for (size_t i = 0; i < 2; i++) {
        look_at_http(t, services[i]);
        look_at_process(t, services[i]);
    }
    hunt_in_text(&t->hunt, "pg_stat_activity", harness_database_query(&t->p.database, "SELECT * FROM pg_stat_activity"),
                 "proofline-publisher");
}

static void look_at_log(trial *t, const char *place, const harness_process *service, const char *control)
{
    hunt_in_text(&t->hunt, place, harness_process_errors(service), control);
    hunt_in_text(&t->hunt, place, harness_process_output(service), NULL);
}

static void crash(harness_process *service, int signal)
{
    harness_process_signal(service, signal);
    assert_true(harness_process_wait(service, PIPELINE_WAIT_MS) > 0); /* it has ended, and not in order */
    assert_false(harness_process_dumped_core(service));
}

/* Settings that are wrong; the service is started, heard and ended. */
static void fail_with(trial *t, const char *program, const char *const *settings, const char *words)
{
    BASE_CLEANUP(harness_process_free) harness_process *service = pipeline_launch(&t->p, program, settings);
    BASE_CLEANUP(free) char *line = harness_process_wait_line(service, words, PIPELINE_WAIT_MS);
    if (line == NULL)
        harness_fail("%s did not say \"%s\": %s", program, words, harness_process_errors(service));
    look_at_log(t, words, service, words);
}

static void misconfigure(trial *t)
{
    static const char GENERATOR[] = BINARY_DIR "/proofline-generator", PUBLISHER[] = BINARY_DIR "/proofline-publisher";
    const unsigned nats = harness_nats_port(t->p.nats), postgres = harness_postgres_port(cluster);
    char url[TEXT_MAX], key[TEXT_MAX];
    snprintf(url, sizeof(url), "DATABASE_URL=postgresql://worker:%s@127.0.0.1:%u/x", DATABASE_WRONG, postgres);
    fail_with(t, GENERATOR, (const char *[]){url, "NATS_USER=proofline", "NATS_PASSWORD=" NATS_SECRET, NULL},
              "password authentication failed");
    snprintf(url, sizeof(url), "DATABASE_URL=postgresql://worker:a@%s@127.0.0.1:%u/x", DATABASE_WRONG, postgres);
    fail_with(t, GENERATOR, (const char *[]){url, "NATS_USER=proofline", "NATS_PASSWORD=" NATS_SECRET, NULL},
              "looks like a part of the password");
    snprintf(url, sizeof(url), "DATABASE_URL=postgresql://worker:%s@[127.0.0.1:%u/x", DATABASE_WRONG, postgres);
    fail_with(t, PUBLISHER, (const char *[]){url, "NATS_USER=proofline", "NATS_PASSWORD=" NATS_SECRET, NULL},
              "the database URL is unreadable");
    snprintf(url, sizeof(url), "NATS_URL=nats://proofline:%s@127.0.0.1:%u", NATS_WRONG, nats);
    fail_with(t, GENERATOR, (const char *[]){url, NULL}, "proofline-generator: "); /* its last words */
    snprintf(url, sizeof(url), "NATS_URL=http://proofline:%s@127.0.0.1:%u", NATS_WRONG, nats);
    fail_with(t, GENERATOR, (const char *[]){url, NULL}, "starts with nats:// or tls://");
    fail_with(t, PUBLISHER,
              (const char *[]){"MINA_NODE_ENDPOINT=ftp://node:" NODE_SECRET "@x/", "NATS_USER=proofline",
                               "NATS_PASSWORD=" NATS_SECRET, NULL},
              "must begin with http://");
    snprintf(key, sizeof(key), "FEE_PAYER_PRIVATE_KEY=%.*sx%s", KEY_PART + 4, t->key, t->key + KEY_PART + 5);
    fail_with(t, PUBLISHER, (const char *[]){key, "WORKER_RETRY_LIMIT=many", NULL}, "bad settings");
    snprintf(key, sizeof(key), "FEE_PAYER_PRIVATE_KEY_FILE=%s", t->p.node_state);
    fail_with(t, PUBLISHER, (const char *[]){key, NULL}, "are both set");
}

static void run_proofctl(trial *t, const char *const *arguments, const char *database_url, const char *control)
{
    char database[TEXT_MAX], nats[TEXT_MAX];
    snprintf(database, sizeof(database), "DATABASE_URL=%s", database_url);
    snprintf(nats, sizeof(nats), "NATS_URL=nats://proofline:%s@127.0.0.1:%u", NATS_SECRET,
             harness_nats_port(t->p.nats));
    const char *const environment[] = {database, nats, t->p.fee_payer_key, NULL};
    const char *argv[16] = {BINARY_DIR "/proofctl"};
    for (size_t i = 0; arguments[i] != NULL && i < 14; i++)
        argv[i + 1] = arguments[i];
    BASE_CLEANUP(free) char *output = NULL;
    BASE_CLEANUP(free) char *errors = NULL;
    harness_run(argv, environment, PIPELINE_WAIT_MS, &output, &errors);
    BASE_CLEANUP(base_buffer_done) base_buffer both = {.limit = 1 << 24};
    assert_int_equal(base_buffer_printf(&both, NULL, "%s%s", output, errors), BASE_OK);
    hunt_in(&t->hunt, arguments[0], base_buffer_view(&both), control);
}

static void operate(trial *t)
{
    const char *good = t->p.service.url;
    base_hex32 done = base_sha256_hex(&t->done);
    char wrong[TEXT_MAX], unreadable[TEXT_MAX];
    snprintf(wrong, sizeof(wrong), "postgresql://worker:%s@127.0.0.1:%u/x", DATABASE_WRONG,
             harness_postgres_port(cluster));
    snprintf(unreadable, sizeof(unreadable), "postgresql://worker:%s@[127", DATABASE_WRONG);
    run_proofctl(t, (const char *[]){"list", NULL}, good, done.text);
    run_proofctl(t, (const char *[]){"status", done.text, NULL}, good, "complete");
    run_proofctl(t, (const char *[]){"dead", "list", NULL}, good, "node_rejected");
    run_proofctl(t, (const char *[]){"migrate", "status", NULL}, good, "0001");
    run_proofctl(t, (const char *[]){"list", NULL}, wrong, "password authentication failed");
    run_proofctl(t, (const char *[]){"list", NULL}, unreadable, "unreadable");
    run_proofctl(t, (const char *[]){"topology", "check", NULL}, good, "PROOFLINE_JOBS");
    run_proofctl(t,
                 (const char *[]){"mina", "sign-payment", "--to", t->p.address, "--amount", "1", "--fee", "1",
                                  "--nonce", "0", NULL},
                 good, "signature");
}

/* Every message of a stream with its subject and headers. */
static void look_at_stream(trial *t, const char *stream, const char *control)
{
    base_error err = {0};
    broker_stream_state state;
    assert_int_equal(broker_stream_read_state(t->p.broker, stream, &state, &err), BASE_OK);
    assert_true(state.messages > 0);
    BASE_CLEANUP(base_buffer_done) base_buffer all = {.limit = 1 << 26};
    for (uint64_t sequence = state.first_sequence; sequence <= state.last_sequence; sequence++) {
        BASE_CLEANUP(broker_stored_done) broker_stored message = {0};
        assert_int_equal(broker_stream_get(t->p.broker, stream, sequence, &message, &err), BASE_OK);
        assert_int_equal(base_buffer_printf(&all, NULL, "\n%s\n", message.subject), BASE_OK);
        for (size_t i = 0; i < message.header_count; i++)
            assert_int_equal(
                base_buffer_printf(&all, NULL, "%s: %s\n", message.headers[i].name, message.headers[i].value), BASE_OK);
        assert_int_equal(base_buffer_append(&all, base_buffer_view(&message.payload), NULL), BASE_OK);
    }
    hunt_in(&t->hunt, stream, base_buffer_view(&all), control);
}

static void look_at_stores(trial *t)
{
    pipeline *p = &t->p;
    base_hex32 done = base_sha256_hex(&t->done);
    look_at_stream(t, p->names.stream_jobs, "Nats-Msg-Id");
    look_at_stream(t, p->names.stream_events, done.text);
    look_at_stream(t, p->names.stream_dead, "node_rejected");
    const char *const dump[] = {"pg_dump", p->database.url, NULL};
    BASE_CLEANUP(free) char *tables = NULL;
    assert_int_equal(harness_run(dump, NULL, PIPELINE_WAIT_MS, &tables, NULL), 0);
    hunt_in(&t->hunt, "the tables", base_bytes_of(tables, strlen(tables)), done.text);
    hunt_in_text(&t->hunt, "the log of Postgres", harness_postgres_log(cluster), done.text);
    hunt_in_text(&t->hunt, "the log of NATS", harness_nats_log(p->nats), "Server is ready");
    assert_true(hunt_in_file(&t->hunt, p->node_state, p->address));
    look_at_log(t, "the log of the node", p->node, NULL);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply chain = harness_http_get(p->node_port, "/control/chain");
    hunt_in(&t->hunt, "the chain", base_bytes_of(chain.body, strlen(chain.body)), p->address);
}

static void search_everywhere(bool by_files)
{
    static trial t; /* too large for a stack */
    start(&t, by_files);
    base_hex32 done;
    work(&t);
    look_at_running(&t);
    crash(t.p.generator, SIGABRT);
    crash(t.p.publisher, SIGSEGV);
    done = base_sha256_hex(&t.done);
    look_at_log(&t, "the generator's log", t.p.generator, done.text);
    look_at_log(&t, "the publisher's log", t.p.publisher, done.text);
    misconfigure(&t);
    operate(&t);
    look_at_stores(&t);
    print_message("%zu needles in %zu places, %zu bytes: %zu found\n", t.hunt.needle_count, t.hunt.places, t.hunt.bytes,
                  t.hunt.found);
    assert_int_equal(t.hunt.found, 0);
    stop(&t);
}

static void secrets_given_by_variables_stay_secret_however_the_work_ends(void **state)
{
    (void)state;
    search_everywhere(false);
}

static void secrets_given_by_files_stay_secret_however_the_work_ends(void **state)
{
    (void)state;
    search_everywhere(true);
}

/* All that is readable of a process to root, and what a core dump would be made of. Beside the key, libpq and nats.c keep their own
 * copies of the passwords in ordinary memory; that no core is ever written protects those. */
static void the_key_lies_in_locked_memory_only(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* with them mlock() does nothing, and their shadows keep copies */
#endif
    static trial t;
    start(&t, false);
    work(&t);
    hunt keys = {0}, harmless = {0};
    add_key(&keys, t.key);
    hunt_add_text(&harmless, "the address", t.p.address);
    hunt_memory found = {0}, control = {0};
    if (!hunt_in_memory(&keys, harness_process_pid(t.p.publisher), &found)) {
        print_message("no right to read the memory of another process\n");
        stop(&t);
        skip();
    }
    assert_true(hunt_in_memory(&harmless, harness_process_pid(t.p.publisher), &control));
    print_message("%zu bytes of memory: the key %zu times locked, %zu times elsewhere\n", found.bytes, found.locked,
                  found.open);
    assert_in_range(found.locked, 2, 16); /* its text and its scalar are where they belong, and the search finds them */
    assert_true(control.open > 0);        /* and would find what lies elsewhere */
    assert_int_equal(found.open, 0);
    stop(&t);
}

static void a_program_that_does_not_turn_them_off_dumps_core_here(void **state)
{
    (void)state;
    harness_path folder = harness_folder_new("core");
    char script[TEXT_MAX];
    snprintf(script, sizeof(script), "cd %s && kill -ABRT $$", folder.text);
    const char *const argv[] = {"sh", "-c", script, NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv});
    assert_int_equal(harness_process_wait(process, PIPELINE_WAIT_MS), 128 + SIGABRT);
    if (!harness_process_dumped_core(process)) {
        print_message("this machine writes no core dumps at all: the limits of the services are all that shows it\n");
        skip();
    }
}

/* Each form of each secret, in the middle of other bytes; and nothing in bytes that only resemble it. */
static void the_search_finds_what_is_planted(void **state)
{
    (void)state;
    hunt h = {0};
    hunt_add_text(&h, "a secret", "Planted_Secret_42");
    assert_int_equal(h.needle_count, 4);
    for (size_t i = 0; i < h.needle_count; i++) {
        uint8_t hay[512];
        memset(hay, 'x', sizeof(hay));
        assert_int_equal(hunt_in(&h, "nothing planted", base_bytes_of(hay, sizeof(hay)), NULL), 0);
        memcpy(hay + sizeof(hay) - h.needles[i].size, h.needles[i].bytes, h.needles[i].size);
        assert_int_equal(hunt_in(&h, "planted on purpose", base_bytes_of(hay, sizeof(hay)), NULL), 1);
        assert_int_equal(hunt_in(&h, "cut off", base_bytes_of(hay, sizeof(hay) - 1), NULL), 0);
    }
    assert_int_equal(h.found, 4);
}

/* The same search over the same places, with something to find: a word that a producer sends along with its job. */
static void the_search_finds_a_word_that_went_through_the_pipeline(void **state)
{
    (void)state;
    static trial t;
    start(&t, true);
    work(&t);
    hunt planted = {0};
    base_hex32 done = base_sha256_hex(&t.done);
    hunt_add_text(&planted, "the name of the submission", done.text);
    t.hunt = planted;
    look_at_stream(&t, t.p.names.stream_events, NULL);
    assert_int_equal(t.hunt.found, 1);
    look_at_stores(&t);
    assert_in_range(t.hunt.found, 4, 16); /* events again, the tables, the log of Postgres */
    size_t before = t.hunt.found;
    look_at_log(&t, "the publisher's log", t.p.publisher, NULL);
    look_at_log(&t, "the generator's log", t.p.generator, NULL);
    assert_int_equal(t.hunt.found, before + 2);
    /* A process that does not hide its environment. */
    static const char *const argv[] = {"sh", "-c", "echo awake; sleep 60", NULL};
    static const char *const environment[] = {"SOME_KEY=Planted_Secret_42", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *open = harness_process_new(&(harness_process_options){.argv = argv, .environment = environment});
    BASE_CLEANUP(free) char *awake = harness_process_wait_line(open, "awake", PIPELINE_WAIT_MS);
    assert_non_null(awake);
    hunt h = {0};
    char path[PATH_TEXT_MAX];
    hunt_memory memory = {0};
    hunt_add_text(&h, "a secret", "Planted_Secret_42");
    snprintf(path, sizeof(path), "/proc/%d/environ", (int)harness_process_pid(open));
    assert_true(hunt_in_file(&h, path, NULL));
    assert_true(h.found >= 1);
    if (hunt_in_memory(&h, harness_process_pid(open), &memory))
        assert_true(memory.open >= 1 && memory.locked == 0);
    stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_what_is_planted),
        cmocka_unit_test(the_search_finds_a_word_that_went_through_the_pipeline),
        cmocka_unit_test(a_program_that_does_not_turn_them_off_dumps_core_here),
        cmocka_unit_test(secrets_given_by_variables_stay_secret_however_the_work_ends),
        cmocka_unit_test(secrets_given_by_files_stay_secret_however_the_work_ends),
        cmocka_unit_test(the_key_lies_in_locked_memory_only),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
