-- depends: 0008_anomaly_alerts
-- When somebody last did what is limited. The moments lie apart from the audit, so that they can be corrected when the
-- server's clock is set back: the audit keeps what the clock said.

CREATE TABLE platform.rate_limits (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 256),
    hits timestamptz[] NOT NULL DEFAULT '{}',
    UNIQUE (action, subject)
);

COMMENT ON COLUMN platform.rate_limits.subject IS 'Whose limit it is: a user, or * for one that all share.';

COMMENT ON COLUMN platform.rate_limits.hits IS 'The moments within the window, oldest first.';

ALTER TABLE platform.rate_limits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.rate_limits FOR SELECT TO platform_service
    USING ((SELECT platform.sees_everything()) OR subject = (SELECT platform.app_user()));

CREATE POLICY add ON platform.rate_limits FOR INSERT TO platform_service
    WITH CHECK ((SELECT platform.sees_everything()));

CREATE POLICY change ON platform.rate_limits FOR UPDATE TO platform_service
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

GRANT SELECT, INSERT, UPDATE (hits) ON platform.rate_limits TO platform_service;
