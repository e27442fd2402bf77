-- The split: `processing` becomes `proof_generation`, and `proof_publishing` is its own state.
--
-- The status check is replaced whatever its name is. Columns of an adopted table that must not be null and have no
-- default (wallet_address, challenge_id, …) would refuse the rows that Proofline writes: they are relaxed and remembered.

-- migrate:up
DO $$
DECLARE
    found record;
BEGIN
    IF EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
               WHERE a.attrelid = 'submissions'::regclass AND a.attname = 'status' AND t.typtype = 'e') THEN
        RAISE EXCEPTION 'submissions.status is an enum type: turn it into text with a check constraint first'
            USING HINT = 'ALTER TABLE submissions ALTER COLUMN status TYPE text USING status::text';
    END IF;

    FOR found IN
        SELECT c.conname, pg_get_constraintdef(c.oid) AS definition
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'status'
        WHERE c.conrelid = 'submissions'::regclass AND c.contype = 'c' AND c.conkey = ARRAY[a.attnum]
    LOOP
        INSERT INTO proofline_adoption VALUES ('check', found.conname, found.definition);
        EXECUTE format('ALTER TABLE submissions DROP CONSTRAINT %I', found.conname);
    END LOOP;

    FOR found IN
        SELECT a.attname
        FROM pg_attribute a
        WHERE a.attrelid = 'submissions'::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
          AND a.attname NOT IN ('sha256_hash', 'status', 'created_at', 'updated_at', 'retry_count')
          AND NOT EXISTS (SELECT FROM pg_index i
                          WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))
    LOOP
        INSERT INTO proofline_adoption VALUES ('not_null', found.attname, NULL);
        EXECUTE format('ALTER TABLE submissions ALTER COLUMN %I DROP NOT NULL', found.attname);
    END LOOP;
END
$$;

UPDATE submissions SET status = 'proof_generation' WHERE status = 'processing';
ALTER TABLE submissions ADD CONSTRAINT submissions_status_check
    CHECK (status IN ('awaiting_review', 'proof_generation', 'proof_publishing', 'complete', 'rejected'));

-- Rows that an earlier down set aside come back, unless the same image was submitted anew meanwhile.
DO $$
DECLARE
    columns text;
BEGIN
    IF to_regclass('submissions_set_aside') IS NULL THEN
        RETURN;
    END IF;
    UPDATE submissions_set_aside SET status = 'proof_generation' WHERE status = 'processing';
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute
    WHERE attrelid = 'submissions_set_aside'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('WITH back AS (DELETE FROM submissions_set_aside a
                                  WHERE NOT EXISTS (SELECT FROM submissions s WHERE s.sha256_hash = a.sha256_hash)
                                  RETURNING %1$s)
                    INSERT INTO submissions (%1$s) SELECT %1$s FROM back', columns);
    IF NOT EXISTS (SELECT FROM submissions_set_aside) THEN
        DROP TABLE submissions_set_aside;
    END IF;
END
$$;

-- migrate:down
-- Rows that the relaxed columns let in (submitted without a wallet, say) cannot exist under the restored rules. They are
-- moved, whole, to submissions_set_aside, from where the next up brings them back.
ALTER TABLE submissions DROP CONSTRAINT submissions_status_check;
UPDATE submissions SET status = 'processing' WHERE status IN ('proof_generation', 'proof_publishing');

DO $$
DECLARE
    found    record;
    columns  text;
    unfilled text;
BEGIN
    SELECT string_agg(format('%I IS NULL', name), ' OR ') INTO unfilled
    FROM proofline_adoption WHERE kind = 'not_null';
    IF unfilled IS NOT NULL THEN
        IF to_regclass('submissions_set_aside') IS NULL THEN
            CREATE TABLE submissions_set_aside (LIKE submissions);
        END IF;
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute
        WHERE attrelid = 'submissions_set_aside'::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('WITH gone AS (DELETE FROM submissions WHERE %2$s RETURNING %1$s)
                        INSERT INTO submissions_set_aside (%1$s) SELECT %1$s FROM gone', columns, unfilled);
        IF NOT EXISTS (SELECT FROM submissions_set_aside) THEN
            DROP TABLE submissions_set_aside;
        END IF;
    END IF;

    FOR found IN SELECT kind, name, definition FROM proofline_adoption WHERE kind IN ('not_null', 'check') LOOP
        IF found.kind = 'check' THEN
            EXECUTE format('ALTER TABLE submissions ADD CONSTRAINT %I %s', found.name, found.definition);
        ELSE
            EXECUTE format('ALTER TABLE submissions ALTER COLUMN %I SET NOT NULL', found.name);
        END IF;
    END LOOP;
    DELETE FROM proofline_adoption WHERE kind IN ('not_null', 'check');
END
$$;
