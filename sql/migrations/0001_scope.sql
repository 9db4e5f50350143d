-- The schema, and the three questions that every row-level security policy asks of the running transaction.
-- The settings app.user and app.datasets are set per transaction; where they are missing, no row is visible.

CREATE SCHEMA platform;

GRANT USAGE ON SCHEMA platform TO platform_service;

CREATE FUNCTION platform.app_user() RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.user', true), '') $$;

CREATE FUNCTION platform.sees_everything() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT platform.app_user() IS NOT NULL AND coalesce(current_setting('app.datasets', true), '') = '*' $$;

CREATE FUNCTION platform.may_see(dataset text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT platform.sees_everything()
          OR (platform.app_user() IS NOT NULL
              AND coalesce(dataset = ANY (string_to_array(current_setting('app.datasets', true), ',')), false)) $$;

REVOKE ALL ON FUNCTION platform.app_user(), platform.sees_everything(), platform.may_see(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION platform.app_user(), platform.sees_everything(), platform.may_see(text) TO platform_service;
