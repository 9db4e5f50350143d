DO $$ BEGIN
    IF EXISTS (SELECT FROM platform.data_query_audit WHERE query_text_sha256 IS NOT NULL) THEN
        RAISE EXCEPTION 'queries were audited in a form that the code before this migration cannot verify';
    END IF;
    IF EXISTS (SELECT FROM platform.archives WHERE last_id IS NOT NULL) THEN
        RAISE EXCEPTION 'audit rows were archived, and the code before this migration cannot verify the rest';
    END IF;
END $$;

CREATE FUNCTION platform.query_audit_head(OUT id bigint, OUT hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT a.id, a.hash FROM platform.data_query_audit a ORDER BY a.id DESC LIMIT 1 $$;

CREATE FUNCTION platform.platform_audit_head(OUT id bigint, OUT hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT a.id, a.hash FROM platform.platform_audit a ORDER BY a.id DESC LIMIT 1 $$;

REVOKE ALL ON FUNCTION platform.query_audit_head(), platform.platform_audit_head() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION platform.query_audit_head(), platform.platform_audit_head() TO platform_service;

DROP TRIGGER no_truncate ON platform.platform_audit;

DROP TRIGGER no_truncate ON platform.data_query_audit;

DROP TRIGGER only_archived ON platform.platform_audit;

DROP TRIGGER only_archived ON platform.data_query_audit;

DROP TRIGGER no_update ON platform.platform_audit;

DROP TRIGGER only_another_key ON platform.data_query_audit;

DROP TRIGGER b_outcome ON platform.data_query_audit;

DROP TRIGGER a_follow ON platform.platform_audit;

DROP TRIGGER a_follow ON platform.data_query_audit;

DROP POLICY remove_archived ON platform.platform_audit;

DROP POLICY remove_archived ON platform.data_query_audit;

DROP POLICY encrypt_anew ON platform.data_query_audit;

ALTER TABLE platform.platform_audit DROP CONSTRAINT platform_audit_lengths;

ALTER TABLE platform.data_query_audit
    DROP CONSTRAINT data_query_audit_lengths,
    DROP COLUMN query_text_sha256,
    ADD CONSTRAINT data_query_audit_attempt_id_fkey
        FOREIGN KEY (attempt_id) REFERENCES platform.data_query_audit (id);

DROP FUNCTION platform.only_another_key();

DROP FUNCTION platform.refuse_unarchived();

DROP FUNCTION platform.outcome_of_attempt();

DROP FUNCTION platform.extend_chain();

DROP TABLE platform.audit_heads;
