#pragma once
/* The settings that every stage has, as rows to be put into a service's own table. */
#include "base/settings.h"
#include "broker/connection.h"
#include "store/session.h"

/* Zero until base_settings_load has filled it. */
typedef struct stage_settings {
    base_secret nats_url; /* may hold a password */
    char *nats_creds_file, *nats_user, *nats_tls_ca_file, *nats_tls_cert_file, *nats_tls_key_file;
    base_secret nats_password, nats_token;
    char *subject_prefix;
    base_secret database_url, pgpassword;
    char *log_level, *log_format;
    char *http_bind;
    int64_t http_port;
    int64_t shutdown_grace_s;
    int64_t retry_limit, retry_delay_s, crash_limit;
    int64_t batch, concurrency;
    int64_t job_max_age_s;
    int64_t sweep_interval_s, sweep_quiet_s;
} stage_settings;

/* Rows for `field`, a stage_settings inside the struct `type`. Port, batch and workers are texts of the service's own defaults. */
#define STAGE_SETTINGS_ROWS(type, field, port, batch_size, workers)                                                    \
    {"NATS_URL",                                                                                                       \
     BASE_SETTING_SECRET,                                                                                              \
     offsetof(type, field.nats_url),                                                                                   \
     "nats://127.0.0.1:4222",                                                                                          \
     false,                                                                                                            \
     0,                                                                                                                \
     0,                                                                                                                \
     NULL,                                                                                                             \
     "NATS servers, separated by commas"},                                                                             \
        {"NATS_CREDS_FILE",                                                                                            \
         BASE_SETTING_TEXT,                                                                                            \
         offsetof(type, field.nats_creds_file),                                                                        \
         NULL,                                                                                                         \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "NATS credentials file (JWT and seed)"},                                                                      \
        {"NATS_USER", BASE_SETTING_TEXT, offsetof(type, field.nats_user), NULL, false, 0, 0, NULL, "NATS user"},       \
        {"NATS_PASSWORD",        BASE_SETTING_SECRET, offsetof(type, field.nats_password), NULL, false, 0, 0, NULL,    \
         "password of NATS_USER"},                                                                                     \
        {"NATS_TOKEN", BASE_SETTING_SECRET, offsetof(type, field.nats_token), NULL, false, 0, 0, NULL, "NATS token"},  \
        {"NATS_TLS_CA_FILE",                                                                                           \
         BASE_SETTING_TEXT,                                                                                            \
         offsetof(type, field.nats_tls_ca_file),                                                                       \
         NULL,                                                                                                         \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "certificate authority of the NATS servers"},                                                                 \
        {"NATS_TLS_CERT_FILE",                                                                                         \
         BASE_SETTING_TEXT,                                                                                            \
         offsetof(type, field.nats_tls_cert_file),                                                                     \
         NULL,                                                                                                         \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "client certificate for NATS"},                                                                               \
        {"NATS_TLS_KEY_FILE",                                                                                          \
         BASE_SETTING_TEXT,                                                                                            \
         offsetof(type, field.nats_tls_key_file),                                                                      \
         NULL,                                                                                                         \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "key of the client certificate"},                                                                             \
        {"SUBJECT_PREFIX",                                                                                             \
         BASE_SETTING_TEXT,                                                                                            \
         offsetof(type, field.subject_prefix),                                                                         \
         "proofline",                                                                                                  \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "first part of all subjects and, in capitals, of stream names"},                                              \
        {"DATABASE_URL",                                                                                               \
         BASE_SETTING_SECRET,                                                                                          \
         offsetof(type, field.database_url),                                                                           \
         NULL,                                                                                                         \
         true,                                                                                                         \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "Postgres: postgresql://user:password@host/database"},                                                        \
        {"PGPASSWORD",                                                                                                 \
         BASE_SETTING_SECRET,                                                                                          \
         offsetof(type, field.pgpassword),                                                                             \
         NULL,                                                                                                         \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "password of a DATABASE_URL without one"},                                                                    \
        {"LOG_LEVEL",                                                                                                  \
         BASE_SETTING_CHOICE,                                                                                          \
         offsetof(type, field.log_level),                                                                              \
         "info",                                                                                                       \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         "trace|debug|info|warn|error",                                                                                \
         "least level logged"},                                                                                        \
        {"LOG_FORMAT",                                                                                                 \
         BASE_SETTING_CHOICE,                                                                                          \
         offsetof(type, field.log_format),                                                                             \
         "auto",                                                                                                       \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         "auto|json|text",                                                                                             \
         "auto: text on a terminal, else JSON lines"},                                                                 \
        {"HTTP_BIND",                                                                                                  \
         BASE_SETTING_TEXT,                                                                                            \
         offsetof(type, field.http_bind),                                                                              \
         "0.0.0.0",                                                                                                    \
         false,                                                                                                        \
         0,                                                                                                            \
         0,                                                                                                            \
         NULL,                                                                                                         \
         "address of /healthz, /readyz and /metrics"},                                                                 \
        {"HTTP_PORT",                                                                                                  \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.http_port),                                                                              \
         port,                                                                                                         \
         false,                                                                                                        \
         0,                                                                                                            \
         65535,                                                                                                        \
         NULL,                                                                                                         \
         "port of /healthz, /readyz and /metrics; 0: any free one"},                                                   \
        {"SHUTDOWN_GRACE_S",                                                                                           \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.shutdown_grace_s),                                                                       \
         "25",                                                                                                         \
         false,                                                                                                        \
         1,                                                                                                            \
         3600,                                                                                                         \
         NULL,                                                                                                         \
         "seconds for an orderly stop, then the process ends anyway"},                                                 \
        {"WORKER_RETRY_LIMIT",                                                                                         \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.retry_limit),                                                                            \
         "3",                                                                                                          \
         false,                                                                                                        \
         0,                                                                                                            \
         100,                                                                                                          \
         NULL,                                                                                                         \
         "retries of a job after counted failures, then it is rejected"},                                              \
        {"WORKER_RETRY_DELAY_S",                                                                                       \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.retry_delay_s),                                                                          \
         "60",                                                                                                         \
         false,                                                                                                        \
         1,                                                                                                            \
         3600,                                                                                                         \
         NULL,                                                                                                         \
         "seconds before the first retry, doubled for each further one"},                                              \
        {"WORKER_CRASH_LIMIT",                                                                                         \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.crash_limit),                                                                            \
         "3",                                                                                                          \
         false,                                                                                                        \
         1,                                                                                                            \
         100,                                                                                                          \
         NULL,                                                                                                         \
         "attempts of a job that may die with their worker, then it is quarantined"},                                  \
        {"WORKER_BATCH", BASE_SETTING_INT,    offsetof(type, field.batch), batch_size, false, 1, 500,                  \
         NULL,           "jobs taken at once"},                                                                        \
        {"WORKER_CONCURRENCY",                                                                                         \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.concurrency),                                                                            \
         workers,                                                                                                      \
         false,                                                                                                        \
         1,                                                                                                            \
         64,                                                                                                           \
         NULL,                                                                                                         \
         "worker threads, each with its own database session"},                                                        \
        {"JOB_MAX_AGE_S",                                                                                              \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.job_max_age_s),                                                                          \
         "86400",                                                                                                      \
         false,                                                                                                        \
         1,                                                                                                            \
         31536000,                                                                                                     \
         NULL,                                                                                                         \
         "seconds after which a pending submission is rejected as expired"},                                           \
        {"SWEEP_INTERVAL_S",                                                                                           \
         BASE_SETTING_INT,                                                                                             \
         offsetof(type, field.sweep_interval_s),                                                                       \
         "30",                                                                                                         \
         false,                                                                                                        \
         1,                                                                                                            \
         3600,                                                                                                         \
         NULL,                                                                                                         \
         "seconds between searches for pending work that no message covers"},                                          \
    {                                                                                                                  \
        "SWEEP_QUIET_S", BASE_SETTING_INT, offsetof(type, field.sweep_quiet_s), "60", false, 1, 86400, NULL,           \
            "seconds that such work must have been untouched"                                                          \
    }

/* What the broker and store libs want; all borrowed from `settings`. */
broker_connection_options stage_broker_options(const stage_settings *settings, const char *service);
store_session_options stage_store_options(const stage_settings *settings, const char *application);
