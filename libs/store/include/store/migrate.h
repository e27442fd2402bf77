#pragma once
/* Applies migrations/NNNN_name.sql in dbmate's format (-- migrate:up, -- migrate:down), one at a time under an advisory lock. */
#include "store/session.h"

/* Called per migration: version, name, "applied" | "pending" | "applying" | "reverting" | "changed" | "missing"; at_unix_ms is 0 unless applied.
 * Also for rights: "", the role, "granted". */
typedef void store_migrate_report(void *ctx, const char *version, const char *name, const char *state,
                                  int64_t at_unix_ms);

/* Applies everything pending, each in its own transaction; then, where roles/proofline_service.sql of the folder was run before, runs it
 * again, so that the services may use what is new. Two runners at once wait for each other. Repeating is harmless.
 * BASE_CONFLICT: an applied file has changed since (by its SHA-256) or an applied version has no file: nothing is done. BASE_INVALID: a file that is no migration. */
BASE_MUST_CHECK base_code store_migrate_up(store_session *session, const char *directory, store_migrate_report *report,
                                           void *ctx, base_error *err);
/* Reverts the last `steps` applied ones. */
BASE_MUST_CHECK base_code store_migrate_down(store_session *session, const char *directory, int64_t steps,
                                             store_migrate_report *report, void *ctx, base_error *err);
/* Reports all; *ret_pending counts what up would apply. */
BASE_MUST_CHECK base_code store_migrate_status(store_session *session, const char *directory,
                                               store_migrate_report *report, void *ctx, size_t *ret_pending,
                                               base_error *err);
