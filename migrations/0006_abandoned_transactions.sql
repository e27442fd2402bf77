-- Transactions given up lately are looked for, in case one lands after all.

-- migrate:up
CREATE INDEX transactions_abandoned ON transactions (fee_payer, updated_at) WHERE state = 'abandoned';

-- migrate:down
DROP INDEX transactions_abandoned;
