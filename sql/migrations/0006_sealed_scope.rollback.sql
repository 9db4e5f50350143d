CREATE FUNCTION platform.may_see(dataset text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT platform.sees_everything()
          OR (platform.app_user() IS NOT NULL
              AND coalesce(dataset = ANY (string_to_array(current_setting('app.datasets', true), ',')), false)) $$;

REVOKE ALL ON FUNCTION platform.may_see(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION platform.may_see(text) TO platform_service;

ALTER POLICY read_permitted ON platform.data_sync_logs USING (platform.may_see(dataset));

ALTER POLICY write_permitted ON platform.data_sync_logs WITH CHECK (platform.may_see(dataset));

ALTER POLICY read_permitted ON platform.data_validation_results USING (platform.may_see(dataset));

ALTER POLICY write_permitted ON platform.data_validation_results WITH CHECK (platform.may_see(dataset));

ALTER POLICY read_own ON platform.data_query_audit
    USING (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

ALTER POLICY append_own ON platform.data_query_audit
    WITH CHECK (platform.sees_everything() OR user_id = platform.app_user());

ALTER POLICY read_own ON platform.platform_audit
    USING (platform.sees_everything() OR (actor = platform.app_user() AND (dataset IS NULL OR platform.may_see(dataset))));

ALTER POLICY append_own ON platform.platform_audit
    WITH CHECK (platform.sees_everything() OR actor = platform.app_user());

ALTER POLICY read_own ON platform.platform_users USING (platform.sees_everything() OR user_id = platform.app_user());

ALTER POLICY add ON platform.platform_users WITH CHECK (platform.sees_everything());

ALTER POLICY change ON platform.platform_users
    USING (platform.sees_everything())
    WITH CHECK (platform.sees_everything());

ALTER POLICY read_own ON platform.platform_grants USING (platform.sees_everything() OR user_id = platform.app_user());

ALTER POLICY add ON platform.platform_grants WITH CHECK (platform.sees_everything());

ALTER POLICY change ON platform.platform_grants
    USING (platform.sees_everything())
    WITH CHECK (platform.sees_everything());

ALTER POLICY read_own ON platform.platform_tokens USING (platform.sees_everything() OR user_id = platform.app_user());

ALTER POLICY add ON platform.platform_tokens WITH CHECK (platform.sees_everything());

ALTER POLICY change ON platform.platform_tokens
    USING (platform.sees_everything())
    WITH CHECK (platform.sees_everything());

ALTER POLICY read_own ON platform.query_requests
    USING (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

ALTER POLICY add_own ON platform.query_requests
    WITH CHECK (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

ALTER POLICY change_own ON platform.query_requests
    USING (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)))
    WITH CHECK (platform.sees_everything() OR (user_id = platform.app_user() AND platform.may_see(dataset)));

CREATE OR REPLACE FUNCTION platform.app_user() RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.user', true), '') $$;

CREATE OR REPLACE FUNCTION platform.sees_everything() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT platform.app_user() IS NOT NULL AND coalesce(current_setting('app.datasets', true), '') = '*' $$;

DROP FUNCTION platform.visible_datasets();

DROP FUNCTION platform.sealed_scope();

DROP TABLE platform.scope_keys;
