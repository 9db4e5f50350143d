-- depends: 0010_archives
-- The audit tables enforce by themselves that a row follows the last one, that nothing is changed, and that only
-- archived rows go. The text of a query leaves the chain's hash, which covers its digest instead: so the text can be
-- encrypted with another key, and a text that was exchanged still shows.

CREATE TABLE platform.audit_heads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    chain text NOT NULL UNIQUE,
    row_id bigint NOT NULL,
    row_hash text NOT NULL CHECK (row_hash ~ '^[0-9a-f]{64}$')
) WITH (fillfactor = 10);

COMMENT ON TABLE platform.audit_heads IS 'The last row of each audit table: when it is gone, that shows.';

INSERT INTO platform.audit_heads (chain, row_id, row_hash)
SELECT names.chain, coalesce(last.id, 0), coalesce(last.hash, repeat('0', 64))
FROM (VALUES ('data_query_audit'), ('platform_audit')) AS names (chain)
LEFT JOIN ((SELECT 'data_query_audit' AS chain, id, hash FROM platform.data_query_audit ORDER BY id DESC LIMIT 1)
           UNION ALL
           (SELECT 'platform_audit', id, hash FROM platform.platform_audit ORDER BY id DESC LIMIT 1)) AS last
    USING (chain);

ALTER TABLE platform.audit_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY read_all ON platform.audit_heads FOR SELECT TO platform_service
    USING ((SELECT platform.app_user()) IS NOT NULL);

CREATE POLICY keep ON platform.audit_heads TO CURRENT_USER USING (true) WITH CHECK (true);

GRANT SELECT ON platform.audit_heads TO platform_service;

CREATE FUNCTION platform.extend_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        UPDATE platform.audit_heads SET row_id = NEW.id, row_hash = NEW.hash, updated_at = clock_timestamp()
        WHERE chain = TG_TABLE_NAME AND row_id = NEW.id - 1 AND row_hash = NEW.previous_hash;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the row does not follow the last one of %', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END $$;

CREATE FUNCTION platform.outcome_of_attempt() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        IF NOT EXISTS (SELECT FROM platform.data_query_audit AS a
                       WHERE a.id = NEW.attempt_id AND a.attempt_id IS NULL AND a.result IS NULL
                           AND a.user_id = NEW.user_id AND a.dataset = NEW.dataset) THEN
            RAISE EXCEPTION 'an outcome names an attempt of the same user and dataset'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;

CREATE FUNCTION platform.refuse_unarchived() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        -- A name such as TG_TABLE_NAME sorts as "C", and no index serves a comparison in another collation than its own.
        IF OLD.id > coalesce((SELECT max(last_id) FROM platform.archives
                              WHERE table_name = TG_TABLE_NAME::text COLLATE "default"), 0) THEN
            RAISE EXCEPTION 'row % of % is in no archive', OLD.id, TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END $$;

CREATE FUNCTION platform.only_another_key() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN
        IF NEW.query_text IS NULL OR OLD.query_text_sha256 IS NULL
           OR to_jsonb(NEW) - 'query_text' IS DISTINCT FROM to_jsonb(OLD) - 'query_text' THEN
            RAISE EXCEPTION '% takes no UPDATE but of the key of its texts', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;

REVOKE ALL ON FUNCTION platform.extend_chain(), platform.outcome_of_attempt(), platform.refuse_unarchived(),
    platform.only_another_key() FROM PUBLIC;

ALTER TABLE platform.data_query_audit
    ADD COLUMN query_text_sha256 text CHECK (query_text_sha256 ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT data_query_audit_lengths
        CHECK (length(user_id) <= 256 AND length(dataset) <= 64 AND length(client_ip) <= 64
               AND octet_length(query_text) <= 131072) NOT VALID,
    -- An attempt may be archived before its outcome; the trigger looks at what is written from now on.
    DROP CONSTRAINT data_query_audit_attempt_id_fkey;

COMMENT ON COLUMN platform.data_query_audit.query_text_sha256 IS
    'Of the text itself; where it is null beside a text, the hash of the row covers the text as it was encrypted.';

ALTER TABLE platform.platform_audit
    ADD CONSTRAINT platform_audit_lengths
        CHECK (length(actor) <= 256 AND length(action) <= 64 AND length(dataset) <= 64 AND length(subject) <= 512
               AND length(reason) <= 2000 AND length(client_ip) <= 64) NOT VALID;

CREATE POLICY encrypt_anew ON platform.data_query_audit FOR UPDATE TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE POLICY remove_archived ON platform.data_query_audit FOR DELETE TO CURRENT_USER USING (true);

CREATE POLICY remove_archived ON platform.platform_audit FOR DELETE TO CURRENT_USER USING (true);

-- After the row is there: one that ON CONFLICT leaves out must not move the head.
CREATE TRIGGER a_follow AFTER INSERT ON platform.data_query_audit
    FOR EACH ROW EXECUTE FUNCTION platform.extend_chain();

CREATE TRIGGER a_follow AFTER INSERT ON platform.platform_audit
    FOR EACH ROW EXECUTE FUNCTION platform.extend_chain();

CREATE TRIGGER b_outcome BEFORE INSERT ON platform.data_query_audit
    FOR EACH ROW WHEN (NEW.attempt_id IS NOT NULL) EXECUTE FUNCTION platform.outcome_of_attempt();

CREATE TRIGGER only_another_key BEFORE UPDATE ON platform.data_query_audit
    FOR EACH ROW EXECUTE FUNCTION platform.only_another_key();

CREATE TRIGGER no_update BEFORE UPDATE ON platform.platform_audit
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

CREATE TRIGGER only_archived BEFORE DELETE ON platform.data_query_audit
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_unarchived();

CREATE TRIGGER only_archived BEFORE DELETE ON platform.platform_audit
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_unarchived();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON platform.data_query_audit
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON platform.platform_audit
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- The heads are rows now.
DROP FUNCTION platform.query_audit_head();

DROP FUNCTION platform.platform_audit_head();
