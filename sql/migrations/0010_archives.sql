-- depends: 0009_rate_limits
-- What retention took out of the tables, and into which file. Written by the tables' owner in the transaction that
-- deletes the rows; an audit row can be deleted only when an archive says that it has it.

CREATE TABLE platform.archives (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_name text NOT NULL CHECK (table_name ~ '^[a-z_]{1,63}$'),
    file_name text NOT NULL UNIQUE CHECK (length(file_name) BETWEEN 1 AND 200),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    row_count bigint NOT NULL CHECK (row_count > 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    first_id bigint,
    last_id bigint,
    previous_hash text CHECK (previous_hash ~ '^[0-9a-f]{64}$'),
    last_hash text CHECK (last_hash ~ '^[0-9a-f]{64}$'),
    CHECK (num_nulls(first_id, last_id, previous_hash, last_hash) IN (0, 4))
);

COMMENT ON COLUMN platform.archives.sha256 IS 'Of the content before it was encrypted, so that another key leaves it.';

COMMENT ON COLUMN platform.archives.last_hash IS
    'Of an audit table: the hash at which the chain goes on in the next archive or in the table.';

CREATE UNIQUE INDEX archives_of_chains ON platform.archives (table_name, last_id) WHERE last_id IS NOT NULL;

CREATE INDEX archives_table ON platform.archives (table_name, id);

ALTER TABLE platform.archives ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_all ON platform.archives FOR SELECT TO platform_service USING ((SELECT platform.sees_everything()));

CREATE POLICY keep ON platform.archives TO CURRENT_USER USING (true) WITH CHECK (true);

GRANT SELECT ON platform.archives TO platform_service;

CREATE FUNCTION platform.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        RAISE EXCEPTION '% takes no %', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$;

REVOKE ALL ON FUNCTION platform.refuse_change() FROM PUBLIC;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON platform.archives
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
