-- The table of submissions as it stood before proof making and publishing were split.
--
-- A database in which the predecessor's own tool has already made this table is adopted: the table and every row stay
-- as they are, and only columns and keys that Proofline needs and that are missing are added. What was done to an
-- adopted table is written down in proofline_adoption, so that each down step can undo exactly that.

-- migrate:up
CREATE TABLE proofline_adoption (
    kind       text NOT NULL, -- table | column | unique | check | not_null
    name       text NOT NULL,
    definition text,
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE proofline_adoption IS 'What migrations found or changed in submissions, for their down steps';

DO $$
DECLARE
    wanted record;
BEGIN
    IF to_regclass('submissions') IS NULL THEN
        CREATE TABLE submissions (
            id                                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            sha256_hash                        text NOT NULL UNIQUE,
            status                             text NOT NULL DEFAULT 'awaiting_review'
                CONSTRAINT submissions_status_check
                CHECK (status IN ('awaiting_review', 'processing', 'complete', 'rejected')),
            retry_count                        integer NOT NULL DEFAULT 0,
            failure_reason                     text,
            transaction_id                     text,
            transaction_submitted_block_height bigint,
            processing_started_at              timestamptz,
            verified_at                        timestamptz,
            failed_at                          timestamptz,
            created_at                         timestamptz NOT NULL DEFAULT now(),
            updated_at                         timestamptz NOT NULL DEFAULT now()
        );
        RETURN;
    END IF;

    INSERT INTO proofline_adoption VALUES ('table', 'submissions', NULL);
    FOR wanted IN
        SELECT c.name, c.definition
        FROM (VALUES ('retry_count', 'integer NOT NULL DEFAULT 0'),
                     ('failure_reason', 'text'),
                     ('transaction_id', 'text'),
                     ('transaction_submitted_block_height', 'bigint'),
                     ('processing_started_at', 'timestamptz'),
                     ('verified_at', 'timestamptz'),
                     ('failed_at', 'timestamptz'),
                     ('created_at', 'timestamptz NOT NULL DEFAULT now()'),
                     ('updated_at', 'timestamptz NOT NULL DEFAULT now()')) AS c (name, definition)
        WHERE NOT EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = 'submissions'::regclass AND a.attname = c.name AND NOT a.attisdropped)
    LOOP
        EXECUTE format('ALTER TABLE submissions ADD COLUMN %I %s', wanted.name, wanted.definition);
        INSERT INTO proofline_adoption VALUES ('column', wanted.name, wanted.definition);
    END LOOP;

    IF NOT EXISTS (SELECT FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'sha256_hash'
                   WHERE i.indrelid = 'submissions'::regclass AND i.indisunique AND i.indpred IS NULL
                     AND i.indnatts = 1 AND i.indkey[0] = a.attnum) THEN
        ALTER TABLE submissions ADD CONSTRAINT proofline_sha256_hash_key UNIQUE (sha256_hash);
        INSERT INTO proofline_adoption VALUES ('unique', 'proofline_sha256_hash_key', NULL);
    END IF;
END
$$;

-- migrate:down
-- Drops the table only when this migration made it; from an adopted one it takes what it added.
DO $$
DECLARE
    added record;
BEGIN
    IF NOT EXISTS (SELECT FROM proofline_adoption WHERE kind = 'table') THEN
        DROP TABLE submissions;
        RETURN;
    END IF;
    FOR added IN SELECT kind, name FROM proofline_adoption WHERE kind IN ('column', 'unique') LOOP
        IF added.kind = 'column' THEN
            EXECUTE format('ALTER TABLE submissions DROP COLUMN %I', added.name);
        ELSE
            EXECUTE format('ALTER TABLE submissions DROP CONSTRAINT %I', added.name);
        END IF;
    END LOOP;
END
$$;
DROP TABLE proofline_adoption;
