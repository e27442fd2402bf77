/* proofline-publisher: puts proofs on the Mina blockchain. */
#include "ledger/anchor.h"
#include "stage/program.h"
#ifdef PROOFLINE_BENCH
#include "ledger/null.h"
#endif
#include "worker.h"

#include <string.h>

typedef struct publisher_settings {
    stage_settings common;
    char *ledger;
    base_secret node_endpoint; /* may hold a key of the node's */
    char *network, *node_tls_ca_file;
    base_secret fee_payer_key;
    int64_t fee_nanomina, node_timeout_ms;
    int64_t confirmations, confirm_interval_s, missing_after_s;
    char *proof_retention;
} publisher_settings;

#ifdef PROOFLINE_BENCH
#define LEDGERS         "anchor|null"
#define KEY_IS_REQUIRED false /* the null driver pays nobody */
#else
#define LEDGERS         "anchor"
#define KEY_IS_REQUIRED true
#endif

static const base_setting SETTINGS[] = {
    STAGE_SETTINGS_ROWS(publisher_settings, common, "9465", "50", "1"),
    {"LEDGER", BASE_SETTING_CHOICE, offsetof(publisher_settings, ledger), "anchor", false, 0, 0, LEDGERS,
     "ledger driver"},
    {"MINA_NODE_ENDPOINT", BASE_SETTING_SECRET, offsetof(publisher_settings, node_endpoint),
     "http://127.0.0.1:3085/graphql", false, 0, 0, NULL, "GraphQL address of a Mina node"},
    {"MINA_NODE_TLS_CA_FILE", BASE_SETTING_TEXT, offsetof(publisher_settings, node_tls_ca_file), NULL, false, 0, 0,
     NULL, "certificate authority of the node, instead of the system's"},
    {"MINA_NODE_TIMEOUT_MS", BASE_SETTING_INT, offsetof(publisher_settings, node_timeout_ms), "30000", false, 100,
     600000, NULL, "milliseconds to wait for one answer of the node"},
    {"MINA_NETWORK", BASE_SETTING_CHOICE, offsetof(publisher_settings, network), "devnet", false, 0, 0,
     "mainnet|devnet|testnet", "network that transactions are signed for"},
    {"FEE_PAYER_PRIVATE_KEY", BASE_SETTING_SECRET, offsetof(publisher_settings, fee_payer_key), NULL, KEY_IS_REQUIRED,
     0, 0, NULL, "key that signs and pays, EK…; `proofctl mina keygen` makes one"},
    {"MINA_TRANSACTION_FEE", BASE_SETTING_INT, offsetof(publisher_settings, fee_nanomina), "100000000", false, 1,
     1000000000000, NULL, "fee of one transaction in nanomina"},
    {"CONFIRMATION_BLOCKS", BASE_SETTING_INT, offsetof(publisher_settings, confirmations), "15", false, 1, 270, NULL,
     "blocks after which a transaction is taken as final"},
    {"CONFIRMATION_INTERVAL_S", BASE_SETTING_INT, offsetof(publisher_settings, confirm_interval_s), "30", false, 1,
     3600, NULL, "seconds between looks at transactions that are not final"},
    {"MISSING_AFTER_S", BASE_SETTING_INT, offsetof(publisher_settings, missing_after_s), "15", false, 1, 3600, NULL,
     "seconds between the two looks that must agree before a transaction counts as missing"},
    {"PROOF_RETENTION", BASE_SETTING_CHOICE, offsetof(publisher_settings, proof_retention), "keep", false, 0, 0,
     "keep|clear", "what becomes of a proof when its submission is complete or rejected"},
};

static base_code make_ledger(const publisher_settings *settings, ledger **ret, base_error *err)
{
#ifdef PROOFLINE_BENCH
    if (strcmp(settings->ledger, "null") == 0)
        return ledger_null_new(ret, err);
#endif
    const ledger_anchor_options options = {
        .node_url = settings->node_endpoint.data,
        .network = settings->network,
        .private_key = &settings->fee_payer_key,
        .fee_nanomina = settings->fee_nanomina,
        .timeout_ms = settings->node_timeout_ms,
        .tls_ca_file = settings->node_tls_ca_file,
    };
    return ledger_anchor_new(&options, ret, err);
}

static base_code run(stage_service *service, const void *loaded, base_error *err)
{
    const publisher_settings *settings = loaded;
    publisher_worker_options options = {
        .keep_proofs = strcmp(settings->proof_retention, "keep") == 0,
        .confirmations = settings->confirmations,
        .confirm_interval_s = settings->confirm_interval_s,
        .missing_after_s = settings->missing_after_s,
        .node_timeout_ms = settings->node_timeout_ms,
    };
    BASE_CLEANUP(publisher_worker_free) publisher_worker *worker = NULL;
    base_code code = make_ledger(settings, &options.ledger, err);
    if (code == BASE_OK)
        code = publisher_worker_new(service, &options, &worker, err);
    if (code == BASE_OK)
        code = stage_service_add(service, publisher_worker_stage(worker), err);
    return code == BASE_OK ? stage_service_run(service, err) : code;
}

/* One that is missing where it is required was named already. */
static base_code check_key(const publisher_settings *settings, base_buffer *problems)
{
    base_error err = {0};
    base_code code =
        settings->fee_payer_key.data == NULL ? BASE_OK : ledger_anchor_check_key(&settings->fee_payer_key, &err);
    if (code == BASE_OK || code == BASE_NO_MEMORY)
        return code;
    code = base_buffer_printf(problems, NULL, "FEE_PAYER_PRIVATE_KEY: %s\n", err.message);
    return code == BASE_OK ? BASE_INVALID : code;
}

static base_code check(const void *loaded, base_buffer *problems)
{
    const publisher_settings *settings = loaded;
    base_code code = BASE_OK;
    if (settings->common.concurrency > 1) {
        code = BASE_INVALID;
        if (base_buffer_printf(problems, NULL, "WORKER_CONCURRENCY: must be 1: a fee payer has one nonce lane\n") !=
            BASE_OK)
            return BASE_NO_MEMORY;
    }
    base_code key = check_key(settings, problems);
    return key == BASE_OK ? code : key;
}

int main(int argc, char **argv)
{
    static const stage_program PROGRAM = {
        .name = "proofline-publisher",
        .summary = "Takes proofs from JetStream, checks them, and anchors them on the Mina blockchain.",
        .settings = SETTINGS,
        .setting_count = sizeof(SETTINGS) / sizeof(SETTINGS[0]),
        .settings_size = sizeof(publisher_settings),
        .common_offset = offsetof(publisher_settings, common),
        .check = check,
        .run = run,
    };
    return stage_main(&PROGRAM, argc, argv);
}
