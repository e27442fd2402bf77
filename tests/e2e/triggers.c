#include "triggers.h"

#include "base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SQL_MAX = 1024 };

static void run_sql(pipeline *p, const char *sql)
{
    free(harness_database_query(&p->database, sql));
}

void triggers_log_claims(pipeline *p)
{
    run_sql(p, "CREATE TABLE claims (sha256_hash text, generate_attempts int, publish_attempts int, at timestamptz);"
               "CREATE FUNCTION log_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN INSERT INTO "
               "claims VALUES (NEW.sha256_hash, NEW.generate_attempts, NEW.publish_attempts, clock_timestamp()); "
               "RETURN NULL; END$$; CREATE TRIGGER log_claim AFTER INSERT OR UPDATE ON submissions "
               "FOR EACH ROW EXECUTE FUNCTION log_claim()");
}

int64_t triggers_first_claim_ms(pipeline *p, const char *column, int64_t since_ms)
{
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql),
             "SELECT coalesce((extract(epoch FROM min(first)) * 1000)::bigint, 0) FROM "
             "(SELECT min(at) AS first FROM claims WHERE %s >= 1 GROUP BY sha256_hash, %s) AS each "
             "WHERE first >= to_timestamp(%" PRId64 " / 1000.0)",
             column, column, since_ms);
    pipeline_wait_number(p, sql, 1);
    return pipeline_number(p, sql);
}

void triggers_refuse_writes(pipeline *p, const char *table, const char *sqlstate, const base_sha256 *submission)
{
    char sql[SQL_MAX], when[160] = "";
    if (submission != NULL)
        snprintf(when, sizeof(when), "WHEN (NEW.sha256_hash = '%s')", base_sha256_hex(submission).text);
    snprintf(sql, sizeof(sql),
             "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
             "$$BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '%s'; END$$; "
             "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON %s FOR EACH ROW %s EXECUTE FUNCTION refuse()",
             sqlstate, table, when);
    run_sql(p, sql);
}

void triggers_accept_writes(pipeline *p)
{
    run_sql(p, "DROP FUNCTION refuse CASCADE");
}

void triggers_hang_on(pipeline *p, const base_sha256 *submission)
{
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql),
             "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS "
             "$$BEGIN PERFORM pg_sleep(25); RETURN NEW; END$$; CREATE TRIGGER hang BEFORE INSERT ON proofs "
             "FOR EACH ROW WHEN (NEW.sha256_hash = '%s') EXECUTE FUNCTION hang()",
             base_sha256_hex(submission).text);
    run_sql(p, sql);
}

void triggers_kill_in_attempt(pipeline *p, const base_sha256 *submission, int attempt)
{
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM submissions, pg_stat_activity WHERE sha256_hash = '%s' AND generate_attempts >= %d "
             "AND attempt_open AND wait_event = 'PgSleep'",
             base_sha256_hex(submission).text, attempt);
    pipeline_wait_number(p, sql, 1);
    pipeline_kill(p->generator);
    run_sql(p, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
}
