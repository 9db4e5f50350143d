-- depends: 0001_scope
-- What a query run points to: the run carries the request's id, the text lies here, encrypted.

CREATE TABLE platform.query_requests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL,
    dataset text NOT NULL,
    query_text bytea NOT NULL,
    parameters bytea,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    result_location text
);

CREATE INDEX query_requests_user_created ON platform.query_requests (user_id, created_at DESC);

ALTER TABLE platform.query_requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.query_requests FOR SELECT TO platform_service
    USING (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

CREATE POLICY add_own ON platform.query_requests FOR INSERT TO platform_service
    WITH CHECK (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

CREATE POLICY change_own ON platform.query_requests FOR UPDATE TO platform_service
    USING (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)))
    WITH CHECK (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

GRANT SELECT, INSERT, UPDATE (state, result_location, updated_at) ON platform.query_requests TO platform_service;
