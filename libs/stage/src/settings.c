#include "stage/settings.h"

broker_connection_options stage_broker_options(const stage_settings *settings, const char *service)
{
    return (broker_connection_options){
        .url = settings->nats_url.data,
        .name = service,
        .credentials_file = settings->nats_creds_file,
        .user = settings->nats_user,
        .password = settings->nats_password.data != NULL ? &settings->nats_password : NULL,
        .token = settings->nats_token.data != NULL ? &settings->nats_token : NULL,
        .tls_ca_file = settings->nats_tls_ca_file,
        .tls_certificate_file = settings->nats_tls_cert_file,
        .tls_key_file = settings->nats_tls_key_file,
        .wait_for_server = true,
    };
}

store_session_options stage_store_options(const stage_settings *settings, const char *application)
{
    return (store_session_options){.database_url = settings->database_url.data,
                                   .password = &settings->pgpassword,
                                   .application_name = application};
}
