-- depends: 0006_sealed_scope
-- When each table is synced by itself. A change names the version it is based on, so that two people who change the
-- same schedule at once do not overwrite each other; the times of the runs are the scheduler's and leave it alone.

CREATE TABLE platform.data_sync_schedule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    dataset text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 128),
    table_name text NOT NULL CHECK (length(table_name) BETWEEN 1 AND 128),
    enabled boolean NOT NULL DEFAULT true,
    cron_expression text NOT NULL DEFAULT '0 2 * * *' CHECK (length(cron_expression) BETWEEN 1 AND 200),
    timezone text NOT NULL DEFAULT 'America/New_York' CHECK (length(timezone) BETWEEN 1 AND 64),
    last_scheduled_run timestamptz,
    next_scheduled_run timestamptz,
    updated_by text CHECK (length(updated_by) BETWEEN 1 AND 256),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version int NOT NULL DEFAULT 1 CHECK (version >= 1),
    UNIQUE (dataset, table_name)
);

COMMENT ON COLUMN platform.data_sync_schedule.next_scheduled_run IS 'Null while the schedule is off.';

COMMENT ON COLUMN platform.data_sync_schedule.updated_by IS
    'Who changed what people may change, and updated_at when; null until somebody does.';

-- Reads by dataset and in order are served by the unique constraint's index; this one serves what is due.
CREATE INDEX data_sync_schedule_due ON platform.data_sync_schedule (next_scheduled_run, id) WHERE enabled;

ALTER TABLE platform.data_sync_schedule ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_permitted ON platform.data_sync_schedule FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY write_permitted ON platform.data_sync_schedule FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

CREATE POLICY change_permitted ON platform.data_sync_schedule FOR UPDATE TO platform_service
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]))
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

GRANT SELECT, INSERT,
    UPDATE (enabled, cron_expression, timezone, last_scheduled_run, next_scheduled_run, updated_by, updated_at, version)
    ON platform.data_sync_schedule TO platform_service;
