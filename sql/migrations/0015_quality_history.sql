-- depends: 0014_alert_delivery
-- What each published version of a partition looked like, which dates it covers, and trends over both and over the
-- verdicts. Statistics are counts, shares and scale-free figures of whole columns, never values of rows.

CREATE TABLE platform.data_partition_statistics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    day date GENERATED ALWAYS AS ((created_at AT TIME ZONE 'UTC')::date) STORED,
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    table_name text NOT NULL CHECK (length(table_name) BETWEEN 1 AND 128),
    partition text NOT NULL CHECK (length(partition) BETWEEN 1 AND 128),
    manifest_version int NOT NULL CHECK (manifest_version >= 1),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 128),
    row_count bigint NOT NULL CHECK (row_count >= 0),
    null_shares jsonb NOT NULL CHECK (jsonb_typeof(null_shares) = 'object'),
    statistics jsonb NOT NULL CHECK (jsonb_typeof(statistics) = 'object'),
    sync_run_id uuid
);

COMMENT ON COLUMN platform.data_partition_statistics.null_shares IS 'Of each column, its share of missing values.';

CREATE UNIQUE INDEX data_partition_statistics_version
    ON platform.data_partition_statistics (table_name, partition, manifest_version DESC);

CREATE INDEX data_partition_statistics_source
    ON platform.data_partition_statistics (table_name, partition, source, manifest_version DESC);

CREATE INDEX data_partition_statistics_day ON platform.data_partition_statistics (dataset, day);

ALTER TABLE platform.data_partition_statistics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_partition_statistics FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY write_permitted ON platform.data_partition_statistics FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

GRANT SELECT, INSERT ON platform.data_partition_statistics TO platform_service;

CREATE TABLE platform.data_coverage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    table_name text NOT NULL CHECK (length(table_name) BETWEEN 1 AND 128),
    partition text NOT NULL CHECK (length(partition) BETWEEN 1 AND 128),
    manifest_version int NOT NULL CHECK (manifest_version >= 1),
    start_date date,
    end_date date,
    row_count bigint NOT NULL CHECK (row_count >= 0),
    symbols int,
    dates int NOT NULL CHECK (dates >= 0),
    missing_dates int,
    gaps jsonb NOT NULL CHECK (jsonb_typeof(gaps) = 'array'),
    symbols_by_month jsonb NOT NULL CHECK (jsonb_typeof(symbols_by_month) = 'object'),
    UNIQUE (table_name, partition)
);

COMMENT ON TABLE platform.data_coverage IS 'One row a partition: what its newest version covers.';

COMMENT ON COLUMN platform.data_coverage.missing_dates IS
    'Dates of the calendar that have no row, between the first date and the last; null where no calendar judges.';

CREATE INDEX data_coverage_dataset ON platform.data_coverage (dataset, table_name, partition);

ALTER TABLE platform.data_coverage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_coverage FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY write_permitted ON platform.data_coverage FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY change_permitted ON platform.data_coverage FOR UPDATE TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]))
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

-- Of partitions that the newest version lacks, as after a rollback.
CREATE POLICY remove_permitted ON platform.data_coverage FOR DELETE TO platform_service
    USING ((SELECT platform.sees_everything()));

GRANT SELECT, INSERT, DELETE,
    UPDATE (updated_at, manifest_version, start_date, end_date, row_count, symbols, dates, missing_dates, gaps,
            symbols_by_month)
    ON platform.data_coverage TO platform_service;

-- What statistics find is a verdict too.
ALTER TABLE platform.data_validation_results DROP CONSTRAINT data_validation_results_validation_type_check;

ALTER TABLE platform.data_validation_results ADD CONSTRAINT data_validation_results_validation_type_check
    CHECK (validation_type IN ('row_count', 'null_pct', 'schema', 'date_continuity', 'contract', 'checksum', 'anomaly'));

-- A plain column, because a condition on an expression would not be asked of an index below row-level security.
ALTER TABLE platform.data_validation_results
    ADD COLUMN day date GENERATED ALWAYS AS ((created_at AT TIME ZONE 'UTC')::date) STORED;

CREATE INDEX data_validation_results_day ON platform.data_validation_results (dataset, day);

ALTER TABLE platform.data_anomaly_alerts
    ADD COLUMN day date GENERATED ALWAYS AS ((created_at AT TIME ZONE 'UTC')::date) STORED;

CREATE INDEX data_anomaly_alerts_day ON platform.data_anomaly_alerts (dataset, day);

CREATE INDEX data_anomaly_alerts_open_of_partition
    ON platform.data_anomaly_alerts (table_name, partition, metric) WHERE NOT acknowledged;

-- Views of the reader's own rights: each shows the rows of the datasets that its reader may see.
CREATE VIEW platform.quality_trend_row_counts WITH (security_invoker = true) AS
    SELECT dataset, table_name, day, count(*) AS versions, sum(row_count)::bigint AS rows_published,
           count(DISTINCT partition) AS partitions
    FROM platform.data_partition_statistics GROUP BY dataset, table_name, day;

CREATE VIEW platform.quality_trend_null_shares WITH (security_invoker = true) AS
    SELECT s.dataset, s.table_name, s.day, n.key AS column_name,
           sum(n.value::double precision * s.row_count) / nullif(sum(s.row_count), 0) AS null_share
    FROM platform.data_partition_statistics AS s CROSS JOIN LATERAL jsonb_each_text(s.null_shares) AS n
    GROUP BY s.dataset, s.table_name, s.day, n.key;

CREATE VIEW platform.quality_trend_pass_rate WITH (security_invoker = true) AS
    SELECT dataset, table_name, day, count(*) AS checks,
           count(*) FILTER (WHERE status = 'passed') AS passed,
           count(*) FILTER (WHERE status = 'warning') AS warned,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status <> 'failed')::double precision / count(*) AS pass_rate
    FROM platform.data_validation_results GROUP BY dataset, table_name, day;

CREATE VIEW platform.quality_trend_anomalies WITH (security_invoker = true) AS
    SELECT dataset, table_name, metric, severity, day, count(*) AS alerts
    FROM platform.data_anomaly_alerts GROUP BY dataset, table_name, metric, severity, day;

GRANT SELECT ON platform.quality_trend_row_counts, platform.quality_trend_null_shares,
    platform.quality_trend_pass_rate, platform.quality_trend_anomalies TO platform_service;
