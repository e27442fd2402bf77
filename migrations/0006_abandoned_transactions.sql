-- Transactions given up lately are looked for, in case one lands after all.
--
-- Made beside running services: rows go on being written meanwhile. One that an interrupted run has left half made is made anew.

-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS transactions_abandoned;
CREATE INDEX CONCURRENTLY transactions_abandoned ON transactions (fee_payer, updated_at) WHERE state = 'abandoned';

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS transactions_abandoned;
