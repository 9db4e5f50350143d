-- depends: 0005_query_requests
-- A scope counts only with its seal: an HMAC-SHA256 over app.user and app.datasets under a key that the service's
-- role cannot read. A statement smuggled into somebody's transaction can change the settings, and then sees nothing.
-- The policies ask each question once a statement, not once a row, so that indexes serve what is left.

CREATE TABLE platform.scope_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    inner_key bytea NOT NULL CHECK (octet_length(inner_key) = 64),
    outer_key bytea NOT NULL CHECK (octet_length(outer_key) = 64)
);

COMMENT ON TABLE platform.scope_keys IS
    'One row: the key of the seals as HMAC (RFC 2104) uses it, padded and combined with its two constants.';

ALTER TABLE platform.scope_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_only ON platform.scope_keys TO CURRENT_USER USING (true) WITH CHECK (true);

-- The key is 64 random bytes, hashed from 366 bits of the server's strong random numbers.
INSERT INTO platform.scope_keys (inner_key, outer_key)
SELECT decode(string_agg(lpad(to_hex(get_byte(key, place) # 54), 2, '0'), '' ORDER BY place), 'hex'),
       decode(string_agg(lpad(to_hex(get_byte(key, place) # 92), 2, '0'), '' ORDER BY place), 'hex')
FROM (SELECT sha512(convert_to(concat(gen_random_uuid(), gen_random_uuid(), gen_random_uuid()), 'UTF8')) AS key) AS made,
     generate_series(0, 63) AS place;

CREATE FUNCTION platform.sealed_scope(OUT app_user text, OUT app_datasets text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT given.name, given.datasets
          FROM (SELECT current_setting('app.user', true) AS name,
                       coalesce(current_setting('app.datasets', true), '') AS datasets,
                       current_setting('app.seal', true) AS seal) AS given
          JOIN platform.scope_keys AS keys
            ON given.seal = encode(sha256(keys.outer_key || sha256(keys.inner_key
                   || convert_to(given.name || E'\n' || given.datasets, 'UTF8'))), 'hex')
          WHERE given.name <> '' $$;

-- With a search path of their own: a caller's could hold another "=".
CREATE OR REPLACE FUNCTION platform.app_user() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT s.app_user FROM platform.sealed_scope() AS s $$;

CREATE OR REPLACE FUNCTION platform.sees_everything() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT coalesce((SELECT s.app_datasets = '*' FROM platform.sealed_scope() AS s), false) $$;

CREATE FUNCTION platform.visible_datasets() RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT coalesce((SELECT string_to_array(s.app_datasets, ',') FROM platform.sealed_scope() AS s), '{}') $$;

REVOKE ALL ON FUNCTION platform.sealed_scope(), platform.visible_datasets() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION platform.sealed_scope(), platform.visible_datasets() TO platform_service;

ALTER POLICY read_permitted ON platform.data_sync_logs
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

ALTER POLICY write_permitted ON platform.data_sync_logs
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

ALTER POLICY read_permitted ON platform.data_validation_results
    USING ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

ALTER POLICY write_permitted ON platform.data_validation_results
    WITH CHECK ((SELECT platform.sees_everything()) OR dataset = ANY ((SELECT platform.visible_datasets())::text[]));

ALTER POLICY read_own ON platform.data_query_audit
    USING ((SELECT platform.sees_everything())
           OR (user_id = (SELECT platform.app_user()) AND dataset = ANY ((SELECT platform.visible_datasets())::text[])));

ALTER POLICY append_own ON platform.data_query_audit
    WITH CHECK ((SELECT platform.sees_everything()) OR user_id = (SELECT platform.app_user()));

ALTER POLICY read_own ON platform.platform_audit
    USING ((SELECT platform.sees_everything())
           OR (actor = (SELECT platform.app_user())
               AND (dataset IS NULL OR dataset = ANY ((SELECT platform.visible_datasets())::text[]))));

ALTER POLICY append_own ON platform.platform_audit
    WITH CHECK ((SELECT platform.sees_everything()) OR actor = (SELECT platform.app_user()));

ALTER POLICY read_own ON platform.platform_users
    USING ((SELECT platform.sees_everything()) OR user_id = (SELECT platform.app_user()));

ALTER POLICY add ON platform.platform_users WITH CHECK ((SELECT platform.sees_everything()));

ALTER POLICY change ON platform.platform_users
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

ALTER POLICY read_own ON platform.platform_grants
    USING ((SELECT platform.sees_everything()) OR user_id = (SELECT platform.app_user()));

ALTER POLICY add ON platform.platform_grants WITH CHECK ((SELECT platform.sees_everything()));

ALTER POLICY change ON platform.platform_grants
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

ALTER POLICY read_own ON platform.platform_tokens
    USING ((SELECT platform.sees_everything()) OR user_id = (SELECT platform.app_user()));

ALTER POLICY add ON platform.platform_tokens WITH CHECK ((SELECT platform.sees_everything()));

ALTER POLICY change ON platform.platform_tokens
    USING ((SELECT platform.sees_everything())) WITH CHECK ((SELECT platform.sees_everything()));

ALTER POLICY read_own ON platform.query_requests
    USING ((SELECT platform.sees_everything())
           OR (user_id = (SELECT platform.app_user()) AND dataset = ANY ((SELECT platform.visible_datasets())::text[])));

ALTER POLICY add_own ON platform.query_requests
    WITH CHECK ((SELECT platform.sees_everything())
                OR (user_id = (SELECT platform.app_user())
                    AND dataset = ANY ((SELECT platform.visible_datasets())::text[])));

ALTER POLICY change_own ON platform.query_requests
    USING ((SELECT platform.sees_everything())
           OR (user_id = (SELECT platform.app_user()) AND dataset = ANY ((SELECT platform.visible_datasets())::text[])))
    WITH CHECK ((SELECT platform.sees_everything())
                OR (user_id = (SELECT platform.app_user())
                    AND dataset = ANY ((SELECT platform.visible_datasets())::text[])));

DROP FUNCTION platform.may_see(text);
