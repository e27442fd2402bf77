-- Proofs, and the messages that are written together with the state they tell of.

-- migrate:up
-- No foreign key to submissions: both are written by one statement that holds the submission's row.
CREATE TABLE proofs (
    sha256_hash text PRIMARY KEY,
    format      text NOT NULL,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32), -- BLAKE2b-256 of the blob
    public_key  bytea NOT NULL CHECK (octet_length(public_key) = 64), -- P-256, x then y, big-endian
    blob        bytea, -- null once retention has cleared it
    duration_ms bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now()
);
-- Proofs are close to random: trying to compress them costs time and gains nothing.
ALTER TABLE proofs ALTER COLUMN blob SET STORAGE EXTERNAL;

CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    subject    text NOT NULL,
    message_id text NOT NULL,
    headers    text NOT NULL, -- name and value on alternating lines
    payload    bytea NOT NULL
);
-- A queue: every row is deleted soon after it was written. Vacuum by count, not by share, and without pauses.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
                        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000,
                        autovacuum_vacuum_cost_delay = 0);

-- migrate:down
DROP TABLE outbox;
DROP TABLE proofs;
