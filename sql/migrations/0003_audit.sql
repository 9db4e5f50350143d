-- depends: 0001_scope
-- Two append-only tables whose rows are chained by hash: each row's hash covers the hash of the row before it and
-- its own content, so that a changed or removed row shows. The service may insert and read, nothing else.

CREATE TABLE platform.data_query_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempt_id bigint REFERENCES platform.data_query_audit (id),
    user_id text NOT NULL,
    dataset text NOT NULL,
    manifest_version bigint,
    manifest_versions jsonb,
    query_fingerprint text NOT NULL CHECK (query_fingerprint ~ '^[0-9a-f]{64}$'),
    query_text bytea,
    row_count bigint CHECK (row_count >= 0),
    duration_ms bigint CHECK (duration_ms >= 0),
    client_ip text,
    result text CHECK (result IN ('success', 'error', 'timeout', 'rate_limited', 'denied', 'cancelled')),
    previous_hash text NOT NULL CHECK (previous_hash ~ '^[0-9a-f]{64}$'),
    hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
    CHECK (attempt_id IS NULL OR result IS NOT NULL)
);

COMMENT ON COLUMN platform.data_query_audit.attempt_id IS
    'Null on an attempt or a refusal; on an outcome, the attempt it belongs to.';

COMMENT ON COLUMN platform.data_query_audit.manifest_version IS
    'The version read, when the query could read one table; manifest_versions names every table and its version.';

COMMENT ON COLUMN platform.data_query_audit.query_text IS 'Encrypted; on attempts and refusals only.';

CREATE UNIQUE INDEX data_query_audit_one_outcome ON platform.data_query_audit (attempt_id);

CREATE INDEX data_query_audit_attempts ON platform.data_query_audit (user_id, created_at DESC)
    WHERE attempt_id IS NULL AND result IS NULL;

CREATE INDEX data_query_audit_dataset_created ON platform.data_query_audit (dataset, created_at DESC);

ALTER TABLE platform.data_query_audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.data_query_audit FOR SELECT TO platform_service
    USING (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

CREATE POLICY append_own ON platform.data_query_audit FOR INSERT TO platform_service
    WITH CHECK (platform.sees_everything() OR user_id = platform.app_user());

CREATE POLICY read_chain ON platform.data_query_audit FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT ON platform.data_query_audit TO platform_service;

CREATE TABLE platform.platform_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    dataset text,
    subject text,
    old_value jsonb,
    new_value jsonb,
    reason text,
    client_ip text,
    previous_hash text NOT NULL CHECK (previous_hash ~ '^[0-9a-f]{64}$'),
    hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$')
);

CREATE INDEX platform_audit_created ON platform.platform_audit (created_at DESC);

CREATE INDEX platform_audit_actor ON platform.platform_audit (actor, created_at DESC);

ALTER TABLE platform.platform_audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.platform_audit FOR SELECT TO platform_service
    USING (platform.sees_everything()
           OR (actor = platform.app_user() AND (dataset IS NULL OR platform.may_see(dataset))));

CREATE POLICY append_own ON platform.platform_audit FOR INSERT TO platform_service
    WITH CHECK (platform.sees_everything() OR actor = platform.app_user());

CREATE POLICY read_chain ON platform.platform_audit FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT ON platform.platform_audit TO platform_service;

-- Whoever appends needs the last row's hash, also when row-level security hides that row. These two show nothing
-- else. They run as their owner, whose own policy above lets it read and never change the chain.

CREATE FUNCTION platform.query_audit_head(OUT id bigint, OUT hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT a.id, a.hash FROM platform.data_query_audit a ORDER BY a.id DESC LIMIT 1 $$;

CREATE FUNCTION platform.platform_audit_head(OUT id bigint, OUT hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT a.id, a.hash FROM platform.platform_audit a ORDER BY a.id DESC LIMIT 1 $$;

REVOKE ALL ON FUNCTION platform.query_audit_head(), platform.platform_audit_head() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION platform.query_audit_head(), platform.platform_audit_head() TO platform_service;
