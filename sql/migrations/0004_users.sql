-- depends: 0001_scope
-- Who may sign in, with which role, and what was granted or revoked beyond it. Only transactions that see
-- everything write here or read other people's rows; everybody may read their own.

CREATE TABLE platform.platform_users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL UNIQUE CHECK (user_id ~ '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$'),
    role text NOT NULL CHECK (role IN ('viewer', 'analyst', 'operator', 'admin')),
    disabled boolean NOT NULL DEFAULT false
);

COMMENT ON COLUMN platform.platform_users.user_id IS
    'Holds no colon: names such as system:sync and local:ann are not accounts.';

ALTER TABLE platform.platform_users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.platform_users FOR SELECT TO platform_service
    USING (platform.sees_everything() OR user_id = platform.app_user());

CREATE POLICY add ON platform.platform_users FOR INSERT TO platform_service WITH CHECK (platform.sees_everything());

CREATE POLICY change ON platform.platform_users FOR UPDATE TO platform_service
    USING (platform.sees_everything()) WITH CHECK (platform.sees_everything());

GRANT SELECT, INSERT, UPDATE (role, disabled) ON platform.platform_users TO platform_service;

CREATE TABLE platform.platform_grants (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL REFERENCES platform.platform_users (user_id),
    kind text NOT NULL CHECK (kind IN ('grant', 'revocation')),
    permission text NOT NULL CHECK (permission ~ '^[a-z_]+:[a-z_]+$'),
    UNIQUE (user_id, permission)
);

ALTER TABLE platform.platform_grants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.platform_grants FOR SELECT TO platform_service
    USING (platform.sees_everything() OR user_id = platform.app_user());

CREATE POLICY add ON platform.platform_grants FOR INSERT TO platform_service WITH CHECK (platform.sees_everything());

CREATE POLICY change ON platform.platform_grants FOR UPDATE TO platform_service
    USING (platform.sees_everything()) WITH CHECK (platform.sees_everything());

GRANT SELECT, INSERT, UPDATE (kind) ON platform.platform_grants TO platform_service;

CREATE TABLE platform.platform_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL REFERENCES platform.platform_users (user_id),
    token_hash text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE INDEX platform_tokens_user ON platform.platform_tokens (user_id);

ALTER TABLE platform.platform_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_own ON platform.platform_tokens FOR SELECT TO platform_service
    USING (platform.sees_everything() OR user_id = platform.app_user());

CREATE POLICY add ON platform.platform_tokens FOR INSERT TO platform_service WITH CHECK (platform.sees_everything());

CREATE POLICY change ON platform.platform_tokens FOR UPDATE TO platform_service
    USING (platform.sees_everything()) WITH CHECK (platform.sees_everything());

GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON platform.platform_tokens TO platform_service;
