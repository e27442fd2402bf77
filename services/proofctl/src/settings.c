#include "settings.h"

#define PROBLEMS_MAX 16384 /* bytes */
#define REPLICAS_MAX 5

#define TEXT(name, field, fallback, help)                                                                              \
    {                                                                                                                  \
        name, BASE_SETTING_TEXT, offsetof(ctl_settings, field), fallback, false, 0, 0, NULL, help                      \
    }
#define SECRET(name, field, required, help)                                                                            \
    {                                                                                                                  \
        name, BASE_SETTING_SECRET, offsetof(ctl_settings, field), NULL, required, 0, 0, NULL, help                     \
    }

static const base_setting NATS[] = {
    {"NATS_URL", BASE_SETTING_SECRET, offsetof(ctl_settings, nats_url), "nats://127.0.0.1:4222", false, 0, 0, NULL,
     "NATS servers, separated by commas"},
    TEXT("NATS_CREDS_FILE", nats_credentials_file, NULL, "credentials file with JWT and seed"),
    TEXT("NATS_USER", nats_user, NULL, "user name"),
    SECRET("NATS_PASSWORD", nats_password, false, "its password"),
    SECRET("NATS_TOKEN", nats_token, false, "token instead of user and password"),
    TEXT("NATS_TLS_CA_FILE", nats_tls_ca_file, NULL, "certificates of authorities to trust, PEM"),
    TEXT("NATS_TLS_CERT_FILE", nats_tls_certificate_file, NULL, "certificate to show, PEM"),
    TEXT("NATS_TLS_KEY_FILE", nats_tls_key_file, NULL, "its key, PEM"),
    TEXT("SUBJECT_PREFIX", subject_prefix, "proofline", "first part of subjects; in upper case, of stream names"),
};
static const base_setting TOPOLOGY[] = {
    {"STREAM_REPLICAS", BASE_SETTING_INT, offsetof(ctl_settings, stream_replicas), "1", false, 1, REPLICAS_MAX, NULL,
     "copies of each stream: 1, 3 or 5"},
};
static const base_setting DATABASE[] = {
    SECRET("DATABASE_URL", database_url, true, "postgresql://user:password@host:5432/database"),
    SECRET("PGPASSWORD", pgpassword, false, "password of a DATABASE_URL without one"),
};
static const base_setting DATABASE_IF_ANY[] = {
    SECRET("DATABASE_URL", database_url, false, "postgresql://user:password@host:5432/database; may be left out"),
    SECRET("PGPASSWORD", pgpassword, false, "password of a DATABASE_URL without one"),
};
static const base_setting MIGRATIONS[] = {
    TEXT("MIGRATIONS_DIR", migrations_directory, NULL, "folder of the migrations, instead of the one installed"),
};
static const base_setting NODE[] = {
    SECRET("MINA_NODE_ENDPOINT", node_endpoint, false, "GraphQL address of a Mina node"),
    {"MINA_NETWORK", BASE_SETTING_CHOICE, offsetof(ctl_settings, network), "devnet", false, 0, 0,
     "mainnet|devnet|testnet", "network that it must be on"},
};
static const base_setting FEE_PAYER[] = {
    SECRET("FEE_PAYER_PRIVATE_KEY", fee_payer_private_key, true, "Mina private key, EK…"),
};

#define GROUP(flag, table)                                                                                             \
    {                                                                                                                  \
        flag, table, sizeof(table) / sizeof((table)[0])                                                                \
    }
static const struct {
    unsigned flag;
    const base_setting *rows;
    size_t count;
} GROUPS[] = {
    GROUP(CTL_USES_NATS, NATS),
    GROUP(CTL_USES_TOPOLOGY, TOPOLOGY),
    GROUP(CTL_USES_DATABASE, DATABASE),
    GROUP(CTL_USES_MIGRATIONS, MIGRATIONS),
    GROUP(CTL_USES_NODE, NODE),
    GROUP(CTL_USES_FEE_PAYER, FEE_PAYER),
    GROUP(CTL_USES_DATABASE_IF_ANY, DATABASE_IF_ANY),
};
enum { GROUP_COUNT = sizeof(GROUPS) / sizeof(GROUPS[0]) };

base_code ctl_settings_need(ctl_settings *settings, unsigned uses)
{
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = PROBLEMS_MAX};
    base_code result = BASE_OK;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if ((uses & GROUPS[i].flag) == 0 || (settings->loaded & GROUPS[i].flag) != 0)
            continue;
        settings->loaded |= GROUPS[i].flag;
        base_code code = base_settings_load(GROUPS[i].rows, GROUPS[i].count, settings, &problems);
        if (code != BASE_OK)
            result = code;
    }
    if (result != BASE_OK)
        fprintf(stderr, "proofctl: the environment needs a correction:\n%s",
                problems.data == NULL ? "" : (const char *)problems.data);
    return result;
}

void ctl_settings_done(ctl_settings *settings)
{
    for (size_t i = 0; i < GROUP_COUNT; i++)
        base_settings_done(GROUPS[i].rows, GROUPS[i].count, settings);
    settings->loaded = 0;
}

void ctl_settings_help(unsigned uses, FILE *out)
{
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if ((uses & GROUPS[i].flag) != 0)
            base_settings_help(GROUPS[i].rows, GROUPS[i].count, out);
    }
}
