-- What the services may do, and no more: they own nothing and cannot change the schema. Not a migration: run it once as the
-- owner of the database, after `proofctl migrate up`, which runs it again by itself from then on. Then
--   CREATE ROLE proofline_generator LOGIN PASSWORD '…' IN ROLE proofline_service;
-- All that the migrations make is granted here, or named on a line of this form (a test compares):
-- no right: proofline_adoption -- what the migrations have found and changed
-- no right: outbox_id_seq -- an identity column asks for none
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'proofline_service') THEN
        CREATE ROLE proofline_service NOLOGIN;
    END IF;
END
$$;
GRANT SELECT, INSERT, UPDATE ON submissions, transactions, fee_payers TO proofline_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON proofs TO proofline_service;
GRANT SELECT, INSERT, DELETE ON outbox TO proofline_service;
GRANT SELECT ON proofline_migrations TO proofline_service;
