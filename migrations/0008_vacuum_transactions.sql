-- Each transaction changes its state twice, and each time leaves an entry behind in the index of open ones, of which the lane's owner
-- reads all that are open. With the defaults of Postgres, a table of ten million is vacuumed only when a million more have come, and as
-- long the planner takes the statistics of before for true.

-- migrate:up
ALTER TABLE transactions SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- migrate:down
ALTER TABLE transactions RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
