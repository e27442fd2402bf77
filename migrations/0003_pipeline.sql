-- What claims, fencing, events and sweeps need to know of a submission.

-- migrate:up
ALTER TABLE submissions
    ADD COLUMN epoch             bigint NOT NULL DEFAULT 0,      -- raised by every claim: fences commits
    ADD COLUMN attempt_open      boolean NOT NULL DEFAULT false, -- a claim whose end has not been written
    ADD COLUMN crash_count       integer NOT NULL DEFAULT 0,     -- attempts of this stage that ended without a word
    ADD COLUMN job_sequence      bigint NOT NULL DEFAULT 0,      -- of the message that owns it; 0: none
    ADD COLUMN job_published_ns  bigint NOT NULL DEFAULT 0,      -- when that message was stored, Unix time
    ADD COLUMN job_payload       bytea,                          -- command of the pending stage, to send again if lost
    ADD COLUMN enqueued_at       timestamptz NOT NULL DEFAULT now(), -- when the covering message was stored or written
    ADD COLUMN due_at            timestamptz NOT NULL DEFAULT now(), -- last sign of life, or when a retry is due
    ADD COLUMN accepted_at       timestamptz NOT NULL DEFAULT now(), -- when this life of the submission began
    ADD COLUMN event_sequence    bigint NOT NULL DEFAULT 0,
    ADD COLUMN correlation_id    text NOT NULL DEFAULT '',
    ADD COLUMN reason_code       text,
    ADD COLUMN generate_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN proofs_generated  integer NOT NULL DEFAULT 0,
    ADD COLUMN publish_attempts  integer NOT NULL DEFAULT 0;

-- Room on each page for the updates of a row's life; most claims touch no indexed column.
ALTER TABLE submissions SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,
                             autovacuum_analyze_scale_factor = 0.02);
-- Holds only unfinished work, so sweeps and counts stay cheap over millions of finished rows.
CREATE INDEX submissions_pending ON submissions (status, accepted_at)
    WHERE status IN ('awaiting_review', 'proof_generation', 'proof_publishing');
CREATE INDEX submissions_newest ON submissions (created_at);

-- migrate:down
DROP INDEX submissions_newest;
DROP INDEX submissions_pending;
ALTER TABLE submissions RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE submissions
    DROP COLUMN epoch,
    DROP COLUMN attempt_open,
    DROP COLUMN crash_count,
    DROP COLUMN job_sequence,
    DROP COLUMN job_published_ns,
    DROP COLUMN job_payload,
    DROP COLUMN enqueued_at,
    DROP COLUMN due_at,
    DROP COLUMN accepted_at,
    DROP COLUMN event_sequence,
    DROP COLUMN correlation_id,
    DROP COLUMN reason_code,
    DROP COLUMN generate_attempts,
    DROP COLUMN proofs_generated,
    DROP COLUMN publish_attempts;
