#pragma once
/* Triggers that a test puts into the database: they note claims, refuse writes, and hang. */
#include "pipeline.h"

/* Notes every claim with its time in the table `claims`, under the owner's rights. */
void triggers_log_claims(pipeline *p);
/* Waits for the first claim after since_ms that raised `column`, generate_attempts or publish_attempts; its time. Both are Unix times. */
int64_t triggers_first_claim_ms(pipeline *p, const char *column, int64_t since_ms);

/* Makes `table` raise `sqlstate` on every insert and update, or only for one submission (NULL: for all), until they are accepted again. */
void triggers_refuse_writes(pipeline *p, const char *table, const char *sqlstate, const base_sha256 *submission);
void triggers_accept_writes(pipeline *p);

/* A proof of `submission` cannot be stored: the worker hangs in the middle of that job, and of no other. */
void triggers_hang_on(pipeline *p, const base_sha256 *submission);
/* Kills the generator while it hangs there in the submission's attempt number `attempt`. */
void triggers_kill_in_attempt(pipeline *p, const base_sha256 *submission, int attempt);
