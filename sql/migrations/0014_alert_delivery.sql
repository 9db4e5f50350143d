-- depends: 0013_line_ids
-- Which alerts are sent to which channel, and what became of it. A channel is a name here: its address holds secrets
-- and comes from the environment only. One row for each alert and channel, whoever sends it.

CREATE TABLE platform.alert_rules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    channel text NOT NULL CHECK (channel ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    dataset text CHECK (length(dataset) BETWEEN 1 AND 128),
    metric text CHECK (length(metric) BETWEEN 1 AND 64),
    severity text CHECK (severity IN ('error', 'warning')),
    enabled boolean NOT NULL DEFAULT true,
    updated_by text NOT NULL CHECK (length(updated_by) BETWEEN 1 AND 256),
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN platform.alert_rules.dataset IS 'Null stands for every dataset; so do metric and severity.';

COMMENT ON COLUMN platform.alert_rules.updated_at IS
    'When the rule was made or last turned on or off: it sends no alert that is older.';

CREATE INDEX alert_rules_enabled ON platform.alert_rules (channel, id) WHERE enabled;

ALTER TABLE platform.alert_rules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- A rule for every dataset belongs to none, and whoever may see anything may know of it.
CREATE POLICY read_permitted ON platform.alert_rules FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything())
           OR (dataset IS NULL AND (SELECT platform.app_user()) IS NOT NULL)
           OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY add ON platform.alert_rules FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()));

CREATE POLICY change ON platform.alert_rules FOR UPDATE TO platform_service
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

CREATE POLICY remove ON platform.alert_rules FOR DELETE TO platform_service
    USING ((SELECT platform.sees_everything()));

GRANT SELECT, INSERT, DELETE, UPDATE (enabled, updated_by, updated_at) ON platform.alert_rules TO platform_service;

CREATE TABLE platform.alert_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    alert_id bigint NOT NULL REFERENCES platform.data_anomaly_alerts (id),
    channel text NOT NULL CHECK (channel ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'failed')),
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_attempt_at timestamptz,
    due_at timestamptz DEFAULT now(),
    error text CHECK (length(error) BETWEEN 1 AND 500),
    message_id uuid,
    UNIQUE (alert_id, channel)
);

COMMENT ON COLUMN platform.alert_deliveries.due_at IS
    'From when on the row may be claimed: while it is being sent, when its sender counts as dead; null when it is sent '
    'or was tried often enough.';

COMMENT ON COLUMN platform.alert_deliveries.message_id IS 'The message that the alert was put into at the last attempt.';

COMMENT ON COLUMN platform.alert_deliveries.error IS 'In our own words: no part of an address, no answer of a server.';

CREATE INDEX alert_deliveries_due ON platform.alert_deliveries (channel, due_at, id) WHERE due_at IS NOT NULL;

CREATE INDEX alert_deliveries_message ON platform.alert_deliveries (message_id);

CREATE INDEX alert_deliveries_created ON platform.alert_deliveries (created_at DESC, id DESC);

CREATE INDEX alert_deliveries_dataset ON platform.alert_deliveries (dataset, created_at DESC, id DESC);

CREATE INDEX alert_deliveries_channel ON platform.alert_deliveries (channel, created_at DESC, id DESC);

CREATE INDEX alert_deliveries_state ON platform.alert_deliveries (state, created_at DESC, id DESC);

ALTER TABLE platform.alert_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.alert_deliveries FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

-- Only the platform itself delivers: a row of somebody's making could keep an alert from being sent.
CREATE POLICY add ON platform.alert_deliveries FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()));

CREATE POLICY change ON platform.alert_deliveries FOR UPDATE TO platform_service
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

CREATE POLICY retention_reads ON platform.alert_deliveries FOR SELECT TO CURRENT_USER USING (true);

CREATE POLICY retention_removes ON platform.alert_deliveries FOR DELETE TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, UPDATE (state, attempts, last_attempt_at, due_at, error, message_id)
    ON platform.alert_deliveries TO platform_service;
