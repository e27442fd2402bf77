#pragma once
/* The rights of the services' role, which new tables lack until they are granted. */
#include "store/migrate.h"

/* Runs roles/proofline_service.sql of the folder again if it was run here before: if the role has a right on some table. Reports
 * "granted" when it has more rights now than before. Fails as the migrating role may grant less than it says. */
BASE_MUST_CHECK base_code store_grants_repeat(store_session *session, const char *directory,
                                              store_migrate_report *report, void *ctx, base_error *err);
