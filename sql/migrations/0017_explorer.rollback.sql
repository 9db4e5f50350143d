DO $$ BEGIN
    IF EXISTS (SELECT FROM platform.data_query_audit
               WHERE kind IS NOT NULL OR result_sha256 IS NOT NULL OR result_order_sha256 IS NOT NULL) THEN
        RAISE EXCEPTION 'queries were audited in a form that the code before this migration cannot verify';
    END IF;
    IF EXISTS (SELECT FROM platform.archives WHERE table_name = 'data_query_audit' AND last_id IS NOT NULL) THEN
        RAISE EXCEPTION 'audited queries were archived, in a form that the code before this migration may not verify';
    END IF;
END $$;

DROP INDEX platform.query_requests_unfinished;

UPDATE platform.query_requests SET state = 'failed' WHERE state = 'cancelled';

ALTER TABLE platform.query_requests
    DROP CONSTRAINT query_requests_format_of_export,
    DROP COLUMN expires_at,
    DROP COLUMN finished_at,
    DROP COLUMN started_at,
    DROP COLUMN error_message,
    DROP COLUMN error_kind,
    DROP COLUMN row_count,
    DROP COLUMN audit_id,
    DROP COLUMN by_server,
    DROP COLUMN client_ip,
    DROP COLUMN cancel_reason,
    DROP COLUMN cancel_requested,
    DROP COLUMN as_of,
    DROP COLUMN escape_formulas,
    DROP COLUMN format,
    DROP COLUMN kind,
    DROP CONSTRAINT query_requests_state_check;

ALTER TABLE platform.query_requests
    ADD CONSTRAINT query_requests_state_check CHECK (state IN ('queued', 'running', 'done', 'failed'));

ALTER TABLE platform.data_query_audit
    DROP COLUMN result_order_sha256,
    DROP COLUMN result_sha256,
    DROP COLUMN kind;
