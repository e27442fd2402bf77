-- Every lookup by submission asks for its living transaction, which has a unique index of its own. A second one over all of them was written
-- with each transaction and each of its changes, at a random place of what becomes the largest index of the database.

-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS transactions_submission;

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS transactions_submission;
CREATE INDEX CONCURRENTLY transactions_submission ON transactions (submission);
