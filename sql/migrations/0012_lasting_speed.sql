-- depends: 0011_audit_trail
-- Every read of a page of rows has an index that gives them in order, so that it costs the same when a table has grown.
-- What retention removes, the tables' owner sees.

CREATE INDEX data_sync_logs_created ON platform.data_sync_logs (created_at DESC, id DESC);

CREATE INDEX data_sync_logs_level_created ON platform.data_sync_logs (level, created_at DESC, id DESC);

CREATE INDEX data_validation_results_created ON platform.data_validation_results (created_at DESC, id DESC);

CREATE INDEX data_validation_results_table ON platform.data_validation_results (table_name, created_at DESC, id DESC);

CREATE INDEX data_query_audit_user ON platform.data_query_audit (user_id, id DESC);

CREATE INDEX data_query_audit_dataset ON platform.data_query_audit (dataset, id DESC);

CREATE INDEX data_query_audit_created ON platform.data_query_audit (created_at);

-- The limit has a table of its own now.
DROP INDEX platform.data_query_audit_attempts;

CREATE INDEX platform_audit_by_actor ON platform.platform_audit (actor, id DESC);

CREATE INDEX platform_audit_by_action ON platform.platform_audit (action, id DESC);

CREATE INDEX platform_audit_by_subject ON platform.platform_audit (subject, id DESC);

CREATE INDEX platform_audit_by_dataset ON platform.platform_audit (dataset, id DESC);

DROP INDEX platform.platform_audit_actor;

CREATE INDEX platform_users_administrators ON platform.platform_users (user_id) WHERE role = 'admin' AND NOT disabled;

CREATE INDEX query_requests_updated ON platform.query_requests (updated_at, id);

CREATE POLICY retention_reads ON platform.data_sync_logs FOR SELECT TO CURRENT_USER USING (true);

CREATE POLICY retention_removes ON platform.data_sync_logs FOR DELETE TO CURRENT_USER USING (true);

CREATE POLICY retention_reads ON platform.query_requests FOR SELECT TO CURRENT_USER USING (true);

CREATE POLICY retention_removes ON platform.query_requests FOR DELETE TO CURRENT_USER USING (true);

CREATE POLICY encrypt_anew ON platform.query_requests FOR UPDATE TO CURRENT_USER USING (true) WITH CHECK (true);
