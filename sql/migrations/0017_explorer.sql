-- depends: 0016_daily_metrics
-- Queries and exports as requests that can be listed, cancelled and asked for again, and what a replay needs: the
-- hash of a result in the audit's outcome row. The hashes of older audit rows cover none of the new columns, which are
-- left out of a row's content where they are null.

ALTER TABLE platform.data_query_audit
    ADD COLUMN kind text CHECK (kind IN ('dry_run', 'export', 'replay')),
    ADD COLUMN result_sha256 text CHECK (result_sha256 ~ '^[0-9a-f]{64}$'),
    ADD COLUMN result_order_sha256 text CHECK (result_order_sha256 ~ '^[0-9a-f]{64}$');

COMMENT ON COLUMN platform.data_query_audit.kind IS 'Null on queries and previews.';

COMMENT ON COLUMN platform.data_query_audit.result_sha256 IS
    'On the outcome of a success: of its rows in any order, floating numbers to ten significant digits.';

COMMENT ON COLUMN platform.data_query_audit.result_order_sha256 IS
    'The same of the rows in their order, when the query gives them one.';

ALTER TABLE platform.query_requests DROP CONSTRAINT query_requests_state_check;

ALTER TABLE platform.query_requests
    ADD CONSTRAINT query_requests_state_check CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    ADD COLUMN kind text NOT NULL DEFAULT 'query' CHECK (kind IN ('query', 'export')),
    ADD COLUMN format text CHECK (format IN ('csv', 'parquet')),
    ADD COLUMN escape_formulas boolean NOT NULL DEFAULT false,
    ADD COLUMN as_of text CHECK (length(as_of) <= 256),
    ADD COLUMN cancel_requested boolean NOT NULL DEFAULT false,
    ADD COLUMN cancel_reason text CHECK (length(cancel_reason) <= 2000),
    ADD COLUMN client_ip text CHECK (length(client_ip) <= 64),
    ADD COLUMN by_server boolean NOT NULL DEFAULT false,
    ADD COLUMN audit_id bigint,
    ADD COLUMN row_count bigint CHECK (row_count >= 0),
    ADD COLUMN error_kind text CHECK (length(error_kind) <= 64),
    ADD COLUMN error_message bytea,
    ADD COLUMN started_at timestamptz,
    ADD COLUMN finished_at timestamptz,
    ADD COLUMN expires_at timestamptz,
    ADD CONSTRAINT query_requests_format_of_export CHECK ((kind = 'export') = (format IS NOT NULL));

COMMENT ON COLUMN platform.query_requests.error_message IS 'Encrypted, because it may repeat words of the query.';

COMMENT ON COLUMN platform.query_requests.client_ip IS 'Of whoever asked; the audit has it once the request runs.';

COMMENT ON COLUMN platform.query_requests.by_server IS
    'A server is to run it, and nobody else will: when the server is gone, the request is lost.';

COMMENT ON COLUMN platform.query_requests.audit_id IS 'The attempt in data_query_audit, once there is one.';

CREATE INDEX query_requests_unfinished ON platform.query_requests (created_at) WHERE state IN ('queued', 'running');

GRANT UPDATE (cancel_requested, cancel_reason, audit_id, row_count, error_kind, error_message, started_at, finished_at,
              expires_at)
    ON platform.query_requests TO platform_service;
