-- The newest rejected submissions, found without reading all that became complete since.
--
-- Made beside running services: rows go on being written meanwhile. One that an interrupted run has left half made is made anew.

-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS submissions_rejected;
CREATE INDEX CONCURRENTLY submissions_rejected ON submissions (created_at) WHERE status = 'rejected';

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS submissions_rejected;
