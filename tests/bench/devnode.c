#include "devnode.h"

#include "fatal.h"
#include "harness/wait.h"
#include "mina/keys.h"

#include <stdio.h>
#include <string.h>

#define START_MS  30000
#define LISTENING "listening on "

/* A fresh key as setting and its address as argument of --fund, with more money than any run spends. */
static void make_key(char *setting, size_t setting_size, char *fund, size_t fund_size)
{
    BASE_CLEANUP(mina_secret_key_done) mina_secret_key key = {0};
    BASE_CLEANUP(base_secret_done) base_secret text = {0};
    base_error err = {0};
    bench_require(mina_secret_key_generate(&key, &err), &err, "make a fee payer");
    bench_require(mina_secret_key_format(&key, &text, &err), &err, "write its key");
    snprintf(setting, setting_size, "FEE_PAYER_PRIVATE_KEY=%s", text.data);
    snprintf(fund, fund_size, "--fund=%s=1000000000", mina_public_key_format(&key.public_key).text);
}

harness_process *bench_devnode_start(bench_devnode_access *ret)
{
    char fund[128];
    make_key(ret->key, sizeof(ret->key), fund, sizeof(fund));
    const char *argv[] = {BINARY_DIR "/proofline-devnode", "--port=0", fund, NULL};
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(process, LISTENING, START_MS);
    if (line == NULL)
        harness_fail("proofline-devnode did not start");
    snprintf(ret->endpoint, sizeof(ret->endpoint), "MINA_NODE_ENDPOINT=http://%s/graphql",
             strstr(line, LISTENING) + strlen(LISTENING));
    return process;
}
