-- Makes a database look as it does after :rows submissions: 99 % complete, with proof and transaction, 0.7 % rejected, and 0.1 % each
-- waiting for review, for a generator and for a publisher. The last two are due in a day, so that services that run beside them leave
-- them alone. Everything was made in the past, in the order of its time; hashes and ids are random. For psql, on empty tables.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET maintenance_work_mem = '1GB';

-- Indexes and keys are made again after the rows, which takes a fraction of the time.
CREATE TEMP TABLE made_again AS
SELECT c.conrelid::regclass AS belongs, c.conname AS name, true AS is_key,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS sql
FROM pg_constraint c
WHERE c.contype IN ('p', 'u') AND c.conrelid IN ('submissions'::regclass, 'proofs'::regclass, 'transactions'::regclass)
UNION ALL
SELECT i.indrelid::regclass, i.indexrelid::regclass::text, false, pg_get_indexdef(i.indexrelid)
FROM pg_index i
WHERE i.indrelid IN ('submissions'::regclass, 'proofs'::regclass, 'transactions'::regclass)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);
SELECT CASE WHEN is_key THEN format('ALTER TABLE %s DROP CONSTRAINT %I', belongs, name)
            ELSE format('DROP INDEX %I', name) END
FROM made_again
\gexec

INSERT INTO submissions (sha256_hash, status, failure_reason, reason_code, transaction_id,
                         transaction_submitted_block_height, processing_started_at, verified_at, failed_at, created_at,
                         updated_at, epoch, job_sequence, job_published_ns, job_payload, enqueued_at, due_at, accepted_at,
                         event_sequence, correlation_id, generate_attempts, proofs_generated, publish_attempts)
SELECT encode(sha256(('filled ' || r.n)::bytea), 'hex'), r.status,
       CASE WHEN r.status = 'rejected' THEN 'the signature does not verify' END,
       CASE WHEN r.status = 'rejected' THEN 'invalid_signature' END,
       CASE WHEN r.done THEN '5Ju' || left(encode(sha256(('hash ' || r.n)::bytea), 'hex'), 49) END,
       CASE WHEN r.done THEN r.n / 60 END, r.at, CASE WHEN r.done THEN r.at END,
       CASE WHEN r.status = 'rejected' THEN r.at END, r.at, r.at,
       CASE r.status WHEN 'awaiting_review' THEN 0 WHEN 'complete' THEN 2 ELSE 1 END, r.n,
       (extract(epoch FROM r.at) * 1000000000)::bigint,
       CASE WHEN r.pending AND r.status <> 'awaiting_review' THEN sha512(r.n::text::bytea) END,
       CASE WHEN r.pending THEN now() ELSE r.at END, CASE WHEN r.pending THEN now() + interval '1 day' ELSE r.at END,
       CASE WHEN r.pending THEN now() ELSE r.at END, CASE WHEN r.done THEN 3 ELSE 1 END, gen_random_uuid()::text,
       1, r.done::int, r.done::int
FROM (SELECT n, now() - (:rows - n + 1) * interval '3 s' AS at, s.status, s.status = 'complete' AS done,
             s.status NOT IN ('complete', 'rejected') AS pending
      FROM generate_series(1::bigint, :rows) AS g (n),
           LATERAL (SELECT CASE WHEN n % 1000 = 0 THEN 'awaiting_review' WHEN n % 1000 = 1 THEN 'proof_generation'
                                WHEN n % 1000 = 2 THEN 'proof_publishing' WHEN n % 1000 < 10 THEN 'rejected'
                                ELSE 'complete' END AS status) AS s) AS r;

INSERT INTO proofs (sha256_hash, format, digest, public_key, blob, duration_ms, created_at)
SELECT sha256_hash, 'ecdsa-p256-sok-v1', sha256(sha256_hash::bytea), sha512(sha256_hash::bytea),
       substr(sha512(sha256_hash::bytea) || sha512(id::text::bytea) || sha512(correlation_id::bytea), 1, 167), 1, created_at
FROM submissions WHERE status IN ('complete', 'proof_publishing');

INSERT INTO transactions (hash, fee_payer, submission, nonce, fee_nanomina, payload, state, block_height, created_at,
                          updated_at)
SELECT transaction_id, 'B62qfilled', sha256_hash, row_number() OVER (ORDER BY created_at) - 1, 1000000,
       sha512(transaction_id::bytea) || sha512(sha256_hash::bytea), 'included', transaction_submitted_block_height,
       created_at, updated_at
FROM submissions WHERE status = 'complete';

SELECT sql FROM made_again ORDER BY is_key DESC
\gexec
VACUUM (ANALYZE) submissions, proofs, transactions;
CHECKPOINT;
