-- depends: 0007_sync_schedule
-- What looks wrong in data that was synced, and who has looked at it. The service adds to both tables and changes
-- neither; messages and values carry counts and shares, never licensed rows.

CREATE TABLE platform.data_anomaly_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    table_name text NOT NULL CHECK (length(table_name) BETWEEN 1 AND 128),
    partition text NOT NULL CHECK (length(partition) BETWEEN 1 AND 128),
    metric text NOT NULL CHECK (length(metric) BETWEEN 1 AND 64),
    severity text NOT NULL CHECK (severity IN ('error', 'warning')),
    current_value double precision,
    expected_value double precision,
    deviation_pct double precision,
    message text NOT NULL CHECK (length(message) <= 2000),
    sync_run_id uuid,
    acknowledged boolean NOT NULL DEFAULT false
);

COMMENT ON COLUMN platform.data_anomaly_alerts.acknowledged IS
    'Set by the acknowledgment itself, so that an index finds the open alerts however many are closed.';

CREATE INDEX data_anomaly_alerts_dataset ON platform.data_anomaly_alerts (dataset, created_at DESC, id DESC);

CREATE INDEX data_anomaly_alerts_severity ON platform.data_anomaly_alerts (severity, created_at DESC, id DESC);

CREATE INDEX data_anomaly_alerts_created ON platform.data_anomaly_alerts (created_at DESC, id DESC);

CREATE INDEX data_anomaly_alerts_acknowledged ON platform.data_anomaly_alerts (acknowledged, created_at DESC, id DESC);

CREATE INDEX data_anomaly_alerts_open ON platform.data_anomaly_alerts (dataset, created_at DESC, id DESC)
    WHERE NOT acknowledged;

ALTER TABLE platform.data_anomaly_alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_anomaly_alerts FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY write_permitted ON platform.data_anomaly_alerts FOR INSERT TO platform_service
    WITH CHECK (NOT acknowledged
                AND ((SELECT platform.sees_everything())
                     OR dataset = ANY ((SELECT platform.visible_datasets())::text[])));

-- The owner checks the reference from an acknowledgment and marks the alert; it can do nothing else to it.
CREATE POLICY read_referenced ON platform.data_anomaly_alerts FOR SELECT TO CURRENT_USER USING (true);

CREATE POLICY mark ON platform.data_anomaly_alerts FOR UPDATE TO CURRENT_USER
    USING (true) WITH CHECK (acknowledged);

GRANT SELECT, INSERT ON platform.data_anomaly_alerts TO platform_service;

CREATE TABLE platform.data_quality_alert_acknowledgments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    alert_id bigint NOT NULL UNIQUE REFERENCES platform.data_anomaly_alerts (id),
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    metric text NOT NULL CHECK (length(metric) BETWEEN 1 AND 64),
    severity text NOT NULL CHECK (severity IN ('error', 'warning')),
    acknowledged_by text NOT NULL CHECK (length(acknowledged_by) BETWEEN 1 AND 256),
    acknowledged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    original_alert jsonb NOT NULL
);

COMMENT ON COLUMN platform.data_quality_alert_acknowledgments.original_alert IS
    'What the alert said when it was acknowledged: names, dates and numbers, no message.';

CREATE INDEX data_quality_alert_acknowledgments_dataset
    ON platform.data_quality_alert_acknowledgments (dataset, created_at DESC);

ALTER TABLE platform.data_quality_alert_acknowledgments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_quality_alert_acknowledgments FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

-- The alert must be one that the scope sees, and of the dataset named: the first acknowledgment is the only one, so
-- nobody may take its place for an alert of somebody else's.
CREATE POLICY write_own ON platform.data_quality_alert_acknowledgments FOR INSERT TO platform_service
    WITH CHECK (EXISTS (SELECT FROM platform.data_anomaly_alerts AS alert
                        WHERE alert.id = alert_id AND alert.dataset = data_quality_alert_acknowledgments.dataset)
                AND ((SELECT platform.sees_everything())
                     OR (acknowledged_by = (SELECT platform.app_user())
                         AND dataset = ANY ((SELECT platform.visible_datasets())::text[]))));

GRANT SELECT, INSERT ON platform.data_quality_alert_acknowledgments TO platform_service;

CREATE FUNCTION platform.mark_alert_acknowledged() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        UPDATE platform.data_anomaly_alerts SET acknowledged = true WHERE id = NEW.alert_id;
        RETURN NULL;
    END $$;

REVOKE ALL ON FUNCTION platform.mark_alert_acknowledged() FROM PUBLIC;

CREATE TRIGGER mark_alert AFTER INSERT ON platform.data_quality_alert_acknowledgments
    FOR EACH ROW EXECUTE FUNCTION platform.mark_alert_acknowledged();
