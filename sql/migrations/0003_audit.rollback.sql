DROP FUNCTION platform.platform_audit_head();

DROP FUNCTION platform.query_audit_head();

DROP TABLE platform.platform_audit;

DROP TABLE platform.data_query_audit;
