-- depends: 0001_scope
-- What happened while syncing, and what validation found. Messages and values carry counts, never licensed rows.

CREATE TABLE platform.data_sync_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    dataset text NOT NULL,
    table_name text,
    level text NOT NULL CHECK (level IN ('INFO', 'WARN', 'ERROR')),
    message text NOT NULL,
    extra jsonb NOT NULL DEFAULT '{}',
    sync_run_id uuid
);

CREATE INDEX data_sync_logs_dataset_created ON platform.data_sync_logs (dataset, created_at DESC);

CREATE INDEX data_sync_logs_level ON platform.data_sync_logs (level);

ALTER TABLE platform.data_sync_logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_sync_logs FOR SELECT TO platform_service
    USING (platform.may_see(dataset));

CREATE POLICY write_permitted ON platform.data_sync_logs FOR INSERT TO platform_service
    WITH CHECK (platform.may_see(dataset));

GRANT SELECT, INSERT ON platform.data_sync_logs TO platform_service;

CREATE TABLE platform.data_validation_results (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    dataset text NOT NULL,
    table_name text NOT NULL,
    partition text NOT NULL,
    sync_run_id uuid,
    validation_type text NOT NULL
        CHECK (validation_type IN ('row_count', 'null_pct', 'schema', 'date_continuity', 'contract', 'checksum')),
    status text NOT NULL CHECK (status IN ('passed', 'failed', 'warning')),
    expected_value text,
    actual_value text,
    error_message text
);

CREATE INDEX data_validation_results_dataset_created ON platform.data_validation_results (dataset, created_at DESC);

CREATE INDEX data_validation_results_partition
    ON platform.data_validation_results (table_name, partition, created_at DESC);

ALTER TABLE platform.data_validation_results ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_validation_results FOR SELECT TO platform_service
    USING (platform.may_see(dataset));

CREATE POLICY write_permitted ON platform.data_validation_results FOR INSERT TO platform_service
    WITH CHECK (platform.may_see(dataset));

GRANT SELECT, INSERT ON platform.data_validation_results TO platform_service;
