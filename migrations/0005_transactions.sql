-- Transactions by their hash, and the one nonce lane of each fee payer.

-- migrate:up
CREATE TABLE fee_payers (
    fee_payer   text PRIMARY KEY,
    lane_epoch  bigint NOT NULL DEFAULT 0, -- raised whenever the lane changes hands: fences its writes
    owner       text NOT NULL DEFAULT '',
    acquired_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transactions (
    hash          text PRIMARY KEY,
    fee_payer     text NOT NULL,
    submission    text NOT NULL, -- sha256_hash
    nonce         bigint NOT NULL CHECK (nonce >= 0),
    fee_nanomina  bigint NOT NULL CHECK (fee_nanomina >= 0),
    payload       bytea NOT NULL, -- exactly what is sent
    state         text NOT NULL CHECK (state IN ('committed', 'accepted', 'included', 'failed', 'abandoned')),
    block_height  bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE transactions ALTER COLUMN payload SET STORAGE EXTERNAL;

-- A nonce is free again only when its transaction is certainly nowhere.
CREATE UNIQUE INDEX transactions_live_nonce ON transactions (fee_payer, nonce) WHERE state <> 'abandoned';
-- A submission has one transaction that can still put it on the chain, or has done so.
CREATE UNIQUE INDEX transactions_live_submission ON transactions (submission)
    WHERE state IN ('committed', 'accepted', 'included');
CREATE INDEX transactions_submission ON transactions (submission);
CREATE INDEX transactions_open ON transactions (fee_payer, nonce) WHERE state IN ('committed', 'accepted');

-- migrate:down
DROP TABLE transactions;
DROP TABLE fee_payers;
