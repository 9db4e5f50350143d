-- depends: 0015_quality_history
-- What happened on each day that is over: a row for each dataset, and one for each of its tables in which something
-- happened. Counts, bytes and seconds; the lines that they are summed up from go after 30 days.

CREATE TABLE platform.data_daily_metrics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    day date NOT NULL,
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    table_name text CHECK (length(table_name) BETWEEN 1 AND 128),
    syncs int NOT NULL CHECK (syncs >= 0),
    failures int NOT NULL CHECK (failures BETWEEN 0 AND syncs),
    rows_published bigint NOT NULL CHECK (rows_published >= 0),
    bytes_published bigint NOT NULL CHECK (bytes_published >= 0),
    seconds_median double precision CHECK (seconds_median >= 0),
    seconds_longest double precision CHECK (seconds_longest >= seconds_median),
    queries jsonb NOT NULL CHECK (jsonb_typeof(queries) = 'object'),
    denials int NOT NULL CHECK (denials >= 0),
    alerts_raised int NOT NULL CHECK (alerts_raised >= 0),
    alerts_acknowledged int NOT NULL CHECK (alerts_acknowledged >= 0),
    UNIQUE NULLS NOT DISTINCT (dataset, day, table_name)
);

COMMENT ON COLUMN platform.data_daily_metrics.day IS 'In UTC.';

COMMENT ON COLUMN platform.data_daily_metrics.table_name IS
    'Null on the row of the dataset as a whole; queries belong to no table.';

CREATE INDEX data_daily_metrics_day ON platform.data_daily_metrics (day DESC, dataset);

ALTER TABLE platform.data_daily_metrics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_daily_metrics FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

-- Who sums up sees every query and alert; a sum of what one user may see would be another.
CREATE POLICY write_all ON platform.data_daily_metrics FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()));

CREATE POLICY change_all ON platform.data_daily_metrics FOR UPDATE TO platform_service
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

GRANT SELECT, INSERT,
    UPDATE (updated_at, syncs, failures, rows_published, bytes_published, seconds_median, seconds_longest, queries,
            denials, alerts_raised, alerts_acknowledged)
    ON platform.data_daily_metrics TO platform_service;
