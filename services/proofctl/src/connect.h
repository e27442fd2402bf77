#pragma once
/* Opens what a command talks to, from the settings. */
#include "broker/topology.h"
#include "command.h"
#include "store/session.h"

/* Each reads the settings that it needs. BASE_INVALID with an empty message: the bad settings have been named already. */
BASE_MUST_CHECK base_code ctl_open_broker(const ctl_call *call, broker_connection **ret, broker_names *ret_names,
                                          base_error *err);
BASE_MUST_CHECK base_code ctl_open_store(const ctl_call *call, store_session **ret, base_error *err);

/* The same, and *ret stays NULL when no database is named. */
BASE_MUST_CHECK base_code ctl_open_store_if_any(const ctl_call *call, store_session **ret, base_error *err);

/* The exit status for a failed open: CTL_EXIT_USAGE for bad settings, else as ctl_fail, whose message it prints. */
ctl_exit ctl_fail_open(const base_error *err);
