#pragma once
/* proofctl's configuration from the environment, in groups: a command demands only the groups that it uses. */
#include "base/settings.h"

enum {
    CTL_USES_NATS = 1,
    CTL_USES_TOPOLOGY = 2,
    CTL_USES_DATABASE = 4,
    CTL_USES_MIGRATIONS = 8,
    CTL_USES_NODE = 16,
    CTL_USES_FEE_PAYER = 32,
    CTL_USES_DATABASE_IF_ANY = 64, /* the database when one is named */
};

typedef struct ctl_settings {
    unsigned loaded;      /* groups read so far */
    base_secret nats_url; /* may hold a password */
    char *nats_credentials_file, *nats_user;
    base_secret nats_password, nats_token;
    char *nats_tls_ca_file, *nats_tls_certificate_file, *nats_tls_key_file;
    char *subject_prefix;
    int64_t stream_replicas;
    base_secret database_url, pgpassword;
    char *migrations_directory;
    base_secret node_endpoint; /* may hold a key of the node's; absent unless set */
    char *network;
    base_secret fee_payer_private_key;
} ctl_settings;

/* Reads the groups of `uses` that are not loaded yet. BASE_INVALID: every bad setting has been named on stderr. */
BASE_MUST_CHECK base_code ctl_settings_need(ctl_settings *settings, unsigned uses);
void ctl_settings_done(ctl_settings *settings);
BASE_CLEANUP_VALUE(ctl_settings, ctl_settings_done);
/* Writes the tables of the groups of `uses`. */
void ctl_settings_help(unsigned uses, FILE *out);
