#include "connect.h"

#include "output.h"

base_code ctl_open_broker(const ctl_call *call, broker_connection **ret, broker_names *ret_names, base_error *err)
{
    ctl_settings *settings = call->settings;
    if (ctl_settings_need(settings, CTL_USES_NATS) != BASE_OK)
        return base_fail(err, BASE_INVALID, "%s", "");
    base_code code = broker_names_of(settings->subject_prefix, ret_names, err);
    if (code != BASE_OK)
        return base_fail_within(err, "SUBJECT_PREFIX");
    broker_connection_options options = {
        .url = settings->nats_url.data,
        .name = "proofctl",
        .credentials_file = settings->nats_credentials_file,
        .user = settings->nats_user,
        .password = settings->nats_password.data == NULL ? NULL : &settings->nats_password,
        .token = settings->nats_token.data == NULL ? NULL : &settings->nats_token,
        .tls_ca_file = settings->nats_tls_ca_file,
        .tls_certificate_file = settings->nats_tls_certificate_file,
        .tls_key_file = settings->nats_tls_key_file,
    };
    return broker_connection_open(&options, ret, err);
}

static base_code open_store(const ctl_settings *settings, store_session **ret, base_error *err)
{
    store_session_options options = {
        .database_url = settings->database_url.data, .password = &settings->pgpassword, .application_name = "proofctl"};
    base_code code = store_session_new(&options, ret, err);
    return code == BASE_OK ? code : base_fail_within(err, "DATABASE_URL");
}

base_code ctl_open_store(const ctl_call *call, store_session **ret, base_error *err)
{
    if (ctl_settings_need(call->settings, CTL_USES_DATABASE) != BASE_OK)
        return base_fail(err, BASE_INVALID, "%s", "");
    return open_store(call->settings, ret, err);
}

base_code ctl_open_store_if_any(const ctl_call *call, store_session **ret, base_error *err)
{
    if (ctl_settings_need(call->settings, CTL_USES_DATABASE_IF_ANY) != BASE_OK)
        return base_fail(err, BASE_INVALID, "%s", "");
    return call->settings->database_url.data == NULL ? BASE_OK : open_store(call->settings, ret, err);
}

ctl_exit ctl_fail_open(const base_error *err)
{
    if (err->message[0] != '\0')
        ctl_fail(err);
    return err->code == BASE_INVALID || err->code == BASE_DENIED ? CTL_EXIT_USAGE : ctl_exit_of(err->code);
}
