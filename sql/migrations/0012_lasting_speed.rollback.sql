DROP POLICY encrypt_anew ON platform.query_requests;

DROP POLICY retention_removes ON platform.query_requests;

DROP POLICY retention_reads ON platform.query_requests;

DROP POLICY retention_removes ON platform.data_sync_logs;

DROP POLICY retention_reads ON platform.data_sync_logs;

DROP INDEX platform.query_requests_updated;

DROP INDEX platform.platform_users_administrators;

CREATE INDEX platform_audit_actor ON platform.platform_audit (actor, created_at DESC);

DROP INDEX platform.platform_audit_by_dataset;

DROP INDEX platform.platform_audit_by_subject;

DROP INDEX platform.platform_audit_by_action;

DROP INDEX platform.platform_audit_by_actor;

CREATE INDEX data_query_audit_attempts ON platform.data_query_audit (user_id, created_at DESC)
    WHERE attempt_id IS NULL AND result IS NULL;

DROP INDEX platform.data_query_audit_created;

DROP INDEX platform.data_query_audit_dataset;

DROP INDEX platform.data_query_audit_user;

DROP INDEX platform.data_validation_results_table;

DROP INDEX platform.data_validation_results_created;

DROP INDEX platform.data_sync_logs_level_created;

DROP INDEX platform.data_sync_logs_created;
