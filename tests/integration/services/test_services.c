/* What the two services say before they need any server: help, version, bad settings, a port that is taken. */
#include "harness/process.h"
#include "harness/proxy.h"
#include "harness/wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 20000, SETTINGS_MAX = 12 };

static const char GENERATOR[] = BINARY_DIR "/proofline-generator";
static const char PUBLISHER[] = BINARY_DIR "/proofline-publisher";
static const char *const SERVICES[] = {GENERATOR, PUBLISHER};

/* A key that exists only here. */
static const char KEY[] = "FEE_PAYER_PRIVATE_KEY=EKEiSTLcuVbi6xj86GKwzJLikrECqezZLVKqyvTX2p52rCDGbRvx";

typedef struct answer {
    int code;
    char *out, *err;
} answer;

static void answer_done(answer *a)
{
    free(a->out);
    free(a->err);
}
BASE_CLEANUP_VALUE(answer, answer_done);

/* Runs a service to its end, with settings that are good but for `changes`: of two with one name the first counts. */
static answer run(const char *service, const char *argument, const char *const *changes)
{
    const char *environment[SETTINGS_MAX] = {NULL};
    size_t count = 0;
    for (; changes != NULL && changes[count] != NULL; count++)
        environment[count] = changes[count];
    environment[count++] = "NATS_URL=nats://127.0.0.1:1";
    environment[count++] = "DATABASE_URL=postgresql://127.0.0.1:1/none";
    environment[count++] = "HTTP_BIND=127.0.0.1";
    environment[count++] = "HTTP_PORT=0";
    environment[count++] = KEY;
    const char *const argv[] = {service, argument, NULL};
    answer a = {0};
    a.code = harness_run(argv, environment, WAIT_MS, &a.out, &a.err);
    return a;
}

static void expect(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        harness_fail("\"%s\" is not in: %s", part, text);
}

static void help_and_version_need_no_settings(void **state)
{
    (void)state;
    static const char *const NAMED[] = {"Usage: proofline-", "DATABASE_URL",       "(or DATABASE_URL_FILE)",
                                        "[required]",        "WORKER_RETRY_LIMIT", "Exit codes: 0 stopped orderly"};
    for (size_t i = 0; i < 2; i++) {
        BASE_CLEANUP(answer_done) answer help = run(SERVICES[i], "--help", NULL);
        assert_int_equal(help.code, 0);
        for (size_t k = 0; k < sizeof(NAMED) / sizeof(NAMED[0]); k++)
            expect(help.out, NAMED[k]);
        BASE_CLEANUP(answer_done) answer version = run(SERVICES[i], "--version", NULL);
        assert_int_equal(version.code, 0);
        expect(version.out, strrchr(SERVICES[i], '/') + 1);
        BASE_CLEANUP(answer_done) answer unknown = run(SERVICES[i], "--colour", NULL);
        assert_int_equal(unknown.code, 2);
        expect(unknown.err, "unknown argument \"--colour\": settings come from the environment, see --help");
    }
}

/* What could break a service on purpose is in no build that is meant to run. */
static void only_a_faults_build_knows_fault_points(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        BASE_CLEANUP(answer_done) answer asked = run(SERVICES[i], "--fault-points", NULL);
#ifdef PROOFLINE_FAULTS
        assert_int_equal(asked.code, 0);
        expect(asked.out, SERVICES[i] == GENERATOR ? "generator." : "publisher.");
#else
        assert_int_equal(asked.code, 2);
        assert_string_equal(asked.out, "");
        expect(asked.err, "unknown argument \"--fault-points\"");
#endif
    }
}

static void every_bad_setting_is_named_and_no_secret_shown(void **state)
{
    (void)state;
    static const char *const BAD[] = {"DATABASE_URL=",
                                      "WORKER_CONCURRENCY=0",
                                      "LOG_LEVEL=loud",
                                      "SIGNER_PUBLIC_KEYS=zz",
                                      "FEE_PAYER_PRIVATE_KEY=EKsecretthing",
                                      NULL};
    for (size_t i = 0; i < 2; i++) {
        BASE_CLEANUP(answer_done) answer bad = run(SERVICES[i], NULL, BAD);
        assert_int_equal(bad.code, 2);
        expect(bad.err, "DATABASE_URL is not set, nor is DATABASE_URL_FILE");
        expect(bad.err, "WORKER_CONCURRENCY: \"0\" is not a whole number");
        expect(bad.err, "LOG_LEVEL: \"loud\" is not one of");
        expect(bad.err, SERVICES[i] == GENERATOR ? "SIGNER_PUBLIC_KEYS: signer 1 (zz" : "FEE_PAYER_PRIVATE_KEY: ");
        assert_null(strstr(bad.err, "secretthing"));
    }
    static const char *const CROWD[] = {"WORKER_CONCURRENCY=2", NULL};
    BASE_CLEANUP(answer_done) answer crowd = run(PUBLISHER, NULL, CROWD);
    assert_int_equal(crowd.code, 2);
    expect(crowd.err, "WORKER_CONCURRENCY: must be 1: a fee payer has one nonce lane");
}

/* What no table of settings can judge. */
static void settings_that_cannot_work_end_it_with_2(void **state)
{
    (void)state;
    static const struct {
        const char *change, *said;
    } CASES[] = {
        {"SUBJECT_PREFIX=Two Words", "SUBJECT_PREFIX: "},
        {"NATS_URL=http://127.0.0.1:1", "URL starts with nats:// or tls://"},
        {"DATABASE_URL=nonsense://x", "database URL"},
        {"HTTP_BIND=localhost", "localhost is no IP address: set HTTP_BIND"},
    };
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof(CASES) / sizeof(CASES[0]); k++) {
            const char *const changes[] = {CASES[k].change, NULL};
            BASE_CLEANUP(answer_done) answer ended = run(SERVICES[i], NULL, changes);
            expect(ended.err, CASES[k].said);
            assert_int_equal(ended.code, 2);
        }
    }
    static const char *const NODE[] = {"MINA_NODE_ENDPOINT=ftp://127.0.0.1/graphql", NULL};
    BASE_CLEANUP(answer_done) answer nowhere = run(PUBLISHER, NULL, NODE);
    expect(nowhere.err, "http");
    assert_int_equal(nowhere.code, 2);
}

static void a_port_that_is_taken_ends_it_with_1_and_the_way_out(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_proxy_free) harness_proxy *taken = harness_proxy_new(1);
    char port[32];
    snprintf(port, sizeof(port), "HTTP_PORT=%u", harness_proxy_port(taken));
    const char *const changes[] = {port, NULL};
    for (size_t i = 0; i < 2; i++) {
        BASE_CLEANUP(answer_done) answer ended = run(SERVICES[i], NULL, changes);
        expect(ended.err, "Address already in use; set HTTP_PORT to a free port");
        assert_int_equal(ended.code, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version_need_no_settings),
        cmocka_unit_test(only_a_faults_build_knows_fault_points),
        cmocka_unit_test(every_bad_setting_is_named_and_no_secret_shown),
        cmocka_unit_test(settings_that_cannot_work_end_it_with_2),
        cmocka_unit_test(a_port_that_is_taken_ends_it_with_1_and_the_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
