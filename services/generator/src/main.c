/* proofline-generator: makes proofs of submitted images. */
#include "stage/program.h"

#include "prover/sok.h"
#ifdef PROOFLINE_BENCH
#include "prover/null.h"
#endif
#include "worker.h"

#include <string.h>

typedef struct generator_settings {
    stage_settings common;
    char *prover;
    char *signer_public_keys;
#ifdef PROOFLINE_BENCH
    int64_t null_proof_bytes;
#endif
} generator_settings;

static const base_setting SETTINGS[] = {
    STAGE_SETTINGS_ROWS(generator_settings, common, "9464", "100", "1"),
    {"SIGNER_PUBLIC_KEYS", BASE_SETTING_TEXT, offsetof(generator_settings, signer_public_keys), NULL, false, 0, 0, NULL,
     "signers whose images are accepted: P-256 keys in hex, separated by commas; none: everyone"},
#ifdef PROOFLINE_BENCH
    {"PROVER", BASE_SETTING_CHOICE, offsetof(generator_settings, prover), "native", false, 0, 0, "native|null",
     "proof driver"},
    {"NULL_PROOF_BYTES", BASE_SETTING_INT, offsetof(generator_settings, null_proof_bytes), "600", false, 64, 1048576,
     NULL, "size of the null driver's proofs"},
#else
    {"PROVER", BASE_SETTING_CHOICE, offsetof(generator_settings, prover), "native", false, 0, 0, "native",
     "proof driver"},
#endif
};

static base_code make_prover(const generator_settings *settings, struct prover **ret, base_error *err)
{
#ifdef PROOFLINE_BENCH
    if (strcmp(settings->prover, "null") == 0)
        return prover_null_new((size_t)settings->null_proof_bytes, ret, err);
#endif
    (void)settings; /* one driver: the table has checked its name */
    return prover_native_new(ret, err);
}

static base_code add_worker(stage_service *service, const generator_settings *settings, const evidence_signers *signers,
                            generator_worker **ret, base_error *err)
{
    struct prover *prover = NULL;
    base_code code = make_prover(settings, &prover, err);
    if (code == BASE_OK)
        code = generator_worker_new(service, prover, signers, ret, err);
    if (code == BASE_OK)
        code = stage_service_add(service, generator_worker_stage(*ret), err);
    return code;
}

static base_code run(stage_service *service, const void *loaded, base_error *err)
{
    const generator_settings *settings = loaded;
    BASE_CLEANUP(evidence_signers_done) evidence_signers signers = {0};
    generator_worker *workers[STAGE_WORKERS_MAX] = {0};
    base_code code = evidence_signers_parse(settings->signer_public_keys, &signers, err);
    for (int64_t i = 0; code == BASE_OK && i < settings->common.concurrency; i++)
        code = add_worker(service, settings, &signers, &workers[i], err);
    if (code == BASE_OK)
        code = stage_service_run(service, err);
    for (size_t i = 0; i < STAGE_WORKERS_MAX; i++)
        generator_worker_free(workers[i]);
    return code;
}

static base_code check(const void *loaded, base_buffer *problems)
{
    const generator_settings *settings = loaded;
    BASE_CLEANUP(evidence_signers_done) evidence_signers signers = {0};
    base_error err = {0};
    base_code code = evidence_signers_parse(settings->signer_public_keys, &signers, &err);
    if (code == BASE_OK || code == BASE_NO_MEMORY)
        return code;
    code = base_buffer_printf(problems, NULL, "SIGNER_PUBLIC_KEYS: %s\n", err.message);
    return code == BASE_OK ? BASE_INVALID : code;
}

int main(int argc, char **argv)
{
    static const stage_program PROGRAM = {
        .name = "proofline-generator",
        .summary =
            "Takes signed images from JetStream, proves their authenticity, and hands the proofs to the publisher.",
        .settings = SETTINGS,
        .setting_count = sizeof(SETTINGS) / sizeof(SETTINGS[0]),
        .settings_size = sizeof(generator_settings),
        .common_offset = offsetof(generator_settings, common),
        .check = check,
        .run = run,
    };
    return stage_main(&PROGRAM, argc, argv);
}
